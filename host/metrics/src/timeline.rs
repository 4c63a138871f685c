//! The timeline of a run: when requests were due, sent and answered, and how many were in flight at a time.
//!
//! It shows whether the load was the one that was asked for. It keeps two numbers for each request, and two more where
//! it has a schedule, in memory up to a limit and beyond it on the disk.

use crate::sends::gaps;
use crate::statistics::moments;
use aiperf_columns::{Column, Sorted, Store, Table};
use aiperf_model::record::{Phase, Record};

/// Gathers the requests of one run, in any order.
#[derive(Debug)]
pub struct TimelineRecorder {
    sends: Column<u64>,
    ends: Column<u64>,
    /// The due times that a schedule set, and when those requests were sent.
    dues: Column<u64>,
    scheduled_sends: Column<u64>,
    /// Send and end of requests of a ramp, some of which are still in flight when it is over.
    in_ramp: Table<2>,
    waits: Waits,
}

/// The requests of one run, with all times in ascending order.
#[derive(Debug)]
pub struct ConcurrencyTimeline {
    sends: Sorted<u64>,
    ends: Sorted<u64>,
    dues: Sorted<u64>,
    scheduled_sends: Sorted<u64>,
    outlasting: Outlasting,
    waits: Waits,
}

/// For how long requests of a schedule were kept from being sent, in nanoseconds, summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// By the limit of requests in flight.
    pub limit: u64,
    /// By this program.
    pub client: u64,
}

/// When a number of requests was in flight. Times are nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plateau {
    /// From the first send until so many were in flight for the first time.
    pub ramp: u64,
    /// From when so many were in flight for the last time until the last end.
    pub drain: u64,
    /// From the first send to the last end.
    pub total: u64,
    /// The mean number in flight between ramp and drain.
    pub mean: f64,
}

/// Beyond so many standard deviations growth is no chance.
const STANDARD_DEVIATIONS: f64 = 3.0;

impl TimelineRecorder {
    /// A recorder without requests, whose times lie in this store.
    #[must_use]
    pub fn new(store: &Store) -> Self {
        Self {
            sends: Column::new(store),
            ends: Column::new(store),
            dues: Column::new(store),
            scheduled_sends: Column::new(store),
            in_ramp: Table::new(store),
            waits: Waits::default(),
        }
    }

    /// Takes one request. Warm-up requests, and those that never left, are left out; those of a ramp are only in flight.
    pub fn add(&mut self, record: &Record) {
        let timing = &record.timing;
        let Some(send) = timing.send else { return };
        match timing.phase {
            Phase::Warmup => return,
            Phase::Ramp => return self.in_ramp.push([send, timing.end]),
            Phase::Profiling => {}
        }
        self.sends.push(send);
        self.ends.push(timing.end);
        if timing.scheduled {
            self.dues.push(timing.due);
            self.scheduled_sends.push(send);
            self.waits.limit += timing.ready.saturating_sub(timing.due);
            self.waits.client += send.saturating_sub(timing.ready.saturating_add(timing.connect_wait));
        }
    }

    /// The timeline of the requests so far.
    #[must_use]
    pub fn finish(self) -> ConcurrencyTimeline {
        let sends = self.sends.sorted();
        ConcurrencyTimeline {
            outlasting: Outlasting::of(&self.in_ramp, sends.first().unwrap_or_default()),
            sends,
            ends: self.ends.sorted(),
            dues: self.dues.sorted(),
            scheduled_sends: self.scheduled_sends.sorted(),
            waits: self.waits,
        }
    }
}

/// Requests of a ramp that are still in flight when the first one after it is sent, which is when they count from: no
/// more than there are slots.
#[derive(Debug)]
struct Outlasting {
    sends: Sorted<u64>,
    ends: Sorted<u64>,
}

impl Outlasting {
    fn of(in_ramp: &Table<2>, first: u64) -> Self {
        let rows = in_ramp.rows().filter(|[_, end]| *end > first);
        let (sends, ends): (Vec<u64>, Vec<u64>) = rows.map(|[send, end]| (send.max(first), end)).unzip();
        Self { sends: sends.into(), ends: ends.into() }
    }
}

