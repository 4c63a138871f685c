//! How well a run knows its own figures, as the file of a run has it.

use aiperf_model::catalogue;
use aiperf_model::metrics::{RunMetrics, Statistic, WithinRun};
use aiperf_model::point::Interval;
use serde::{Deserialize, Serialize};

/// One figure.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StoredWithinRun {
    metric: String,
    statistic: String,
    /// Where it plausibly lies in a run without end; null where the run is too short to say.
    interval: Option<Interval>,
}

impl StoredWithinRun {
    pub(crate) fn all(metrics: &RunMetrics) -> Vec<Self> {
        let stored = |known: &WithinRun| Self {
            metric: known.metric.metric().tag.to_string(),
            statistic: known.statistic.name().to_owned(),
            interval: known.interval,
        };
        metrics.within_run.iter().map(stored).collect()
    }

    /// None for a figure that the catalogue does not know.
    pub(crate) fn known(self) -> Option<WithinRun> {
        let metric = catalogue::find(&self.metric)?;
        let statistic = Statistic::ALL.into_iter().find(|statistic| statistic.name() == self.statistic)?;
        Some(WithinRun { metric, statistic, interval: self.interval })
    }
}
