//! Reads a sweep file back for another analysis: the file of this program, the shape of the specification, whose
//! blocks may lack most fields, and the list `per_combination_metrics` of the Python tool of the same name.
//!
//! What the file concludes is not read; concluding again is the purpose. Seeds are not in the file.

mod agreement;
mod block;
mod document;

use crate::contradiction::Contradiction;
use crate::error::ArtifactError;
use crate::json::{self, Entries};
use aiperf_model::conclusion::Conclusions;
use aiperf_model::parameter::{Parameter, ParameterValue};
use aiperf_model::point::Point;
use aiperf_model::sweep::{FailedTrial, FailedValue, SweepResult, SweepValue};
use aiperf_model::verdict::ValueVerdict;
use block::Block;
use document::{Document, Failed, Judged, Metadata};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::Path;

const FORMAT: &str = "sweep file";

/// Reads a sweep file.
///
/// Points and values are ascending and numbered in that order; every seed is 0; there are no conclusions. A
/// measurement without the values of its trials has its mean as the only one and keeps its standard deviation and
/// bounds; it rests on as many trials as its point has.
pub fn read(path: &Path) -> Result<SweepResult, ArtifactError> {
    parse(path, &json::read_bytes(path)?)
}

/// The same from bytes; the path only serves the errors.
pub fn parse(path: &Path, bytes: &[u8]) -> Result<SweepResult, ArtifactError> {
    let document: Document = json::parse(path, FORMAT, bytes)?;
    convert(document).map_err(|contradiction| contradiction.in_file(path, FORMAT))
}

/// The measurements of one value as the file has them.
struct Measured {
    /// Where they stand in the file.
    at: String,
    parameters: Vec<Parameter>,
    blocks: Entries<Block>,
}

fn convert(document: Document) -> Result<SweepResult, Contradiction> {
    let metadata = document.metadata;
    check(&metadata)?;
    let measured = match (document.per_value_metrics, document.per_combination_metrics) {
        (Some(by_value), _) => of_values(by_value, &metadata)?,
        (None, Some(combinations)) => combinations
            .into_iter()
            .enumerate()
            .map(|(index, combination)| Measured {
                at: format!("per_combination_metrics[{index}]"),
                parameters: combination.parameters,
                blocks: combination.metrics,
            })
            .collect(),
        (None, None) => {
            let problem = "expected `per_value_metrics` or `per_combination_metrics`, found neither";
            return Err(Contradiction::new(".", problem));
        }
    };
    agreement::check_values(&metadata, &measured)?;
    for value in &measured {
        let metrics = if metadata.parameter_name.is_some() { "" } else { ".metrics" };
        for (key, block) in &value.blocks.0 {
            agreement::check_block(&format!("{}{metrics}.{key}", value.at), block)?;
        }
    }
    let axes = axes(&metadata, &measured);
    let values = values(&metadata, &measured);
    let mut points: Vec<Point> =
        measured.into_iter().map(|measured| point(measured, &values, &metadata)).collect();
    points.sort_by_key(|point| point.index);
    if let Some([twice, _]) = points.array_windows().find(|[a, b]| a.index == b.index) {
        let at = aiperf_model::parameter::describe(&twice.parameters);
        return Err(Contradiction::new(
            ".",
            format!("the metrics of {at} are there twice, expected each value once"),
        ));
    }
    let verdicts = verdicts(&metadata, &points);
    Ok(SweepResult {
        axes,
        trials_per_value: metadata.num_trials_per_value,
        order: metadata.sweep_mode,
        confidence_level: metadata.confidence_level,
        points,
        failed_values: failed_values(&metadata, &values),
        failed_trials: failed_trials(&metadata, &values),
        request_errors: Vec::new(),
        verdicts,
        convergence: None,
        time_budget: None,
        drift: metadata.drift,
        open_metrics: metadata.open_metrics,
        edited_files: metadata.edited_files,
        plugins: metadata.plugins,
        conclusions: Conclusions::default(),
        values,
    })
}

fn check(metadata: &Metadata) -> Result<(), Contradiction> {
    let level = metadata.confidence_level;
    if !(level > 0.0 && level < 1.0) {
        let problem = format!("found {level}, expected a number between 0 and 1 such as 0.95");
        return Err(Contradiction::new("metadata.confidence_level", problem));
    }
    if metadata.num_trials_per_value == 0 {
        return Err(Contradiction::new("metadata.num_trials_per_value", "found 0, expected at least 1"));
    }
    Ok(())
}

