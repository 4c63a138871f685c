//! How long runs take, from those that were made.

use std::collections::BTreeMap;
use std::time::Duration;

/// The time that the runs of each value took, without the pauses before them.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    values: BTreeMap<u32, Taken>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Taken {
    runs: u32,
    time: Duration,
}

impl Pace {
    /// Notes a run of a value.
    pub(crate) fn note(&mut self, value: u32, time: Duration) {
        let taken = self.values.entry(value).or_default();
        taken.runs += 1;
        taken.time += time;
    }

    /// How long another run of the value takes: as the mean of its runs, or of all runs if it has none. None before the
    /// first run.
    #[must_use]
    pub fn expected(&self, value: u32) -> Option<Duration> {
        let of_value = self.values.get(&value).copied();
        let of_all = || {
            self.values
                .values()
                .copied()
                .reduce(|all, one| Taken { runs: all.runs + one.runs, time: all.time + one.time })
        };
        of_value.or_else(of_all).map(|taken| taken.time / taken.runs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_takes_as_long_as_its_runs_and_else_as_long_as_all() {
        let seconds = Duration::from_secs;
        let mut pace = Pace::default();
        assert_eq!(pace.expected(0), None);
        pace.note(0, seconds(10));
        pace.note(0, seconds(20));
        pace.note(1, seconds(3));
        assert_eq!(pace.expected(0), Some(seconds(15)));
        assert_eq!(pace.expected(1), Some(seconds(3)));
        assert_eq!(pace.expected(2), Some(seconds(11)));
    }
}
