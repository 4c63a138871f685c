//! How long runs take, from those that were made.

use std::time::Duration;

/// The time that the runs of each value took, without the pauses before them.
#[derive(Clone, Debug, Default)]
pub struct DurationEstimator {
    /// By the positions of the values in the plan.
    values: Vec<Taken>,
    /// Of all values together.
    all: Taken,
}

#[derive(Clone, Copy, Debug, Default)]
struct Taken {
    runs: u32,
    time: Duration,
}

impl DurationEstimator {
    /// Notes a run of a value.
    pub(crate) fn note(&mut self, value: u32, time: Duration) {
        let index = value as usize;
        if self.values.len() <= index {
            self.values.resize(index + 1, Taken::default());
        }
        for taken in self.values.get_mut(index).into_iter().chain([&mut self.all]) {
            taken.runs += 1;
            taken.time += time;
        }
    }

    /// How long a run takes on average; none before the first one.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        self.all.mean()
    }

    /// How long another run of the value takes: as the mean of its runs, or of all runs if it has none. None before the
    /// first run.
    #[must_use]
    pub fn expected(&self, value: u32) -> Option<Duration> {
        self.values.get(value as usize).and_then(Taken::mean).or_else(|| self.mean())
    }
}

impl Taken {
    fn mean(&self) -> Option<Duration> {
        self.time.checked_div(self.runs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_takes_as_long_as_its_runs_and_else_as_long_as_all() {
        let seconds = Duration::from_secs;
        let mut durations = DurationEstimator::default();
        assert_eq!(durations.expected(0), None);
        durations.note(0, seconds(10));
        durations.note(0, seconds(20));
        durations.note(1, seconds(3));
        assert_eq!(durations.expected(0), Some(seconds(15)));
        assert_eq!(durations.expected(1), Some(seconds(3)));
        assert_eq!(durations.expected(2), Some(seconds(11)));
    }
}
