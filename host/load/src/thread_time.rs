//! How busy a thread was: what it ran and what it waited for a core, of the time that passed.

use aiperf_model::client::WorkerShare;
use std::time::{Duration, Instant};

/// A moment on the clocks of this thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ThreadTime {
    wall: Instant,
    /// None where the system does not tell.
    scheduler: Option<Scheduler>,
}

/// What the scheduler counts of a thread, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Scheduler {
    ran: u64,
    /// Ready to run, but other threads had the cores.
    waited: u64,
}

impl ThreadTime {
    /// The time now, on the thread that asks.
    pub(crate) fn now() -> Self {
        Self { wall: Instant::now(), scheduler: scheduler() }
    }

    /// The share of the time since then in which this thread, which must be the same one, worked or waited for a core;
    /// `idled` of what it ran was no work.
    pub(crate) fn share_since(self, idled: Duration) -> WorkerShare {
        let now = Self::now();
        let wall = now.wall.duration_since(self.wall).as_nanos() as f64;
        let Some((before, after)) = self.scheduler.zip(now.scheduler).filter(|_| wall > 0.0) else {
            return WorkerShare::default();
        };
        let percent = |nanoseconds: u64| 100.0 * nanoseconds as f64 / wall;
        let worked = after.ran.saturating_sub(before.ran).saturating_sub(idled.as_nanos() as u64);
        WorkerShare {
            working_percent: Some(percent(worked)),
            waiting_percent: Some(percent(after.waited.saturating_sub(before.waited))),
        }
    }
}

/// How long this thread, which could have run, waited for a core, in nanoseconds; none where the system does not tell.
pub(crate) fn waited() -> Option<u64> {
    scheduler().map(|scheduler| scheduler.waited)
}

/// Linux keeps these for each thread; elsewhere they are unknown.
fn scheduler() -> Option<Scheduler> {
    parse(&std::fs::read_to_string("/proc/thread-self/schedstat").ok()?)
}

fn parse(text: &str) -> Option<Scheduler> {
    let mut numbers = text.split_whitespace().map(str::parse);
    Some(Scheduler { ran: numbers.next()?.ok()?, waited: numbers.next()?.ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_s_line_is_understood() {
        assert_eq!(
            parse("190625938 43793774 40\n"),
            Some(Scheduler { ran: 190_625_938, waited: 43_793_774 })
        );
        assert_eq!(parse("many few\n"), None);
        assert_eq!(parse(""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_thread_that_spins_is_busy_unless_it_only_idles() {
        let spin = || {
            let begun = ThreadTime::now();
            while begun.wall.elapsed() < Duration::from_millis(50) {
                std::hint::spin_loop();
            }
            begun
        };
        let busy = |share: WorkerShare| share.working_percent.unwrap() + share.waiting_percent.unwrap();
        let share = spin().share_since(Duration::ZERO);
        assert!(busy(share) > 50.0, "{share:?}");
        assert_eq!(spin().share_since(Duration::from_hours(1)).working_percent, Some(0.0));
    }
}
