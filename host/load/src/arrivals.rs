//! When requests are due: positions in the workload and their due times, for the slots of all workers.
//!
//! A slot asks for its next arrival when it is free. In a closed loop that arrival is due at once. In an open loop
//! it is due by a schedule, and the slot waits for it, or is late.
//!
//! The schedule is one process for the whole run. Workers share nothing of it but the counter of positions: each
//! computes the due times for itself and uses those of the positions it draws. So the arrivals of all workers
//! together are the process, however they are spread, and no worker waits for another.

mod blocks;
mod due_times;
mod ramp;
#[cfg(test)]
mod simulation;

pub(crate) use due_times::{DueTimes, Extent, Process};
pub(crate) use ramp::SlotRamp;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// One request that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// Its position in the phase, from 0; the turns of a conversation have the same.
    pub(crate) request: u32,
    /// Which turn of a conversation it is, from 0.
    pub(crate) turn: u32,
    /// When it should be sent.
    pub(crate) due: u64,
    /// Whether a schedule says so, and not that its slot is free.
    pub(crate) scheduled: bool,
}

/// Whether a conversation goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FurtherTurn {
    /// It does.
    Due,
    /// Its user thinks until after this time, at which the phase ends.
    AfterTheEnd(u64),
    /// All requests are begun.
    NoneLeft,
}

/// What ends a phase.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    /// How many positions there are: requests, or conversations.
    pub(crate) count: Option<u32>,
    /// How many requests are sent, all turns of conversations counted.
    pub(crate) requests: Option<u32>,
    /// The time from which no request is sent.
    pub(crate) end: Option<u64>,
}

/// The arrivals of a phase, as one worker draws them.
#[derive(Debug)]
pub(crate) struct Arrivals {
    positions: Arc<Positions>,
    due: Due,
}

/// How far all workers have come with the arrivals of a phase.
#[derive(Clone, Debug)]
pub(crate) struct Reached(Arc<Positions>);

impl Reached {
    /// The position that is drawn next.
    pub(crate) fn position(&self) -> u32 {
        self.0.next.load(Relaxed).min(self.0.count) as u32
    }
}

/// What the workers share.
#[derive(Debug)]
struct Positions {
    next: AtomicU64,
    count: u64,
    end: u64,
    /// Requests that may still be begun; none if only positions count.
    requests_left: Option<AtomicU64>,
}

#[derive(Debug)]
enum Due {
    WhenFree,
    // The slots of one worker share a thread, so nobody ever waits for this lock.
    Scheduled(Box<Mutex<Schedule>>),
}

/// Due times on the clock of the run, by position.
#[derive(Debug)]
struct Schedule {
    start: u64,
    due_times: DueTimes,
    /// The position of the next due time.
    position: u64,
}

impl Schedule {
    /// The due time of a position; each is asked for after all that come before it.
    fn due(&mut self, position: u64) -> Option<u64> {
        let skipped = position.checked_sub(self.position)?;
        self.position = position + 1;
        Some(self.start.saturating_add(self.due_times.nth(skipped as usize)?))
    }
}

impl Arrivals {
    /// A closed loop for so many workers: a free slot sends at once.
    pub(crate) fn closed_loop(limits: Limits, workers: usize) -> Vec<Self> {
        let positions = Arc::new(Positions::new(limits));
        (0..workers).map(|_| Self { positions: Arc::clone(&positions), due: Due::WhenFree }).collect()
    }

    /// An open loop for so many workers, whose due times count from `start`.
    pub(crate) fn open_loop(limits: Limits, start: u64, due_times: &DueTimes, workers: usize) -> Vec<Self> {
        let positions = Arc::new(Positions::new(limits));
        let schedule = || Schedule { start, due_times: due_times.clone(), position: 0 };
        (0..workers)
            .map(|_| Self {
                positions: Arc::clone(&positions),
                due: Due::Scheduled(Box::new(Mutex::new(schedule()))),
            })
            .collect()
    }

    /// Whether nothing more is sent, as far as positions and time go.
    pub(crate) fn are_exhausted(&self, now: u64) -> bool {
        let Positions { next, count, end, requests_left } = &*self.positions;
        let no_requests = requests_left.as_ref().is_some_and(|left| left.load(Relaxed) == 0);
        now >= *end || next.load(Relaxed) >= *count || no_requests
    }

