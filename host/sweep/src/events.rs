//! What the driver tells while it works.

use crate::figures::LiveFigures;
use crate::ledger::Ending;
use crate::strategy::Left;
use aiperf_load::{Control, Progress as LoadProgress};
use aiperf_model::client_error::ClientErrorEstimate;
use aiperf_model::sweep::Step;
use std::time::Duration;

/// Something happened.
#[derive(Clone, Copy)]
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
        client_error: Result<&'a ClientErrorEstimate, &'a str>,
    },
    /// The load of a step begins.
    RunStarted {
        /// The step.
        step: &'a Step,
        /// The running load, whose counters may be read at any time.
        control: &'a Control,
    },
    /// The figures of the step so far; several times a second while it runs, and once when its load has ended.
    Figures {
        /// The step.
        step: &'a Step,
        /// Of the requests that have ended.
        figures: &'a LiveFigures,
        /// How far the load got.
        progress: LoadProgress,
    },
    /// A step ended; its files are on disk.
    RunEnded {
        /// The step.
        step: &'a Step,
        /// How it ended.
        ending: &'a Ending,
        /// Whether it is run again at once.
        retries: bool,
    },
    /// Runs of a value are left out, since the others say enough.
    Skipped {
        /// The first of them.
        step: &'a Step,
        /// How many.
        runs: usize,
        /// Why.
        reason: &'a str,
    },
    /// How far the benchmark got, after each step.
    Remaining {
        /// How many runs have succeeded, also earlier ones of a directory that is continued.
        done: usize,
        /// How many are still to come.
        left: Left,
        /// How long they take as far as one can tell; at most, where trials may end early.
        time: Option<Duration>,
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
pub trait Observer: Send {
    /// Called by the driver, and for [`Event::Figures`] on a thread beside it, never on one that measures. Must return
    /// quickly.
    fn notify(&mut self, event: Event<'_>);
}

impl<T: Observer + ?Sized> Observer for &mut T {
    fn notify(&mut self, event: Event<'_>) {
        (**self).notify(event);
    }
}

/// Several who want to know, told one after the other.
impl<T: Observer> Observer for Vec<T> {
    fn notify(&mut self, event: Event<'_>) {
        for observer in self.iter_mut() {
            observer.notify(event);
        }
    }
}