/// The metrics under `per_value_metrics`, whose keys are values as text.
fn of_values(by_value: Entries<Entries<Block>>, metadata: &Metadata) -> Result<Vec<Measured>, Contradiction> {
    if metadata.parameter_name.is_none() {
        let problem = "missing, expected the name of the swept parameter such as `concurrency`";
        return Err(Contradiction::new("metadata.parameter_name", problem));
    }
    let listed = metadata.values().into_iter();
    let by_text: BTreeMap<String, Vec<Parameter>> =
        listed.filter_map(|parameters| Some((parameters.first()?.value.to_string(), parameters))).collect();
    let measured = by_value.0.into_iter().map(|(key, blocks)| {
        let parameters = by_text.get(&key).cloned();
        Measured {
            at: format!("per_value_metrics.{key}"),
            parameters: parameters.unwrap_or_else(|| metadata.of_value(&value_of(&key))),
            blocks,
        }
    });
    Ok(measured.collect())
}

/// A value that the metadata does not list, from its text.
fn value_of(text: &str) -> ParameterValue {
    if let Ok(integer) = text.parse() {
        return ParameterValue::Integer(integer);
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => ParameterValue::Number(number),
        _ => ParameterValue::Text(text.to_owned()),
    }
}

fn axes(metadata: &Metadata, measured: &[Measured]) -> Vec<String> {
    if let Some(name) = &metadata.parameter_name {
        return vec![name.clone()];
    }
    if let Some(axes) = &metadata.sweep_parameters {
        return axes.iter().map(|axis| axis.name.clone()).collect();
    }
    let first = measured.first().map(|measured| measured.parameters.as_slice()).unwrap_or_default();
    first.iter().map(|parameter| parameter.name.clone()).collect()
}

/// All values of the file, listed or measured or failed, ascending.
fn values(metadata: &Metadata, measured: &[Measured]) -> Vec<SweepValue> {
    let measured = measured.iter().map(|measured| measured.parameters.clone());
    let failed = metadata.failed_values.iter().map(|failed| metadata.of_failed(failed));
    let mut all: Vec<Vec<Parameter>> = metadata.values().into_iter().chain(measured).chain(failed).collect();
    all.sort_by(|a, b| compare(a, b));
    all.dedup_by(|a, b| compare(a, b).is_eq());
    let numbered = (0..).zip(all);
    numbered.map(|(index, parameters)| SweepValue { index, parameters, seed: 0 }).collect()
}

fn compare(a: &[Parameter], b: &[Parameter]) -> Ordering {
    let pairs = a.iter().zip(b).map(|(a, b)| match (a.value.as_number(), b.value.as_number()) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.value.to_string().cmp(&b.value.to_string()),
    });
    pairs.fold(Ordering::Equal, Ordering::then).then(a.len().cmp(&b.len()))
}

/// The position of parameters among the values, which hold them all.
fn index(parameters: &[Parameter], values: &[SweepValue]) -> u32 {
    values.binary_search_by(|value| compare(&value.parameters, parameters)).unwrap_or_default() as u32
}

fn point(measured: Measured, values: &[SweepValue], metadata: &Metadata) -> Point {
    let index = index(&measured.parameters, values);
    let known = measured.blocks.0.iter().filter_map(|(_, block)| block.n).max();
    let trials = known.unwrap_or(metadata.num_trials_per_value).max(1);
    let measurements =
        block::measurements(&measured.blocks, &metadata.open_metrics, trials, metadata.confidence_level);
    Point { index, parameters: measured.parameters, trials, measurements }
}

/// The verdicts of the points, as far as the file has them.
fn verdicts(metadata: &Metadata, points: &[Point]) -> Vec<ValueVerdict> {
    let of_point = |point: &Point| {
        let is_of_it = |judged: &&Judged| compare(&metadata.of_judged(judged), &point.parameters).is_eq();
        let verdict = metadata.verdicts.iter().find(is_of_it)?.verdict.clone();
        Some(ValueVerdict { index: point.index, parameters: point.parameters.clone(), verdict })
    };
    points.iter().filter_map(of_point).collect()
}

fn failed_values(metadata: &Metadata, values: &[SweepValue]) -> Vec<FailedValue> {
    let convert = |failed: &Failed| {
        let parameters = metadata.of_failed(failed);
        FailedValue {
            index: index(&parameters, values),
            parameters,
            error: failed.error.clone(),
            timestamp: failed.timestamp.clone(),
        }
    };
    metadata.failed_values.iter().map(convert).collect()
}

fn failed_trials(metadata: &Metadata, values: &[SweepValue]) -> Vec<FailedTrial> {
    let convert = |failed: &Failed| {
        let parameters = metadata.of_failed(failed);
        FailedTrial {
            index: index(&parameters, values),
            parameters,
            trial: failed.trial,
            error: failed.error.clone(),
            timestamp: failed.timestamp.clone(),
        }
    };
    metadata.failed_trials.iter().map(convert).collect()
}

#[cfg(test)]
mod tests;
