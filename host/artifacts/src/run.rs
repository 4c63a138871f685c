//! `profile_export_aiperf.json` and `profile_export_aiperf.csv`: what one run says.
//!
//! The shape is that of schema 1.4 of the Python tool of the same name, so that its readers understand the files:
//! every metric stands at the top level under its tag, with all statistics or, where the run has one value, with
//! `avg` alone.

use crate::csv_tables::{self, Tables};
use crate::error::ArtifactError;
use crate::error_summary::ErrorSummary;
use crate::export::Exporter;
use crate::json;
use crate::layout;
use crate::open_metrics::{self, OpenMetrics};
use crate::parameters;
use crate::rows::MetricRow;
use crate::time;
use crate::within_run::StoredWithinRun;
use aiperf_model::catalogue::{Metric, Unit};
use aiperf_model::client::ClientHealth;
use aiperf_model::client_error::ClientErrorEstimate;
use aiperf_model::metrics::{RunMetrics, Statistic, Summary};
use aiperf_model::parameter::Parameter;
use aiperf_model::verdict::Verdict;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// The version of the file's shape.
pub const SCHEMA_VERSION: &str = "1.4";

/// Everything that the files of a run say.
#[derive(Clone, Debug)]
pub struct RunReport<'a> {
    /// The version of the program.
    pub aiperf_version: &'a str,
    /// Names the run; the same in both places of the file.
    pub benchmark_id: &'a str,
    /// The metrics.
    pub metrics: &'a RunMetrics,
    /// What was asked of the server, without secrets, as [`input_config`](crate::input_config) shapes it.
    pub input_config: &'a serde_json::Value,
    /// The seed of the workload.
    pub random_seed: u64,
    /// The trial, from 1.
    pub trial: u32,
    /// The command line, without secrets.
    pub cli_command: &'a str,
    /// The position of the value in the plan.
    pub variation_index: u32,
    /// The swept parameters; empty if nothing is swept.
    pub parameters: &'a [Parameter],
    /// Whether the user stopped the run.
    pub was_cancelled: bool,
    /// Why the run does not hold all it was to hold, or none if it does.
    pub incomplete_reason: Option<&'a str>,
    /// How far it can be believed.
    pub verdict: &'a Verdict,
    /// The client's own error at this load, if it is known.
    pub client_error: Option<&'a ClientErrorEstimate>,
    /// What the client says of itself.
    pub client: &'a ClientHealth,
    /// The errors of its requests.
    pub errors: &'a ErrorSummary,
    /// When profiling began, in nanoseconds since the Unix epoch.
    pub start_unix_ns: u64,
    /// When it ended, in nanoseconds since the Unix epoch.
    pub end_unix_ns: u64,
}

/// The metrics with all there is to know of the run.
#[derive(Clone, Copy, Debug)]
pub struct RunJson;

impl Exporter<RunReport<'_>> for RunJson {
    fn file_name(&self) -> &'static str {
        layout::RUN_JSON
    }

    fn encode(&self, report: &RunReport<'_>) -> Result<Vec<u8>, ArtifactError> {
        json::pretty("metrics of the run", &Document(report))
    }
}

/// The metrics as tables.
#[derive(Clone, Copy, Debug)]
pub struct RunCsv;

impl Exporter<RunReport<'_>> for RunCsv {
    fn file_name(&self) -> &'static str {
        layout::RUN_CSV
    }

    fn encode(&self, report: &RunReport<'_>) -> Result<Vec<u8>, ArtifactError> {
        tables(report.metrics)
    }
}

