//! Due times of an open loop: those of a list, or a pure function of rate, pattern and seed.

use super::blocks::{Block, Blocks};
use super::ramp::RateRamp;
use crate::error::LoadError;
use crate::random::Stream;
use aiperf_model::arrival::{ArrivalPattern, RequestRate};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Exp1, Gamma};
use std::sync::Arc;

const NANOSECONDS_PER_SECOND: f64 = 1e9;

/// The due times of one phase in nanoseconds since its start, never decreasing. Clones give the same times.
#[derive(Clone, Debug)]
pub(crate) enum DueTimes {
    /// Drawn, without end.
    Drawn(Box<Process>),
    /// Given, and the position of the next one.
    Listed { due: Arc<[u64]>, next: usize },
}

impl DueTimes {
    /// The times of a rate.
    pub(crate) fn drawn(process: Process) -> Self {
        Self::Drawn(Box::new(process))
    }

    /// Times that were given; none decreases.
    pub(crate) fn listed(due: Arc<[u64]>) -> Self {
        Self::Listed { due, next: 0 }
    }
}

impl Iterator for DueTimes {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        match self {
            Self::Drawn(process) => process.next(),
            Self::Listed { due, next } => {
                let at = due.get(*next).copied()?;
                *next += 1;
                Some(at)
            }
        }
    }
}

/// The times of a rate, without end. A constant rate begins at 0, the others after their first gap.
///
/// Time runs in mean gaps and is scaled by the rate last, so the same seed gives the same arrivals at every rate, only
/// closer together: whatever differs between two rates is not the luck of their schedules.
///
/// Drawn gaps are conditioned on the rate: block by block ([`Blocks`]) so many arrivals come in exactly the time that
/// is theirs. Given their sum, independent gamma-distributed gaps of shape k, exponential ones being the case k = 1, are
/// parts of it by a Dirichlet distribution, independent of the sum itself (Lukacs 1955). So one after the other can be
/// drawn: of the time that is left to m gaps the next one takes a share that is Beta(k, k (m - 1)) distributed.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    /// The mean gap in nanoseconds.
    gap: f64,
    gaps: Gaps,
    random: ChaCha8Rng,
    /// Random numbers for what is left of a block, apart so that those of the gaps do not depend on its length.
    remainders: ChaCha8Rng,
    given: u64,
    /// In mean gaps, with their fraction: rounded gaps would change the rate.
    last: f64,
    ramp: RateRamp,
    blocks: Blocks,
    block: Block,
}

/// The law of the gaps, whose mean is 1.
#[derive(Clone, Copy, Debug)]
enum Gaps {
    Constant,
    Exponential,
    Gamma { shape: f64 },
}

/// What is known beforehand of the end of a phase.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extent {
    /// How many arrivals it has, unless its time is up before.
    pub(crate) arrivals: Option<u32>,
    /// After how many nanoseconds no arrival is wanted any more.
    pub(crate) length: Option<u64>,
}

/// Two due times that are so far apart stay apart when they are rounded.
const TELLABLE_NANOSECONDS: f64 = 2.0;

impl Process {
    /// The times for one purpose, such as a phase; each purpose has random numbers of its own.
    pub(crate) fn new(rate: RequestRate, seed: u64, purpose: &str) -> Result<Self, LoadError> {
        let gap = NANOSECONDS_PER_SECOND / rate.per_second;
        let refused = || LoadError::Rate { per_second: rate.per_second, pattern: rate.pattern };
        if !(gap.is_finite() && gap > 0.0) {
            return Err(refused());
        }
        let gaps = match rate.pattern {
            ArrivalPattern::Constant => Gaps::Constant,
            ArrivalPattern::Poisson => Gaps::Exponential,
            ArrivalPattern::Gamma { smoothness } => {
                Gamma::new(smoothness, 1.0).map_err(|_| refused())?;
                Gaps::Gamma { shape: smoothness }
            }
        };
        let stream = Stream::new(seed, purpose);
        Ok(Self {
            gap,
            gaps,
            random: stream.of_item(0),
            remainders: stream.of_item(1),
            given: 0,
            last: 0.0,
            ramp: RateRamp::default(),
            blocks: Blocks::default(),
            block: Block::default(),
        })
    }

    /// The same arrivals for a phase that ends, at a rate that grows linearly from 0 for `ramp` nanoseconds.
    pub(crate) fn within(self, ramp: u64, extent: Extent) -> Self {
        let ramp = RateRamp::new(ramp);
        let length = extent.length.map(|length| ramp.undelayed(length as f64) / self.gap);
        let blocks = Blocks::new(ramp.content() / self.gap, extent.arrivals, length);
        Self { ramp, blocks, ..self }
    }

