//! Whether the server is still there: a run against a dead one ends after a few refusals, not after all requests.

use crate::brake::{Brake, Level};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Counts connections that failed in a row, over all slots.
#[derive(Debug)]
pub(crate) struct Reachability {
    failures: AtomicU32,
    limit: u32,
    lost: OnceLock<String>,
}

impl Reachability {
    /// Gives up after twice as many failures in a row as there are slots, but not before 10.
    pub(crate) fn new(concurrency: u32) -> Self {
        Self {
            failures: AtomicU32::new(0),
            limit: concurrency.saturating_mul(2).max(10),
            lost: OnceLock::new(),
        }
    }

    /// A server answered.
    pub(crate) fn answered(&self) {
        // Reading first keeps the cache line shared while all is well.
        if self.failures.load(Relaxed) != 0 {
            self.failures.store(0, Relaxed);
        }
    }

    /// No connection could be had.
    pub(crate) fn failed(&self, message: &str, brake: &Brake) {
        let failures = self.failures.fetch_add(1, Relaxed).saturating_add(1);
        if failures >= self.limit {
            self.lost.get_or_init(|| format!("{failures} connections failed in a row: {message}"));
            brake.pull(Level::Stop);
        }
    }

    /// Why the server was given up, if it was.
    pub(crate) fn reason(&self) -> Option<String> {
        self.lost.get().cloned()
    }
}
