//! What to run next: the seam behind which a list of values, convergence, a time for all trials, and any other way to
//! choose runs stand.
//!
//! A [`Strategy`] is asked after every run and knows what all runs so far say. It may choose runs of the plan or make
//! up new ones: the manifest grows with them, so a benchmark that is continued knows them too.

mod in_order;
mod within_time;

use crate::benchmark::Benchmark;
use crate::history::History;
use aiperf_model::sweep::Step;
use in_order::InOrder;
use std::time::Duration;
use within_time::WithinTime;

/// Chooses runs.
pub trait Strategy {
    /// The runs that need not be made any more, since the others say enough. Asked once before the first run, and after
    /// each run.
    fn leave_out(&mut self, history: &History<'_>) -> Vec<LeftOut> {
        let _ = history;
        Vec::new()
    }

    /// The next run, or why there is none.
    fn next(&mut self, history: &History<'_>) -> Next;

    /// How many runs are still to come.
    fn left(&self, history: &History<'_>) -> Left;

    /// How long they take, as far as one can tell; at most, where runs may turn out not to be needed.
    fn time_left(&self, history: &History<'_>) -> Option<Duration> {
        let _ = history;
        None
    }
}

/// What a strategy says of the next run.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// This one. Its position is that of the plan, or [`History::next_index`] for a run that is new.
    Run(Step),
    /// None, and these of the plan are left out.
    Nothing(Option<LeftOut>),
}

/// Runs that need not be made, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct LeftOut {
    /// At least one.
    pub steps: Vec<Step>,
    /// Why.
    pub reason: String,
}

/// How many runs are still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// So many, unless some turn out not to be needed.
    Planned(usize),
    /// About so many.
    About(usize),
    /// Nobody can tell.
    Unknown,
}

/// The strategy that the configuration asks for, over the runs of the plan that are still to be made.
pub(crate) fn of<'a>(
    benchmark: &'a Benchmark<'_>,
    open: impl Iterator<Item = &'a Step>,
) -> Box<dyn Strategy + 'a> {
    match benchmark.config.trials.time_budget {
        Some(budget) => Box::new(WithinTime::new(benchmark, budget, open)),
        None => Box::new(InOrder::new(benchmark.plan, open)),
    }
}
