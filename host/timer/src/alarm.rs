//! An alarm with microsecond steps. The runtime's own timers have millisecond steps, so a thread sleeps in its place
//! and wakes it shortly before the next deadline.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// A thread that notifies at a set time. While nothing is set it sleeps.
#[derive(Debug)]
pub(crate) struct Alarm {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    start: Instant,
    /// Nanoseconds since `start` at which to ring; `OFF` for never.
    ring_at: AtomicU64,
    stopped: AtomicBool,
    rung: Arc<Notify>,
}

const OFF: u64 = u64::MAX;

impl Alarm {
    /// Starts the thread, which will notify `rung`; times are counted from `start`.
    pub(crate) fn start(start: Instant, rung: Arc<Notify>) -> io::Result<Self> {
        let shared =
            Arc::new(Shared { start, ring_at: AtomicU64::new(OFF), stopped: AtomicBool::new(false), rung });
        let thread = thread::Builder::new().name("aiperf-alarm".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || shared.run()
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Rings once at `at`, in place of whatever was set before.
    pub(crate) fn set(&self, at: Duration) {
        let at = u64::try_from(at.as_nanos()).unwrap_or(OFF);
        let earlier = self.shared.ring_at.swap(at, Ordering::AcqRel);
        // A thread that sleeps towards an earlier time wakes by itself and then sees the new one.
        if at < earlier
            && let Some(thread) = &self.thread
        {
            thread.thread().unpark();
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The thread cannot panic, and a drop has nowhere to report to.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn run(&self) {
        sharpen_timers();
        while !self.stopped.load(Ordering::Acquire) {
            let ring_at = self.ring_at.load(Ordering::Acquire);
            if ring_at == OFF {
                thread::park();
                continue;
            }
            let wait = Duration::from_nanos(ring_at).saturating_sub(self.start.elapsed());
            if !wait.is_zero() {
                thread::park_timeout(wait);
            } else if self.ring_at.compare_exchange(ring_at, OFF, Ordering::AcqRel, Ordering::Acquire).is_ok()
            {
                self.rung.notify_one();
            }
        }
    }
}

/// Linux may wake a thread 50 microseconds late to save power unless the thread asks it not to.
#[cfg(target_os = "linux")]
fn sharpen_timers() {
    // Refused or not, the alarm rings; only the spin before a deadline gets shorter.
    let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
}

#[cfg(not(target_os = "linux"))]
fn sharpen_timers() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_at_the_time_set_last_and_not_before() {
        let rung = Arc::new(Notify::new());
        let start = Instant::now();
        let alarm = Alarm::start(start, Arc::clone(&rung)).unwrap();
        alarm.set(Duration::from_hours(1));
        alarm.set(Duration::from_millis(5));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(rung.notified());
        assert!(start.elapsed() >= Duration::from_millis(5));
    }

    #[test]
    fn stops_while_it_sleeps() {
        let alarm = Alarm::start(Instant::now(), Arc::new(Notify::new())).unwrap();
        alarm.set(Duration::from_hours(1));
        drop(alarm);
    }
}
