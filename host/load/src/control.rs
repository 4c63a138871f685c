//! The handle by which the rest of the program watches and stops a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// A cheap, clonable handle on the run that it was given to. Orders stay in force for later runs with it.
#[derive(Clone, Debug, Default)]
pub struct Control {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    abort: AtomicBool,
    enough: AtomicBool,
    total: AtomicU64,
    sent: AtomicU64,
    ended: AtomicU64,
    completed: AtomicU64,
    failed: AtomicU64,
}

/// How far a run has come, warm-up included. The numbers are read one after the other while the run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Requests that the run will send, or none if only time ends it.
    pub total: Option<u64>,
    /// Requests begun.
    pub sent: u64,
    /// Requests begun whose response has not ended.
    pub in_flight: u64,
    /// Responses read that were successful.
    pub completed: u64,
    /// Requests that failed or were cancelled.
    pub failed: u64,
}

impl Control {
    /// A handle without orders.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Send no further request; those in flight may end within the grace period.
    pub fn stop(&self) {
        self.shared.stop.store(true, Relaxed);
    }

    /// The run knows what it is to find out: it ends as if its last request had been sent, and nothing is missing of it.
    pub fn suffice(&self) {
        self.shared.enough.store(true, Relaxed);
    }

    /// Whether [`suffice`](Self::suffice) was called.
    pub(crate) fn has_enough(&self) -> bool {
        self.shared.enough.load(Relaxed)
    }

    /// Leave now: what is in flight is cancelled.
    pub fn abort(&self) {
        self.shared.abort.store(true, Relaxed);
    }

    /// Whether [`stop`](Self::stop) or [`abort`](Self::abort) was called.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.shared.stop.load(Relaxed) || self.is_aborting()
    }

    /// Whether [`abort`](Self::abort) was called.
    #[must_use]
    pub fn is_aborting(&self) -> bool {
        self.shared.abort.load(Relaxed)
    }

    /// How far the run has come.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let shared = &*self.shared;
        let ended = shared.ended.load(Relaxed);
        let sent = shared.sent.load(Relaxed);
        Progress {
            total: Some(shared.total.load(Relaxed)).filter(|&total| total != u64::MAX),
            sent,
            in_flight: sent.saturating_sub(ended),
            completed: shared.completed.load(Relaxed),
            failed: shared.failed.load(Relaxed),
        }
    }

    /// Begins to count a new run.
    pub(crate) fn begin(&self, total: Option<u64>) {
        let shared = &*self.shared;
        shared.total.store(total.unwrap_or(u64::MAX), Relaxed);
        for counter in [&shared.sent, &shared.ended, &shared.completed, &shared.failed] {
            counter.store(0, Relaxed);
        }
    }

    pub(crate) fn count_sent(&self) {
        self.shared.sent.fetch_add(1, Relaxed);
    }

    pub(crate) fn count_ended(&self) {
        self.shared.ended.fetch_add(1, Relaxed);
    }

    pub(crate) fn count_read(&self, successful: bool) {
        let counter = if successful { &self.shared.completed } else { &self.shared.failed };
        counter.fetch_add(1, Relaxed);
    }
}
