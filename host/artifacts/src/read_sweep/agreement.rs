//! Whether a file agrees with itself: what it says twice it must say alike.
//!
//! Writers round, so numbers agree if they differ by no more than a hundredth of the larger one.

use super::block::Block;
use super::document::Metadata;
use super::{Measured, compare};
use crate::contradiction::{Contradiction, check_size};
use aiperf_model::parameter::Parameter;
use aiperf_model::parameter::describe;

/// How far two numbers that should be equal may be apart, as a part of the larger one.
const TOLERANCE: f64 = 0.01;

/// Whether the lists of values agree with each other and with what was measured.
pub(super) fn check_values(metadata: &Metadata, measured: &[Measured]) -> Result<(), Contradiction> {
    let listed = metadata.values();
    for (index, parameters) in listed.iter().enumerate() {
        let at = || format!("metadata.parameter_values[{index}]");
        check_parameters(parameters, at)?;
        if listed.iter().take(index).any(|earlier| compare(earlier, parameters).is_eq()) {
            let problem = format!("{} is there twice, expected each value once", describe(parameters));
            return Err(Contradiction::new(at(), problem));
        }
    }
    if let Some(count) = metadata.num_values.filter(|count| !listed.is_empty() && *count != listed.len()) {
        let problem = format!("found {count}, expected {}, the number of `parameter_values`", listed.len());
        return Err(Contradiction::new("metadata.num_values", problem));
    }
    for value in measured {
        check_parameters(&value.parameters, || value.at.clone())?;
        let is_listed = listed.iter().any(|listed| compare(listed, &value.parameters).is_eq());
        if !listed.is_empty() && !is_listed {
            let problem = format!(
                "{} was measured, expected a value that `metadata.parameter_values` lists",
                describe(&value.parameters)
            );
            return Err(Contradiction::new(value.at.clone(), problem));
        }
    }
    Ok(())
}

fn check_parameters(parameters: &[Parameter], at: impl Fn() -> String) -> Result<(), Contradiction> {
    let mut numbers = parameters.iter().filter_map(|parameter| parameter.value.as_number());
    numbers.try_for_each(check_size).map_err(|problem| Contradiction::new(at(), problem))
}

/// Whether all that a block says can be true at once. `at` is where it stands.
pub(super) fn check_block(at: &str, block: &Block) -> Result<(), Contradiction> {
    let fault = |field: &str, problem: String| Err(Contradiction::new(format!("{at}.{field}"), problem));
    for (field, number) in block.numbers() {
        if let Err(problem) = check_size(number) {
            return fault(&field, problem);
        }
    }
    if block.n == Some(0) {
        return fault("n", "found 0, expected at least 1".to_owned());
    }
    if let Some(std) = block.std.filter(|std| *std < 0.0) {
        return fault("std", format!("found {std}, expected at least 0"));
    }
    if let (Some(low), Some(high)) = (block.ci_low, block.ci_high)
        && low > high
    {
        return fault("ci_low", format!("found {low}, expected at most `ci_high`, which is {high}"));
    }
    if let (Some(min), Some(max)) = (block.min, block.max)
        && min > max
    {
        return fault("min", format!("found {min}, expected at most `max`, which is {max}"));
    }
    check_trials(at, block)?;
    let Some(mean) = block.mean else { return Ok(()) };
    for (field, limit) in [("min", block.min), ("ci_low", block.ci_low)] {
        if let Some(limit) = limit.filter(|limit| *limit > mean && !agree(*limit, mean)) {
            return fault(field, format!("found {limit}, expected at most `mean`, which is {mean}"));
        }
    }
    for (field, limit) in [("max", block.max), ("ci_high", block.ci_high)] {
        if let Some(limit) = limit.filter(|limit| *limit < mean && !agree(*limit, mean)) {
            return fault(field, format!("found {limit}, expected at least `mean`, which is {mean}"));
        }
    }
    Ok(())
}

/// Whether the values of the trials are those that the other fields are of.
fn check_trials(at: &str, block: &Block) -> Result<(), Contradiction> {
    let Some(trials) = block.trials.as_deref().filter(|trials| !trials.is_empty()) else { return Ok(()) };
    let fault = |field: &str, problem: String| Err(Contradiction::new(format!("{at}.{field}"), problem));
    let count = trials.len();
    if let Some(n) = block.n.filter(|n| *n as usize != count) {
        return fault("n", format!("found {n}, expected {count}, the number of `trials`"));
    }
    let mean = trials.iter().sum::<f64>() / count as f64;
    let [min, max] = [f64::min, f64::max].map(|choose| trials.iter().copied().fold(mean, choose));
    // A mean near 0 of large trials is as exact as these.
    let slack = TOLERANCE * min.abs().max(max.abs());
    for (field, said, computed) in
        [("mean", block.mean, mean), ("min", block.min, min), ("max", block.max, max)]
    {
        if let Some(said) = said.filter(|said| (said - computed).abs() > slack) {
            return fault(field, format!("found {said}, expected {computed}, as `trials` has it"));
        }
    }
    Ok(())
}

fn agree(a: f64, b: f64) -> bool {
    (a - b).abs() <= TOLERANCE * a.abs().max(b.abs())
}
