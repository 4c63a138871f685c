//! Metrics that are not built in, as those of telemetry or of a plugin: known only when the benchmark runs, so their
//! description travels with their values.

use super::{Metric, find, find_key};
use crate::metrics::Statistic;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Bytes of the longest name.
const LONGEST_NAME: usize = 64;

/// Why a metric cannot be taken up.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricError {
    /// The name could not be told from others, or not be a column.
    #[error("'{0}' cannot name a metric: write up to {LONGEST_NAME} of a-z, 0-9 and _, with a letter first")]
    Name(String),
    /// A built-in metric has it.
    #[error("'{0}' is the name of a built-in metric; choose another one")]
    BuiltIn(String),
    /// Another metric of the same run has it.
    #[error("a run has two metrics '{0}'; choose another name for one of them")]
    Twice(String),
}

/// A metric whose names are no other metric's. Clones share the description.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Metric", into = "Metric")]
pub struct OpenMetric(Arc<Metric>);

impl OpenMetric {
    /// Takes up a metric.
    ///
    /// # Errors
    ///
    /// One of its names, or of its keys in the sweep file, is no name or that of a built-in metric.
    pub fn new(metric: Metric) -> Result<Self, MetricError> {
        for name in std::iter::once(&metric.tag).chain(&metric.short) {
            if !is_name(name) {
                return Err(MetricError::Name(name.to_string()));
            }
            if find(name).is_some() {
                return Err(MetricError::BuiltIn(name.to_string()));
            }
        }
        let mut keys = Statistic::ALL.into_iter().map(|statistic| metric.key(statistic));
        if let Some(key) = keys.find(|key| find_key(key).is_some()) {
            return Err(MetricError::BuiltIn(key));
        }
        Ok(Self(Arc::new(metric)))
    }

    /// The description.
    #[must_use]
    pub fn metric(&self) -> &Metric {
        &self.0
    }
}

impl TryFrom<Metric> for OpenMetric {
    type Error = MetricError;

    fn try_from(metric: Metric) -> Result<Self, MetricError> {
        Self::new(metric)
    }
}

impl From<OpenMetric> for Metric {
    fn from(OpenMetric(metric): OpenMetric) -> Self {
        Arc::unwrap_or_clone(metric)
    }
}

fn is_name(name: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.len() <= LONGEST_NAME
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(is_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{MetricId, Unit};

    fn named(tag: &str, short: Option<&str>) -> Metric {
        Metric {
            tag: tag.to_owned().into(),
            short: short.map(|short| short.to_owned().into()),
            unit: Unit::Other("W".into()),
            ..MetricId::Goodput.metric().clone()
        }
    }

    #[test]
    fn a_name_is_no_other_metrics() {
        assert_eq!(
            OpenMetric::new(named("gpu_power", None)).unwrap().metric().key(Statistic::Avg),
            "gpu_power_avg"
        );
        for (tag, short, error) in [
            ("ttft", None, MetricError::BuiltIn("ttft".into())),
            ("gpu_power", Some("goodput"), MetricError::BuiltIn("goodput".into())),
            ("", None, MetricError::Name(String::new())),
            ("GPU power", None, MetricError::Name("GPU power".into())),
            ("../a", None, MetricError::Name("../a".into())),
        ] {
            assert_eq!(OpenMetric::new(named(tag, short)), Err(error));
        }
        assert!(OpenMetric::new(named(&"x".repeat(LONGEST_NAME + 1), None)).is_err());
    }
}