    /// A look at how far all workers have come.
    pub(crate) fn reached(&self) -> Reached {
        Reached(Arc::clone(&self.positions))
    }

    /// How many requests were due by a schedule before `until` and drawn by nobody.
    pub(crate) fn missed(&self, until: u64) -> u64 {
        let Due::Scheduled(schedule) = &self.due else { return 0 };
        let mut schedule = schedule.lock().unwrap_or_else(PoisonError::into_inner);
        let drawn = self.positions.next.load(Relaxed);
        let is_missed = |position: &u64| schedule.due(*position).is_some_and(|due| due < until);
        (drawn..self.positions.count).take_while(is_missed).count() as u64
    }

    /// The next arrival for a slot that is free since `free_at`, or none if the phase sends nothing more.
    pub(crate) fn next(&self, free_at: u64) -> Option<Arrival> {
        if free_at >= self.positions.end {
            return None;
        }
        let position = self.positions.draw()?;
        let (due, scheduled) = match &self.due {
            Due::WhenFree => (free_at, false),
            Due::Scheduled(schedule) => {
                let mut schedule = schedule.lock().unwrap_or_else(PoisonError::into_inner);
                (schedule.due(position)?, true)
            }
        };
        (due < self.positions.end).then_some(())?;
        self.positions.take_request().then_some(())?;
        Some(Arrival { request: u32::try_from(position).ok()?, turn: 0, due, scheduled })
    }

    /// Whether a further turn of a conversation may be sent at a time; if so it is counted.
    pub(crate) fn take_turn(&self, due: u64) -> FurtherTurn {
        if due >= self.positions.end {
            FurtherTurn::AfterTheEnd(self.positions.end)
        } else if self.positions.take_request() {
            FurtherTurn::Due
        } else {
            FurtherTurn::NoneLeft
        }
    }
}

impl Positions {
    fn new(limits: Limits) -> Self {
        // A position is 32 bits wide, so a run that only time ends is bounded too.
        let count = limits.count.map_or(u64::from(u32::MAX), u64::from);
        let requests_left = limits.requests.map(|requests| AtomicU64::new(requests.into()));
        Self { next: AtomicU64::new(0), count, end: limits.end.unwrap_or(u64::MAX), requests_left }
    }

    /// Whether one request more may be begun; if so it is counted.
    fn take_request(&self) -> bool {
        let one_less = |left: u64| left.checked_sub(1);
        self.requests_left.as_ref().is_none_or(|left| left.fetch_update(Relaxed, Relaxed, one_less).is_ok())
    }

