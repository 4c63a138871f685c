//! Whether the server is still there: one that restarts is waited for, and a run against a dead one ends.

use crate::clock::nanoseconds;
use crate::stop_signal::{Level, StopSignal};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Since when no server answers, over all slots.
#[derive(Debug)]
pub(crate) struct Reachability {
    /// When the first connection failed since the last answer; [`NEVER`] if none did.
    since: AtomicU64,
    /// For how long servers may stay away, in nanoseconds.
    timeout: u64,
    lost: OnceLock<Absence>,
}

const NEVER: u64 = u64::MAX;

/// A server that stayed away for too long.
#[derive(Clone, Debug, PartialEq)]
pub struct Absence {
    /// For how long no connection could be had when it was given up, in seconds.
    pub seconds: f64,
    /// Why the last one could not be had.
    pub message: String,
}

impl Reachability {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self { since: AtomicU64::new(NEVER), timeout: nanoseconds(timeout), lost: OnceLock::new() }
    }

    /// A server answered.
    pub(crate) fn answered(&self) {
        // Reading first keeps the cache line shared while all is well.
        if self.since.load(Relaxed) != NEVER {
            self.since.store(NEVER, Relaxed);
        }
    }

    /// No connection could be had at this time.
    pub(crate) fn failed(&self, message: &str, now: u64, stop_signal: &StopSignal) {
        let since = match self.since.compare_exchange(NEVER, now, Relaxed, Relaxed) {
            Ok(_) => now,
            Err(since) => since,
        };
        let away = now.saturating_sub(since);
        if away > self.timeout {
            let seconds = Duration::from_nanos(away).as_secs_f64();
            self.lost.get_or_init(|| Absence { seconds, message: message.to_owned() });
            stop_signal.stop(Level::Stop);
        }
    }

    /// The server that was given up, if one was.
    pub(crate) fn lost(&self) -> Option<Absence> {
        self.lost.get().cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_server_that_stays_away_stops_the_run() {
        const SECOND: u64 = 1_000_000_000;
        let (stop_signal, reachability) = (StopSignal::new(), Reachability::new(Duration::from_secs(5)));
        let fail = |at| reachability.failed("refused", at, &stop_signal);
        for second in [1, 2, 6] {
            fail(second * SECOND);
        }
        reachability.answered();
        for second in [7, 8, 12] {
            fail(second * SECOND);
        }
        assert!(!stop_signal.is_stopped());
        assert_eq!(reachability.lost(), None);
        fail(12 * SECOND + 1);
        assert!(stop_signal.is_stopped());
        let lost = reachability.lost().unwrap();
        assert_eq!((lost.seconds, lost.message.as_str()), (5.000_000_001, "refused"));
    }
}
