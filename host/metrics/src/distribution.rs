//! The distribution of a metric over the requests of a run.
//!
//! Percentiles are exact: the values are kept, on the disk where they are many, and sorted, not sketched or binned.

use crate::bounds::{Effective, bounds};
use crate::statistics::moments;
use aiperf_columns::Sorted;
use aiperf_model::metrics::Distribution;

/// The distribution of these values, which say as much of some percentiles as so many independent ones.
///
/// None if there are no values or one is not finite.
#[must_use]
pub fn distribution(sorted: &Sorted<f64>, effective: Effective) -> Option<Distribution> {
    // The values are in order, so that the bytes of a sum do not depend on the order of arrival.
    let moments = moments(|| sorted.iter())?;
    let at = |percent| percentile(sorted, percent);
    Some(Distribution {
        avg: moments.mean,
        p1: at(1)?,
        p5: at(5)?,
        p10: at(10)?,
        p25: at(25)?,
        p50: at(50)?,
        p75: at(75)?,
        p90: at(90)?,
        p95: at(95)?,
        p99: at(99)?,
        min: sorted.first()?,
        max: sorted.last()?,
        std: moments.population_std_dev(),
        count: moments.count,
        sum: moments.sum,
        bounds: bounds(sorted, effective),
    })
}

/// A percentile: the order statistic at the position `percent / 100 · (n - 1)`, counted from 0, or the straight line
/// between the two around it (definition 7 of Hyndman and Fan 1996, the default of numpy).
///
/// None if there are no values or `percent` is above 100.
///
/// ```
/// # use aiperf_metrics::distribution::percentile;
/// let sorted = vec![30.0, 10.0, 40.0, 20.0].into();
/// assert_eq!(percentile(&sorted, 50), Some(25.0));
/// assert_eq!(percentile(&sorted, 90), Some(37.0));
/// ```
#[must_use]
pub fn percentile(sorted: &Sorted<f64>, percent: u64) -> Option<f64> {
    let last = sorted.len().checked_sub(1).filter(|_| percent <= 100)?;
    // In integers the position is exact: 0.07 · 100 would already lie beside 7.
    let hundredths = last.checked_mul(percent)?;
    let (below, fraction) = (hundredths / 100, (hundredths % 100) as f64 / 100.0);
    let low = sorted.get(below)?;
    let high = sorted.get((below + 1).min(last))?;
    Some((low + (high - low) * fraction).clamp(low, high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn distribution(sorted: &Sorted<f64>) -> Option<Distribution> {
        super::distribution(sorted, Effective { p50: 1e9, p90: 1e9, p95: 1e9, p99: 1e9 })
    }

    #[test]
    fn a_known_distribution() {
        let values: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        let distribution = distribution(&values.into()).unwrap();
        assert_eq!(distribution.avg, 50.0);
        assert_eq!((distribution.p1, distribution.p5, distribution.p10), (1.0, 5.0, 10.0));
        assert_eq!((distribution.p25, distribution.p50, distribution.p75), (25.0, 50.0, 75.0));
        assert_eq!((distribution.p90, distribution.p95, distribution.p99), (90.0, 95.0, 99.0));
        assert_eq!((distribution.min, distribution.max), (0.0, 100.0));
        assert_eq!((distribution.count, distribution.sum), (101, 5050.0));
        assert_eq!(distribution.std, 850.0_f64.sqrt());
    }

    #[test]
    fn percentiles_between_order_statistics() {
        // Worked out by hand from the definition.
        let table = [
            (vec![15.0, 20.0, 35.0, 40.0, 50.0], 40, 29.0),
            (vec![1.0, 2.0], 99, 1.99),
            (vec![1.0, 2.0, 3.0, 4.0], 25, 1.75),
            (vec![7.0], 99, 7.0),
            (vec![1.0, 3.0], 0, 1.0),
            (vec![1.0, 3.0], 100, 3.0),
        ];
        for (values, percent, expected) in table {
            let sorted = values.clone().into();
            assert_eq!(percentile(&sorted, percent), Some(expected), "p{percent} of {values:?}");
        }
    }

    #[test]
    fn nothing_has_no_distribution() {
        assert_eq!(distribution(&Vec::new().into()), None);
        assert_eq!(percentile(&Vec::new().into(), 50), None);
        assert_eq!(percentile(&vec![1.0, 2.0].into(), 101), None);
    }

    #[test]
    fn what_is_not_finite_has_no_distribution() {
        assert_eq!(distribution(&vec![1.0, f64::NAN].into()), None);
        assert_eq!(distribution(&vec![f64::NEG_INFINITY, 1.0].into()), None);
    }

    #[test]
    fn one_value_is_its_own_distribution() {
        let distribution = distribution(&vec![3.5].into()).unwrap();
        assert_eq!((distribution.avg, distribution.p1, distribution.p99), (3.5, 3.5, 3.5));
        assert_eq!((distribution.min, distribution.max, distribution.std), (3.5, 3.5, 0.0));
    }

    /// The percentile as its definition reads, in floating point and on unsorted values.
    fn naive_percentile(values: &[f64], percent: usize) -> f64 {
        let mut sorted = values.to_vec();
        sorted.sort_by(|a, b| a.partial_cmp(b).unwrap());
        let position = percent as f64 / 100.0 * (sorted.len() - 1) as f64;
        let (below, above) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
        below + (above - below) * position.fract()
    }

    proptest! {
        #[test]
        fn percentiles_agree_with_their_definition(
            values in proptest::collection::vec(0.0..1e6_f64, 1..200),
        ) {
            let distribution = distribution(&values.clone().into()).unwrap();
            for (percent, actual) in [
                (1, distribution.p1), (5, distribution.p5), (10, distribution.p10), (25, distribution.p25),
                (50, distribution.p50), (75, distribution.p75), (90, distribution.p90), (95, distribution.p95),
                (99, distribution.p99),
            ] {
                prop_assert!((actual - naive_percentile(&values, percent)).abs() < 1e-6, "p{}", percent);
            }
        }

        #[test]
        fn the_order_of_the_values_does_not_matter(
            (values, shuffled) in proptest::collection::vec(0.0..1e6_f64, 1..100)
                .prop_flat_map(|values| (Just(values.clone()), Just(values).prop_shuffle())),
        ) {
            prop_assert_eq!(distribution(&values.into()), distribution(&shuffled.into()));
        }

        #[test]
        fn statistics_are_in_order(values in proptest::collection::vec(-1e6..1e6_f64, 1..100)) {
            let d = distribution(&values.into()).unwrap();
            let ascending = [d.min, d.p1, d.p5, d.p10, d.p25, d.p50, d.p75, d.p90, d.p95, d.p99, d.max];
            prop_assert!(ascending.is_sorted());
            prop_assert!(d.min <= d.avg && d.avg <= d.max);
            prop_assert!(d.std >= 0.0 && d.std <= d.max - d.min);
        }
    }
}
