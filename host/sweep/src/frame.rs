//! What the runs of a benchmark say together.

use crate::ledger::Ledger;
use aiperf_analysis::analyze;
use aiperf_model::conclusion::Conclusions;
use aiperf_model::metrics::Selection;
use aiperf_model::plugin::{AnalysisPlugins, Identity};
use aiperf_model::sweep::{Order, SweepResult, SweepValue};

/// What is true of a benchmark whatever its runs say.
pub(crate) struct Frame<'a> {
    pub(crate) axes: &'a [String],
    /// Ascending.
    pub(crate) values: Vec<SweepValue>,
    pub(crate) trials_per_value: u32,
    pub(crate) order: Order,
    pub(crate) confidence_level: f64,
    pub(crate) selection: Selection,
    pub(crate) plugins: Vec<Identity>,
}

impl Frame<'_> {
    /// What the runs in the ledger say together.
    pub(crate) fn result(&self, ledger: &Ledger, analysis: &AnalysisPlugins) -> SweepResult {
        let points = ledger.points(&self.values, self.confidence_level, self.selection);
        let conclusions =
            if self.axes.is_empty() { Conclusions::default() } else { analyze(self.axes, &points, analysis) };
        let drift = ledger.drift(&self.values);
        SweepResult {
            axes: self.axes.to_vec(),
            values: self.values.clone(),
            trials_per_value: self.trials_per_value,
            order: self.order,
            confidence_level: self.confidence_level,
            points,
            failed_values: ledger.failed_values(&self.values),
            failed_trials: ledger.failed_trials(&self.values),
            verdicts: ledger.verdicts(&self.values, &drift),
            drift,
            plugins: self.plugins.clone(),
            conclusions,
        }
    }
}
