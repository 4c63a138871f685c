//! The measurements of each point.

use super::Axes;
use crate::parameters::Object;
use aiperf_model::parameter::Parameter;
use aiperf_model::point::{Measurement, Point};
use aiperf_model::sweep::SweepResult;
use serde::{Serialize, Serializer};

/// All points, by value or as a list; to be flattened.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Metrics<'a> {
    ByValue { per_value_metrics: ByValue<'a> },
    ByCombination { per_combination_metrics: Vec<Combination<'a>> },
}

impl<'a> Metrics<'a> {
    pub(super) fn new(result: &'a SweepResult, axes: Axes) -> Self {
        match axes {
            Axes::One => Self::ByValue { per_value_metrics: ByValue(&result.points) },
            Axes::Several => Self::ByCombination {
                per_combination_metrics: result.points.iter().map(Combination::new).collect(),
            },
        }
    }
}

/// `{"10": {…}, "20": {…}}`.
pub(super) struct ByValue<'a>(&'a [Point]);

impl Serialize for ByValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|point| (name(&point.parameters), Blocks(point))))
    }
}

/// The value of the only parameter as text.
fn name(parameters: &[Parameter]) -> String {
    let values: Vec<String> = parameters.iter().map(|parameter| parameter.value.to_string()).collect();
    values.join(",")
}

#[derive(Serialize)]
pub(super) struct Combination<'a> {
    parameters: Object<'a>,
    metrics: Blocks<'a>,
}

impl<'a> Combination<'a> {
    fn new(point: &'a Point) -> Self {
        Self { parameters: Object(&point.parameters), metrics: Blocks(point) }
    }
}

/// `{"ttft_p99_ms": {…}, …}`.
struct Blocks<'a>(&'a Point);

impl Serialize for Blocks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.measurements.iter().map(|m| (&m.key, Block::new(self.0, m))))
    }
}

/// One statistic of one metric over the trials.
#[derive(Serialize)]
struct Block<'a> {
    mean: f64,
    std: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
    cv: Option<f64>,
    ci_low: Option<f64>,
    ci_high: Option<f64>,
    unit: &'a str,
    n: u32,
    trials: Option<&'a [f64]>,
}

impl<'a> Block<'a> {
    fn new(point: &Point, measurement: &'a Measurement) -> Self {
        let (trials, range) = (measurement.measured_trials(), measurement.range());
        Self {
            mean: measurement.mean,
            std: measurement.std_dev,
            min: range.min,
            max: range.max,
            cv: measurement.cv(),
            ci_low: measurement.confidence.map(|interval| interval.low),
            ci_high: measurement.confidence.map(|interval| interval.high),
            unit: &measurement.unit,
            n: number_of_trials(point, measurement),
            trials,
        }
    }
}

/// How many trials a measurement rests on.
fn number_of_trials(point: &Point, measurement: &Measurement) -> u32 {
    measurement.measured_trials().map_or(point.trials, |trials| trials.len() as u32)
}
