//! What the slots of one worker have to do in one phase.

use crate::arrivals::{Arrival, Arrivals};
use crate::brake::Brake;
use crate::pacer::Pacer;
use aiperf_model::record::Phase;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use tokio::sync::Notify;

/// A phase, as the slots of one worker share it.
#[derive(Debug)]
pub(crate) struct Duty {
    pub(crate) phase: Phase,
    pub(crate) pacer: Pacer,
    arrivals: Arrivals,
    /// How many slots should stand ready for what is due next; none for as many as there may be.
    wanted: Option<u32>,
    /// Slots with a scheduled arrival that they have not yet begun to send.
    ready: AtomicU32,
    short: Notify,
}

impl Duty {
    pub(crate) fn new(phase: Phase, arrivals: Arrivals, wanted: Option<u32>, pacer: Pacer) -> Self {
        Self { phase, pacer, arrivals, wanted, ready: AtomicU32::new(0), short: Notify::new() }
    }

    /// The next arrival for a slot that is free since `free_at`, or none if the phase sends nothing more.
    pub(crate) fn next(&self, free_at: u64) -> Option<Arrival> {
        let arrival = self.arrivals.next(free_at)?;
        if arrival.scheduled {
            self.ready.fetch_add(1, Relaxed);
        }
        Some(arrival)
    }

    /// A slot that has drawn an arrival begins with it, or leaves it.
    pub(crate) fn begin(&self, arrival: Arrival, brake: &Brake) {
        if arrival.scheduled {
            self.ready.fetch_sub(1, Relaxed);
            if self.needs_slots() && !brake.is_pulled() {
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