    /// A gap, in mean gaps, given that those of its block sum up to the time of the block.
    fn drawn(&mut self, share: impl Fn(&mut Self, f64) -> f64) -> f64 {
        if self.given >= self.block.arrivals {
            self.block = self.blocks.after(self.block);
        }
        let (left, time) = (self.block.arrivals - self.given, self.block.time - self.last);
        if left == 1 {
            return time;
        }
        // Gaps within a burst can be shorter than any clock tells, and only the last arrival is at the end itself.
        let latest = (time - TELLABLE_NANOSECONDS / self.gap).max(0.0);
        (time * share(self, (left - 1) as f64)).min(latest)
    }

    /// Beta(1, others), by inversion from an exponential number: nearly that number over `others` if they are many.
    fn exponential_share(&mut self, others: f64) -> f64 {
        let drawn: f64 = Exp1.sample(&mut self.random);
        -(-drawn / others).exp_m1()
    }

    /// Beta(shape, shape · others), as the share of one gamma-distributed number in two.
    fn gamma_share(&mut self, shape: f64, others: f64) -> f64 {
        let drawn = gamma(shape, &mut self.random);
        let rest = gamma(shape * others, &mut self.remainders);
        // Both are 0 only where bursts are so extreme that no number is small enough for the gaps within them.
        if drawn + rest > 0.0 { drawn / (drawn + rest) } else { 0.0 }
    }
}

fn gamma(shape: f64, random: &mut ChaCha8Rng) -> f64 {
    Gamma::new(shape, 1.0).map_or(0.0, |law| law.sample(random))
}

