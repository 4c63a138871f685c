//! A time for all trials: the next run is the one that matters most, until the time is used up or every answer is certain.

use super::{Left, LeftOut, Next, Strategy};
use crate::agenda::Agenda;
use crate::allocation::{self, Choice, TimeLeft};
use crate::benchmark::Benchmark;
use crate::history::History;
use crate::spending::Spending;
use aiperf_model::sweep::Step;
use aiperf_plan::TimeBudgetConfig;
use std::time::Duration;

/// The runs of the plan for as long as there is time.
pub(crate) struct WithinTime<'a> {
    benchmark: &'a Benchmark<'a>,
    budget: TimeBudgetConfig,
    agenda: Agenda<'a>,
}

impl<'a> WithinTime<'a> {
    pub(crate) fn new(
        benchmark: &'a Benchmark<'a>,
        budget: TimeBudgetConfig,
        open: impl Iterator<Item = &'a Step>,
    ) -> Self {
        Self { benchmark, budget, agenda: Agenda::new(open) }
    }
}

impl Strategy for WithinTime<'_> {
    fn leave_out(&mut self, history: &History<'_>) -> Vec<LeftOut> {
        self.agenda.leave_out(history.context, history.ledger, history.last)
    }

    fn next(&mut self, history: &History<'_>) -> Next {
        let Some(spending) = history.spending else { return Next::Nothing(None) };
        let History { durations, asking, last: before, analysis, .. } = *history;
        let clock = TimeLeft { spending, durations, asking, plan: self.benchmark.plan, before };
        match allocation::choose(&self.agenda, || history.result(), analysis, self.budget.min_trials, &clock)
        {
            Some(Choice::Run(step)) => {
                self.agenda.take(step);
                Next::Run(step.clone())
            }
            Some(Choice::Nothing(reason)) => Next::Nothing(self.agenda.end(reason)),
            None => Next::Nothing(None),
        }
    }

    fn left(&self, history: &History<'_>) -> Left {
        let time = history.spending.map(Spending::left);
        match time.zip(history.durations.mean()).filter(|(_, run)| !run.is_zero()) {
            Some((time, run)) => {
                let fitting = (time.as_secs_f64() / run.as_secs_f64()).floor() as usize;
                Left::About(fitting.min(self.agenda.len()))
            }
            None => Left::Unknown,
        }
    }

    fn time_left(&self, history: &History<'_>) -> Option<Duration> {
        let expected = self.agenda.expected(self.benchmark.plan, history.durations, history.last)?;
        Some(history.spending.map_or(expected, |spending| spending.left().min(expected)))
    }
}
