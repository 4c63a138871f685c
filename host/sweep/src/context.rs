//! What the runs of a benchmark say together.

use crate::asking::Asking;
use crate::ledger::Ledger;
use aiperf_analysis::{Subject, analyze, open_answers};
use aiperf_metrics::convergence::convergence;
use aiperf_model::conclusion::Conclusions;
use aiperf_model::convergence::{Convergence, Convergences, ValueConvergence};
use aiperf_model::metrics::StatisticSelection;
use aiperf_model::parameter::Parameter;
use aiperf_model::plugin::{AnalysisPlugins, Identity};
use aiperf_model::point::Point;
use aiperf_model::sweep::{Order, SweepResult, SweepValue, TimeBudget, TooFew};
use std::cmp::Ordering;

/// What is true of a benchmark whatever its runs say.
pub(crate) struct SweepContext<'a> {
    pub(crate) axes: &'a [String],
    /// Ascending.
    pub(crate) values: Vec<SweepValue>,
    pub(crate) trials_per_value: u32,
    pub(crate) order: Order,
    pub(crate) confidence_level: f64,
    /// When the trials of a value end early.
    pub(crate) convergence: Option<Convergence>,
    /// The time for all trials, in seconds.
    pub(crate) time_budget: Option<f64>,
    pub(crate) selection: StatisticSelection,
    pub(crate) plugins: Vec<Identity>,
}

impl SweepContext<'_> {
    /// How far the trials of each value have come, if they may end early.
    fn convergences(&self, ledger: &Ledger) -> Option<Convergences> {
        let rule = self.convergence.clone()?;
        let values = self.values.iter().filter_map(|value| self.convergence_of(value, ledger)).collect();
        Some(Convergences { rule, values })
    }

    /// How far the trials of a value have come, if it has any and they may end early.
    pub(crate) fn convergence_of(&self, value: &SweepValue, ledger: &Ledger) -> Option<ValueConvergence> {
        let rule = self.convergence.as_ref()?;
        let runs = ledger.successes(value.index);
        let judged = || convergence(rule, value.index, &value.parameters, &runs, self.confidence_level);
        (!runs.is_empty()).then(judged)
    }

    /// The value at a position of the plan.
    pub(crate) fn value(&self, index: u32) -> Option<&SweepValue> {
        self.values.iter().find(|value| value.index == index)
    }

    /// Takes up a value that is not of the plan.
    pub(crate) fn add(&mut self, value: &SweepValue) {
        let is_before = |other: &SweepValue| ascending(&other.parameters, &value.parameters).is_lt();
        let place = self.values.partition_point(is_before);
        self.values.insert(place, value.clone());
    }

    /// What the trials leave open, if there is a time for them.
    fn time_budget(
        &self,
        ledger: &Ledger,
        subject: Subject<'_>,
        analysis: &AnalysisPlugins,
        asking: &Asking,
    ) -> Option<TimeBudget> {
        let seconds = self.time_budget?;
        let too_few = self.values.iter().filter_map(|value| {
            let (ended, trials) = (ledger.ended(value.index), ledger.successes(value.index).len());
            let has_failed = ended > 0 && trials == 0;
            let parameters = || value.parameters.clone();
            (trials < 2 && !has_failed).then(|| TooFew { parameters: parameters(), trials: trials as u32 })
        });
        let was_run_twice = |value: &SweepValue| ledger.ended(value.index) >= 2;
        let open = if self.values.iter().all(was_run_twice) {
            let points = comparable(subject.points);
            asking.ask(|goes_on| open_answers(subject.with_points(&points), analysis, goes_on))
        } else {
            Some(Vec::new())
        };
        Some(TimeBudget { seconds, too_few: too_few.collect(), open })
    }

    /// What the runs in the ledger say together. What they leave open is asked if there is a time for the trials.
    pub(crate) fn result(&self, ledger: &Ledger, analysis: &AnalysisPlugins, asking: &Asking) -> SweepResult {
        let points = ledger.points(&self.values, self.confidence_level, self.selection);
        let drift = ledger.drift(&self.values);
        let verdicts = ledger.verdicts(&self.values, &drift);
        let subject = Subject {
            axes: self.axes,
            points: &points,
            verdicts: &verdicts,
            confidence_level: self.confidence_level,
        };
        let conclusions =
            if self.axes.is_empty() { Conclusions::default() } else { analyze(subject, analysis) };
        let time_budget = self.time_budget(ledger, subject, analysis, asking);
        SweepResult {
            axes: self.axes.to_vec(),
            values: self.values.clone(),
            trials_per_value: self.trials_per_value,
            order: self.order,
            confidence_level: self.confidence_level,
            points,
            failed_values: ledger.failed_values(&self.values),
            failed_trials: ledger.failed_trials(&self.values),
            request_errors: ledger.request_errors(&self.values),
            verdicts,
            convergence: self.convergences(ledger),
            time_budget,
            drift,
            open_metrics: ledger.open_metrics(),
            edited_files: Vec::new(),
            plugins: self.plugins.clone(),
            conclusions,
        }
    }
}

/// The order of values by their parameters, of which the first one counts most.
pub(crate) fn ascending(a: &[Parameter], b: &[Parameter]) -> Ordering {
    let position = |parameter: &Parameter| parameter.value.as_number().unwrap_or_default();
    let pairs = a.iter().zip(b);
    pairs
        .map(|(a, b)| position(a).total_cmp(&position(b)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// The points whose trials show how they spread.
pub(crate) fn comparable(points: &[Point]) -> Vec<Point> {
    points.iter().filter(|point| point.trials >= 2).cloned().collect()
}