impl Iterator for Process {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.last = match self.gaps {
            // Not the sum of the gaps, which would gather their rounding errors.
            Gaps::Constant => self.given as f64,
            Gaps::Exponential => self.last + self.drawn(Self::exponential_share),
            Gaps::Gamma { shape } => {
                self.last + self.drawn(|process, others| process.gamma_share(shape, others))
            }
        };
        self.given += 1;
        Some(self.ramp.delayed(self.gap * self.last).round() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ARRIVALS: usize = 20_000;

    fn due_times(per_second: f64, pattern: ArrivalPattern, seed: u64) -> Process {
        Process::new(RequestRate { per_second, pattern }, seed, "test").unwrap()
    }

    /// Mean in seconds, and coefficient of variation, of the gaps between so many due times.
    fn gaps(due: Process) -> (f64, f64) {
        let due: Vec<f64> = due.take(ARRIVALS).map(|at| at as f64 / 1e9).collect();
        let gaps: Vec<f64> = due.iter().zip(&due[1..]).map(|(before, after)| after - before).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        (mean, variance.sqrt() / mean)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]

        /// The bounds are five standard errors for n gaps: cv / √n of the mean, and of the coefficient of variation
        /// 1 / √n for exponential gaps (variance of the estimator over many seeds; smaller for even gaps, larger for
        /// bursts, whose fourth moment grows with 1 / smoothness).
        #[test]
        fn rate_and_variation_are_those_of_the_law(
            seed: u64,
            per_second in 0.1..100_000.0_f64,
            smoothness in 0.5..20.0_f64,
        ) {
            let tolerance = 5.0 / (ARRIVALS as f64).sqrt();
            for (pattern, cv) in [
                (ArrivalPattern::Poisson, 1.0),
                (ArrivalPattern::Gamma { smoothness }, 1.0 / smoothness.sqrt()),
            ] {
                let (mean, found) = gaps(due_times(per_second, pattern, seed));
                prop_assert!((mean * per_second - 1.0).abs() < tolerance * cv, "{pattern}: mean {mean}");
                prop_assert!((found - cv).abs() < tolerance * cv.max(1.0) * cv, "{pattern}: {found} for {cv}");
            }
            let (mean, found) = gaps(due_times(per_second, ArrivalPattern::Constant, seed));
            prop_assert!((mean * per_second - 1.0).abs() < 1e-6, "constant: mean {mean}");
            // Due times are whole nanoseconds.
            prop_assert!(found < 1e-9 * per_second + 1e-9, "constant: {found}");
        }

        #[test]
        fn due_times_never_decrease_and_follow_from_the_seed(seed: u64, smoothness in 0.01..100.0_f64) {
            for pattern in [ArrivalPattern::Poisson, ArrivalPattern::Constant, ArrivalPattern::Gamma { smoothness }] {
                let due: Vec<u64> = due_times(1e6, pattern, seed).take(1000).collect();
                prop_assert!(due.is_sorted());
                prop_assert_eq!(&due, &due_times(1e6, pattern, seed).take(1000).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn a_gamma_of_smoothness_one_varies_like_poisson() {
        let (_, cv) = gaps(due_times(500.0, ArrivalPattern::Gamma { smoothness: 1.0 }, 1));
        assert!((cv - 1.0).abs() < 0.035, "{cv}");
    }

    #[test]
    fn a_ramp_has_half_of_the_arrivals_and_the_same_law() {
        const RAMP: u64 = 20_000_000_000;
        for pattern in [ArrivalPattern::Constant, ArrivalPattern::Poisson] {
            let due: Vec<u64> =
                due_times(500.0, pattern, 7).within(RAMP, Extent::default()).take(ARRIVALS).collect();
            assert!(due.is_sorted());
            let within = |end: u64| due.iter().filter(|due| **due < end).count() as f64;
            // 5,000 in the ramp and a quarter of them in its first half; five standard deviations of Poisson counts.
            assert!((within(RAMP) - 5000.0).abs() < 5.0 * 5000.0_f64.sqrt(), "{}", within(RAMP));
            assert!((within(RAMP / 2) - 1250.0).abs() < 5.0 * 1250.0_f64.sqrt(), "{}", within(RAMP / 2));
            let after = within(RAMP + 10_000_000_000) - within(RAMP);
            assert!((after - 5000.0).abs() < 5.0 * 5000.0_f64.sqrt(), "{after}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_arrivals_at_every_rate() {
        for pattern in [ArrivalPattern::Poisson, ArrivalPattern::Gamma { smoothness: 0.5 }] {
            let at = |per_second| due_times(per_second, pattern, 3).take(1000).collect::<Vec<u64>>();
            let scaled = at(50.0).into_iter().zip(at(100.0)).all(|(slow, fast)| slow.abs_diff(2 * fast) <= 1);
            assert!(scaled, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn arrivals_whose_number_is_known_have_exactly_the_rate(
            seed: u64,
            number in 1..2000_u32,
            smoothness in 0.05..20.0_f64,
            ramp in 0..2_000_000_000_u64,
        ) {
            for pattern in [ArrivalPattern::Poisson, ArrivalPattern::Gamma { smoothness }] {
                let extent = |arrivals, length| Extent { arrivals, length };
                let process = |extent| due_times(100.0, pattern, seed).within(ramp, extent);
                let last = process(extent(Some(number), None)).nth(number as usize - 1).unwrap();
                let expected = RateRamp::new(ramp).delayed(f64::from(number) * 1e7);
                prop_assert!((last as f64 - expected).abs() <= 1.0, "{pattern}: {last} for {expected}");
                // So many as belong into the time are in it, whatever the ramp took.
                let length = expected.ceil() as u64 + 1;
                let within = process(extent(None, Some(length))).take_while(|due| *due < length).count();
                prop_assert_eq!(within, number as usize, "{}", pattern);
                let both = process(extent(Some(number + 5000), Some(length)));
                prop_assert_eq!(both.take_while(|due| *due < length).count(), number as usize);
            }
        }
    }

    #[test]
    fn where_no_end_is_known_the_first_hundreds_have_the_rate() {
        for pattern in [ArrivalPattern::Poisson, ArrivalPattern::Gamma { smoothness: 2.0 }] {
            let due: Vec<u64> = due_times(100.0, pattern, 42).take(1600).collect();
            assert_eq!(
                [399, 799, 1599].map(|last| due[last]),
                [4_000_000_000, 8_000_000_000, 16_000_000_000]
            );
        }
    }

    #[test]
    fn a_constant_rate_does_not_drift() {
        let due = due_times(3.0, ArrivalPattern::Constant, 0).nth(3_000_000);
        assert_eq!(due, Some(1_000_000_000_000_000));
    }

    #[test]
    fn seeds_and_purposes_differ() {
        let first = |seed, purpose| {
            let rate = RequestRate { per_second: 10.0, pattern: ArrivalPattern::Poisson };
            Process::new(rate, seed, purpose).unwrap().next()
        };
        assert_ne!(first(1, "a"), first(2, "a"));
        assert_ne!(first(1, "a"), first(1, "b"));
    }

    #[test]
    fn what_is_no_process_is_refused() {
        let refused = |per_second, pattern| {
            Process::new(RequestRate { per_second, pattern }, 0, "test").unwrap_err().to_string()
        };
        assert_eq!(
            refused(0.0, ArrivalPattern::Poisson),
            "0 requests per second (poisson) are no arrivals; write a rate and a smoothness above 0"
        );
        for (per_second, smoothness) in
            [(-1.0, 1.0), (f64::NAN, 1.0), (1.0, 0.0), (1.0, -1.0), (1.0, f64::NAN)]
        {
            refused(per_second, ArrivalPattern::Gamma { smoothness });
        }
    }
}
