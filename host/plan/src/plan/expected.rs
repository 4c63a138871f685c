//! How long runs take, as far as the plan knows.

use crate::config::RunSettings;
use std::ops::AddAssign;
use std::time::Duration;

/// A time of which a plan knows a lower bound, and an upper one where the server cannot stretch it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// It takes at least so long.
    pub least: Duration,
    /// And at most so long, but for requests in flight at the end; none if the server decides.
    pub most: Option<Duration>,
}

impl Expected {
    /// Nothing, so far.
    pub const ZERO: Self = Self { least: Duration::ZERO, most: Some(Duration::ZERO) };

    /// A time that is known.
    #[must_use]
    pub fn exactly(time: Duration) -> Self {
        Self { least: time, most: Some(time) }
    }

    /// How long a run with these settings sends, without its warm-up. A duration ends it, and so does a number of requests:
    /// at a rate these take as long as their schedule, in a closed loop as long as the server takes to answer. `replayed`
    /// is the length of a trace that is sent at its timestamps.
    #[must_use]
    pub fn of_run(settings: &RunSettings, replayed: Option<Duration>) -> Self {
        let at_a_rate = settings.requests.zip(settings.request_rate).and_then(|(requests, rate)| {
            Duration::try_from_secs_f64(f64::from(requests) / rate.per_second).ok()
        });
        let has_count =
            settings.requests.is_some() || settings.conversations.is_some() || settings.precision.is_some();
        match (settings.duration, replayed.or(at_a_rate)) {
            (Some(duration), Some(schedule)) => Self::exactly(schedule.min(duration)),
            (Some(duration), None) if has_count => Self { least: Duration::ZERO, most: Some(duration) },
            (Some(duration), None) => Self::exactly(duration),
            (None, Some(schedule)) => Self::exactly(schedule),
            (None, None) => Self { least: Duration::ZERO, most: None },
        }
    }
}

impl AddAssign for Expected {
    fn add_assign(&mut self, other: Self) {
        self.least += other.least;
        self.most = self.most.zip(other.most).map(|(most, other)| most + other);
    }
}
