//! `profile_export_aiperf_aggregate.json` and `.csv`: what the trials of one value say together, for every statistic
//! of every metric.

use crate::csv_tables::{self, Tables};
use crate::error::ArtifactError;
use crate::export::Exporter;
use crate::json;
use crate::layout;
use crate::names;
use crate::parameters::{self, Object};
use crate::rows::TrialsRow;
use aiperf_model::convergence::{Convergence, ValueConvergence};
use aiperf_model::parameter::Parameter;
use aiperf_model::point::{Measurement, TrialStatistics};
use aiperf_model::sweep::{FailedTrial, Order};
use aiperf_model::verdict::Verdict;
use serde::{Serialize, Serializer};

/// The version of the file's shape.
pub const SCHEMA_VERSION: &str = "1.0";

/// Everything that the files of a value say.
#[derive(Clone, Debug)]
pub struct ValueAggregate<'a> {
    /// The version of the program.
    pub aiperf_version: &'a str,
    /// The model.
    pub model: &'a str,
    /// The swept parameters; empty if nothing is swept.
    pub parameters: &'a [Parameter],
    /// The order of the runs.
    pub order: Order,
    /// The coverage of the intervals.
    pub confidence_level: f64,
    /// The pause between trials, in seconds.
    pub cooldown_seconds: f64,
    /// The trials that succeeded, from 1, ascending.
    pub successful_trials: &'a [u32],
    /// The trials that failed.
    pub failed_trials: &'a [FailedTrial],
    /// How far the trials have come, by which rule, if they may end early.
    pub convergence: Option<(&'a Convergence, &'a ValueConvergence)>,
    /// How far the value can be believed; none without a successful trial.
    pub verdict: Option<&'a Verdict>,
    /// Every statistic of every metric, in the order of the catalogue.
    pub statistics: &'a [TrialStatistics],
}

/// Everything that is known of the trials.
#[derive(Clone, Copy, Debug)]
pub struct ValueJson;

impl Exporter<ValueAggregate<'_>> for ValueJson {
    fn file_name(&self) -> &'static str {
        layout::AGGREGATE_JSON
    }

    fn encode(&self, aggregate: &ValueAggregate<'_>) -> Result<Vec<u8>, ArtifactError> {
        json::pretty("aggregate of the trials", &Document::new(aggregate))
    }
}

/// The statistics as a table.
#[derive(Clone, Copy, Debug)]
pub struct ValueCsv;

impl Exporter<ValueAggregate<'_>> for ValueCsv {
    fn file_name(&self) -> &'static str {
        layout::AGGREGATE_CSV
    }

    fn encode(&self, aggregate: &ValueAggregate<'_>) -> Result<Vec<u8>, ArtifactError> {
        tables(aggregate)
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema_version: &'static str,
    aiperf_version: &'a str,
    metadata: Metadata<'a>,
    verdict: Option<&'a Verdict>,
    metrics: Metrics<'a>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    aggregation_type: &'static str,
    num_profile_runs: usize,
    num_successful_runs: usize,
    failed_runs: Vec<FailedRun<'a>>,
    confidence_level: f64,
    run_labels: Vec<String>,
    cooldown_seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    convergence: Option<Agreement<'a>>,
    #[serde(flatten)]
    variation: Option<Variation<'a>>,
    model: &'a str,
    #[serde(skip_serializing_if = "is_false")]
    single_run: bool,
}

#[derive(Serialize)]
struct FailedRun<'a> {
    label: String,
    error: &'a str,
    timestamp: &'a str,
}

/// The rule, and how far the value has come.
#[derive(Serialize)]
struct Agreement<'a> {
    #[serde(flatten)]
    rule: &'a Convergence,
    relative_half_width: Option<f64>,
    converged: bool,
}

/// Only inside a sweep.
#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the names of the file")]
struct Variation<'a> {
    variation_label: String,
    variation_values: Object<'a>,
    sweep_mode: &'static str,
}

impl<'a> Document<'a> {
    fn new(aggregate: &'a ValueAggregate<'a>) -> Self {
        let (successful, failed) = (aggregate.successful_trials, aggregate.failed_trials);
        let failed_runs = failed.iter().map(|failed| FailedRun {
            label: names::trial_name(failed.trial),
            error: &failed.error,
            timestamp: &failed.timestamp,
        });
        let variation = (!aggregate.parameters.is_empty()).then(|| Variation {
            variation_label: parameters::label(aggregate.parameters),
            variation_values: Object(aggregate.parameters),
            sweep_mode: aggregate.order.name(),
        });
        Self {
            schema_version: SCHEMA_VERSION,
            aiperf_version: aggregate.aiperf_version,
            metadata: Metadata {
                aggregation_type: "confidence",
                num_profile_runs: successful.len() + failed.len(),
                num_successful_runs: successful.len(),
                failed_runs: failed_runs.collect(),
                confidence_level: aggregate.confidence_level,
                run_labels: successful.iter().map(|trial| names::trial_name(*trial)).collect(),
                cooldown_seconds: aggregate.cooldown_seconds,
                convergence: aggregate.convergence.map(|(rule, value)| Agreement {
                    rule,
                    relative_half_width: value.relative_half_width,
                    converged: value.converged,
                }),
                variation,
                model: aggregate.model,
                single_run: successful.len() == 1,
            },
            verdict: aggregate.verdict,
            metrics: Metrics(aggregate.statistics),
        }
    }
}

