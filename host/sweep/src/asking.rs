//! How long plugins are asked what the trials leave open. That takes hundreds of calls, and a plugin may be slow.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// The share of the time for all trials that may go into asking before the next run is chosen.
const SHARE: u32 = 4;

/// Asks for as long as there is time; plugins that were too slow once are not asked again.
#[derive(Debug)]
pub(crate) struct Asking {
    time: Duration,
    are_too_slow: Cell<bool>,
}

impl Asking {
    /// For a benchmark that has so much time for all its trials.
    pub(crate) fn within(budget: Duration) -> Self {
        Self { time: budget / SHARE, are_too_slow: Cell::new(false) }
    }

    /// For an analysis that takes as long as it takes.
    pub(crate) fn without_limit() -> Self {
        Self { time: Duration::MAX, are_too_slow: Cell::new(false) }
    }

    /// The answer to a question that is given whether to go on; none if the plugins are too slow for it.
    pub(crate) fn ask<T>(&self, question: impl FnOnce(&dyn Fn() -> bool) -> Option<T>) -> Option<T> {
        if self.are_too_slow.get() {
            return None;
        }
        let start = Instant::now();
        let answer = question(&|| start.elapsed() < self.time);
        self.are_too_slow.set(answer.is_none());
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(asking: &Asking) -> Option<()> {
        asking.ask(|goes_on| goes_on().then_some(()))
    }

    #[test]
    fn who_was_too_slow_is_not_asked_again() {
        let asking = Asking::within(Duration::ZERO);
        assert_eq!(ask(&asking), None);
        assert_eq!(asking.ask(|_| -> Option<()> { unreachable!("asked again") }), None);
        let asking = Asking::without_limit();
        assert_eq!([ask(&asking), ask(&asking)], [Some(()); 2]);
    }
}