impl ConcurrencyTimeline {
    /// How many requests were sent.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sends.len()
    }

    /// Whether requests had a schedule, as in an open loop.
    #[must_use]
    pub fn has_schedule(&self) -> bool {
        !self.dues.is_empty()
    }

    /// What kept requests of a schedule.
    #[must_use]
    pub fn waits(&self) -> Waits {
        self.waits
    }

    /// Shows each change of the number in flight; those of a ramp that outlast it are among them.
    fn walk(&self, see: impl FnMut(u64, Reading)) {
        let sends = merged(self.outlasting.sends.iter(), self.sends.iter());
        walk(sends, merged(self.outlasting.ends.iter(), self.ends.iter()), see);
    }

    /// When at least `level` requests were in flight, or none if they never were.
    #[must_use]
    pub fn plateau(&self, level: u32) -> Option<Plateau> {
        let first = self.sends.first()?;
        let last = self.ends.last()?.max(self.outlasting.ends.last().unwrap_or_default());
        let mut reached: Option<Reading> = None;
        let mut left: Option<Reading> = None;
        self.walk(|before, now| {
            if now.in_flight >= u64::from(level) {
                reached.get_or_insert(now);
            } else if before >= u64::from(level) {
                left = Some(now);
            }
        });
        let (reached, left) = (reached?, left?);
        let duration = left.at.saturating_sub(reached.at);
        let mean =
            if duration == 0 { f64::from(level) } else { (left.area - reached.area) / duration as f64 };
        Some(Plateau {
            ramp: reached.at.saturating_sub(first),
            drain: last.saturating_sub(left.at),
            total: last.saturating_sub(first),
            mean,
        })
    }

    /// The mean number in flight from the first send to the last one, or none if no time lies between.
    #[must_use]
    pub fn mean_in_flight(&self) -> Option<f64> {
        let (first, last) = (self.sends.first()?, self.sends.last()?);
        let mut area = 0.0;
        self.walk(|_, now| {
            if now.at <= last {
                area = now.area;
            }
        });
        (last > first).then(|| area / (last - first) as f64)
    }

    /// The share of the time, from 0 to 1, before the first answer and after the last send: an open loop rises and
    /// runs out then. None without a request.
    #[must_use]
    pub fn ramp_drain_fraction(&self) -> Option<f64> {
        let (begin, last_send) = (self.sends.first()?, self.sends.last()?);
        let (first_answer, end) = (self.ends.first()?, self.ends.last()?);
        let total = end.saturating_sub(begin);
        let edges = first_answer.saturating_sub(begin) + end.saturating_sub(last_send);
        (total > 0).then(|| (edges as f64 / total as f64).min(1.0))
    }

    /// How much the number in flight grew between the first answer and the last send, from the second quarter of that
    /// time to the last one: the share, from 0 to 1, of the requests that came meanwhile. None if it did not grow
    /// beyond chance, or only in the beginning.
    #[must_use]
    pub fn backlog(&self) -> Option<f64> {
        let (first_answer, last_send) = (self.ends.first()?, self.sends.last()?);
        let quarter = last_send.checked_sub(first_answer)? / 4;
        let areas = [1, 2, 3, 4].map(|quarters| self.area_until(first_answer + quarters * quarter));
        let mut means = areas.array_windows().map(|[before, after]| (after - before) / quarter as f64);
        let (second, third, last) = (means.next()?, means.next()?, means.next()?);
        let growth = last - second;
        // The difference of two Poisson counts has the variance of their sum. What grows still at the end has half of
        // its growth there; a quarter tells it from what levels off.
        let is_chance = growth <= STANDARD_DEVIATIONS * (second + last).sqrt();
        let levels_off = last - third < growth / 4.0;
        let middle = |quarters: u64| first_answer + quarters * quarter + quarter / 2;
        let came = self.sent_until(middle(3)) - self.sent_until(middle(1));
        (quarter > 0 && !is_chance && !levels_off && came > 0).then(|| (growth / came as f64).min(1.0))
    }

    /// The sum, up to a moment, of in-flight requests times nanoseconds.
    fn area_until(&self, moment: u64) -> f64 {
        let since = |times: &Sorted<u64>| -> f64 {
            times.iter().take_while(|time| *time < moment).map(|time| (moment - time) as f64).sum()
        };
        since(&self.sends) - since(&self.ends)
    }

    fn sent_until(&self, moment: u64) -> usize {
        self.sends.iter().take_while(|send| *send < moment).count()
    }

    /// The share, from 0 to 1, of the rate of a schedule that reached the server. Where arrivals were `missed` these are
    /// the requests sent, of all that were due; else it is the time of the schedule, of the time that the sends took.
    /// None without a schedule of some length.
    #[must_use]
    pub fn offered(&self, missed: u64) -> Option<f64> {
        let (first, last) = (self.dues.first()?, self.dues.last()?);
        let planned = last.saturating_sub(first) as f64;
        let taken = self.scheduled_sends.last()?.saturating_sub(first) as f64;
        let sent = self.dues.len() as f64;
        if missed > 0 {
            return Some(sent / (sent + missed as f64));
        }
        (planned > 0.0).then(|| (planned / taken).min(1.0))
    }

    /// The arrivals per second of a schedule, from its first due time to its last, with the number of gaps. None without a
    /// schedule of some length.
    #[must_use]
    pub fn schedule_rate(&self) -> Option<(f64, u64)> {
        let length = self.dues.last()?.saturating_sub(self.dues.first()?);
        let gaps = self.dues.len() - 1;
        (length > 0).then(|| (gaps as f64 * 1e9 / length as f64, gaps))
    }

    /// The coefficient of variation of the gaps between neighbouring sends of a schedule, and of those between due
    /// times, with the number of gaps. None without a schedule.
    #[must_use]
    pub fn variation(&self) -> Option<(f64, f64, u64)> {
        let due = variation(&self.dues)?;
        Some((variation(&self.scheduled_sends)?, due, self.dues.len() - 1))
    }
}

