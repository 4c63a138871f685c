//! Meets deadlines to within microseconds on a single-threaded event loop, whose own timers have millisecond steps.
//!
//! The loop sleeps in the operating system until an alarm thread wakes it shortly before the deadline; the last
//! stretch it spins, serving sockets and other tasks in between. What is due then happens on the loop's own thread,
//! and with nothing due nothing runs.

mod alarm;
mod lateness;
mod lead;

pub use lateness::{Lateness, LatenessRecorder};

use alarm::Alarm;
use lead::Lead;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// A turn of the loop that takes this long did some work; one that only looks for some takes a few microseconds.
const BUSY_TURN: Duration = Duration::from_micros(10);

/// Brings one event loop to one deadline after the other.
#[derive(Debug)]
pub struct Timer {
    start: Instant,
    wake: Arc<Notify>,
    alarm: Alarm,
    lead: Lead,
    idled: Duration,
}

impl Timer {
    /// Starts the alarm thread, which lives as long as the timer. Deadlines are counted from `start`; `wake` is what
    /// the alarm notifies, and whoever changes the next deadline.
    pub fn start(start: Instant, wake: Arc<Notify>) -> io::Result<Self> {
        let alarm = Alarm::start(start, Arc::clone(&wake))?;
        Ok(Self { start, wake, alarm, lead: Lead::new(), idled: Duration::ZERO })
    }

    /// Goes one step towards the next deadline, or waits for a notification if there is none. The caller then looks
    /// again at what is due: it may be the deadline, a changed one, or nothing yet.
    pub async fn step_towards(&mut self, deadline: Option<Duration>) {
        let Some(deadline) = deadline else { return self.wake.notified().await };
        let begun = self.start.elapsed();
        if deadline <= begun + self.lead.time() {
            tokio::task::yield_now().await;
            self.note_turn(self.start.elapsed().saturating_sub(begun));
            return;
        }
        let ring_at = deadline.saturating_sub(self.lead.time());
        self.alarm.set(ring_at);
        self.wake.notified().await;
        // Otherwise something else woke it.
        if let Some(delay) = self.start.elapsed().checked_sub(ring_at) {
            self.lead.learn(delay);
        }
    }

    /// How long it has spun with nothing else to do: time of the processor that other work could have had.
    #[must_use]
    pub fn idled(&self) -> Duration {
        self.idled
    }

    /// Takes note of one turn of the event loop while it spins.
    fn note_turn(&mut self, turn: Duration) {
        if turn < BUSY_TURN {
            self.idled += turn;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_lead_past_every_deadline() {
        let start = Instant::now();
        let mut timer = Timer::start(start, Arc::new(Notify::new())).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for deadline in [Duration::ZERO, Duration::from_micros(300), Duration::from_millis(5)] {
            // Ends only if each step does.
            runtime.block_on(async {
                while start.elapsed() < deadline {
                    timer.step_towards(Some(deadline)).await;
                }
            });
        }
    }

    #[test]
    fn a_notification_ends_a_step() {
        let wake = Arc::new(Notify::new());
        let mut timer = Timer::start(Instant::now(), Arc::clone(&wake)).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for deadline in [None, Some(Duration::from_hours(1))] {
            wake.notify_one();
            runtime.block_on(timer.step_towards(deadline));
        }
    }
}
