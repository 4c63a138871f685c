//! How long a response that has arrived waits until a worker reads it.
//!
//! A thread of its own notifies each worker every two milliseconds. The worker answers in a task beside those of its
//! slots, which the event loop polls in turn with them, and takes down how long it took: the time to wake the
//! thread, if it slept, and what other slots or other programs had to do first. A response that arrives at a moment of
//! chance waits as long. It costs about 1 % of a core, mostly for waking the workers.

use crate::clock::Clock;
use crate::error::LoadError;
use crate::standstill::{self, AwakeSince, Standstills};
use aiperf_model::client::ReadDelay;
use aiperf_timer::{Lateness, LatenessRecorder};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
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
pub(crate) struct EventLoopLagProbe {
    /// When the beat came that was not answered yet, or one of the states above.
    open: AtomicU64,
    wake: Notify,
    delays: LatenessRecorder,
    /// Beats and answers so far apart that the process may have stood still between them, which shows later.
    far_apart: Mutex<Vec<(u64, u64)>>,
}

impl Default for EventLoopLagProbe {
    fn default() -> Self {
        Self {
            open: AtomicU64::new(RESTING),
            wake: Notify::new(),
            delays: LatenessRecorder::new(),
            far_apart: Mutex::default(),
        }
    }
}

impl EventLoopLagProbe {
    /// The worker begins to run: from now on beats are meant for it.
    pub(crate) fn begin(&self) {
        self.open.store(ANSWERED, Relaxed);
    }

    /// The worker is done, which another one may not be for long.
    pub(crate) fn end(&self, now: u64) {
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

    /// Answers the open beat, if there is one.
    fn close(&self, now: u64) {
        let beat = self.open.swap(ANSWERED, Relaxed);
        if beat >= RESTING {
            return;
        }
        let delay = now.saturating_sub(beat);
        if delay < standstill::SHORTEST {
            self.record(delay);
        } else {
            self.far_apart.lock().unwrap_or_else(PoisonError::into_inner).push((beat, now));
        }
    }

    /// Takes down how long an answer took. The beats that it kept from coming would have waited too, each a period less
    /// than the one before.
    fn record(&self, mut delay: u64) {
        self.delays.record(Duration::from_nanos(delay));
        while delay > PERIOD {
            delay -= PERIOD;
            self.delays.record(Duration::from_nanos(delay));
        }
    }

    /// How long the answers took, apart from the times in which nothing of this process ran.
    fn delays_without(&self, standstills: &Standstills) -> Lateness {
        let far_apart = std::mem::take(&mut *self.far_apart.lock().unwrap_or_else(PoisonError::into_inner));
        for (beat, answer) in far_apart {
            self.record((answer - beat).saturating_sub(standstills.within(beat, answer)));
        }
        self.delays.summary()
    }

    fn forget(&self) {
        self.delays.reset();
        self.far_apart.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// The thread that beats.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    clock: Clock,
    began: AwakeSince,
    probes: Vec<Arc<EventLoopLagProbe>>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<Standstills>>,
}

/// What the beats showed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Heard {
    /// How long the answers took, without what the process stood still.
    pub(crate) read_delay: ReadDelay,
    /// For how long the process stood still, or its machine slept, in nanoseconds.
    pub(crate) suspended: u64,
}

impl Heartbeat {
    /// Begins to beat. What the probes took down before is forgotten.
    pub(crate) fn start(clock: Clock, probes: Vec<Arc<EventLoopLagProbe>>) -> Result<Self, LoadError> {
        for probe in &probes {
            probe.forget();
        }
        let stopped = Arc::new(AtomicBool::new(false));
        let thread = thread::Builder::new().name("aiperf-heartbeat".to_owned()).spawn({
            let (probes, stopped) = (probes.clone(), Arc::clone(&stopped));
            move || beat_until(&stopped, clock, &probes)
        });
        let began = AwakeSince::now(clock);
        Ok(Self { clock, began, probes, stopped, thread: Some(thread.map_err(LoadError::Worker)?) })
    }

