//! `profile_export_aiperf_sweep.json`: what all values of a sweep say together.
//!
//! With one swept parameter the metrics stand under `per_value_metrics` by value; with several they are the list
//! `per_combination_metrics`, and an object of parameters stands wherever a value stood. Keys have a fixed order and
//! the same result gives the same bytes. What is unknown is null or empty, never 0.

mod conclusions;
mod metadata;
mod metrics;

use crate::error::ArtifactError;
use crate::export::Exporter;
use crate::json;
use crate::layout;
use crate::parameters::{self, Object};
use aiperf_model::conclusion::Front;
use aiperf_model::parameter::Parameter;
use aiperf_model::sweep::SweepResult;
use conclusions::{BestConfigurations, Points, Standings, Trends};
use metadata::Metadata;
use metrics::Metrics;
use serde::Serialize;

/// Everything that is known of the sweep.
#[derive(Clone, Copy, Debug)]
pub struct SweepJson;

impl Exporter<SweepResult> for SweepJson {
    fn file_name(&self) -> &'static str {
        layout::SWEEP_JSON
    }

    fn encode(&self, result: &SweepResult) -> Result<Vec<u8>, ArtifactError> {
        json::pretty("result of the sweep", &Document::new(result))
    }
}

#[derive(Serialize)]
struct Document<'a> {
    metadata: Metadata<'a>,
    #[serde(flatten)]
    metrics: Metrics<'a>,
    best_configurations: BestConfigurations<'a>,
    pareto_optimal: Vec<ListedPoint<'a>>,
    pareto_fronts: Points<'a>,
    pareto_standings: Standings<'a>,
    trends: Trends<'a>,
}

impl<'a> Document<'a> {
    fn new(result: &'a SweepResult) -> Self {
        let conclusions = &result.conclusions;
        let axes = Axes::of(result);
        let optimal = conclusions.chosen_front().into_iter().flat_map(Front::optimal);
        Self {
            metadata: Metadata::new(result, axes),
            metrics: Metrics::new(result, axes),
            best_configurations: BestConfigurations { best: &conclusions.best, axes },
            pareto_optimal: optimal.map(|member| axes.place(&member.parameters)).collect(),
            pareto_fronts: Points { fronts: &conclusions.fronts, axes },
            pareto_standings: Standings { fronts: &conclusions.fronts, axes },
            trends: Trends { trends: &conclusions.trends, axes },
        }
    }
}

/// Whether values or objects of parameters name the points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Axes {
    One,
    Several,
}

impl Axes {
    fn of(result: &SweepResult) -> Self {
        if result.axes.len() == 1 { Self::One } else { Self::Several }
    }

    /// How the file names a point in a list.
    fn place(self, parameters: &[Parameter]) -> ListedPoint<'_> {
        match (self, parameters) {
            (Self::One, [parameter]) => ListedPoint::Value(parameters::Value(&parameter.value)),
            _ => ListedPoint::Parameters(Object(parameters)),
        }
    }

    /// How the file names a point in an object: as `value` or as `parameters`.
    fn named(self, parameters: &[Parameter]) -> Named<'_> {
        match self.place(parameters) {
            ListedPoint::Value(value) => Named::Value { value },
            ListedPoint::Parameters(parameters) => Named::Parameters { parameters },
        }
    }
}

