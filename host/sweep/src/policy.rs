//! What failed runs lead to: another attempt, or the end of the benchmark.

use crate::ledger::{Ending, Ledger};
use aiperf_model::sweep::SweepValue;
use aiperf_plan::{Config, FailureConfig};
use std::fmt;
use std::time::Duration;

/// Why a benchmark ended before its last run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The user wanted it.
    Interrupted,
    /// A run failed, and `--fail-fast` was given.
    FailedRun,
    /// More values failed than `--max-failed-values` allows.
    FailedValues {
        /// How many have no successful run.
        failed: usize,
        /// How many may.
        allowed: u32,
    },
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupted => f.write_str("interrupted"),
            Self::FailedRun => f.write_str("stopped after a failed run (--fail-fast)"),
            Self::FailedValues { failed, allowed } => {
                write!(f, "stopped after {failed} failed values (--max-failed-values {allowed})")
            }
        }
    }
}

/// The wishes of the user about failures.
#[derive(Clone, Copy)]
pub(crate) struct Policy<'a> {
    failures: &'a FailureConfig,
    /// The pause before another attempt.
    pub(crate) cooldown: Duration,
}

impl<'a> Policy<'a> {
    pub(crate) fn new(config: &'a Config) -> Self {
        // Another attempt comes after one at the same value, so it gets at least the pause between trials; where only
        // values have a pause, the server needs that one.
        Self { failures: &config.failures, cooldown: config.trials.cooldown.max(config.sweep.cooldown) }
    }

    /// Whether a run that ended like this is attempted again, after so many further attempts.
    pub(crate) fn retries(&self, ending: &Ending, retries: u32) -> bool {
        matches!(ending, Ending::Failed { .. }) && retries < self.failures.retry_failed
    }

    /// Whether the benchmark ends after a run that ended like this.
    pub(crate) fn stop_after(&self, ending: &Ending, ledger: &Ledger, values: &[SweepValue]) -> Option<Stop> {
        if matches!(ending, Ending::Interrupted(_)) {
            return Some(Stop::Interrupted);
        }
        if self.failures.fail_fast && matches!(ending, Ending::Failed { .. }) {
            return Some(Stop::FailedRun);
        }
        let allowed = self.failures.max_failed_values?;
        let failed = values.iter().filter(|value| ledger.has_failed(value.index)).count();
        (failed > allowed as usize).then_some(Stop::FailedValues { failed, allowed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Blame;
    use crate::ledger::Success;

    fn values() -> Vec<SweepValue> {
        (0..3).map(|index| SweepValue { index, parameters: Vec::new(), seed: 42 }).collect()
    }

    fn failed() -> Ending {
        Ending::Failed {
            error: "refused".into(),
            timestamp: "2025-01-15T10:30:45Z".into(),
            blame: Blame::Requests,
        }
    }

    fn succeeded() -> Ending {
        Ending::Succeeded(Success::default())
    }

    fn policy(failures: &FailureConfig) -> Policy<'_> {
        Policy { failures, cooldown: Duration::ZERO }
    }

    #[test]
    fn only_failed_runs_are_attempted_again_and_not_for_ever() {
        let failures = FailureConfig { retry_failed: 2, ..FailureConfig::default() };
        let retried: Vec<bool> =
            (0..4).map(|retries| policy(&failures).retries(&failed(), retries)).collect();
        assert_eq!(retried, [true, true, false, false]);
        assert!(!policy(&failures).retries(&succeeded(), 0));
        assert!(!policy(&failures).retries(&Ending::Interrupted(None), 0));
        assert!(!policy(&FailureConfig::default()).retries(&failed(), 0));
    }

    #[test]
    fn by_default_only_the_user_ends_a_benchmark() {
        let failures = FailureConfig::default();
        let mut ledger = Ledger::default();
        (0..3).for_each(|index| ledger.note(index, index, 1, failed()));
        assert_eq!(policy(&failures).stop_after(&failed(), &ledger, &values()), None);
        let interrupted = policy(&failures).stop_after(&Ending::Interrupted(None), &ledger, &values());
        assert_eq!(interrupted, Some(Stop::Interrupted));
    }

    #[test]
    fn the_first_failure_can_end_it() {
        let failures = FailureConfig { fail_fast: true, ..FailureConfig::default() };
        let ledger = Ledger::default();
        assert_eq!(policy(&failures).stop_after(&succeeded(), &ledger, &values()), None);
        assert_eq!(policy(&failures).stop_after(&failed(), &ledger, &values()), Some(Stop::FailedRun));
    }

    #[test]
    fn a_number_of_failed_values_can_end_it() {
        let failures = FailureConfig { max_failed_values: Some(1), ..FailureConfig::default() };
        let mut ledger = Ledger::default();
        ledger.note(0, 0, 1, failed());
        ledger.note(1, 1, 1, succeeded());
        // A value with a successful run has not failed.
        ledger.note(2, 1, 2, failed());
        assert_eq!(policy(&failures).stop_after(&failed(), &ledger, &values()), None);
        ledger.note(3, 2, 1, failed());
        let stop = policy(&failures).stop_after(&failed(), &ledger, &values());
        assert_eq!(stop, Some(Stop::FailedValues { failed: 2, allowed: 1 }));
    }
}
