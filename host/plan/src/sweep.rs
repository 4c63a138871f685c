//! The axes of a sweep and how their values are combined.

use crate::config::{LoadConfig, WorkloadConfig};
use crate::error::ConfigError;
use crate::list;
use crate::options::SweepType;
use crate::sweepable::{Sweepable, Values};
use aiperf_model::parameter::{Parameter, ParameterValue, describe};
use std::collections::HashMap;

/// The most runs that a plan may have.
pub(crate) const MOST_RUNS: u128 = 100_000;

/// One parameter with several values.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The parameter.
    pub parameter: Sweepable,
    /// At least two values, in the order given.
    pub values: Vec<ParameterValue>,
}

impl Axis {
    fn at(&self, value: &ParameterValue) -> Parameter {
        Parameter::new(self.parameter.name(), value.clone())
    }
}

/// The parameters with several values, in the order of [`Sweepable::ALL`].
pub(crate) fn axes(load: &LoadConfig, workload: &WorkloadConfig) -> Vec<Axis> {
    let values_of = |parameter: Sweepable| match parameter {
        Sweepable::Concurrency => load.concurrency.as_ref().map(Values::<u32>::as_parameters),
        Sweepable::RequestRate => load.request_rate.as_ref().map(Values::<f64>::as_parameters),
        Sweepable::Isl => Some(workload.isl.mean.as_parameters()),
        Sweepable::Osl => workload.osl.as_ref().map(|osl| osl.mean.as_parameters()),
        Sweepable::NumPrompts => load.num_prompts.as_ref().map(Values::<u32>::as_parameters),
        Sweepable::BenchmarkDuration => load.benchmark_duration.as_ref().map(Values::<f64>::as_parameters),
    };
    let given = Sweepable::ALL.into_iter().filter_map(|parameter| {
        let values = values_of(parameter)?;
        Some(Axis { parameter, values })
    });
    given.filter(|axis| axis.values.len() > 1).collect()
}

/// The parameters of each value of the sweep, in the order in which they are run; one value without parameters if
/// there are no axes.
pub(crate) fn combine(axes: &[Axis], sweep_type: SweepType) -> Vec<Vec<Parameter>> {
    match sweep_type {
        SweepType::Zip if !axes.is_empty() => element_wise(axes),
        SweepType::Zip | SweepType::Cartesian => product(axes),
    }
}

/// Every value of an axis with every value of the others; the last axis varies fastest.
fn product(axes: &[Axis]) -> Vec<Vec<Parameter>> {
    let mut combinations = vec![Vec::new()];
    for axis in axes {
        combinations = combinations
            .iter()
            .flat_map(|before| {
                axis.values.iter().map(move |value| {
                    let mut parameters: Vec<Parameter> = before.clone();
                    parameters.push(axis.at(value));
                    parameters
                })
            })
            .collect();
    }
    combinations
}

/// The first values of all axes, then the second ones.
fn element_wise(axes: &[Axis]) -> Vec<Vec<Parameter>> {
    let length = axes.iter().map(|axis| axis.values.len()).min().unwrap_or(0);
    (0..length)
        .map(|index| axes.iter().filter_map(|axis| Some(axis.at(axis.values.get(index)?))).collect())
        .collect()
}

/// Refuse axes that do not fit together or would run one value twice.
pub(crate) fn check(axes: &[Axis], sweep_type: SweepType, trials: u32) -> Result<(), ConfigError> {
    match sweep_type {
        SweepType::Cartesian => axes.iter().try_for_each(check_distinct)?,
        SweepType::Zip => check_element_wise(axes)?,
    }
    let values = match sweep_type {
        SweepType::Cartesian => axes.iter().map(|axis| axis.values.len() as u128).product(),
        SweepType::Zip => axes.first().map_or(1, |axis| axis.values.len() as u128),
    };
    let runs = values.saturating_mul(trials.into());
    if runs > MOST_RUNS { Err(ConfigError::TooManyRuns { runs, most: MOST_RUNS }) } else { Ok(()) }
}

fn check_distinct(axis: &Axis) -> Result<(), ConfigError> {
    let Some((first, second, value)) = repetition(axis.values.iter().map(ToString::to_string)) else {
        return Ok(());
    };
    let problem = format!("values {first} and {second} are both {value} and would share a directory");
    Err(list::problem(axis.parameter, problem))
}

