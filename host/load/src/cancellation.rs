//! Users who leave before their answer is there.

use crate::random::Stream;
use aiperf_model::record::Phase;
use rand_chacha::rand_core::Rng as _;
use std::time::Duration;

/// Which requests are cancelled on purpose, and when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cancellation {
    /// The share of the requests, from 0 to 1, each drawn by itself.
    pub share: f64,
    /// How long after its send a request is cancelled, to the millisecond.
    pub delay: Duration,
}

/// Draws who is impatient.
#[derive(Debug)]
pub(crate) struct CancellationDelay {
    stream: Stream,
    cancellation: Cancellation,
}

impl CancellationDelay {
    pub(crate) fn new(seed: u64, cancellation: Cancellation) -> Self {
        Self { stream: Stream::new(seed, "cancellations"), cancellation }
    }

    /// How long impatient users wait.
    pub(crate) fn delay(&self) -> Duration {
        self.cancellation.delay
    }

    /// How long the user waits for the answer to a turn of a request; none for as long as it takes.
    pub(crate) fn of(&self, phase: Phase, request: u32, turn: u32) -> Option<Duration> {
        let item = u64::from(turn) << 32 | u64::from(request);
        let drawn = f64::from(self.stream.of_item(item).next_u32()) / 2_f64.powi(32);
        let Cancellation { share, delay } = self.cancellation;
        (phase != Phase::Warmup && drawn < share).then_some(delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn impatient(share: f64, seed: u64) -> Vec<u32> {
        let delays = CancellationDelay::new(seed, Cancellation { share, delay: Duration::ZERO });
        (0..10_000).filter(|request| delays.of(Phase::Profiling, *request, 0).is_some()).collect()
    }

    #[test]
    fn the_share_is_the_one_asked_for_and_follows_from_the_seed() {
        assert_eq!((impatient(0.0, 42).len(), impatient(1.0, 42).len()), (0, 10_000));
        // Four standard deviations of a binomial count.
        let count = impatient(0.2, 42).len() as f64;
        assert!((count - 2000.0).abs() < 4.0 * (10_000.0_f64 * 0.2 * 0.8).sqrt(), "{count}");
        assert_eq!(impatient(0.2, 42), impatient(0.2, 42));
        assert_ne!(impatient(0.2, 42), impatient(0.2, 43));
    }

    #[test]
    fn each_turn_is_drawn_by_itself_and_a_warm_up_is_waited_for() {
        let delays = CancellationDelay::new(42, Cancellation { share: 0.5, delay: Duration::from_secs(1) });
        let turns: Vec<_> = (0..100).map(|turn| delays.of(Phase::Profiling, 0, turn)).collect();
        assert!(turns.contains(&None) && turns.contains(&Some(Duration::from_secs(1))));
        assert!((0..100).all(|request| delays.of(Phase::Warmup, request, 0).is_none()));
    }
}
