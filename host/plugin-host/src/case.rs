//! One call of a plugin as a file: what it was given, and what it answered or should answer.

use std::sync::Arc;

use aiperf_model::conclusion::{Axis, Candidate, Series};
use aiperf_model::plugin::{Endpoint, Kind, Objective, ParetoCriterion, PluginError, TrendDetector};
use aiperf_model::point::Point;
use aiperf_model::request::{Payload, Request};
use aiperf_model::response::OwnedEvent;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::host::PluginHost;

/// One call of a plugin. Traces of failed calls have an `error`; fixtures have the `answer`, or a part of the `error`,
/// that is expected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// The name of the plugin, if it is a trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    /// The function and its arguments.
    #[serde(flatten)]
    pub call: Call,
    /// The settings of the plugin.
    #[serde(default)]
    pub settings: Map<String, Value>,
    /// Why the call failed, or a part of why it should fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What the call should answer; absent if it is not said. `null` is the answer of an objective without a value.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "even_null")]
    pub answer: Option<Value>,
}

/// A function of the contract with its arguments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "call", content = "input", rename_all = "snake_case")]
pub enum Call {
    /// Of an endpoint.
    Build(Request),
    /// Of an endpoint.
    Parse {
        /// All events of one response.
        events: Vec<OwnedEvent>,
        /// Whether it was an event stream.
        streamed: bool,
    },
    /// Of an objective.
    Evaluate(Point),
    /// Of a criterion.
    Judge {
        /// The axes of the trade-off.
        axes: Vec<Axis>,
        /// The candidates.
        candidates: Vec<Candidate>,
    },
    /// Of a detector.
    Detect(Series),
}

/// A member that is there and null is something else than one that is not there.
fn even_null<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Call {
    /// The kind of plugin that has the function.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Build(_) | Self::Parse { .. } => Kind::Endpoint,
            Self::Evaluate(_) => Kind::Objective,
            Self::Judge { .. } => Kind::Pareto,
            Self::Detect(_) => Kind::Trend,
        }
    }

    /// The function's name in the contract.
    #[must_use]
    pub fn function(&self) -> &'static str {
        match self {
            Self::Build(_) => "build",
            Self::Parse { .. } => "parse",
            Self::Evaluate(_) => "evaluate",
            Self::Judge { .. } => "judge",
            Self::Detect(_) => "detect",
        }
    }

    /// Values that were measured once need to be written once: where the trials are left out, the mean is the only one.
    fn fill_in(&mut self) {
        fn fill(trials: &mut Vec<f64>, mean: f64) {
            if trials.is_empty() {
                trials.push(mean);
            }
        }
        match self {
            Self::Build(_) | Self::Parse { .. } => {}
            Self::Evaluate(point) => {
                for measurement in &mut point.measurements {
                    fill(&mut measurement.trials, measurement.mean);
                }
            }
            Self::Judge { candidates, .. } => {
                for score in candidates.iter_mut().flat_map(|candidate| &mut candidate.scores) {
                    fill(&mut score.trials, score.mean);
                }
            }
            Self::Detect(series) => {
                for sample in &mut series.samples {
                    fill(&mut sample.trials, sample.y);
                }
            }
        }
    }
}

impl Case {
    /// Reads a case from the text of its file.
    pub fn from_value(value: Value) -> Result<Self, serde_json::Error> {
        let mut case: Self = serde_json::from_value(value)?;
        case.call.fill_in();
        Ok(case)
    }

    /// Makes the call to the plugin `name` of a host and returns the answer as JSON.
    ///
    /// # Errors
    ///
    /// What the plugin or the host says, also of the settings.
    pub fn run(&self, host: &PluginHost, name: &str) -> Result<Value, PluginError> {
        Callee::configure(host, self.call.kind(), name, &self.settings)?.answer(&self.call)
    }
}

/// A configured plugin of any kind, to make calls to.
pub enum Callee {
    /// An endpoint.
    Endpoint(Arc<dyn Endpoint>),
    /// An objective.
    Objective(Arc<dyn Objective>),
    /// A criterion.
    Pareto(Arc<dyn ParetoCriterion>),
    /// A detector.
    Trend(Arc<dyn TrendDetector>),
}

