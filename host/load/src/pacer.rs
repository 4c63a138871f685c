//! Brings the slots of one worker to the due times of their requests.

use crate::clock::Clock;
use crate::stop_signal::StopSignal;
use aiperf_timer::Timer;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;
use tokio::sync::Notify;

/// The slots that wait for a time, for the length of a phase.
#[derive(Debug)]
pub(crate) struct Pacer {
    clock: Clock,
    // Slots and pacer share a thread, so nobody ever waits for this lock.
    waiting: Mutex<BTreeMap<Turn, Waker>>,
    wake: Arc<Notify>,
}

/// A time, and the request whose slot waits for it; no two slots have the same request.
type Turn = (u64, u32);

impl Pacer {
    /// A pacer for whom nobody waits; `wake` is what its timer waits for.
    pub(crate) fn new(clock: Clock, wake: Arc<Notify>) -> Self {
        Self { clock, waiting: Mutex::default(), wake }
    }

    /// Waits for a time with the slot of a request; returns at once if it has passed or the run is to stop.
    pub(crate) async fn until(&self, at: u64, request: u32, stop_signal: &StopSignal) {
        let mut listed = false;
        poll_fn(|context| {
            if self.clock.now() >= at || stop_signal.is_stopped() {
                return Poll::Ready(());
            }
            if !listed {
                listed = true;
                self.list((at, request), context.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }

    /// Wakes each slot at its time, and all of them when the run is to stop; never ends.
    pub(crate) async fn run(&self, timer: &mut Timer, stop_signal: &StopSignal) {
        let pace = async {
            loop {
                let next = self.wake_due();
                timer.step_towards(next).await;
            }
        };
        let stop = async {
            stop_signal.stopped().await;
            self.waiting().values().for_each(Waker::wake_by_ref);
        };
        tokio::join!(pace, stop);
    }

    fn list(&self, turn: Turn, slot: Waker) {
        let mut waiting = self.waiting();
        let is_first = waiting.first_key_value().is_none_or(|(first, _)| turn < *first);
        waiting.insert(turn, slot);
        if is_first {
            self.wake.notify_one();
        }
    }

    /// Wakes the slots whose time has come. Returns the time of the next one, counted from the origin of the clock.
    fn wake_due(&self) -> Option<Duration> {
        let mut waiting = self.waiting();
        while let Some(first) = waiting.first_entry() {
            let (at, _) = *first.key();
            if at > self.clock.now() {
                return Some(Duration::from_nanos(at));
            }
            first.remove().wake();
        }
        None
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<Turn, Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
