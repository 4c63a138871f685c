//! The shape of the file, with everything optional that some writer leaves out.

use super::block::Block;
use crate::json::Entries;
use crate::parameters;
use aiperf_model::catalogue::OpenMetric;
use aiperf_model::parameter::{Parameter, ParameterValue};
use aiperf_model::plugin::Identity;
use aiperf_model::sweep::Order;
use aiperf_model::verdict::{Drift, Verdict};
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Document {
    pub(super) metadata: Metadata,
    pub(super) per_value_metrics: Option<Entries<Entries<Block>>>,
    pub(super) per_combination_metrics: Option<Vec<Combination>>,
}

#[derive(Deserialize)]
pub(super) struct Combination {
    #[serde(deserialize_with = "parameters::deserialize")]
    pub(super) parameters: Vec<Parameter>,
    pub(super) metrics: Entries<Block>,
}

#[derive(Deserialize)]
pub(super) struct Metadata {
    pub(super) parameter_name: Option<String>,
    pub(super) sweep_parameters: Option<Vec<Axis>>,
    #[serde(default)]
    pub(super) parameter_values: Vec<ListedPoint>,
    pub(super) num_values: Option<usize>,
    #[serde(default = "one")]
    pub(super) num_trials_per_value: u32,
    #[serde(default)]
    pub(super) sweep_mode: Order,
    #[serde(default = "usual_level")]
    pub(super) confidence_level: f64,
    #[serde(default)]
    pub(super) failed_values: Vec<Failed>,
    #[serde(default)]
    pub(super) failed_trials: Vec<Failed>,
    #[serde(default)]
    pub(super) verdicts: Vec<Judged>,
    #[serde(default)]
    pub(super) drift: Vec<Drift>,
    #[serde(default)]
    pub(super) open_metrics: Vec<OpenMetric>,
    #[serde(default)]
    pub(super) edited_files: Vec<String>,
    #[serde(default)]
    pub(super) plugins: Vec<Identity>,
}

/// A value and how far it can be believed.
#[derive(Deserialize)]
pub(super) struct Judged {
    value: Option<ParameterValue>,
    #[serde(default, deserialize_with = "parameters::deserialize")]
    parameters: Vec<Parameter>,
    #[serde(flatten)]
    pub(super) verdict: Verdict,
}

#[derive(Deserialize)]
pub(super) struct Axis {
    pub(super) name: String,
}

/// A point in a list.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a value or an object of parameters")]
pub(super) enum ListedPoint {
    Value(ParameterValue),
    Parameters(#[serde(deserialize_with = "parameters::deserialize")] Vec<Parameter>),
}

/// A value or a trial that failed.
#[derive(Deserialize)]
pub(super) struct Failed {
    value: Option<ParameterValue>,
    #[serde(default, deserialize_with = "parameters::deserialize")]
    parameters: Vec<Parameter>,
    #[serde(default = "one")]
    pub(super) trial: u32,
    pub(super) error: String,
    #[serde(default)]
    pub(super) timestamp: String,
}

fn one() -> u32 {
    1
}

fn usual_level() -> f64 {
    0.95
}

impl Metadata {
    /// The parameters of one value of the only axis.
    pub(super) fn of_value(&self, value: &ParameterValue) -> Vec<Parameter> {
        self.parameter_name.iter().map(|name| Parameter::new(name, value.clone())).collect()
    }

    /// The parameters of all values that the file lists.
    pub(super) fn values(&self) -> Vec<Vec<Parameter>> {
        let values = self.parameter_values.iter().map(|place| match place {
            ListedPoint::Value(value) => self.of_value(value),
            ListedPoint::Parameters(parameters) => parameters.clone(),
        });
        values.collect()
    }

    /// The parameters of a value that failed.
    pub(super) fn of_failed(&self, failed: &Failed) -> Vec<Parameter> {
        self.of_named(failed.value.as_ref(), &failed.parameters)
    }

    /// The parameters of a value with a verdict.
    pub(super) fn of_judged(&self, judged: &Judged) -> Vec<Parameter> {
        self.of_named(judged.value.as_ref(), &judged.parameters)
    }

    fn of_named(&self, value: Option<&ParameterValue>, parameters: &[Parameter]) -> Vec<Parameter> {
        value.map_or_else(|| parameters.to_vec(), |value| self.of_value(value))
    }
}