impl Callee {
    /// The plugin of this kind and name under these settings, in a new instance.
    ///
    /// # Errors
    ///
    /// What the plugin or the host says of it, or of the settings.
    pub fn configure(
        host: &PluginHost,
        kind: Kind,
        name: &str,
        settings: &Map<String, Value>,
    ) -> Result<Self, PluginError> {
        let choice = format!("{name}:{}", Value::Object(settings.clone()));
        let callee = match kind {
            Kind::Endpoint => host.endpoint(&choice).map(Self::Endpoint),
            Kind::Objective => host.objective(&choice).map(Self::Objective),
            Kind::Pareto => host.pareto(&choice).map(Self::Pareto),
            Kind::Trend => host.trend(&choice).map(Self::Trend),
        };
        callee.map_err(|error| PluginError::Other(error.to_string()))
    }

    /// Makes a call and returns the answer as JSON.
    ///
    /// # Errors
    ///
    /// What the plugin or the host says; [`PluginError::Unsupported`] if plugins of this kind do not have the function.
    pub fn answer(&self, call: &Call) -> Result<Value, PluginError> {
        match (self, call) {
            (Self::Endpoint(endpoint), Call::Build(request)) => {
                endpoint.build(request).map(|payload| payload_as_json(&payload))
            }
            (Self::Endpoint(endpoint), Call::Parse { events, streamed }) => {
                let events: Vec<_> = events.iter().map(OwnedEvent::lend).collect();
                endpoint.parse(&events, *streamed).map(|response| as_json(&response))
            }
            (Self::Objective(objective), Call::Evaluate(point)) => {
                objective.evaluate(point).map(|evaluation| as_json(&evaluation))
            }
            (Self::Pareto(criterion), Call::Judge { axes, candidates }) => {
                criterion.judge(axes, candidates).map(|judgements| as_json(&judgements))
            }
            (Self::Trend(detector), Call::Detect(series)) => {
                detector.detect(series).map(|report| as_json(&report))
            }
            (_, call) => {
                Err(PluginError::Unsupported(format!("another kind of plugin has '{}'", call.function())))
            }
        }
    }
}

/// The words of the model have no form that JSON lacks.
fn as_json(answer: &impl Serialize) -> Value {
    serde_json::to_value(answer).unwrap_or_default()
}

/// The body as the JSON that it is, or as text.
fn payload_as_json(payload: &Payload) -> Value {
    let text = || Value::String(String::from_utf8_lossy(&payload.body).into_owned());
    let body = serde_json::from_slice(&payload.body).unwrap_or_else(|_| text());
    serde_json::json!({ "path": payload.path, "headers": payload.headers, "body": body })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_case_is_written_as_it_is_read() {
        let text = json!({
            "plugin": "chat",
            "call": "parse",
            "input": { "events": [{ "data": "a" }, { "name": "e", "data": [255, 0] }], "streamed": true },
            "settings": {},
            "error": "no JSON",
        });
        let case = Case::from_value(text.clone()).unwrap();
        assert_eq!(case.call.kind(), Kind::Endpoint);
        assert_eq!(serde_json::to_value(&case).unwrap(), text);
    }

    #[test]
    fn null_is_an_answer_and_trials_may_be_left_out() {
        let point = json!({
            "index": 0, "parameters": [], "trials": 1,
            "measurements": [{ "key": "k", "unit": "ms", "mean": 2.5 }],
        });
        let case = |answer: Value| {
            let mut text = json!({ "call": "evaluate", "input": point });
            if answer != json!("absent") {
                text["answer"] = answer;
            }
            Case::from_value(text).unwrap()
        };
        assert_eq!(case(json!("absent")).answer, None);
        assert_eq!(case(Value::Null).answer, Some(Value::Null));
        let Call::Evaluate(point) = case(Value::Null).call else { panic!("another call") };
        assert_eq!(point.measurements[0].trials, [2.5]);
    }
}
