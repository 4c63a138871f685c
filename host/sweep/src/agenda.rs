//! Which runs of the plan are still to be done, and which need not be any more.
//!
//! What need not be done follows from the runs that are done and from nothing else, so a benchmark that is continued
//! leaves out the same runs as one that was never interrupted.

use crate::frame::Frame;
use crate::ledger::Ledger;
use aiperf_model::convergence::ValueConvergence;
use aiperf_model::sweep::Step;
use std::collections::VecDeque;

/// The runs that are still to be done, in order of execution.
pub(crate) struct Agenda<'a> {
    open: VecDeque<&'a Step>,
}

/// The runs of a value that need not be done, and why.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spared<'a> {
    /// At least one.
    pub(crate) steps: Vec<&'a Step>,
    pub(crate) reason: String,
}

impl<'a> Agenda<'a> {
    pub(crate) fn new(open: impl Iterator<Item = &'a Step>) -> Self {
        Self { open: open.collect() }
    }

    /// The runs that are still to be done.
    pub(crate) fn open(&self) -> impl Iterator<Item = &'a Step> {
        self.open.iter().copied()
    }

    /// Takes this run.
    pub(crate) fn take(&mut self, step: &Step) {
        self.open.retain(|open| open.index != step.index);
    }

    /// Takes out all runs, for one reason.
    pub(crate) fn end(&mut self, reason: &str) -> Spared<'a> {
        Spared { steps: std::mem::take(&mut self.open).into(), reason: reason.to_owned() }
    }

    /// Takes the next run.
    pub(crate) fn next(&mut self) -> Option<&'a Step> {
        self.open.pop_front()
    }

    /// Takes out the runs that the others make needless: those of values that have converged.
    pub(crate) fn spare(&mut self, frame: &Frame<'_>, ledger: &Ledger) -> Vec<Spared<'a>> {
        let Some(convergences) = frame.convergences(ledger) else { return Vec::new() };
        let converged = convergences.values.iter().filter(|value| value.converged);
        let spared = converged.map(|value| Spared {
            steps: self.take_out(value.index),
            reason: reason(&convergences.rule.metric, value),
        });
        spared.filter(|spared| !spared.steps.is_empty()).collect()
    }

    /// Takes out all runs of a value.
    fn take_out(&mut self, value: u32) -> Vec<&'a Step> {
        let (taken, open): (Vec<_>, Vec<_>) =
            self.open.iter().copied().partition(|step| step.value.index == value);
        self.open = open.into();
        taken
    }
}

fn reason(metric: &str, value: &ValueConvergence) -> String {
    let percent = 100.0 * value.relative_half_width.unwrap_or_default();
    format!("{metric} is known to ±{percent:.1} % after {} trials", value.trials)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Ending, Success};
    use aiperf_model::catalogue::MetricId;
    use aiperf_model::convergence::Convergence;
    use aiperf_model::metrics::{RunMetrics, Selection, Summary};
    use aiperf_model::sweep::{Order, SweepValue};
    use std::time::Duration;

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

    fn frame(convergence: Option<Convergence>) -> Frame<'static> {
        Frame {
            axes: &[],
            values: values(),
            trials_per_value: 5,
            order: Order::Repeated,
            confidence_level: 0.95,
            convergence,
            time_budget: None,
            selection: Selection::Compact,
            plugins: Vec::new(),
        }
    }

    fn run(throughput: f64) -> Ending {
        let metrics =
            RunMetrics { entries: vec![(MetricId::RequestThroughput, Summary::Scalar(throughput))] };
        Ending::Succeeded(Success { metrics, ..Success::default() })
    }

    fn rule() -> Convergence {
        Convergence { metric: "request_throughput_avg".into(), threshold: 0.05, min_trials: 3 }
    }

    #[test]
    fn a_value_that_has_converged_is_left_out_and_the_others_go_on() {
        let (steps, frame) = (steps(), frame(Some(rule())));
        let mut agenda = Agenda::new(steps.iter());
        let mut ledger = Ledger::default();
        for step in &steps[..5] {
            assert_eq!(agenda.spare(&frame, &ledger), []);
            assert_eq!(agenda.next(), Some(step));
            let throughput = if step.value.index == 0 { 100.0 } else { 100.0 * f64::from(step.trial) };
            ledger.note(step.index, step.value.index, step.trial, run(throughput));
        }
        let spared = agenda.spare(&frame, &ledger);
        assert_eq!(spared.len(), 1);
        assert_eq!(spared[0].steps, [&steps[6], &steps[8]]);
        assert_eq!(spared[0].reason, "request_throughput_avg is known to ±0.0 % after 3 trials");
        assert_eq!(agenda.open().collect::<Vec<_>>(), [&steps[5], &steps[7], &steps[9]]);
        assert_eq!(agenda.spare(&frame, &ledger), [], "once");
    }

    #[test]
    fn without_a_rule_every_run_is_done() {
        let (steps, frame) = (steps(), frame(None));
        let mut agenda = Agenda::new(steps.iter());
        let mut ledger = Ledger::default();
        steps[..8].iter().for_each(|step| ledger.note(step.index, step.value.index, step.trial, run(1.0)));
        assert_eq!(agenda.spare(&frame, &ledger), []);
        assert_eq!(agenda.open().count(), 10);
    }
}