    /// Stops, and says what the beats showed.
    pub(crate) fn stop(mut self) -> Heard {
        let standstills = self.end();
        let delays = self.probes.iter().map(|probe| probe.delays_without(&standstills));
        Heard {
            read_delay: worst(delays),
            suspended: standstills.total().saturating_add(self.began.slept(self.clock)),
        }
    }

    fn end(&mut self) -> Standstills {
        self.stopped.store(true, Relaxed);
        let ended = self.thread.take().and_then(|thread| {
            thread.thread().unpark();
            // It cannot panic.
            thread.join().ok()
        });
        ended.unwrap_or_default()
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.end();
    }
}

/// Beats until it is stopped. Says when the process stood still, also where that was right before the end.
fn beat_until(stopped: &AtomicBool, clock: Clock, probes: &[Arc<EventLoopLagProbe>]) -> Standstills {
    let mut due = clock.now() + PERIOD;
    let mut watch = standstill::Watch::begin(due);
    loop {
        let now = clock.now();
        if now >= due {
            watch.runs(due, now);
            // A beat that comes a whole period late shows a machine that does not let this process run at all.
            let at = if now - due > PERIOD { due } else { now };
            for probe in probes {
                probe.beat(at);
            }
            due = now + PERIOD;
        }
        if stopped.load(Relaxed) {
            return watch.end();
        }
        thread::park_timeout(Duration::from_nanos(due - now));
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
        let probe = EventLoopLagProbe::default();
        probe.begin();
        probe.beat(1_000_000);
        probe.beat(2_000_000);
        probe.close(8_000_000);
        probe.close(9_000_000);
        let delays = probe.delays.summary();
        // Of 7, 5, 3 and 1 ms.
        assert_eq!((delays.count, delays.max_us), (4, 7000.0));
        assert!((3000.0..3100.0).contains(&delays.p50_us), "{delays:?}");
    }

    #[test]
    fn what_the_process_stood_still_is_no_delay_of_a_worker() {
        const SECOND: u64 = 1_000_000_000;
        let probe = EventLoopLagProbe::default();
        probe.begin();
        probe.beat(SECOND);
        probe.close(6 * SECOND);
        assert_eq!(probe.delays.summary().count, 0);
        let mut standstills = Standstills::default();
        standstills.note(SECOND + 1_000_000, 6 * SECOND, 0);
        let delays = probe.delays_without(&standstills);
        assert_eq!((delays.count, delays.max_us), (1, 1000.0));

        probe.beat(6 * SECOND);
        probe.close(7 * SECOND);
        let delays = probe.delays_without(&Standstills::default());
        assert_eq!((delays.count, delays.max_us), (501, 1e6));
    }

    #[test]
    fn workers_that_do_not_answer_are_late() {
        let clock = Clock::start();
        let probe = Arc::new(EventLoopLagProbe::default());
        let heartbeat = Heartbeat::start(clock, vec![Arc::clone(&probe)]).unwrap();
        probe.begin();
        while probe.open.load(Relaxed) == ANSWERED {
            thread::yield_now();
        }
        probe.end(clock.now());
        let delay = heartbeat.stop().read_delay;
        assert!(delay.beats >= 1 && delay.max_ms >= delay.p50_ms, "{delay:?}");
    }

    #[test]
    fn nobody_is_late_who_has_not_begun_or_is_done() {
        let probe = EventLoopLagProbe::default();
        probe.beat(1_000_000);
        probe.begin();
        probe.end(5_000_000);
        probe.beat(6_000_000);
        probe.close(900_000_000);
        assert_eq!(probe.delays.summary().count, 0);
    }

    #[test]
    fn a_beat_is_answered_by_the_event_loop() {
        let clock = Clock::start();
        let probe = Arc::new(EventLoopLagProbe::default());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        probe.begin();
        runtime.spawn(Arc::clone(&probe).answer(clock));
        let heartbeat = Heartbeat::start(clock, vec![Arc::clone(&probe)]).unwrap();
        runtime.block_on(async {
            while probe.delays.summary().count < 3 {
                tokio::task::yield_now().await;
            }
        });
        assert!(heartbeat.stop().read_delay.beats >= 3);
    }
}
