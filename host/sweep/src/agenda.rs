//! Which runs of the plan are still to be done, and which need not be any more.
//!
//! What need not be done follows from the runs that are done and from nothing else, so a benchmark that is continued
//! leaves out the same runs as one that was never interrupted.

use crate::context::SweepContext;
use crate::duration_estimator::DurationEstimator;
use crate::ledger::Ledger;
use crate::strategy::LeftOut;
use aiperf_model::convergence::ValueConvergence;
use aiperf_model::figure;
use aiperf_model::sweep::{Step, SweepValue};
use aiperf_plan::Plan;
use std::collections::VecDeque;
use std::time::Duration;

/// The runs that are still to be done, in order of execution.
pub(crate) struct Agenda<'a> {
    open: VecDeque<&'a Step>,
    /// Whether all values were asked about once.
    has_begun: bool,
}

impl<'a> Agenda<'a> {
    pub(crate) fn new(open: impl Iterator<Item = &'a Step>) -> Self {
        Self { open: open.collect(), has_begun: false }
    }

    /// The runs that are still to be done.
    pub(crate) fn open(&self) -> impl Iterator<Item = &'a Step> {
        self.open.iter().copied()
    }

    /// Takes this run.
    pub(crate) fn take(&mut self, step: &Step) {
        self.open.retain(|open| open.index != step.index);
    }

    /// How many runs are still to be done.
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// Takes out all runs, for one reason; none if there are none.
    pub(crate) fn end(&mut self, reason: &str) -> Option<LeftOut> {
        left_out(std::mem::take(&mut self.open), reason.to_owned())
    }

    /// Takes the next run.
    pub(crate) fn next(&mut self) -> Option<&'a Step> {
        self.open.pop_front()
    }

    /// Takes out the runs that the others make needless: those of values that have converged. Only the value of the last run
    /// can have done so since it was asked before.
    pub(crate) fn leave_out(
        &mut self,
        context: &SweepContext<'_>,
        ledger: &Ledger,
        last: Option<&Step>,
    ) -> Vec<LeftOut> {
        let values: Vec<&SweepValue> = if std::mem::replace(&mut self.has_begun, true) {
            last.and_then(|last| context.value(last.value.index)).into_iter().collect()
        } else {
            context.values.iter().collect()
        };
        let converged = values.into_iter().filter_map(|value| {
            let convergence = context.convergence_of(value, ledger)?;
            let metric = &context.convergence.as_ref()?.metric;
            convergence.converged.then(|| (value.index, reason(metric, &convergence)))
        });
        let converged: Vec<(u32, String)> = converged.collect();
        let left_out =
            converged.into_iter().filter_map(|(value, reason)| left_out(self.take_out(value), reason));
        left_out.collect()
    }

    /// How long these runs and the pauses before them take, by the runs that were made; none if there are none, or nobody
    /// knows.
    pub(crate) fn expected(
        &self,
        plan: &Plan,
        durations: &DurationEstimator,
        last: Option<&Step>,
    ) -> Option<Duration> {
        let (mut before, mut expected) = (last, Duration::ZERO);
        for step in &self.open {
            let pause = before.map_or(Duration::ZERO, |before| plan.pause(before, step));
            expected += pause + durations.expected(step.value.index)?;
            before = Some(step);
        }
        Some(expected).filter(|time| !time.is_zero())
    }

    /// Takes out all runs of a value.
    fn take_out(&mut self, value: u32) -> Vec<&'a Step> {
        let (taken, open): (Vec<_>, Vec<_>) =
            self.open.iter().copied().partition(|step| step.value.index == value);
        self.open = open.into();
        taken
    }
}

/// At least one run that is left out.
fn left_out<'a>(steps: impl IntoIterator<Item = &'a Step>, reason: String) -> Option<LeftOut> {
    let steps: Vec<Step> = steps.into_iter().cloned().collect();
    (!steps.is_empty()).then_some(LeftOut { steps, reason })
}

