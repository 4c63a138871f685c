//! Reads the metrics of a run and its verdict back from `profile_export_aiperf.json`, exactly as they were written.

mod agreement;

use crate::error::ArtifactError;
use crate::json;
use crate::layout;
use crate::open_metrics::{self, StoredEntry};
use crate::time;
use crate::within_run::StoredWithinRun;
use aiperf_model::catalogue::{Metric, Scope, find};
use aiperf_model::metrics::{Distribution, RunMetrics, Summary};
use aiperf_model::request_error::RequestErrors;
use aiperf_model::verdict::Verdict;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use std::fmt;
use std::path::Path;

/// What the file of a run says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredRun {
    /// The metrics.
    pub metrics: RunMetrics,
    /// How far they can be believed; valid where the file does not say.
    pub verdict: Verdict,
    /// When profiling began, in nanoseconds since the Unix epoch; 0 where the file does not say.
    pub start_unix_ns: u64,
    /// What requests failed with, most frequent first.
    pub errors: Vec<RequestErrors>,
}

const FORMAT: &str = "metrics file of a run";

/// Reads the metrics from the folder of a run. What the catalogue does not know is passed over; a file that contradicts
/// itself is refused.
pub fn read(folder: &Path) -> Result<StoredRun, ArtifactError> {
    let path = folder.join(layout::RUN_JSON);
    let run = json::read(&path, FORMAT)?;
    agreement::check(&run).map_err(|contradiction| contradiction.in_file(&path, FORMAT))?;
    Ok(run)
}

impl<'de> Deserialize<'de> for StoredRun {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DocumentVisitor)
    }
}

struct DocumentVisitor;

impl<'de> Visitor<'de> for DocumentVisitor {
    type Value = StoredRun;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the metrics of a run")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<StoredRun, A::Error> {
        let (mut metrics, mut verdict, mut start_unix_ns) = (RunMetrics::default(), Verdict::default(), 0);
        let mut errors = None;
        while let Some(key) = map.next_key::<String>()? {
            // The tag alone: `isl` is also the short name of a metric.
            match find(&key).filter(|id| id.metric().tag == key) {
                Some(id) => metrics.entries.push((id, map.next_value_seed(SummarySeed(id.metric()))?)),
                None if key == open_metrics::KEY => {
                    for entry in map.next_value::<Vec<StoredEntry>>()? {
                        let summary = entry.summary();
                        metrics.add(entry.description, summary).map_err(Error::custom)?;
                    }
                }
                None if key == "verdict" => verdict = map.next_value()?,
                None if key == "within_run" => {
                    let stored = map.next_value::<Vec<StoredWithinRun>>()?;
                    metrics.within_run = stored.into_iter().filter_map(StoredWithinRun::known).collect();
                }
                None if key == "error_summary" => errors = map.next_value()?,
                None if key == "start_time" => {
                    start_unix_ns = time::parse(&map.next_value::<String>()?).unwrap_or_default();
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        metrics.entries.sort_by_key(|(id, _)| *id);
        if let Some([(twice, _), _]) = metrics.entries.array_windows().find(|[(a, _), (b, _)]| a == b) {
            let problem = format!("{} is there twice, expected each metric once", twice.metric().tag);
            return Err(serde::de::Error::custom(problem));
        }
        let errors = errors.unwrap_or_default();
        Ok(StoredRun { metrics, verdict, start_unix_ns, errors })
    }
}

/// Reads one metric; the catalogue says whether a run has it once.
struct SummarySeed(&'static Metric);

impl<'de> DeserializeSeed<'de> for SummarySeed {
    type Value = Summary;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Summary, D::Error> {
        #[derive(Deserialize)]
        struct Scalar {
            avg: f64,
        }
        match self.0.scope {
            Scope::Run => Scalar::deserialize(deserializer).map(|scalar| Summary::Scalar(scalar.avg)),
            Scope::Request | Scope::Gaps | Scope::AllRequests => {
                Distribution::deserialize(deserializer).map(Summary::Distribution)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::Exporters;
    use crate::fixture;
    use std::fs;

    #[test]
    fn metrics_come_back_to_the_last_bit() {
        let folder = tempfile::tempdir().unwrap();
        let metrics = fixture::run_metrics();
        fixture::with_run_report(&metrics, |report| {
            Exporters::built_in().export_run(folder.path(), report).unwrap();
        });
        let stored = read(folder.path()).unwrap();
        assert_eq!(stored.metrics, metrics);
        assert_eq!(stored.verdict, fixture::verdict());
        fixture::with_run_report(&metrics, |report| {
            assert_eq!(stored.start_unix_ns, report.start_unix_ns);
            assert_eq!(stored.errors, report.errors.counts());
        });
    }

    #[test]
    fn what_is_not_a_metric_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{"adj_request_latency": {"avg": 1}, "isl": 3, "request_count": {"unit": "requests", "avg": 20}}"#;
        fs::write(folder.path().join(layout::RUN_JSON), text).unwrap();
        let stored = read(folder.path()).unwrap();
        assert_eq!(stored.metrics.entries.len(), 1);
        assert_eq!(stored.verdict, Verdict::default());
    }

    #[test]
    fn errors_name_the_place() {
        let folder = tempfile::tempdir().unwrap();
        for (text, place) in [
            (r#"{"request_count": {"avg": "many"}}"#, "request_count.avg"),
            (r#"{"time_to_first_token": {"avg": 1.0}}"#, "time_to_first_token"),
            (r#"{"request_count": {"avg": 1"#, "request_count"),
            ("[]", "`.`"),
        ] {
            fs::write(folder.path().join(layout::RUN_JSON), text).unwrap();
            let message = read(folder.path()).unwrap_err().to_string();
            assert!(message.contains(layout::RUN_JSON) && message.contains(place), "{message}");
        }
    }
}
