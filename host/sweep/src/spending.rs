//! How much of the time for all trials is spent.

use std::time::{Duration, Instant};

/// A clock that runs since the benchmark began, less the time while it was interrupted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spending {
    limit: Duration,
    before: Duration,
    start: Instant,
}

impl Spending {
    /// Starts the clock, where so much was spent before.
    pub(crate) fn start(limit: Duration, before: Duration) -> Self {
        Self { limit, before, start: Instant::now() }
    }

    /// What is spent until now.
    pub(crate) fn spent(&self) -> Duration {
        self.before + self.start.elapsed()
    }

    /// What is left.
    pub(crate) fn left(&self) -> Duration {
        self.limit.saturating_sub(self.spent())
    }

    /// Whether there is time for so much more.
    pub(crate) fn has_time_for(&self, expected: Duration) -> bool {
        self.spent() + expected < self.limit
    }
}