/// A point in a list.
#[derive(Serialize)]
#[serde(untagged)]
enum ListedPoint<'a> {
    Value(parameters::Value<'a>),
    Parameters(Object<'a>),
}

/// A point in an object; to be flattened.
#[derive(Serialize)]
#[serde(untagged)]
enum Named<'a> {
    Value { value: parameters::Value<'a> },
    Parameters { parameters: Object<'a> },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use aiperf_model::conclusion::{PluginFailure, PluginNote};
    use aiperf_model::plugin::{Identity, Kind};
    use serde_json::{Value, json};

    fn text(result: &SweepResult) -> String {
        String::from_utf8(SweepJson.encode(result).unwrap()).unwrap()
    }

    fn value(result: &SweepResult) -> Value {
        serde_json::from_str(&text(result)).unwrap()
    }

    #[test]
    fn a_sweep_with_trials() {
        insta::assert_snapshot!(text(&fixture::sweep(3)));
    }

    #[test]
    fn a_sweep_over_two_parameters() {
        insta::assert_snapshot!(text(&fixture::two_axes()));
    }

    /// What the program of the specification under "Analyzing Results Programmatically" reads.
    #[test]
    fn a_single_trial_has_every_key_that_the_specification_reads() {
        let sweep = value(&fixture::sweep(1));
        for (at, metrics) in sweep["per_value_metrics"].as_object().unwrap() {
            at.parse::<i64>().unwrap();
            for key in ["request_throughput_avg", "ttft_p99_ms"] {
                assert!(metrics[key]["mean"].is_f64());
                for unknown in ["cv", "std", "ci_low", "ci_high"] {
                    assert_eq!(metrics[key].get(unknown), Some(&Value::Null), "{key}.{unknown}");
                }
            }
        }
        assert_eq!(sweep["pareto_optimal"], json!([10, 20]));
        assert_eq!(sweep["trends"]["request_throughput_avg"]["inflection_points"], json!([20]));
        assert!(sweep["trends"]["ttft_p99_ms"]["inflection_points"].is_array());
    }

    #[test]
    fn values_are_ascending_and_failed_ones_are_only_named() {
        let sweep = value(&fixture::sweep(2));
        assert_eq!(sweep["metadata"]["parameter_values"], json!([10, 20, 30]));
        assert_eq!(sweep["metadata"]["num_values"], 3);
        assert_eq!(sweep["metadata"]["num_successful_values"], 2);
        assert_eq!(sweep["metadata"]["failed_values"][0]["value"], 30);
        assert!(sweep["per_value_metrics"].get("30").is_none());
    }

    #[test]
    fn what_dominates_is_named_by_its_value() {
        let sweep = value(&fixture::sweep(2));
        assert_eq!(sweep["pareto_fronts"], json!({ "dominance": [10, 20], "efficient": [20] }));
        assert_eq!(sweep["pareto_standings"]["efficient"][0]["dominated_by"], 20);
    }

    #[test]
    fn several_detectors_are_all_listed_and_the_first_one_fills_the_keys() {
        let mut result = fixture::sweep(2);
        let mut second = result.conclusions.trends[0].clone();
        second.detector = "relative-step".into();
        second.findings.clear();
        second.derived[0].name = "steps".into();
        second.left_out = 9900;
        result.conclusions.trends.insert(1, second);
        let trend = &value(&result)["trends"]["request_throughput_avg"];
        assert_eq!(trend["detector"], "slope-change");
        assert_eq!(trend["inflection_points"], json!([20]));
        assert_eq!(trend["detectors"]["slope-change"]["inflection_points"], json!([20]));
        assert_eq!(trend["derived"], json!({ "curvature": [0.25] }));
        let other = &trend["detectors"]["relative-step"];
        assert_eq!(other["inflection_points"], json!([]));
        assert_eq!((&other["derived"], &other["left_out"]), (&json!({ "steps": [0.25] }), &json!(9900)));
    }

    #[test]
    fn a_plugin_that_failed_is_named() {
        let mut result = fixture::sweep(1);
        let plugin = Identity { kind: Kind::Trend, name: "mine".into(), ..result.plugins[0].clone() };
        result.conclusions.failures.push(PluginFailure { plugin, message: "it trapped".into() });
        let failures = &value(&result)["metadata"]["plugin_failures"];
        assert_eq!(failures[0]["plugin"], "mine");
        assert_eq!(failures[0]["error"], "it trapped");
    }

    #[test]
    fn what_there_is_to_know_of_a_plugin_is_told() {
        let mut result = fixture::sweep(1);
        let plugin = result.plugins[0].clone();
        result.conclusions.notes.push(PluginNote { plugin, message: "it has no value".into() });
        let notes = &value(&result)["metadata"]["plugin_notes"];
        assert_eq!(
            *notes,
            json!([{ "kind": "objective", "plugin": "throughput", "note": "it has no value" }])
        );
    }

    #[test]
    fn numbers_that_are_not_finite_are_null() {
        let mut result = fixture::sweep(1);
        result.points[0].measurements[0].mean = f64::NAN;
        let text = text(&result);
        assert!(!text.contains("NaN"));
        assert!(text.contains("\"mean\": null"));
    }
}
