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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_failures_in_a_row_pull_the_brake() {
        let (brake, reachability) = (Brake::new(), Reachability::new(1));
        let fail = |times| (0..times).for_each(|_| reachability.failed("refused", &brake));
        fail(9);
        reachability.answered();
        fail(9);
        assert!(!brake.is_pulled());
        assert_eq!(reachability.reason(), None);
        fail(1);
        assert!(brake.is_pulled());
        assert_eq!(reachability.reason().as_deref(), Some("10 connections failed in a row: refused"));
    }

    #[test]
    fn the_limit_grows_with_the_concurrency() {
        let (brake, reachability) = (Brake::new(), Reachability::new(50));
        (0..99).for_each(|_| reachability.failed("refused", &brake));
        assert!(!brake.is_pulled());
        reachability.failed("refused", &brake);
        assert!(brake.is_pulled());
    }
}