fn reason(metric: &str, value: &ValueConvergence) -> String {
    let percent = figure::percent(100.0 * value.relative_half_width.unwrap_or_default());
    format!("{metric} is known to ±{percent} after {} trials", value.trials)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Ending, Success};
    use aiperf_model::catalogue::MetricId;
    use aiperf_model::convergence::Convergence;
    use aiperf_model::metrics::{RunMetrics, StatisticSelection, Summary};
    use aiperf_model::sweep::{Order, SweepValue};

    fn values() -> Vec<SweepValue> {
        (0..2).map(|index| SweepValue { index, parameters: Vec::new(), seed: 42 }).collect()
    }

    /// Two values and five trials, repeated.
    fn steps() -> Vec<Step> {
        let runs = (1..=5).flat_map(|trial| values().into_iter().map(move |value| (trial, value)));
        (0..)
            .zip(runs)
            .map(|(index, (trial, value))| Step {
                index,
                value,
                trial,
                warm_up: false,
                cooldown: Duration::ZERO,
            })
            .collect()
    }

    fn context(convergence: Option<Convergence>) -> SweepContext<'static> {
        SweepContext {
            axes: &[],
            values: values(),
            trials_per_value: 5,
            order: Order::Repeated,
            confidence_level: 0.95,
            convergence,
            time_budget: None,
            selection: StatisticSelection::Compact,
            plugins: Vec::new(),
        }
    }

    fn run(throughput: f64) -> Ending {
        let metrics = RunMetrics {
            entries: vec![(MetricId::RequestThroughput, Summary::Scalar(throughput))],
            ..RunMetrics::default()
        };
        Ending::Succeeded(Success { metrics, ..Success::default() })
    }

    fn rule() -> Convergence {
        Convergence { metric: "request_throughput_avg".into(), threshold: 0.05, min_trials: 3 }
    }

    #[test]
    fn a_value_that_has_converged_is_left_out_and_the_others_go_on() {
        let (steps, context) = (steps(), context(Some(rule())));
        let mut agenda = Agenda::new(steps.iter());
        let mut ledger = Ledger::default();
        let mut last = None;
        for step in &steps[..5] {
            assert_eq!(agenda.leave_out(&context, &ledger, last), []);
            assert_eq!(agenda.next(), Some(step));
            let throughput = if step.value.index == 0 { 100.0 } else { 100.0 * f64::from(step.trial) };
            ledger.note(step.index, step.value.index, step.trial, run(throughput));
            last = Some(step);
        }
        let left_out = agenda.leave_out(&context, &ledger, last);
        assert_eq!(left_out.len(), 1);
        assert_eq!(left_out[0].steps, [steps[6].clone(), steps[8].clone()]);
        assert_eq!(left_out[0].reason, "request_throughput_avg is known to ±0 % after 3 trials");
        assert_eq!(agenda.open().collect::<Vec<_>>(), [&steps[5], &steps[7], &steps[9]]);
        assert_eq!(agenda.leave_out(&context, &ledger, last), [], "once");
    }

    #[test]
    fn a_benchmark_that_is_continued_leaves_out_what_had_converged() {
        let (steps, context) = (steps(), context(Some(rule())));
        let mut ledger = Ledger::default();
        steps[..5].iter().for_each(|step| ledger.note(step.index, step.value.index, step.trial, run(1.0)));
        let left_out = Agenda::new(steps[5..].iter()).leave_out(&context, &ledger, None);
        assert_eq!(left_out.len(), 1);
        assert_eq!(left_out[0].steps, [steps[6].clone(), steps[8].clone()]);
    }

    #[test]
    fn without_a_rule_every_run_is_done() {
        let (steps, context) = (steps(), context(None));
        let mut agenda = Agenda::new(steps.iter());
        let mut ledger = Ledger::default();
        steps[..8].iter().for_each(|step| ledger.note(step.index, step.value.index, step.trial, run(1.0)));
        assert_eq!(agenda.leave_out(&context, &ledger, None), []);
        assert_eq!(agenda.len(), 10);
    }
}
