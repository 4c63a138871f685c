//! The steady part of a run, and what the requests did in it.
//!
//! A closed loop begins with all slots at once, which no server sees again later, and ends with slots that run dry. Between
//! the time at which as many requests have ended as there are slots and the last send, every slot is busy all the time:
//! that is when throughput is the server's. An open loop is steady from its first answer, or from the end of its ramp, to
//! the last due time.
//!
//! A request that is under way at an edge counts by the part of its latency that lies inside. To count what ends inside
//! would be wrong: requests end in groups, and a whole group more or less is a large part of a short run. Spread over its
//! life, a request is neither counted twice nor lost, whatever the server does and however long the answers are.

use crate::formulas::{answered_at, milliseconds};
use aiperf_columns::{Column, Sorted, Store, Table};
use aiperf_model::catalogue::MetricId;
use aiperf_model::record::{FailureKind, Phase, Record, Timing, TokenCount};

/// How the load of a run was made, as far as its steady part depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadShape {
    /// So many slots, each of which sends when it is free. They begin together, or one after the other in a ramp.
    Closed {
        /// How many.
        slots: u32,
        /// Whether a ramp comes before.
        ramped: bool,
    },
    /// A schedule. It begins with an idle server, or with a ramp.
    Open,
}

impl LoadShape {
    /// Whether a request is one of those that all slots began with.
    fn has_in_burst(self, timing: &Timing) -> bool {
        match self {
            Self::Closed { slots, ramped: false } => timing.request < slots && timing.turn == 0,
            Self::Closed { ramped: true, .. } | Self::Open => false,
        }
    }
}

/// Fewer requests for each slot are all beginning and end.
const LEAST_REQUESTS_PER_SLOT: u64 = 3;

/// A part of a run, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) begin: u64,
    pub(crate) end: u64,
}

impl Window {
    pub(crate) fn nanoseconds(self) -> u64 {
        self.end.saturating_sub(self.begin)
    }

    /// How much of a time lies inside.
    pub(crate) fn overlap(self, from: u64, to: u64) -> u64 {
        to.min(self.end).saturating_sub(from.max(self.begin))
    }
}

/// A successful request. The first events of answers that were not streamed say nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) send: u64,
    /// Where a schedule set it.
    pub(crate) due: Option<u64>,
    /// The first content of a streamed answer.
    pub(crate) first_content: Option<u64>,
    pub(crate) last_content: u64,
    pub(crate) input_tokens: u32,
    pub(crate) output_tokens: u32,
    /// Whether it met every service level.
    pub(crate) good: bool,
    /// Whether it was sent while the load still grew.
    pub(crate) in_ramp: bool,
    /// Whether it belongs to those that all slots began with.
    pub(crate) in_burst: bool,
}

impl Request {
    /// The part of it that lies in a time, of `WHOLE`.
    fn part(&self, window: Window) -> u64 {
        let latency = self.last_content.saturating_sub(self.send);
        if latency == 0 {
            return if self.send >= window.begin && self.send < window.end { WHOLE } else { 0 };
        }
        let inside = u128::from(window.overlap(self.send, self.last_content));
        (inside * u128::from(WHOLE) / u128::from(latency)) as u64
    }

    /// A latency in milliseconds, to the bit as `formulas` has it; none where the request has none, or the metric is another.
    pub(crate) fn latency(&self, metric: MetricId) -> Option<f64> {
        match metric {
            MetricId::TimeToFirstToken => milliseconds(self.send, self.first_content?),
            MetricId::RequestLatency => milliseconds(self.send, self.last_content),
            MetricId::EffectiveTimeToFirstToken => milliseconds(self.due?, self.first_content?),
            MetricId::EffectiveLatency => milliseconds(self.due?, self.last_content),
            MetricId::InterTokenLatency => {
                let gaps = self.output_tokens.checked_sub(1).filter(|gaps| *gaps > 0)?;
                Some(milliseconds(self.first_content?, self.last_content)? / f64::from(gaps))
            }
            _ => None,
        }
    }

    fn to_row(self) -> [u64; 6] {
        let flags =
            [self.due.is_some(), self.first_content.is_some(), self.good, self.in_ramp, self.in_burst];
        let flags = flags.iter().rev().fold(0, |bits, flag| bits << 1 | u64::from(*flag));
        let tokens = u64::from(self.input_tokens) << 32 | u64::from(self.output_tokens);
        [
            self.send,
            self.due.unwrap_or_default(),
            self.first_content.unwrap_or_default(),
            self.last_content,
            tokens,
            flags,
        ]
    }

