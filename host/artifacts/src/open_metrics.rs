//! How the file of a run holds metrics that are not built in: each with its description, so that it can be read back.
//!
//! They stand apart from the built-in ones, whose tags are keys of the file itself.

use crate::rows::MetricRow;
use aiperf_model::catalogue::OpenMetric;
use aiperf_model::metrics::{Distribution, RunMetrics, Summary};
use serde::{Deserialize, Serialize, Serializer};

/// The key in the file.
pub(crate) const KEY: &str = "open_metrics";

/// `[{"description": {…}, "unit": "W", "avg": 250.0}, …]`.
pub(crate) struct OpenMetrics<'a>(pub(crate) &'a RunMetrics);

#[derive(Serialize)]
struct Entry<'a> {
    description: &'a OpenMetric,
    #[serde(flatten)]
    row: MetricRow<'a>,
}

impl Serialize for OpenMetrics<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.open.iter().map(|(description, summary)| Entry {
            description,
            row: MetricRow::new(description.metric(), summary),
        }))
    }
}

/// An entry as it is read.
#[derive(Deserialize)]
pub(crate) struct StoredEntry {
    pub(crate) description: OpenMetric,
    #[serde(flatten)]
    summary: StoredSummary,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a whole distribution, or `avg` alone")]
enum StoredSummary {
    Distribution(Box<Distribution>),
    Scalar { avg: f64 },
}

impl StoredEntry {
    pub(crate) fn summary(&self) -> Summary {
        match &self.summary {
            StoredSummary::Distribution(distribution) => Summary::Distribution(**distribution),
            StoredSummary::Scalar { avg } => Summary::Scalar(*avg),
        }
    }
}
