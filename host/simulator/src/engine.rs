//! The batch and its queue as a simulation of events in virtual time: who is admitted, and which token is due when.
//! No clock and no I/O; times are durations since the start of the simulator.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::time::Duration;

use crate::{Law, Unsteadiness};

/// Names one submitted sequence; later submissions have larger tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Ticket(u64);

/// What a sequence asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work {
    pub(crate) prompt_tokens: usize,
    /// 0 for a request that ends with its prefill, such as an embedding: it has one deadline and no token.
    pub(crate) output_tokens: usize,
}

/// A deadline that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) ticket: Ticket,
    pub(crate) at: Duration,
    /// Whether the sequence ends with it.
    pub(crate) last: bool,
}

/// Tokens since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) prompt_tokens: u64,
    pub(crate) generation_tokens: u64,
    pub(crate) finished: u64,
}

/// The batch, its queue, and the deadline of every active sequence.
///
/// Callers pass times that never go back, and take all that is due before they submit or cancel at a later time.
#[derive(Debug)]
pub(crate) struct Engine {
    law: Law,
    unsteadiness: Unsteadiness,
    busy_times: u64,
    /// When the last sequence ended or left.
    idle_since: Option<Duration>,
    sequences: HashMap<Ticket, Sequence>,
    waiting: VecDeque<Ticket>,
    /// One entry per active sequence, and entries of cancelled ones until they surface.
    deadlines: BinaryHeap<Reverse<(Duration, Ticket)>>,
    active: usize,
    submitted: u64,
    totals: Totals,
}

#[derive(Debug)]
struct Sequence {
    work: Work,
    produced: usize,
}

impl Engine {
    pub(crate) fn new(law: Law, unsteadiness: Unsteadiness) -> Self {
        Self {
            law,
            unsteadiness,
            busy_times: 0,
            idle_since: None,
            sequences: HashMap::new(),
            waiting: VecDeque::new(),
            deadlines: BinaryHeap::new(),
            active: 0,
            submitted: 0,
            totals: Totals::default(),
        }
    }

    /// Sequences in the batch.
    pub(crate) fn active(&self) -> usize {
        self.active
    }

