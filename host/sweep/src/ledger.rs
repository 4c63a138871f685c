//! What became of each run so far, and the points and failures that follow from it.

use crate::duration_estimator::DurationEstimator;
use aiperf_metrics::points;
use aiperf_metrics::verdict::{self, Trial};
use aiperf_model::catalogue::{MetricId, OpenMetric};
use aiperf_model::metrics::{self, RunMetrics, Statistic, StatisticSelection};
use aiperf_model::point::Point;
use aiperf_model::request_error::{self, RequestErrors, ValueErrors};
use aiperf_model::sweep::{FailedTrial, FailedValue, SweepValue};
use aiperf_model::verdict::{Drift, ValueVerdict, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How one run ended.
#[derive(Clone, Debug)]
pub enum Ending {
    /// It counts.
    Succeeded(Success),
    /// The user stopped it; what was measured, if anything was, is in its files and in no statistic over trials.
    Interrupted(Option<RunMetrics>),
    /// It is in no statistic.
    Failed {
        /// Why, one line.
        error: String,
        /// When, RFC 3339 UTC.
        timestamp: String,
        /// What failed.
        blame: Blame,
    },
}

impl Ending {
    /// What became of the run, in a word.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Succeeded(_) => "succeeded",
            Self::Interrupted(_) => "interrupted",
            Self::Failed { .. } => "failed",
        }
    }

    /// What failed, if something did.
    fn blame(&self) -> Option<Blame> {
        match self {
            Self::Failed { blame, .. } => Some(*blame),
            Self::Succeeded(_) | Self::Interrupted(_) => None,
        }
    }
}

/// What made a run fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The server could not be reached, so that nothing was sent.
    Unreachable,
    /// The endpoint plugin, and not the server.
    Plugin,
    /// Requests, or that there were none.
    Requests,
}

/// A run that counts.
#[derive(Clone, Debug, Default)]
pub struct Success {
    /// What it says.
    pub metrics: RunMetrics,
    /// How far it can be believed.
    pub verdict: Verdict,
    /// When profiling began, in nanoseconds since the Unix epoch.
    pub start_unix_ns: u64,
    /// What requests failed with, most frequent first.
    pub errors: Vec<RequestErrors>,
}

/// One run that ended.
#[derive(Clone, Debug)]
struct Entry {
    value: u32,
    trial: u32,
    ending: Ending,
}

/// The runs that ended, by their position in the plan; a further attempt takes the place of the one before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    entries: BTreeMap<u32, Entry>,
    /// The runs of each value, by their positions.
    values: BTreeMap<u32, BTreeSet<u32>>,
    succeeded: usize,
    failed: usize,
}

impl Ledger {
    /// Notes how a run ended.
    pub(crate) fn note(&mut self, step: u32, value: u32, trial: u32, ending: Ending) {
        self.values.entry(value).or_default().insert(step);
        self.count(&ending, |count| *count += 1);
        if let Some(before) = self.entries.insert(step, Entry { value, trial, ending }) {
            self.count(&before.ending, |count| *count -= 1);
        }
    }

    fn count(&mut self, ending: &Ending, change: fn(&mut usize)) {
        match ending {
            Ending::Succeeded(_) => change(&mut self.succeeded),
            Ending::Failed { .. } => change(&mut self.failed),
            Ending::Interrupted(_) => {}
        }
    }

    /// How a run ended.
    pub(crate) fn ending(&self, step: u32) -> Option<&Ending> {
        self.entries.get(&step).map(|entry| &entry.ending)
    }

    /// The values that were run.
    pub(crate) fn values(&self) -> impl Iterator<Item = u32> {
        self.values.keys().copied()
    }

    /// How many runs ended.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The runs of a value, in order of the plan.
    fn of_value(&self, value: u32) -> impl Iterator<Item = &Entry> {
        let steps = self.values.get(&value).into_iter().flatten();
        steps.filter_map(|step| self.entries.get(step))
    }

    /// How the last run of the plan ended.
    pub(crate) fn last(&self) -> Option<&Ending> {
        self.entries.last_key_value().map(|(_, entry)| &entry.ending)
    }

