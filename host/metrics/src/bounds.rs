//! How far a percentile of a run can be trusted: bounds from order statistics.
//!
//! Of `n` independent values, as many as a binomial distribution says lie below the true quantile. So two of the
//! sorted values enclose it with a known probability, whatever the distribution (David and Nagaraja, *Order
//! Statistics*, 3rd ed. 2003, section 7.1). Where too few values lie beyond a percentile no value is such a bound: it is
//! open, and the percentile is little more than the largest value that happened to come.
//!
//! Requests depend on each other, so that the order statistics are those of as many values as are as good as
//! independent, which [`within_run`](crate::within_run) estimates; and since it only estimates them, the bounds are wider by
//! as much as Student's t is wider than the normal distribution.

use crate::within_run::widening;
use aiperf_columns::Sorted;
use aiperf_model::metrics::{Bounds, PercentileBounds};
use statrs::function::factorial::ln_binomial;

/// The probability with which the bounds of a percentile enclose it.
pub const LEVEL: f64 = 0.95;

/// As how many independent values those of a run are, for each percentile that has bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effective {
    /// For the median.
    pub p50: f64,
    /// For the 90th percentile.
    pub p90: f64,
    /// For the 95th percentile.
    pub p95: f64,
    /// For the 99th percentile and beyond.
    pub p99: f64,
}

/// The bounds of all percentiles that have some.
#[must_use]
pub fn bounds(sorted: &Sorted<f64>, effective: Effective) -> PercentileBounds {
    PercentileBounds {
        level: LEVEL,
        p50: bounds_at(sorted, 0.5, effective.p50),
        p90: bounds_at(sorted, 0.9, effective.p90),
        p95: bounds_at(sorted, 0.95, effective.p95),
        p99: bounds_at(sorted, 0.99, effective.p99),
        p999: bounds_at(sorted, 0.999, effective.p99),
    }
}

/// The fewest values from which both bounds of a quantile between 0 and 1 exist: 36 for 0.9, 72 for 0.95, 368 for 0.99.
///
/// ```
/// # use aiperf_metrics::bounds::needed;
/// assert_eq!([0.5, 0.9, 0.95, 0.99, 0.999].map(needed), [6, 36, 72, 368, 3688]);
/// ```
#[must_use]
pub fn needed(quantile: f64) -> u64 {
    // A bound above exists once the largest value is one, which it fails to be with probability qⁿ.
    let rarer = quantile.max(1.0 - quantile);
    (tail().ln() / rarer.ln()).ceil() as u64
}

fn bounds_at(sorted: &Sorted<f64>, quantile: f64, effective: f64) -> Bounds {
    let n = sorted.len();
    let at = |rank: u64| sorted.get(rank.checked_sub(1)?);
    let low = rank_of(n, quantile, effective).and_then(at);
    // Counted from above, the upper bound is the lower one of the mirrored quantile.
    let high = rank_of(n, 1.0 - quantile, effective).and_then(|rank| at(n + 1 - rank));
    Bounds::new(low, high, effective.min(n as f64))
}

/// The rank, from 1, of the lower bound among `n` values that say as much as so many independent ones.
fn rank_of(n: u64, quantile: f64, effective: f64) -> Option<u64> {
    let independent = (effective as u64).min(n);
    let rank = lower_rank(independent, quantile)?;
    if independent == n {
        return Some(rank);
    }
    let share = quantile - (quantile - rank as f64 / independent as f64) * widening();
    Some((share * n as f64).floor() as u64).filter(|rank| *rank > 0 && share > 0.0)
}

/// The largest rank l, from 1, with P(Bin(n, quantile) < l) ≤ (1 - level) / 2, or none if already the first value
/// may well lie above the quantile.
fn lower_rank(n: u64, quantile: f64) -> Option<u64> {
    let (mean, odds) = (n as f64 * quantile, quantile / (1.0 - quantile));
    // What lies this far below the mean has no weight that counts; the sum begins there, so that it is short.
    let far_below = mean - 10.0 * (mean * (1.0 - quantile)).sqrt() - 10.0;
    let mut rank = far_below.max(0.0) as u64;
    let log_weight =
        ln_binomial(n, rank) + rank as f64 * quantile.ln() + (n - rank) as f64 * (-quantile).ln_1p();
    let (mut weight, mut below) = (log_weight.exp(), 0.0);
    while rank < n && below + weight <= tail() {
        below += weight;
        weight *= (n - rank) as f64 / (rank + 1) as f64 * odds;
        rank += 1;
    }
    (rank > 0).then_some(rank)
}

