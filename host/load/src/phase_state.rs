//! What the slots of one worker have to do in one phase.

use crate::arrivals::{Arrival, Arrivals, FurtherTurn, SlotRamp};
use crate::pacer::Pacer;
use crate::stop_signal::StopSignal;
use aiperf_model::record::Phase;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use tokio::sync::Notify;

/// What one worker is to do in one phase.
#[derive(Debug)]
pub(crate) struct PhaseSpec {
    pub(crate) phase: Phase,
    pub(crate) arrivals: Arrivals,
    /// How many slots should stand ready for what is due next; none for as many as there may be.
    pub(crate) ready_slots: Option<u32>,
    /// When the load has grown to what was asked for; 0 if it does not grow.
    pub(crate) ramp_end: u64,
    /// When slots may begin; none for at once.
    pub(crate) slot_ramp: Option<SlotRamp>,
}

/// A phase, as the slots of one worker share it.
#[derive(Debug)]
pub(crate) struct PhaseState {
    phase: Phase,
    /// When a ramp ends, before which a request is not part of the phase but of the ramp.
    ramp_end: u64,
    /// When slots may begin, if not at once.
    slot_ramp: Option<SlotRamp>,
    pub(crate) pacer: Pacer,
    arrivals: Arrivals,
    /// How many slots should stand ready for what is due next; none for as many as there may be.
    wanted: Option<u32>,
    /// Slots with a scheduled arrival that they have not yet begun to send.
    ready: AtomicU32,
    short: Notify,
}

impl PhaseState {
    pub(crate) fn new(phase_spec: PhaseSpec, pacer: Pacer) -> Self {
        let PhaseSpec { phase, arrivals, ready_slots, ramp_end, slot_ramp } = phase_spec;
        Self {
            phase,
            ramp_end,
            slot_ramp,
            pacer,
            arrivals,
            wanted: ready_slots,
            ready: AtomicU32::new(0),
            short: Notify::new(),
        }
    }

    /// The part of the run that an arrival belongs to.
    pub(crate) fn phase_of(&self, arrival: Arrival) -> Phase {
        if arrival.due < self.ramp_end { Phase::Ramp } else { self.phase }
    }

    /// Until when the ramp holds a further slot back where so many are at work; none if it may begin now.
    pub(crate) fn held_back(&self, at_work: u32, now: u64) -> Option<u64> {
        self.slot_ramp.map(|ramp| ramp.begin(at_work)).filter(|begin| *begin > now)
    }

    /// Whether nothing more is sent, as far as positions and time go.
    pub(crate) fn is_exhausted(&self, now: u64) -> bool {
        self.arrivals.are_exhausted(now)
    }

    /// The next arrival for a slot that is free since `free_at`, or none if the phase sends nothing more.
    pub(crate) fn next(&self, free_at: u64) -> Option<Arrival> {
        let arrival = self.arrivals.next(free_at)?;
        if arrival.scheduled {
            self.ready.fetch_add(1, Relaxed);
        }
        Some(arrival)
    }

    /// Whether a further turn of a conversation may be sent at a time; if so it is counted.
    pub(crate) fn take_turn(&self, due: u64) -> FurtherTurn {
        self.arrivals.take_turn(due)
    }

    /// A slot that has drawn an arrival begins with it, or leaves it.
    pub(crate) fn begin(&self, arrival: Arrival, stop_signal: &StopSignal) {
        if arrival.scheduled {
            self.ready.fetch_sub(1, Relaxed);
            if self.needs_slots() && !stop_signal.is_stopped() {
                self.short.notify_one();
            }
        }
    }

    /// Whether a further slot would be of use.
    pub(crate) fn needs_slots(&self) -> bool {
        self.wanted.is_none_or(|wanted| self.ready.load(Relaxed) < wanted)
    }

    /// Waits until a further slot would be of use.
    pub(crate) async fn shortage(&self) {
        self.short.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrivals::Limits;
    use crate::clock::Clock;
    use proptest::prelude::*;
    use std::sync::Arc;

    fn phase_state(slot_ramp: Option<SlotRamp>) -> PhaseState {
        let arrivals = Arrivals::closed_loop(Limits::default(), 1).remove(0);
        let phase = Phase::Profiling;
        let phase_spec = PhaseSpec { phase, arrivals, ready_slots: None, ramp_end: 0, slot_ramp };
        PhaseState::new(phase_spec, Pacer::new(Clock::start(), Arc::default()))
    }

    proptest! {
        #[test]
        fn a_slot_begins_or_is_told_when(start in 0..1000_u64, length in 1..1_000_000_u64, slots in 1..300_u32, at_work in 0..300_u32, since in 0..2_000_000_u64) {
            let ramp = SlotRamp::of_workers(start, length, slots, 1).next();
            let (phase_state, now) = (phase_state(ramp), start + since);
            // Whoever waits for that time finds the slot let go, so that no step is awaited for ever.
            if let Some(begin) = phase_state.held_back(at_work, now) {
                prop_assert!(begin > now);
                prop_assert_eq!(phase_state.held_back(at_work, begin), None);
                prop_assert_eq!(phase_state.held_back(at_work, begin - 1), Some(begin));
            }
        }
    }

    #[test]
    fn without_a_ramp_nothing_holds_a_slot_back() {
        assert_eq!(phase_state(None).held_back(u32::MAX, 0), None);
    }
}
