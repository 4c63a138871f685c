//! What the driver tells while it works.

use crate::ledger::Ending;
use aiperf_load::Control;
use aiperf_model::budget::ErrorBudget;
use aiperf_model::sweep::Step;
use std::time::Duration;

/// Something happened.
pub enum Event<'a> {
    /// The driver waits before a step.
    CoolingDown {
        /// The step that comes after.
        step: &'a Step,
        /// For how long.
        duration: Duration,
    },
    /// The driver waits until the servers answer.
    WaitingForServer {
        /// The step that comes after.
        step: &'a Step,
        /// For how long at most.
        timeout: Duration,
    },
    /// The client's own error is measured at the load of a step.
    Calibrating {
        /// The step.
        step: &'a Step,
    },
    /// The client's own error at the load of a step, or why it is not known.
    Calibrated {
        /// The step.
        step: &'a Step,
        /// The error.
        budget: Result<&'a ErrorBudget, &'a str>,
    },
    /// The load of a step begins.
    RunStarted {
        /// The step.
        step: &'a Step,
        /// The running load, whose counters may be read at any time.
        control: &'a Control,
    },
    /// A step ended; its files and the aggregates are on disk.
    RunEnded {
        /// The step.
        step: &'a Step,
        /// How it ended.
        ending: &'a Ending,
        /// Whether it is run again at once.
        retries: bool,
    },
    /// Runs of a value are left out, since the others say enough.
    Spared {
        /// The first of them.
        step: &'a Step,
        /// How many.
        runs: usize,
        /// Why.
        reason: &'a str,
    },
    /// Runs are left, and it is known how long the earlier ones took.
    Remaining {
        /// How long they take as far as one can tell; at most, where trials may end early.
        time: Duration,
    },
    /// No more trials are run.
    Settled {
        /// How many are left out.
        runs: usize,
        /// Why.
        reason: &'a str,
    },
}

/// Somebody who wants to know, such as a user interface.
pub trait Observer {
    /// Called on the driver's thread; must return quickly.
    fn notify(&mut self, event: Event<'_>);
}