/// The JSON file. A map and not a struct, since the metrics stand between the fields.
struct Document<'a>(&'a RunReport<'a>);

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let report = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema_version", SCHEMA_VERSION)?;
        map.serialize_entry("aiperf_version", report.aiperf_version)?;
        map.serialize_entry("benchmark_id", report.benchmark_id)?;
        for (id, summary) in &report.metrics.entries {
            let metric = id.metric();
            map.serialize_entry(&metric.tag, &MetricRow::new(metric, summary))?;
        }
        if !report.metrics.open.is_empty() {
            map.serialize_entry(open_metrics::KEY, &OpenMetrics(report.metrics))?;
        }
        if !report.metrics.within_run.is_empty() {
            map.serialize_entry("within_run", &StoredWithinRun::all(report.metrics))?;
        }
        map.serialize_entry("input_config", report.input_config)?;
        map.serialize_entry("run_info", &RunInfo::new(report))?;
        map.serialize_entry("was_cancelled", &report.was_cancelled)?;
        map.serialize_entry("is_complete", &report.incomplete_reason.is_none())?;
        if let Some(reason) = report.incomplete_reason {
            map.serialize_entry("incomplete_reason", reason)?;
        }
        map.serialize_entry("verdict", report.verdict)?;
        map.serialize_entry("client", report.client)?;
        if let Some(client_error) = report.client_error {
            map.serialize_entry("client_error", client_error)?;
        }
        map.serialize_entry("error_summary", report.errors)?;
        map.serialize_entry("start_time", &time::exact(report.start_unix_ns))?;
        map.serialize_entry("end_time", &time::exact(report.end_unix_ns))?;
        map.end()
    }
}

#[derive(Serialize)]
struct RunInfo<'a> {
    benchmark_id: &'a str,
    random_seed: u64,
    trial: u32,
    cli_command: &'a str,
    #[serde(flatten)]
    variation: Option<Variation<'a>>,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the names of the file")]
struct Variation<'a> {
    variation_label: String,
    variation_index: u32,
    variation_values: parameters::Object<'a>,
}

impl<'a> RunInfo<'a> {
    fn new(report: &RunReport<'a>) -> Self {
        let variation = (!report.parameters.is_empty()).then(|| Variation {
            variation_label: parameters::label(report.parameters),
            variation_index: report.variation_index,
            variation_values: parameters::Object(report.parameters),
        });
        Self {
            benchmark_id: report.benchmark_id,
            random_seed: report.random_seed,
            // Other readers of the file count from 0.
            trial: report.trial.saturating_sub(1),
            cli_command: report.cli_command,
            variation,
        }
    }
}

/// The CSV file: distributions first, then the metrics that the run has once.
fn tables(metrics: &RunMetrics) -> Result<Vec<u8>, ArtifactError> {
    let (mut distributions, mut scalars) = (Vec::new(), Vec::new());
    for (metric, summary) in metrics.all() {
        let name = heading(metric);
        match summary {
            Summary::Scalar(value) => scalars.push(vec![name, csv_tables::number(Some(*value))]),
            Summary::Distribution(_) => {
                let cells = Statistic::ALL.map(|statistic| csv_tables::number(summary.statistic(statistic)));
                distributions.push([vec![name], cells.to_vec()].concat());
            }
        }
    }
    let statistics = Statistic::ALL.map(|statistic| statistic.name().to_owned());
    let mut tables = Tables::default();
    if !distributions.is_empty() {
        tables.table(
            [[vec!["Metric".to_owned()], statistics.to_vec()].concat()].into_iter().chain(distributions),
        )?;
    }
    if !scalars.is_empty() {
        tables.table([vec!["Metric".to_owned(), "Value".to_owned()]].into_iter().chain(scalars))?;
    }
    Ok(tables.into_bytes())
}

/// `Time to First Token (ms)`; counts of requests go without a unit.
fn heading(metric: &Metric) -> String {
    match &metric.unit {
        Unit::Requests => metric.header.to_string(),
        unit => format!("{} ({unit})", metric.header),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn both_files_are_as_readers_expect_them() {
        let metrics = fixture::run_metrics();
        fixture::with_run_report(&metrics, |report| {
            let [json, csv] = [RunJson.encode(report), RunCsv.encode(report)]
                .map(|bytes| String::from_utf8(bytes.unwrap()).unwrap());
            insta::assert_snapshot!("run_json", json);
            insta::assert_snapshot!("run_csv", csv);
        });
    }

    #[test]
    fn a_run_without_a_sweep_says_nothing_of_variations() {
        let metrics = fixture::run_metrics();
        fixture::with_run_report(&metrics, |report| {
            let report = RunReport {
                parameters: &[],
                incomplete_reason: Some("stopped by the user"),
                ..report.clone()
            };
            let value = serde_json::to_value(Document(&report)).unwrap();
            assert!(value["run_info"].get("variation_label").is_none());
            assert_eq!(value["is_complete"], false);
            assert_eq!(value["incomplete_reason"], "stopped by the user");
        });
    }
}