    /// How many runs succeeded and failed.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.succeeded, self.failed)
    }

    /// Whether a run failed by its endpoint plugin.
    pub(crate) fn is_failed_by_plugin(&self) -> bool {
        self.entries.values().any(|entry| entry.ending.blame() == Some(Blame::Plugin))
    }

    /// Whether runs ended, and none of them could send anything.
    pub(crate) fn is_all_unreachable(&self) -> bool {
        let mut endings = self.entries.values().map(|entry| entry.ending.blame());
        !self.entries.is_empty() && endings.all(|blame| blame == Some(Blame::Unreachable))
    }

    /// What requests of the successful trials failed with, for each value that has such, in the order of `values`.
    pub(crate) fn request_errors(&self, values: &[SweepValue]) -> Vec<ValueErrors> {
        let of_value = |value: &SweepValue| ValueErrors {
            parameters: value.parameters.clone(),
            errors: request_error::merge(
                self.successful(value.index).flat_map(|success| success.errors.iter().cloned()),
            ),
        };
        values.iter().map(of_value).filter(|value| !value.errors.is_empty()).collect()
    }

    /// The metrics of successful trials that are not built in.
    pub(crate) fn open_metrics(&self) -> Vec<OpenMetric> {
        let successful = self.values().flat_map(|value| self.successful(value));
        metrics::open_metrics(successful.map(|success| &success.metrics))
    }

    /// The metrics of a value's successful trials, in order of the plan.
    pub(crate) fn successes(&self, value: u32) -> Vec<RunMetrics> {
        self.successful(value).map(|success| success.metrics.clone()).collect()
    }

    /// What changes with time over the successful trials of these values.
    pub(crate) fn drift(&self, values: &[SweepValue]) -> Vec<Drift> {
        let trials: Vec<Vec<Trial<'_>>> = values.iter().map(|value| self.trials(value.index)).collect();
        verdict::drift(&trials)
    }

    /// How far each value that has a successful trial can be believed, in the order of `values`.
    pub(crate) fn verdicts(&self, values: &[SweepValue], drift: &[Drift]) -> Vec<ValueVerdict> {
        let measured: Vec<(&SweepValue, Vec<Trial<'_>>)> = values
            .iter()
            .map(|value| (value, self.trials(value.index)))
            .filter(|(_, trials)| !trials.is_empty())
            .collect();
        let (values, trials): (Vec<&SweepValue>, Vec<Vec<Trial<'_>>>) = measured.into_iter().unzip();
        let judged = values.into_iter().zip(verdict::judge_values(&trials, drift));
        judged
            .map(|(value, verdict)| ValueVerdict {
                index: value.index,
                parameters: value.parameters.clone(),
                verdict,
            })
            .collect()
    }

    /// The successful trials of a value, as they are judged together.
    fn trials(&self, value: u32) -> Vec<Trial<'_>> {
        let trials = self.successful(value).map(|Success { metrics, verdict, start_unix_ns, .. }| Trial {
            metrics,
            verdict,
            start_unix_ns: *start_unix_ns,
        });
        trials.collect()
    }

    fn successful(&self, value: u32) -> impl Iterator<Item = &Success> {
        self.of_value(value).filter_map(|entry| match &entry.ending {
            Ending::Succeeded(success) => Some(success),
            Ending::Interrupted(_) | Ending::Failed { .. } => None,
        })
    }

    /// How many runs of a value succeeded or failed.
    pub(crate) fn ended(&self, value: u32) -> usize {
        self.of_value(value).filter(|entry| !matches!(entry.ending, Ending::Interrupted(_))).count()
    }

    /// How long the successful runs took.
    pub(crate) fn durations(&self) -> DurationEstimator {
        let mut durations = DurationEstimator::default();
        for entry in self.entries.values() {
            let Ending::Succeeded(success) = &entry.ending else { continue };
            let seconds = success.metrics.statistic(MetricId::BenchmarkDuration, Statistic::Avg);
            if let Some(time) = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
                durations.note(entry.value, time);
            }
        }
        durations
    }

    /// The numbers of a value's successful trials, in order of the plan.
    pub(crate) fn successful_trials(&self, value: u32) -> Vec<u32> {
        let succeeded = |entry: &&Entry| matches!(entry.ending, Ending::Succeeded(_));
        self.of_value(value).filter(succeeded).map(|entry| entry.trial).collect()
    }

    /// The points of the values that have a successful trial, in the order of `values`.
    pub(crate) fn points(
        &self,
        values: &[SweepValue],
        confidence_level: f64,
        selection: StatisticSelection,
    ) -> Vec<Point> {
        let runs = values.iter().map(|value| (value, self.successes(value.index)));
        runs.filter(|(_, runs)| !runs.is_empty())
            .map(|(value, runs)| {
                points::point(value.index, value.parameters.clone(), &runs, confidence_level, selection)
            })
            .collect()
    }

    /// Whether a value has runs that failed and none that succeeded.
    pub(crate) fn has_failed(&self, value: u32) -> bool {
        self.successful(value).next().is_none()
            && self.of_value(value).any(|entry| matches!(entry.ending, Ending::Failed { .. }))
    }

    /// The trials that failed, in the order of `values` and then of the plan.
    pub(crate) fn failed_trials(&self, values: &[SweepValue]) -> Vec<FailedTrial> {
        values.iter().flat_map(|value| self.failures_of(value)).collect()
    }

    /// The values that ran and have no successful trial, each with its last failure.
    pub(crate) fn failed_values(&self, values: &[SweepValue]) -> Vec<FailedValue> {
        let hopeless = values.iter().filter(|value| self.successful(value.index).next().is_none());
        hopeless
            .filter_map(|value| {
                let last = self.failures_of(value).last()?;
                Some(FailedValue {
                    index: value.index,
                    parameters: last.parameters,
                    error: last.error,
                    timestamp: last.timestamp,
                })
            })
            .collect()
    }

    fn failures_of(&self, value: &SweepValue) -> impl Iterator<Item = FailedTrial> {
        self.of_value(value.index).filter_map(|entry| match &entry.ending {
            Ending::Succeeded(_) | Ending::Interrupted(_) => None,
            Ending::Failed { error, timestamp, .. } => Some(FailedTrial {
                index: value.index,
                parameters: value.parameters.clone(),
                trial: entry.trial,
                error: error.clone(),
                timestamp: timestamp.clone(),
            }),
        })
    }
}
