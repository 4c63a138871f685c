//! When requests are due: generators of due times, shared by all slots of a phase.
//!
//! A slot asks for its next arrival when it is free. In a closed loop that is at once. An open loop answers with a
//! time of its own schedule, and keeps its statistics because all slots draw from the one sequence.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// One request that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// Its position in the phase, from 0.
    pub(crate) request: u32,
    /// When it should be sent.
    pub(crate) due: u64,
}

/// A sequence of arrivals.
pub(crate) trait Arrivals: Send + Sync {
    /// The next arrival for a slot that is free since `free_at`, or none if the phase sends nothing more.
    fn next(&self, free_at: u64) -> Option<Arrival>;
}

/// The closed loop: a free slot sends at once, until the count or the time is used up.
#[derive(Debug)]
pub(crate) struct ClosedLoop {
    next: AtomicU64,
    count: u64,
    end: u64,
}

impl ClosedLoop {
    /// At most `count` requests, none of them due at `end` or later.
    pub(crate) fn new(count: Option<u32>, end: Option<u64>) -> Self {
        // A position is 32 bits wide, so a run that only time ends is bounded too.
        let count = count.map_or(u64::from(u32::MAX), u64::from);
        Self { next: AtomicU64::new(0), count, end: end.unwrap_or(u64::MAX) }
    }
}

impl Arrivals for ClosedLoop {
    fn next(&self, free_at: u64) -> Option<Arrival> {
        if free_at >= self.end {
            return None;
        }
        let position = self.next.fetch_add(1, Relaxed);
        if position >= self.count {
            return None;
        }
        Some(Arrival { request: u32::try_from(position).ok()?, due: free_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_loop_is_due_when_the_slot_is_free_and_ends_by_count() {
        let arrivals = ClosedLoop::new(Some(2), None);
        assert_eq!(arrivals.next(5), Some(Arrival { request: 0, due: 5 }));
        assert_eq!(arrivals.next(9), Some(Arrival { request: 1, due: 9 }));
        assert_eq!(arrivals.next(9), None);
        assert_eq!(arrivals.next(9), None);
    }

    #[test]
    fn a_closed_loop_ends_by_time() {
        let arrivals = ClosedLoop::new(Some(10), Some(100));
        assert!(arrivals.next(99).is_some());
        assert_eq!(arrivals.next(100), None);
    }
}