    /// Sequences in the queue.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn totals(&self) -> Totals {
        self.totals
    }

    /// A new sequence arrives.
    pub(crate) fn submit(&mut self, at: Duration, work: Work) -> Ticket {
        if self.sequences.is_empty()
            && self.idle_since.is_none_or(|since| at.saturating_sub(since) >= Unsteadiness::IDLE)
        {
            self.busy_times += 1;
        }
        let ticket = Ticket(self.submitted);
        self.submitted += 1;
        self.sequences.insert(ticket, Sequence { work, produced: 0 });
        self.waiting.push_back(ticket);
        self.admit(at);
        ticket
    }

    /// A sequence leaves early: its client has gone. Finished sequences may be cancelled; nothing happens.
    pub(crate) fn cancel(&mut self, at: Duration, ticket: Ticket) {
        if self.sequences.remove(&ticket).is_none() {
            return;
        }
        match self.waiting.iter().position(|waiting| *waiting == ticket) {
            Some(position) => {
                self.waiting.remove(position);
            }
            None => self.free_place(at),
        }
    }

    /// When the next token is due.
    pub(crate) fn next_deadline(&mut self) -> Option<Duration> {
        while let Some(Reverse((at, ticket))) = self.deadlines.peek() {
            if self.sequences.contains_key(ticket) {
                return Some(*at);
            }
            self.deadlines.pop();
        }
        None
    }

    /// Takes the earliest deadline that has come by `now`; of equal ones the longest-standing sequence's.
    pub(crate) fn pop_due(&mut self, now: Duration) -> Option<Due> {
        if self.next_deadline()? > now {
            return None;
        }
        let Reverse((at, ticket)) = self.deadlines.pop()?;
        let sequence = self.sequences.get_mut(&ticket)?;
        if sequence.produced == 0 {
            self.totals.prompt_tokens += sequence.work.prompt_tokens as u64;
        }
        if sequence.work.output_tokens > 0 {
            sequence.produced += 1;
            self.totals.generation_tokens += 1;
        }
        let last = sequence.produced >= sequence.work.output_tokens;
        if last {
            self.sequences.remove(&ticket);
            self.totals.finished += 1;
            self.free_place(at);
        } else {
            let gap = self.unsteadiness.gap(self.law.gap(self.active), self.active, self.busy_times);
            self.deadlines.push(Reverse((at.saturating_add(gap), ticket)));
        }
        Some(Due { ticket, at, last })
    }

    fn free_place(&mut self, at: Duration) {
        self.active -= 1;
        self.admit(at);
        if self.active == 0 {
            self.idle_since = Some(at);
        }
    }

    fn admit(&mut self, at: Duration) {
        while self.active < self.law.max_batch {
            let Some(ticket) = self.waiting.pop_front() else { return };
            let Some(sequence) = self.sequences.get(&ticket) else { continue };
            let prefill = self.unsteadiness.prefill(self.law.prefill(sequence.work.prompt_tokens), at);
            self.deadlines.push(Reverse((at.saturating_add(prefill), ticket)));
            self.active += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LAW: Law =
        Law { ttft_ms: 10.0, prefill_rate: 1_000.0, itl_ms: 4.0, itl_slope_ms: 1.0, max_batch: 2 };

    fn work(prompt_tokens: usize, output_tokens: usize) -> Work {
        Work { prompt_tokens, output_tokens }
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Everything to come, as (submission number, milliseconds, last).
    fn drain(engine: &mut Engine) -> Vec<(u64, u128, bool)> {
        std::iter::from_fn(|| engine.pop_due(Duration::MAX))
            .map(|due| (due.ticket.0, due.at.as_millis(), due.last))
            .collect()
    }

    #[test]
    fn a_lone_sequence_follows_the_law() {
        let mut engine = Engine::new(LAW, Unsteadiness::default());
        engine.submit(ms(100), work(5, 3));
        assert_eq!(engine.next_deadline(), Some(ms(115)));
        assert_eq!(engine.pop_due(ms(114)), None);
        assert_eq!(drain(&mut engine), [(0, 115, false), (0, 120, false), (0, 125, true)]);
        assert_eq!(engine.next_deadline(), None);
        assert_eq!(engine.totals(), Totals { prompt_tokens: 5, generation_tokens: 3, finished: 1 });
    }

    #[test]
    fn the_gap_counts_the_sequences_active_at_the_previous_token() {
        let mut engine = Engine::new(LAW, Unsteadiness::default());
        engine.submit(ms(0), work(0, 3));
        engine.submit(ms(0), work(1, 1));
        // Sequence 1 still prefills at 10, so sequence 0 waits 4 + 2; it is gone at 16, so 4 + 1 follow.
        assert_eq!(drain(&mut engine), [(0, 10, false), (1, 11, true), (0, 16, false), (0, 21, true)]);
    }

    #[test]
    fn the_queue_is_first_in_first_out_and_moves_at_the_deadline() {
        let mut engine = Engine::new(LAW, Unsteadiness::default());
        for prompt in [0, 5, 0, 0] {
            engine.submit(ms(0), work(prompt, 1));
        }
        assert_eq!((engine.active(), engine.waiting()), (2, 2));
        // Taken far too late, but 2 was admitted when 0 ended at 10, and 3 when 1 ended at 15.
        assert_eq!(drain(&mut engine), [(0, 10, true), (1, 15, true), (2, 20, true), (3, 25, true)]);
    }

    #[test]
    fn a_cancelled_sequence_frees_its_place_or_leaves_the_queue() {
        let mut engine = Engine::new(LAW, Unsteadiness::default());
        let tickets: Vec<Ticket> = (0..4).map(|_| engine.submit(ms(0), work(0, 1))).collect();
        engine.cancel(ms(3), tickets[2]);
        assert_eq!((engine.active(), engine.waiting()), (2, 1));
        engine.cancel(ms(5), tickets[0]);
        engine.cancel(ms(5), tickets[0]);
        assert_eq!((engine.active(), engine.waiting()), (2, 0));
        assert_eq!(drain(&mut engine), [(1, 10, true), (3, 15, true)]);
    }

    #[test]
    fn an_unsteady_server_drifts_and_has_a_pace_of_its_own_in_each_busy_time() {
        let unsteadiness = Unsteadiness { ttft_drift_ms: 10.0, itl_noise: 0.5, itl_noise_at: 1 };
        let mut engine = Engine::new(LAW, unsteadiness);
        let mut run = |start: u64, sequences: usize| {
            for _ in 0..sequences {
                engine.submit(ms(start), work(0, 2));
            }
            let dues = drain(&mut engine);
            (dues[0].1 - u128::from(start), dues.last().unwrap().1 - dues[0].1)
        };
        assert_eq!(run(0, 1).0, 10);
        let (ttft, gap) = run(2000, 1);
        assert_eq!(ttft, 30);
        assert!(gap.abs_diff(run(2060, 1).1) <= 1, "asked again at once");
        let (_, other) = run(2300, 1);
        assert_ne!(gap, other);
        assert_eq!(run(3000, 2).1, run(4000, 2).1, "no noise at two");
    }

    #[test]
    fn work_without_output_ends_with_its_prefill() {
        let mut engine = Engine::new(LAW, Unsteadiness::default());
        engine.submit(ms(0), work(7, 0));
        assert_eq!(drain(&mut engine), [(0, 17, true)]);
        assert_eq!(engine.totals(), Totals { prompt_tokens: 7, generation_tokens: 0, finished: 1 });
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// A closed loop run for long enough shows the means that the law predicts.
        #[test]
        fn a_closed_loop_reaches_the_expected_means(
            concurrency in 1..40_usize, max_batch in 1..20_usize, input in 0..50_usize, output in 1..12_usize,
        ) {
            let law = Law { max_batch, ..LAW };
            let expected = law.expected(concurrency, input, output);
            let mut engine = Engine::new(law, Unsteadiness::default());
            let mut arrived = HashMap::new();
            for _ in 0..concurrency {
                arrived.insert(engine.submit(ms(0), work(input, output)), ms(0));
            }
            let rounds = 200;
            let (mut finished, mut latency, mut end) = (0, Duration::ZERO, Duration::ZERO);
            while finished < rounds * concurrency {
                let due = engine.pop_due(Duration::MAX).unwrap();
                if due.last {
                    finished += 1;
                    end = due.at;
                    latency += due.at.abs_diff(arrived.remove(&due.ticket).unwrap());
                    arrived.insert(engine.submit(due.at, work(input, output)), due.at);
                }
            }
            let throughput = finished as f64 / end.as_secs_f64();
            let latency_ms = latency.as_secs_f64() * 1e3 / finished as f64;
            prop_assert!((throughput / expected.throughput_rps - 1.0).abs() < 0.02, "{throughput} {expected:?}");
            prop_assert!((latency_ms / expected.request_latency_ms - 1.0).abs() < 0.02, "{latency_ms} {expected:?}");
        }
    }
}
