//! When this process stood still: stopped by a signal, frozen by its container, or asleep with its machine.
//!
//! Nothing of it ran then, so what came meanwhile was read late, which says nothing of how well the client keeps up.

use crate::clock::{Clock, nanoseconds};
use crate::thread_time;
use std::time::Duration;

/// From so long on a thread that wanted to run, and waited for no core, was not let run.
pub(crate) const SHORTEST: u64 = 500_000_000;

/// How often the time is looked up that a thread waited for a core.
const LOOK_UP_INTERVAL: u64 = 100_000_000;

/// The times, in order, in which a process stood still.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standstills {
    spans: Vec<(u64, u64)>,
}

impl Standstills {
    /// Takes down that a thread was to run at `due` and ran at `now` only. For `waited` nanoseconds of that other threads
    /// and programs had the cores, which is no standstill.
    pub(crate) fn note(&mut self, due: u64, now: u64, waited: u64) {
        let from = due.saturating_add(waited);
        if now.saturating_sub(from) >= SHORTEST {
            self.spans.push((from, now));
        }
    }

    /// How much of the time from `from` to `to` they take, in nanoseconds.
    pub(crate) fn within(&self, from: u64, to: u64) -> u64 {
        let overlap = |&(begin, end): &(u64, u64)| end.min(to).saturating_sub(begin.max(from));
        self.spans.iter().map(overlap).sum()
    }

    /// All of them together, in nanoseconds.
    pub(crate) fn total(&self) -> u64 {
        self.within(0, u64::MAX)
    }
}

/// Finds standstills, on a thread that is to run every few milliseconds.
#[derive(Debug)]
pub(crate) struct Watch {
    found: Standstills,
    waited: u64,
    next_look_up: u64,
}

impl Watch {
    pub(crate) fn begin(now: u64) -> Self {
        let waited = thread_time::waited().unwrap_or_default();
        Self { found: Standstills::default(), waited, next_look_up: now + LOOK_UP_INTERVAL }
    }

    /// The thread, which was to run at `due`, runs.
    pub(crate) fn runs(&mut self, due: u64, now: u64) {
        if now < self.next_look_up {
            return;
        }
        self.next_look_up = now + LOOK_UP_INTERVAL;
        let waited = thread_time::waited().unwrap_or_default();
        self.found.note(due, now, waited.saturating_sub(self.waited));
        self.waited = waited;
    }

    pub(crate) fn end(self) -> Standstills {
        self.found
    }
}

/// A moment, by which to tell later for how long the machine has slept since. The clock of a run stands still meanwhile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AwakeSince {
    at: u64,
    uptime: Option<Duration>,
}

impl AwakeSince {
    pub(crate) fn now(clock: Clock) -> Self {
        Self { at: clock.now(), uptime: uptime() }
    }

    /// For how long the machine has slept, in nanoseconds; 0 where the system does not tell.
    pub(crate) fn slept(self, clock: Clock) -> u64 {
        let now = Self::now(clock);
        let Some((before, after)) = self.uptime.zip(now.uptime) else { return 0 };
        slept(nanoseconds(after.saturating_sub(before)), now.at.saturating_sub(self.at))
    }
}

fn slept(up: u64, awake: u64) -> u64 {
    Some(up.saturating_sub(awake)).filter(|slept| *slept >= SHORTEST).unwrap_or_default()
}

/// For how long the machine is up, sleep included, to the hundredth of a second. Linux says so in a file; elsewhere it is
/// unknown.
fn uptime() -> Option<Duration> {
    parse(&std::fs::read_to_string("/proc/uptime").ok()?)
}

fn parse(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.split_whitespace().next()?.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn a_standstill_is_what_no_other_program_explains() {
        let noted = |late: u64, waited: u64| {
            let mut standstills = Standstills::default();
            standstills.note(SECOND, SECOND + late, waited);
            standstills.total()
        };
        assert_eq!(noted(5 * SECOND, 0), 5 * SECOND);
        assert_eq!(noted(5 * SECOND, SECOND), 4 * SECOND);
        assert_eq!(noted(5 * SECOND, 5 * SECOND), 0);
        assert_eq!(noted(SHORTEST - 1, 0), 0);
    }

    #[test]
    fn a_time_is_told_from_the_standstills_in_it() {
        let mut standstills = Standstills::default();
        standstills.note(SECOND, 3 * SECOND, 0);
        standstills.note(5 * SECOND, 6 * SECOND, 0);
        assert_eq!(standstills.within(0, SECOND), 0);
        assert_eq!(standstills.within(2 * SECOND, 4 * SECOND), SECOND);
        assert_eq!(standstills.within(0, 10 * SECOND), 3 * SECOND);
    }

    #[test]
    fn a_machine_that_is_up_for_longer_than_it_was_awake_has_slept() {
        assert_eq!(slept(3600 * SECOND, 60 * SECOND), 3540 * SECOND);
        // The file counts hundredths.
        assert_eq!(slept(60 * SECOND + 10_000_000, 60 * SECOND), 0);
        assert_eq!(slept(60 * SECOND - 10_000_000, 60 * SECOND), 0);
        assert_eq!(parse("8345.27 16234.11\n"), Some(Duration::from_millis(8_345_270)));
        assert_eq!(parse("long\n"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn nobody_slept_in_this_test() {
        let clock = Clock::start();
        let since = AwakeSince::now(clock);
        assert!(since.uptime.is_some());
        assert_eq!(since.slept(clock), 0);
    }
}
