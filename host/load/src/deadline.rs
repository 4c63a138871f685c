//! What interrupts a request in flight: its time is up, or the run is aborted.
//!
//! A slot writes its deadline down when it begins a request; one watch per worker sleeps until the earliest one.
//! So a request costs two stores instead of a timer of its own, and cancelling costs the slots nothing.

use crate::clock::Clock;
use crate::stop_signal::StopSignal;
use std::cell::RefCell;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::task::Waker;

/// Why a request was interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interruption {
    /// Its time is up.
    Timeout,
    /// The run is aborted.
    Cancelled,
}

/// The deadline of the request that one slot has in flight; a new one for each phase.
#[derive(Debug)]
pub(crate) struct Deadline {
    at: AtomicU64,
    interruption: AtomicU8,
    task: OnceLock<Waker>,
}

const NONE: u8 = 0;
const TIMEOUT: u8 = 1;
const CANCELLED: u8 = 2;

impl Deadline {
    pub(crate) fn new() -> Self {
        Self { at: AtomicU64::new(u64::MAX), interruption: AtomicU8::new(NONE), task: OnceLock::new() }
    }

    /// Sets the task that an interruption wakes, once.
    pub(crate) fn attach(&self, task: Waker) {
        let _ = self.task.set(task);
    }

    /// Begins a request.
    pub(crate) fn set(&self, at: u64) {
        self.interruption.store(NONE, Relaxed);
        self.at.store(at, Relaxed);
    }

    /// The request has ended.
    pub(crate) fn clear(&self) {
        self.at.store(u64::MAX, Relaxed);
    }

    /// Whether the request in flight is to be given up.
    pub(crate) fn interruption(&self) -> Option<Interruption> {
        match self.interruption.load(Relaxed) {
            NONE => None,
            TIMEOUT => Some(Interruption::Timeout),
            _ => Some(Interruption::Cancelled),
        }
    }

    fn interrupt(&self, interruption: u8) {
        self.interruption.store(interruption, Relaxed);
        if let Some(task) = self.task.get() {
            task.wake_by_ref();
        }
    }

    fn is_in_flight(&self) -> bool {
        self.at.load(Relaxed) != u64::MAX
    }
}

/// Interrupts the requests of one worker when their time is up or the run is aborted; never ends. Slots may join
/// meanwhile.
pub(crate) async fn watch(
    deadlines: &RefCell<Vec<Arc<Deadline>>>,
    shortest_timeout: u64,
    clock: Clock,
    stop_signal: &StopSignal,
) {
    let expire = async {
        loop {
            // What begins later has the shortest timeout at least, so nothing can expire before this.
            let earliest = deadlines.borrow().iter().map(|deadline| deadline.at.load(Relaxed)).min();
            let next = earliest.unwrap_or(u64::MAX).min(clock.now().saturating_add(shortest_timeout));
            tokio::time::sleep_until(clock.instant(next).into()).await;
            let now = clock.now();
            for deadline in deadlines.borrow().iter().filter(|deadline| deadline.at.load(Relaxed) <= now) {
                deadline.clear();
                deadline.interrupt(TIMEOUT);
            }
        }
    };
    let cancel = async {
        stop_signal.aborted().await;
        for deadline in deadlines.borrow().iter().filter(|deadline| deadline.is_in_flight()) {
            deadline.interrupt(CANCELLED);
        }
        std::future::pending::<()>().await;
    };
    tokio::join!(expire, cancel);
}
