//! The measurements of each point.

use super::Axes;
use crate::parameters::Object;
use crate::rows::MeasurementRow;
use aiperf_model::parameter::Parameter;
use aiperf_model::point::Point;
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
        serializer.collect_map(self.0.measurements.iter().map(|m| (&m.key, MeasurementRow::new(self.0, m))))
    }
}