fn check_element_wise(axes: &[Axis]) -> Result<(), ConfigError> {
    let mut lengths = axes.iter().map(|axis| axis.values.len());
    let first = lengths.next().unwrap_or(0);
    if lengths.any(|length| length != first) {
        let lengths: Vec<String> =
            axes.iter().map(|axis| format!("{} has {}", axis.parameter.flag(), axis.values.len())).collect();
        return Err(ConfigError::UnequalLengths { lengths: lengths.join(" and ") });
    }
    match repetition(element_wise(axes).iter().map(|parameters| describe(parameters))) {
        Some((first, second, value)) => Err(ConfigError::RepeatedValue { first, second, value }),
        None => Ok(()),
    }
}

/// The positions, from 1, of the first two items that are the same, and the item.
fn repetition(items: impl Iterator<Item = String>) -> Option<(usize, usize, String)> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (index, item) in items.enumerate() {
        if let Some(first) = seen.get(&item) {
            return Some((*first, index + 1, item));
        }
        seen.insert(item, index + 1);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(parameter: Sweepable, values: &[i64]) -> Axis {
        Axis { parameter, values: values.iter().map(|value| ParameterValue::Integer(*value)).collect() }
    }

    fn described(axes: &[Axis], sweep_type: SweepType) -> Vec<String> {
        combine(axes, sweep_type).iter().map(|parameters| describe(parameters)).collect()
    }

    #[test]
    fn the_last_axis_of_a_product_varies_fastest() {
        let axes = [axis(Sweepable::Concurrency, &[2, 1]), axis(Sweepable::Isl, &[128, 512])];
        assert_eq!(
            described(&axes, SweepType::Cartesian),
            [
                "concurrency 2, isl 128",
                "concurrency 2, isl 512",
                "concurrency 1, isl 128",
                "concurrency 1, isl 512"
            ]
        );
        assert_eq!(described(&axes, SweepType::Zip), ["concurrency 2, isl 128", "concurrency 1, isl 512"]);
    }

    #[test]
    fn without_axes_there_is_one_value_without_parameters() {
        for sweep_type in [SweepType::Cartesian, SweepType::Zip] {
            assert_eq!(combine(&[], sweep_type), [vec![]]);
            assert_eq!(check(&[], sweep_type, 1), Ok(()));
        }
    }

    #[test]
    fn lists_that_are_taken_element_wise_may_repeat_a_value_but_not_a_combination() {
        let axes = [axis(Sweepable::Concurrency, &[1, 8, 1]), axis(Sweepable::Isl, &[128, 128, 512])];
        assert_eq!(check(&axes, SweepType::Zip, 1), Ok(()));
        insta::assert_snapshot!(check(&axes, SweepType::Cartesian, 1).unwrap_err(), @"--concurrency: values 1 and 3 are both 1 and would share a directory; write for example --concurrency 10,20,30");
        let axes = [axis(Sweepable::Concurrency, &[1, 8, 1]), axis(Sweepable::Isl, &[128, 128, 128])];
        insta::assert_snapshot!(check(&axes, SweepType::Zip, 1).unwrap_err(), @"--sweep-type zip: values 1 and 3 are both concurrency 1, isl 128 and would share a directory; write for example --concurrency 10,20 --isl 128,512");
    }

    #[test]
    fn element_wise_lists_have_one_length() {
        let axes = [axis(Sweepable::Concurrency, &[1, 2, 3]), axis(Sweepable::Isl, &[128, 512])];
        insta::assert_snapshot!(check(&axes, SweepType::Zip, 1).unwrap_err(), @"--sweep-type zip takes one item of each list at a time, but --concurrency has 3 and --isl has 2; write lists of equal length, for example --concurrency 10,20 --isl 128,512");
    }

    #[test]
    fn a_plan_has_a_limit() {
        let values: Vec<i64> = (1..=1000).collect();
        let axes = [axis(Sweepable::Concurrency, &values), axis(Sweepable::Isl, &values)];
        insta::assert_snapshot!(check(&axes, SweepType::Cartesian, 2).unwrap_err(), @"the plan would have 2000000 runs, at most 100000 are possible; give fewer values or trials");
        assert_eq!(check(&axes[..1], SweepType::Cartesian, 100), Ok(()));
    }
}