    fn draw(&self) -> Option<u64> {
        let position = self.next.fetch_add(1, Relaxed);
        (position < self.count).then_some(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aiperf_model::arrival::{ArrivalPattern, RequestRate};
    use proptest::prelude::*;

    fn closed(count: Option<u32>, end: Option<u64>) -> Arrivals {
        Arrivals::closed_loop(Limits { count, end, requests: None }, 1).remove(0)
    }

    fn due_times(pattern: ArrivalPattern, seed: u64) -> DueTimes {
        DueTimes::drawn(Process::new(RequestRate { per_second: 500.0, pattern }, seed, "test").unwrap())
    }

    #[test]
    fn a_closed_loop_is_due_when_the_slot_is_free_and_ends_by_count() {
        let arrivals = closed(Some(2), None);
        assert_eq!(arrivals.next(5), Some(Arrival { request: 0, turn: 0, due: 5, scheduled: false }));
        assert_eq!(arrivals.next(9), Some(Arrival { request: 1, turn: 0, due: 9, scheduled: false }));
        assert_eq!(arrivals.next(9), None);
        assert_eq!(arrivals.next(9), None);
    }

    #[test]
    fn a_closed_loop_ends_by_time() {
        let arrivals = closed(Some(10), Some(100));
        assert!(arrivals.next(99).is_some());
        assert_eq!(arrivals.next(100), None);
    }

    #[test]
    fn turns_of_conversations_count_as_requests() {
        let limits = Limits { count: Some(5), requests: Some(3), end: Some(100) };
        let arrivals = Arrivals::closed_loop(limits, 1).remove(0);
        assert!(arrivals.next(0).is_some());
        assert_eq!(arrivals.take_turn(10), FurtherTurn::Due);
        assert_eq!(arrivals.take_turn(100), FurtherTurn::AfterTheEnd(100));
        assert!(!arrivals.are_exhausted(10));
        assert_eq!(arrivals.next(20).map(|arrival| arrival.request), Some(1));
        assert!(arrivals.are_exhausted(30));
        assert_eq!(arrivals.take_turn(30), FurtherTurn::NoneLeft);
        assert_eq!(arrivals.next(30), None);
    }

    #[test]
    fn a_schedule_ends_with_its_last_time() {
        let listed = DueTimes::listed([0, 5, 5].into());
        let arrivals = Arrivals::open_loop(Limits::default(), 100, &listed, 1).remove(0);
        let due: Vec<_> = std::iter::from_fn(|| arrivals.next(0)).map(|arrival| arrival.due).collect();
        assert_eq!(due, [100, 105, 105]);
    }

    #[test]
    fn an_open_loop_keeps_its_due_times_when_slots_are_late() {
        let due_times = due_times(ArrivalPattern::Constant, 0);
        let limits = Limits { count: Some(4), ..Limits::default() };
        let arrivals = Arrivals::open_loop(limits, 1000, &due_times, 1).remove(0);
        let due: Vec<_> = [0, 0, 1_000_000_000, 2_000_000_000]
            .into_iter()
            .map(|free_at| arrivals.next(free_at).unwrap().due)
            .collect();
        assert_eq!(due, [1000, 2_001_000, 4_001_000, 6_001_000]);
        assert_eq!(arrivals.next(0), None);
    }

    #[test]
    fn nothing_is_due_at_the_end_of_an_open_loop_or_sent_after_it() {
        let due_times = due_times(ArrivalPattern::Constant, 0);
        let open = || {
            let limits = Limits { end: Some(4_000_000), ..Limits::default() };
            Arrivals::open_loop(limits, 0, &due_times, 1).remove(0)
        };
        let arrivals = open();
        assert_eq!(
            [arrivals.next(0).map(|a| a.due), arrivals.next(0).map(|a| a.due)],
            [Some(0), Some(2_000_000)]
        );
        assert_eq!(arrivals.next(0), None);
        assert_eq!(open().next(4_000_000), None);
    }

    #[test]
    fn what_was_due_and_drawn_by_nobody_is_missed() {
        let due_times = due_times(ArrivalPattern::Constant, 0);
        let limits = Limits { count: Some(6), ..Limits::default() };
        let missed_after = |drawn: usize, until: u64| {
            let mut shares = Arrivals::open_loop(limits, 0, &due_times, 2);
            let counting = shares.pop().unwrap();
            for _ in 0..drawn {
                let _ = shares[0].next(0);
            }
            counting.missed(until)
        };
        // One every 2 ms: at 0, 2, 4, 6, 8 and 10.
        assert_eq!(missed_after(2, 7_000_000), 2);
        assert_eq!(missed_after(4, 7_000_000), 0);
        assert_eq!(missed_after(0, u64::MAX), 6);
        assert_eq!(missed_after(9, u64::MAX), 0);
        assert_eq!(closed(Some(4), None).missed(u64::MAX), 0);
    }

    proptest! {
        #[test]
        fn the_arrivals_of_all_workers_are_the_process(
            seed: u64,
            workers in 1..4_usize,
            turns in proptest::collection::vec(0..3_usize, 2000),
        ) {
            let process = due_times(ArrivalPattern::Poisson, seed);
            let shares = Arrivals::open_loop(Limits::default(), 7, &process, workers);
            let mut drawn: Vec<_> = turns.iter().map(|turn| shares[turn % workers].next(0).unwrap()).collect();
            drawn.sort_by_key(|arrival| arrival.request);
            let expected = (0..).zip(process).map(|(request, due)| Arrival { request, turn: 0, due: due + 7, scheduled: true });
            prop_assert_eq!(drawn, expected.take(turns.len()).collect::<Vec<_>>());
        }
    }
}
