//! The runs of the plan, one after the other; those of values that have converged are left out.

use super::{Left, LeftOut, Next, Strategy};
use crate::agenda::Agenda;
use crate::history::History;
use aiperf_model::sweep::Step;
use aiperf_plan::Plan;
use std::time::Duration;

/// Lists of values, in any order of their trials.
pub(crate) struct InOrder<'a> {
    plan: &'a Plan,
    agenda: Agenda<'a>,
}

impl<'a> InOrder<'a> {
    pub(crate) fn new(plan: &'a Plan, open: impl Iterator<Item = &'a Step>) -> Self {
        Self { plan, agenda: Agenda::new(open) }
    }
}

impl Strategy for InOrder<'_> {
    fn leave_out(&mut self, history: &History<'_>) -> Vec<LeftOut> {
        self.agenda.leave_out(history.context, history.ledger, history.last)
    }

    fn next(&mut self, _history: &History<'_>) -> Next {
        self.agenda.next().map_or(Next::Nothing(None), |step| Next::Run(step.clone()))
    }

    fn left(&self, _history: &History<'_>) -> Left {
        Left::Planned(self.agenda.len())
    }

    fn time_left(&self, history: &History<'_>) -> Option<Duration> {
        self.agenda.expected(self.plan, history.durations, history.last)
    }
}