/// `{"time_to_first_token_p99": {…}, …}`.
struct Metrics<'a>(&'a [TrialStatistics]);

impl Serialize for Metrics<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|s| (name(&s.measurement), TrialsRow::from(s))))
    }
}

/// The long name, as other readers of this file know it.
fn name(measurement: &Measurement) -> String {
    format!("{}_{}", measurement.metric, measurement.statistic)
}

fn tables(aggregate: &ValueAggregate<'_>) -> Result<Vec<u8>, ArtifactError> {
    let headings =
        ["metric", "mean", "std", "min", "max", "cv", "se", "ci_low", "ci_high", "t_critical", "unit"];
    let rows = aggregate.statistics.iter().map(|statistics| {
        let row = TrialsRow::from(statistics);
        let numbers = [
            Some(row.mean),
            row.std,
            row.min,
            row.max,
            row.cv,
            row.se,
            row.ci_low,
            row.ci_high,
            row.t_critical,
        ];
        let name = std::iter::once(name(&statistics.measurement));
        let unit = std::iter::once(row.unit.to_owned());
        name.chain(numbers.map(csv_tables::number)).chain(unit).collect::<Vec<String>>()
    });
    let (successful, failed) = (aggregate.successful_trials.len(), aggregate.failed_trials.len());
    let metadata = [
        ["Aggregation Type".to_owned(), "confidence".to_owned()],
        ["Total Runs".to_owned(), (successful + failed).to_string()],
        ["Successful Runs".to_owned(), successful.to_string()],
        ["Confidence Level".to_owned(), aggregate.confidence_level.to_string()],
    ];
    let mut tables = Tables::default();
    tables.table(std::iter::once(headings.map(str::to_owned).to_vec()).chain(rows))?;
    tables.table(metadata)?;
    Ok(tables.into_bytes())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use aiperf_model::catalogue::MetricId;
    use aiperf_model::metrics::Statistic;

    fn files(trials: &[f64], failed: &[FailedTrial]) -> (String, String) {
        let several = trials.len() > 1;
        let statistics =
            [(MetricId::RequestThroughput, Statistic::Avg), (MetricId::TimeToFirstToken, Statistic::P99)]
                .map(|(id, statistic)| TrialStatistics {
                    measurement: fixture::measurement(id, statistic, trials),
                    standard_error: several.then_some(0.866),
                    t_critical: several.then_some(4.303),
                });
        let successful: Vec<u32> = (1..=trials.len() as u32).collect();
        let aggregate = ValueAggregate {
            aiperf_version: "0.1.0",
            model: "demo",
            parameters: &fixture::concurrency(10),
            order: Order::Repeated,
            confidence_level: 0.95,
            cooldown_seconds: 0.0,
            successful_trials: &successful,
            failed_trials: failed,
            convergence: None,
            verdict: Some(&fixture::verdict()),
            statistics: &statistics,
        };
        let text = |bytes: Result<Vec<u8>, ArtifactError>| String::from_utf8(bytes.unwrap()).unwrap();
        (text(ValueJson.encode(&aggregate)), text(ValueCsv.encode(&aggregate)))
    }

    #[test]
    fn several_trials() {
        let (json, csv) = files(&[95.0, 96.5, 98.0], &fixture::sweep(1).failed_trials);
        insta::assert_snapshot!("aggregate_json", json);
        insta::assert_snapshot!("aggregate_csv", csv);
    }

    #[test]
    fn with_one_trial_the_spread_is_unknown_and_not_zero() {
        let (json, csv) = files(&[95.0], &[]);
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        let block = &value["metrics"]["request_throughput_avg"];
        assert_eq!(block["mean"], 95.0);
        for unknown in ["std", "cv", "se", "ci_low", "ci_high", "t_critical"] {
            assert_eq!(block.get(unknown), Some(&serde_json::Value::Null), "{unknown}");
        }
        assert_eq!(value["metadata"]["single_run"], true);
        assert!(csv.contains("request_throughput_avg,95,,95,95,,,,,,requests/sec"), "{csv}");
    }
}