/// A moment of a walk.
#[derive(Clone, Copy, Debug)]
struct Reading {
    at: u64,
    /// From this moment on.
    in_flight: u64,
    /// The sum, up to this moment, of in-flight requests times nanoseconds.
    area: f64,
}

/// Two ascending sequences as one.
fn merged(left: impl Iterator<Item = u64>, right: impl Iterator<Item = u64>) -> impl Iterator<Item = u64> {
    let (mut left, mut right) = (left.peekable(), right.peekable());
    std::iter::from_fn(move || match (left.peek(), right.peek()) {
        (Some(first), Some(second)) if first > second => right.next(),
        (Some(_), _) => left.next(),
        (None, _) => right.next(),
    })
}

/// Walks through ascending sends and ends, and shows each change with the number in flight before it. What ends and
/// begins at the same time is not in flight together.
fn walk(
    sends: impl Iterator<Item = u64>,
    ends: impl Iterator<Item = u64>,
    mut see: impl FnMut(u64, Reading),
) {
    let (mut sends, mut ends) = (sends.peekable(), ends.peekable());
    let mut now = Reading { at: 0, in_flight: 0, area: 0.0 };
    while let Some(end) = ends.peek().copied() {
        let send = sends.peek().copied().filter(|send| *send < end || now.in_flight == 0);
        let (before, at) = (now.in_flight, send.unwrap_or(end));
        now.area += now.in_flight as f64 * at.saturating_sub(now.at) as f64;
        now.at = at;
        if send.is_some() {
            sends.next();
            now.in_flight += 1;
        } else {
            ends.next();
            now.in_flight = now.in_flight.saturating_sub(1);
        }
        see(before, now);
    }
}