    fn from_row([send, due, first_content, last_content, tokens, flags]: [u64; 6]) -> Self {
        let flag = |bit: u32| flags >> bit & 1 == 1;
        Self {
            send,
            due: flag(0).then_some(due),
            first_content: flag(1).then_some(first_content),
            last_content,
            input_tokens: (tokens >> 32) as u32,
            output_tokens: tokens as u32,
            good: flag(2),
            in_ramp: flag(3),
            in_burst: flag(4),
        }
    }
}

/// A request that left, whatever came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// Its position in the run.
    pub(crate) position: u32,
    pub(crate) send: u64,
    pub(crate) due: u64,
    pub(crate) in_ramp: bool,
    /// When it came to an end of its own; none if it was cancelled.
    end: Option<u64>,
    /// None if it failed.
    request: Option<Request>,
}

impl Seen {
    /// None for a request of the warm-up, and for one that never left.
    pub(crate) fn of(shape: LoadShape, record: &Record, good: bool) -> Option<Self> {
        let timing = &record.timing;
        let in_ramp = match timing.phase {
            Phase::Warmup => return None,
            Phase::Ramp => true,
            Phase::Profiling => false,
        };
        let send = timing.send?;
        let tokens = |count: Option<TokenCount>| count.map_or(0, |tokens| tokens.count);
        let request = record.outcome.as_ref().ok().and_then(|answer| {
            Some(Request {
                send,
                due: timing.scheduled.then_some(timing.due),
                first_content: answer.content.first().copied().filter(|_| answer.streamed),
                last_content: answered_at(timing, answer)?,
                input_tokens: tokens(answer.input_tokens),
                output_tokens: tokens(answer.output_tokens),
                good,
                in_ramp,
                in_burst: shape.has_in_burst(timing),
            })
        });
        let is_cancelled = record.outcome.as_ref().is_err_and(|it| it.kind == FailureKind::Cancelled);
        let end = (!is_cancelled).then_some(timing.end);
        Some(Self { position: timing.request, send, due: timing.due, in_ramp, end, request })
    }
}

/// The requests of one run, in the making.
#[derive(Debug)]
pub(crate) struct RequestRows {
    shape: LoadShape,
    rows: Table<6>,
    /// Of all that came to an end of their own.
    ends: Column<u64>,
    sent: u64,
    has_ramp: bool,
    first_send: u64,
    last_send: u64,
    first_due: u64,
    last_due: u64,
    /// The first send of a request that was cancelled.
    first_cancelled: u64,
}

/// The requests of one run.
#[derive(Debug)]
pub(crate) struct Requests {
    pub(crate) shape: LoadShape,
    rows: Table<6>,
    /// The steady part, or none where the run was too short to have one.
    pub(crate) window: Option<Window>,
}

impl RequestRows {
    pub(crate) fn new(shape: LoadShape, store: &Store) -> Self {
        Self {
            shape,
            rows: Table::new(store),
            ends: Column::new(store),
            sent: 0,
            has_ramp: false,
            first_send: u64::MAX,
            last_send: 0,
            first_due: u64::MAX,
            last_due: 0,
            first_cancelled: u64::MAX,
        }
    }

    /// Whether a request is one of those that all slots began with.
    pub(crate) fn is_in_burst(&self, record: &Record) -> bool {
        self.shape.has_in_burst(&record.timing)
    }

    /// Takes one request that left; those of a ramp are only in service.
    pub(crate) fn add(&mut self, record: &Record, good: bool) {
        if let Some(seen) = Seen::of(self.shape, record, good) {
            self.see(&seen);
        }
    }

    pub(crate) fn see(&mut self, seen: &Seen) {
        self.has_ramp |= seen.in_ramp;
        if !seen.in_ramp {
            self.sent += 1;
            self.first_send = self.first_send.min(seen.send);
            self.last_send = self.last_send.max(seen.send);
            self.first_due = self.first_due.min(seen.due);
            self.last_due = self.last_due.max(seen.due);
            self.ends.extend(seen.end);
        }
        if seen.end.is_none() {
            self.first_cancelled = self.first_cancelled.min(seen.send);
        }
        if let Some(request) = seen.request {
            self.rows.push(request.to_row());
        }
    }

