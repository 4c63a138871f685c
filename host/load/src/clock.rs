//! The monotonic clock of a run.

use aiperf_model::record::RunClock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Counts nanoseconds since the origin of a run.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
    wall: RunClock,
}

impl Clock {
    /// A clock whose origin is now.
    #[must_use]
    pub fn start() -> Self {
        let origin = Instant::now();
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { origin, wall: RunClock { origin_unix_ns: nanoseconds(since_epoch) } }
    }

    /// The wall-clock time of the origin.
    #[must_use]
    pub fn wall(&self) -> RunClock {
        self.wall
    }

    /// The time now.
    pub(crate) fn now(&self) -> u64 {
        nanoseconds(self.origin.elapsed())
    }

    /// The instant of a time of the run, for timers; at most a century ahead.
    pub(crate) fn instant(&self, at: u64) -> Instant {
        const CENTURY: u64 = 100 * 365 * 24 * 3600 * 1_000_000_000;
        self.origin + Duration::from_nanos(at.min(CENTURY))
    }
}

/// A duration as the clock counts it; 584 years at most.
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
