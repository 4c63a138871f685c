//! What a strategy knows: everything that the runs so far say.

use crate::asking::Asking;
use crate::context::SweepContext;
use crate::duration_estimator::DurationEstimator;
use crate::findings::Findings;
use crate::ledger::{Ending, Ledger};
use crate::spending::Spending;
use aiperf_model::plugin::AnalysisPlugins;
use aiperf_model::sweep::{Step, SweepResult};

/// What the runs so far say.
pub struct History<'a> {
    pub(crate) context: &'a SweepContext<'a>,
    pub(crate) ledger: &'a Ledger,
    pub(crate) findings: &'a Findings,
    pub(crate) analysis: &'a AnalysisPlugins,
    pub(crate) asking: &'a Asking,
    pub(crate) durations: &'a DurationEstimator,
    pub(crate) spending: Option<&'a Spending>,
    pub(crate) last: Option<&'a Step>,
    pub(crate) next_index: u32,
}

impl History<'_> {
    /// The run that this process made last.
    #[must_use]
    pub fn last(&self) -> Option<&Step> {
        self.last
    }

    /// The position that a run has which is not of the plan.
    #[must_use]
    pub fn next_index(&self) -> u32 {
        self.next_index
    }

    /// How a run ended, by its position; none if it has not.
    #[must_use]
    pub fn ending(&self, step: u32) -> Option<&Ending> {
        self.ledger.ending(step)
    }

    /// How many runs of a value succeeded or failed.
    #[must_use]
    pub fn ended(&self, value: u32) -> usize {
        self.ledger.ended(value)
    }

    /// How long runs take.
    #[must_use]
    pub fn durations(&self) -> &DurationEstimator {
        self.durations
    }

    /// What the runs say together, by the analysis plugins. Computed once after each run, and only if somebody asks.
    #[must_use]
    pub fn result(&self) -> &SweepResult {
        self.findings.result(|| self.context.result(self.ledger, self.analysis, self.asking))
    }
}