    pub(crate) fn finish(self) -> Requests {
        let ends = self.ends.sorted();
        let (begin, end) = match self.shape {
            LoadShape::Closed { slots, ramped } => {
                (closed(slots, ramped, &ends, self.sent, self.first_send), self.last_send)
            }
            LoadShape::Open if self.has_ramp => (Some(self.first_due), self.last_due),
            LoadShape::Open => (ends.first(), self.last_due),
        };
        let window = begin.map(|begin| Window { begin, end });
        let window = window.map(|window| without_cancelled(window, self.first_cancelled));
        Requests {
            shape: self.shape,
            rows: self.rows,
            window: window.filter(|window| window.nanoseconds() > 0),
        }
    }
}

/// From when on all slots are busy with requests that each began when another one ended.
fn closed(slots: u32, ramped: bool, ends: &Sorted<u64>, sent: u64, first_send: u64) -> Option<u64> {
    if sent < LEAST_REQUESTS_PER_SLOT * u64::from(slots) {
        return None;
    }
    if ramped { Some(first_send) } else { ends.get(u64::from(slots).checked_sub(1)?) }
}

/// Nobody knows which part of a cancelled request lay in a time, so the time ends before them, unless that takes more than
/// half of it: then they were cancelled all along.
fn without_cancelled(window: Window, first_cancelled: u64) -> Window {
    let shorter = Window { end: window.end.min(first_cancelled), ..window };
    if 2 * shorter.nanoseconds() >= window.nanoseconds() { shorter } else { window }
}

impl Requests {
    /// All of them, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Request> {
        self.rows.rows().map(Request::from_row)
    }

    /// Those that count in latencies, in no order.
    pub(crate) fn counted(&self) -> impl Iterator<Item = Request> {
        let is_steady = self.window.is_some();
        self.iter().filter(move |request| !(request.in_ramp || is_steady && request.in_burst))
    }
}

/// How many equal parts of a run are compared.
pub(crate) const PARTS: usize = 10;

/// Parts of a request are counted in these, so that a sum does not depend on the order of what is summed up.
const WHOLE: u64 = 1 << 32;

/// What was done in the steady part, in each of its equal parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Done {
    requests: [u128; PARTS],
    good: [u128; PARTS],
    input_tokens: [u128; PARTS],
    output_tokens: [u128; PARTS],
    /// Requests times nanoseconds.
    in_service: u128,
}

impl Done {
    pub(crate) fn in_window(requests: impl Iterator<Item = Request>, window: Window) -> Self {
        let mut done = Self::default();
        let edge = |part: usize| {
            let share = u128::from(window.nanoseconds()) * part as u128 / PARTS as u128;
            window.begin + share as u64
        };
        let parts: [Window; PARTS] =
            std::array::from_fn(|part| Window { begin: edge(part), end: edge(part + 1) });
        for request in requests {
            done.in_service += u128::from(window.overlap(request.send, request.last_content));
            for (index, part) in parts.iter().enumerate() {
                done.add(index, &request, u128::from(request.part(*part)));
            }
        }
        done
    }

    fn add(&mut self, index: usize, request: &Request, part: u128) {
        if part == 0 {
            return;
        }
        let amounts = [
            (&mut self.requests, 1),
            (&mut self.good, u32::from(request.good)),
            (&mut self.input_tokens, request.input_tokens),
            (&mut self.output_tokens, request.output_tokens),
        ];
        for (parts, amount) in amounts {
            if let Some(sum) = parts.get_mut(index) {
                *sum += part * u128::from(amount);
            }
        }
    }

    pub(crate) fn requests(&self) -> [f64; PARTS] {
        whole(self.requests)
    }

    pub(crate) fn good(&self) -> [f64; PARTS] {
        whole(self.good)
    }

    pub(crate) fn input_tokens(&self) -> [f64; PARTS] {
        whole(self.input_tokens)
    }

    pub(crate) fn output_tokens(&self) -> [f64; PARTS] {
        whole(self.output_tokens)
    }

    pub(crate) fn total_tokens(&self) -> [f64; PARTS] {
        let pairs = self.input_tokens.iter().zip(&self.output_tokens);
        let mut sums = pairs.map(|(input, output)| input + output);
        whole(std::array::from_fn(|_| sums.next().unwrap_or_default()))
    }

    /// The sum of the times in service, in nanoseconds.
    pub(crate) fn in_service(&self) -> f64 {
        self.in_service as f64
    }
}