/// What may lie outside on each side.
fn tail() -> f64 {
    (1.0 - LEVEL) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use statrs::distribution::{Binomial, DiscreteCDF};

    fn ranks(n: u64, quantile: f64) -> (Option<u64>, Option<u64>) {
        (lower_rank(n, quantile), lower_rank(n, 1.0 - quantile).map(|rank| n + 1 - rank))
    }

    fn independent(count: f64) -> Effective {
        Effective { p50: count, p90: count, p95: count, p99: count }
    }

    #[test]
    fn dependent_values_have_wider_bounds() {
        let sorted: Sorted<f64> = (1..=1000).map(f64::from).collect::<Vec<_>>().into();
        let of = |effective| bounds(&sorted, independent(effective));
        let (all, tenth) = (of(1000.0).p50, of(100.0).p50);
        assert_eq!((all.low, all.high), (Some(469.0), Some(532.0)));
        // The 40th of 100, a tenth of 1000 below the median, and 15 % more.
        assert_eq!((tenth.low, tenth.high), (Some(384.0), Some(617.0)));
        assert!(of(1000.0).p99.high.is_some() && of(300.0).p99.open);
    }

    #[test]
    fn the_fewest_values_for_bounds_are_those_of_the_documentation() {
        for (quantile, fewest) in [(0.5, 6), (0.9, 36), (0.95, 72), (0.99, 368), (0.999, 3688)] {
            assert_eq!(needed(quantile), fewest);
            assert_eq!(ranks(fewest - 1, quantile).1, None, "{quantile}");
            assert_eq!(ranks(fewest, quantile).1, Some(fewest), "{quantile}");
        }
    }

    #[test]
    fn ranks_are_those_of_the_tables() {
        // Computed apart, from sums of binomial weights.
        let table = [
            (10, 0.5, Some(2), Some(9)),
            (100, 0.5, Some(40), Some(61)),
            (100, 0.9, Some(84), Some(96)),
            (368, 0.99, Some(360), Some(368)),
            (1000, 0.99, Some(983), Some(997)),
            (1_000_000, 0.999, Some(998_938), Some(999_062)),
            (1_000_000, 0.5, Some(499_020), Some(500_981)),
            (1, 0.5, None, None),
            (0, 0.5, None, None),
        ];
        for (n, quantile, low, high) in table {
            assert_eq!(ranks(n, quantile), (low, high), "{n} values, quantile {quantile}");
        }
    }

    #[test]
    fn an_open_bound_is_marked_and_has_no_value() {
        let sorted = (1..=100).map(f64::from).collect::<Vec<_>>().into();
        let bounds = bounds(&sorted, independent(100.0));
        assert_eq!(bounds.p50, Bounds { low: Some(40.0), high: Some(61.0), open: false, effective: 100.0 });
        assert_eq!(bounds.p99, Bounds { low: Some(97.0), high: None, open: true, effective: 100.0 });
    }

    proptest! {
        #[test]
        fn ranks_agree_with_their_definition(n in 1_u64..2000, per_mille in 1_u64..1000) {
            let quantile = per_mille as f64 / 1000.0;
            let binomial = Binomial::new(quantile, n).unwrap();
            let below = |rank: u64| rank.checked_sub(1).map_or(0.0, |last| binomial.cdf(last));
            let (low, high) = ranks(n, quantile);
            let slack = 1e-9;
            if let Some(low) = low {
                prop_assert!(below(low) <= tail() + slack);
            }
            prop_assert!(below(low.unwrap_or(0) + 1) >= tail() - slack);
            if let Some(high) = high {
                prop_assert!(1.0 - below(high) <= tail() + slack);
                prop_assert!(1.0 - below(high - 1) >= tail() - slack);
            } else {
                prop_assert!(1.0 - below(n) >= tail() - slack);
            }
        }
    }
}
