//! How long a response that has arrived waits until a worker reads it.
//!
//! A thread of its own notifies each worker every two milliseconds. The worker answers in a task beside those of its
//! slots, which the event loop polls in turn with them, and takes down how long it took: the time to wake the
//! thread, if it slept, and what other slots or other programs had to do first. A response that arrives at a moment of
//! chance waits as long. It costs about 1 % of a core, mostly for waking the workers.

use crate::clock::Clock;
use crate::error::LoadError;
use aiperf_model::client::ReadDelay;
use aiperf_timer::{Lateness, LatenessRecorder};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::sync::Notify;

/// The time between two beats.
const PERIOD: u64 = 2_000_000;
/// Each beat was answered.
const ANSWERED: u64 = u64::MAX;
/// The worker does not run, so nothing waits for it.
const RESTING: u64 = u64::MAX - 1;

/// Where the beats reach one worker.
#[derive(Debug)]
pub(crate) struct Pulse {
    /// When the beat came that was not answered yet, or one of the states above.
    open: AtomicU64,
    wake: Notify,
    delays: LatenessRecorder,
}

impl Default for Pulse {
    fn default() -> Self {
        Self { open: AtomicU64::new(RESTING), wake: Notify::new(), delays: LatenessRecorder::new() }
    }
}

impl Pulse {
    /// The worker begins to run: from now on beats are meant for it.
    pub(crate) fn rise(&self) {
        self.open.store(ANSWERED, Relaxed);
    }

    /// The worker is done, which another one may not be for long.
    pub(crate) fn rest(&self, now: u64) {
        self.close(now);
        self.open.store(RESTING, Relaxed);
    }

    /// Answers beats; never ends.
    pub(crate) async fn answer(self: Arc<Self>, clock: Clock) {
        loop {
            self.wake.notified().await;
            self.close(clock.now());
        }
    }

    fn beat(&self, at: u64) {
        if self.open.compare_exchange(ANSWERED, at, Relaxed, Relaxed).is_ok() {
            self.wake.notify_one();
        }
    }

    /// Answers the open beat, if there is one. The beats that it kept from coming would have waited too, each a
    /// period less than the one before.
    fn close(&self, now: u64) {
        let beat = self.open.swap(ANSWERED, Relaxed);
        if beat >= RESTING {
            return;
        }
        let mut delay = now.saturating_sub(beat);
        self.delays.record(Duration::from_nanos(delay));
        while delay > PERIOD {
            delay -= PERIOD;
            self.delays.record(Duration::from_nanos(delay));
        }
    }
}

/// The thread that beats.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    pulses: Vec<Arc<Pulse>>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Heartbeat {
    /// Begins to beat. What the pulses took down before is forgotten.
    pub(crate) fn start(clock: Clock, pulses: Vec<Arc<Pulse>>) -> Result<Self, LoadError> {
        for pulse in &pulses {
            pulse.delays.reset();
        }
        let stopped = Arc::new(AtomicBool::new(false));
        let thread = thread::Builder::new().name("aiperf-heartbeat".to_owned()).spawn({
            let (pulses, stopped) = (pulses.clone(), Arc::clone(&stopped));
            move || beat_until(&stopped, clock, &pulses)
        });
        Ok(Self { pulses, stopped, thread: Some(thread.map_err(LoadError::Worker)?) })
    }

    /// Stops, and says how long the answers took.
    pub(crate) fn stop(mut self) -> ReadDelay {
        self.end();
        worst(self.pulses.iter().map(|pulse| pulse.delays.summary()))
    }

    fn end(&mut self) {
        self.stopped.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It cannot panic.
            let _ = thread.join();
        }
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.end();
    }
}

fn beat_until(stopped: &AtomicBool, clock: Clock, pulses: &[Arc<Pulse>]) {
    let mut due = clock.now() + PERIOD;
    while !stopped.load(Relaxed) {
        let now = clock.now();
        if now < due {
            thread::park_timeout(Duration::from_nanos(due - now));
            continue;
        }
        // A beat that comes a whole period late shows a machine that does not let this process run at all.
        let at = if now - due > PERIOD { due } else { now };
        for pulse in pulses {
            pulse.beat(at);
        }
        due = now.max(due) + PERIOD;
    }
}

/// The worker that reads latest, whose requests suffer most.
fn worst(workers: impl Iterator<Item = Lateness>) -> ReadDelay {
    let milliseconds = |microseconds: f64| microseconds / 1e3;
    workers.fold(ReadDelay::default(), |worst, worker| ReadDelay {
        beats: worst.beats + worker.count,
        p50_ms: worst.p50_ms.max(milliseconds(worker.p50_us)),
        p99_ms: worst.p99_ms.max(milliseconds(worker.p99_us)),
        max_ms: worst.max_ms.max(milliseconds(worker.max_us)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_wait_stands_for_the_beats_that_it_kept_from_coming() {
        let pulse = Pulse::default();
        pulse.rise();
        pulse.beat(1_000_000);
        pulse.beat(2_000_000);
        pulse.close(8_000_000);
        pulse.close(9_000_000);
        let delays = pulse.delays.summary();
        // Of 7, 5, 3 and 1 ms.
        assert_eq!((delays.count, delays.max_us), (4, 7000.0));
        assert!((3000.0..3100.0).contains(&delays.p50_us), "{delays:?}");
    }

    #[test]
    fn workers_that_do_not_answer_are_late() {
        let clock = Clock::start();
        let pulse = Arc::new(Pulse::default());
        let heartbeat = Heartbeat::start(clock, vec![Arc::clone(&pulse)]).unwrap();
        pulse.rise();
        while pulse.open.load(Relaxed) == ANSWERED {
            thread::yield_now();
        }
        pulse.rest(clock.now());
        let delay = heartbeat.stop();
        assert!(delay.beats >= 1 && delay.max_ms >= delay.p50_ms, "{delay:?}");
    }

    #[test]
    fn nobody_is_late_who_has_not_begun_or_is_done() {
        let pulse = Pulse::default();
        pulse.beat(1_000_000);
        pulse.rise();
        pulse.rest(5_000_000);
        pulse.beat(6_000_000);
        pulse.close(900_000_000);
        assert_eq!(pulse.delays.summary().count, 0);
    }

    #[test]
    fn a_beat_is_answered_by_the_event_loop() {
        let clock = Clock::start();
        let pulse = Arc::new(Pulse::default());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        pulse.rise();
        runtime.spawn(Arc::clone(&pulse).answer(clock));
        let heartbeat = Heartbeat::start(clock, vec![Arc::clone(&pulse)]).unwrap();
        runtime.block_on(async {
            while pulse.delays.summary().count < 3 {
                tokio::task::yield_now().await;
            }
        });
        assert!(heartbeat.stop().beats >= 3);
    }
}