fn whole(parts: [u128; PARTS]) -> [f64; PARTS] {
    parts.map(|part| part as f64 / WHOLE as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, MS};
    use proptest::prelude::*;

    /// A closed loop against a server that answers so many requests at a time, each in its own time, first come first
    /// served.
    fn closed_loop(slots: u32, servers: usize, services_ms: &[u64]) -> Requests {
        let mut rows = RequestRows::new(LoadShape::Closed { slots, ramped: false }, &Store::default());
        let mut free_slots = vec![0; slots as usize];
        let mut free_servers = vec![0; servers];
        for (request, service) in (0..).zip(services_ms) {
            let slot = (0..free_slots.len()).min_by_key(|slot| free_slots[*slot]).unwrap();
            let server = (0..servers).min_by_key(|server| free_servers[*server]).unwrap();
            let send: u64 = free_slots[slot];
            let end = send.max(free_servers[server]) + service;
            (free_slots[slot], free_servers[server]) = (end, end);
            let mut record = testing::streamed(send * MS, send * MS, &[end], 100);
            (record.timing.request, record.timing.end) = (request, end * MS);
            rows.add(&record, true);
        }
        rows.finish()
    }

    fn throughput(requests: &Requests) -> f64 {
        let window = requests.window.unwrap();
        let done = Done::in_window(requests.iter(), window);
        done.requests().iter().sum::<f64>() / (window.nanoseconds() as f64 / 1e9)
    }

    #[test]
    fn throughput_is_that_of_the_server_whatever_the_number_of_slots() {
        for (slots, servers) in [(1, 1), (8, 1), (8, 16), (16, 16), (20, 16), (40, 16), (64, 16), (50, 1)] {
            for per_slot in [3, 5, 10] {
                let services = vec![1000; (slots * per_slot) as usize];
                let measured = throughput(&closed_loop(slots, servers, &services));
                let law = f64::from(slots).min(servers as f64);
                assert!((measured / law - 1.0).abs() < 1e-6, "{slots} slots, {servers} servers: {measured}");
            }
        }
    }

    #[test]
    fn without_three_requests_for_each_slot_nothing_is_steady() {
        assert_eq!(closed_loop(8, 16, &[1000; 23]).window, None);
        assert!(closed_loop(8, 16, &[1000; 24]).window.is_some());
    }

    #[test]
    fn the_first_request_of_each_slot_counts_in_no_latency_of_a_steady_run() {
        assert_eq!(closed_loop(8, 16, &[1000; 40]).counted().count(), 32);
        assert_eq!(closed_loop(8, 16, &[1000; 16]).counted().count(), 16);
    }

    #[test]
    fn what_was_cancelled_at_the_end_shortens_the_time_and_what_was_cancelled_all_along_does_not() {
        let window = Window { begin: 100, end: 1100 };
        assert_eq!(without_cancelled(window, 1000), Window { begin: 100, end: 1000 });
        assert_eq!(without_cancelled(window, 200), window);
        assert_eq!(without_cancelled(window, u64::MAX), window);
    }

    #[test]
    fn an_open_loop_is_steady_from_its_first_answer_to_its_last_due_time() {
        let mut rows = RequestRows::new(LoadShape::Open, &Store::default());
        for send in [0, 100, 200, 300] {
            rows.add(&testing::scheduled(testing::unary(send, send + 150, 1)), true);
        }
        assert_eq!(rows.finish().window, Some(Window { begin: 150 * MS, end: 300 * MS }));
    }

    proptest! {
        #[test]
        fn rows_come_back(send in any::<u64>(), due in any::<Option<u64>>(), tokens in any::<(u32, u32)>(), flags in any::<[bool; 3]>()) {
            let request = Request {
                send, due, first_content: due.map(|due| due / 2), last_content: send / 3,
                input_tokens: tokens.0, output_tokens: tokens.1, good: flags[0], in_ramp: flags[1], in_burst: flags[2],
            };
            prop_assert_eq!(Request::from_row(request.to_row()), request);
        }

        /// The parts of a request in all parts of a time add up to its part in the whole.
        #[test]
        fn nothing_is_counted_twice_or_lost(send in 0_u64..5000, latency in 1_u64..5000, begin in 0_u64..5000, length in 10_u64..5000) {
            let mut record = testing::streamed(send * MS, send * MS, &[send + latency], 7);
            record.timing.request = 9;
            let mut rows = RequestRows::new(LoadShape::Closed { slots: 1, ramped: true }, &Store::default());
            rows.add(&record, true);
            let requests = rows.finish();
            let window = Window { begin: begin * MS, end: (begin + length) * MS };
            let done = Done::in_window(requests.iter(), window);
            let whole = requests.iter().next().unwrap().part(window) as f64 / WHOLE as f64;
            prop_assert!((done.requests().iter().sum::<f64>() - whole).abs() < 1e-8);
            prop_assert!((done.output_tokens().iter().sum::<f64>() - 7.0 * whole).abs() < 1e-7);
        }
    }
}