fn variation(ascending: &Sorted<u64>) -> Option<f64> {
    let moments = moments(|| gaps(ascending)).filter(|moments| moments.mean > 0.0)?;
    Some(moments.sample_std_dev()? / moments.mean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, MS};

    fn timeline(records: &[Record]) -> ConcurrencyTimeline {
        let mut recorder = TimelineRecorder::new(&Store::default());
        for record in records {
            recorder.add(record);
        }
        recorder.finish()
    }

    /// Two slots: 0 to 10 and 10 to 30, 0 to 20 and 20 to 24 milliseconds.
    fn two_slots() -> ConcurrencyTimeline {
        timeline(&[(0, 10), (10, 30), (0, 20), (20, 24)].map(|(send, end)| testing::unary(send, end, 1)))
    }

    #[test]
    fn a_plateau_lies_between_ramp_and_drain() {
        let plateau = two_slots().plateau(2).unwrap();
        assert_eq!((plateau.ramp, plateau.drain, plateau.total), (0, 6 * MS, 30 * MS));
        assert_eq!(plateau.mean, 2.0);
        assert_eq!(two_slots().plateau(3), None);
        assert_eq!(timeline(&[]).plateau(1), None);
    }

    #[test]
    fn a_pause_between_two_requests_lowers_the_mean() {
        let plateau = timeline(&[testing::unary(0, 40, 1), testing::unary(60, 100, 1)]).plateau(1).unwrap();
        assert_eq!((plateau.ramp, plateau.drain, plateau.mean), (0, 0, 0.8));
    }

    #[test]
    fn means_are_areas_over_time() {
        // In flight 2 until 20 ms, the last send.
        assert_eq!(two_slots().mean_in_flight(), Some(2.0));
        assert_eq!(timeline(&[]).mean_in_flight(), None);
    }

    #[test]
    fn ramp_and_drain_of_an_open_loop_are_before_the_first_answer_and_after_the_last_send() {
        assert_eq!(two_slots().ramp_drain_fraction(), Some(20.0 / 30.0));
        assert_eq!(timeline(&[]).ramp_drain_fraction(), None);
    }

    /// Sent every 10 ms, and answered by one server after the other one that takes so many milliseconds each.
    fn queue(requests: u64, service: u64) -> ConcurrencyTimeline {
        let mut free = 0;
        let records = (0..requests).map(|number| {
            free = free.max(number * 10) + service;
            testing::unary(number * 10, free, 1)
        });
        timeline(&records.collect::<Vec<_>>())
    }

    #[test]
    fn a_queue_grows_by_what_is_not_answered() {
        // Half of the requests are answered while they come.
        let share = queue(400, 20).backlog().unwrap();
        assert!((share - 0.5).abs() < 0.01, "{share}");
        for served in [queue(400, 9), queue(400, 10), queue(20, 20), timeline(&[])] {
            assert_eq!(served.backlog(), None);
        }
    }

    #[test]
    fn a_load_that_levels_off_is_no_backlog() {
        // Answers take from 10 to 1000 ms, so that the number in flight grows for a second and stays.
        let records = |requests: u64| -> Vec<Record> {
            let record = |number: u64| testing::unary(number * 10, number * 10 + 10 + number * 37 % 1000, 1);
            (0..requests).map(record).collect()
        };
        assert_eq!(timeline(&records(400)).backlog(), None);
    }

    /// Due every 10 ms, sent at these milliseconds.
    fn scheduled(sends: &[u64]) -> ConcurrencyTimeline {
        let records = (0..).zip(sends).map(|(position, send)| {
            let mut record = testing::scheduled(testing::unary(*send, *send + 5, 1));
            record.timing.due = position * 10 * MS;
            record.timing.ready = record.timing.due;
            record
        });
        timeline(&records.collect::<Vec<_>>())
    }

    #[test]
    fn the_offered_load_falls_by_what_is_missed_and_by_what_takes_longer() {
        assert_eq!(scheduled(&[0, 10, 20]).offered(0), Some(1.0));
        assert_eq!(scheduled(&[0, 10, 20]).offered(1), Some(0.75));
        assert_eq!(scheduled(&[0, 20, 40]).offered(0), Some(0.5));
        assert_eq!(two_slots().offered(0), None);
        assert_eq!(scheduled(&[0, 20, 40]).waits(), Waits { limit: 0, client: 30 * MS });
    }

    #[test]
    fn the_rate_of_a_schedule_is_that_of_its_due_times() {
        assert_eq!(scheduled(&[0, 15, 40]).schedule_rate(), Some((100.0, 2)));
        assert_eq!(scheduled(&[0]).schedule_rate(), None);
        assert_eq!(two_slots().schedule_rate(), None);
    }

    #[test]
    fn variation_is_that_of_sends_beside_that_of_dues() {
        let (sent, due, gaps) = scheduled(&[0, 10, 30]).variation().unwrap();
        assert_eq!((due, gaps), (0.0, 2));
        assert!((sent - 50.0_f64.sqrt() / 15.0).abs() < 1e-12, "{sent}");
        assert_eq!(two_slots().variation(), None);
    }

    #[test]
    fn what_outlasts_a_ramp_is_in_flight_after_it() {
        let ramp = [testing::unary(0, 5, 1), testing::unary(2, 30, 1), testing::unary(4, 30, 1)].map(
            |mut record| {
                record.timing.phase = Phase::Ramp;
                record
            },
        );
        let profiling = [testing::unary(10, 20, 1), testing::unary(20, 30, 1)];
        let timeline = timeline(&[&ramp[..], &profiling[..]].concat());
        assert_eq!((timeline.sent(), timeline.mean_in_flight()), (2, Some(3.0)));
        let plateau = timeline.plateau(3).unwrap();
        assert_eq!((plateau.ramp, plateau.drain, plateau.total), (0, 0, 20_000_000));
    }

    #[test]
    fn what_never_left_was_never_in_flight() {
        use aiperf_model::record::FailureKind::{Cancelled, Connect};
        for kind in [Connect, Cancelled] {
            let (sent, mut unsent) = (testing::failed(kind), testing::failed(kind));
            unsent.timing.send = None;
            assert_eq!((timeline(&[sent]).sent(), timeline(&[unsent]).sent()), (1, 0));
        }
    }
}
