//! Means, standard deviations and confidence intervals over independent values, such as the trials of a point.
//!
//! Not for the requests within a run: they depend on each other through the server's queue, so an interval
//! computed from them would be too narrow. They are described by a [`distribution`](crate::distribution).

use aiperf_model::point::Interval;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// The arithmetic mean, never outside the range of the values.
///
/// None if there are no values or one is not finite.
///
/// ```
/// # use aiperf_metrics::statistics::mean;
/// assert_eq!(mean(&[1.0, 2.0, 6.0]), Some(3.0));
/// assert_eq!(mean(&[]), None);
/// ```
#[must_use]
pub fn mean(values: &[f64]) -> Option<f64> {
    moments(|| values.iter().copied()).map(|moments| moments.mean)
}

/// The standard deviation of the values as a sample of something larger, divided by n - 1.
///
/// None if there are fewer than two values, one is not finite, or they are too far apart for a number.
#[must_use]
pub fn sample_std_dev(values: &[f64]) -> Option<f64> {
    moments(|| values.iter().copied())?.sample_std_dev()
}

/// The standard deviation of the values as all there are, divided by n.
///
/// None if there are no values, one is not finite, or they are too far apart for a number.
#[must_use]
pub fn population_std_dev(values: &[f64]) -> Option<f64> {
    moments(|| values.iter().copied()).map(Moments::population_std_dev).filter(|std_dev| std_dev.is_finite())
}

/// What mean and deviations are made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// How many values there are, at least one.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// Their mean, never outside their range.
    pub mean: f64,
    /// The sum of the squared deviations from the mean, never negative.
    pub squares: f64,
}

impl Moments {
    /// None if there is one value only, or they are too far apart for a number.
    #[must_use]
    pub fn sample_std_dev(self) -> Option<f64> {
        let divisor = self.count.checked_sub(1).filter(|divisor| *divisor > 0)?;
        Some((self.squares / divisor as f64).sqrt()).filter(|std_dev| std_dev.is_finite())
    }

    /// With all values there are.
    #[must_use]
    pub fn population_std_dev(self) -> f64 {
        (self.squares / self.count as f64).sqrt()
    }
}

/// The moments of values that can be had twice; none if there are no values or one is not finite.
///
/// The squares are less what the rounding of the mean adds to them (the corrected two-pass algorithm, Chan, Golub and
/// `LeVeque` 1983).
pub fn moments<I: Iterator<Item = f64>>(values: impl Fn() -> I) -> Option<Moments> {
    let (mut count, mut total) = (0, Sum::default());
    let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values() {
        if !value.is_finite() {
            return None;
        }
        (min, max) = (min.min(value), max.max(value));
        total.add(value);
        count += 1;
    }
    if count == 0 {
        return None;
    }
    // Rounding may put the mean of equal values next to them, which the clamp undoes.
    let mean = mean_of(total.value(), count, &values).clamp(min, max);
    let (mut deviations, mut squares) = (Sum::default(), Sum::default());
    for value in values() {
        deviations.add(value - mean);
        squares.add((value - mean) * (value - mean));
    }
    let remainder = deviations.value();
    let squares = (squares.value() - remainder * remainder / count as f64).max(0.0);
    Some(Moments { count, sum: total.value(), mean, squares })
}

/// Where the sum leaves the range of numbers, each value is divided instead.
fn mean_of<I: Iterator<Item = f64>>(total: f64, count: u64, values: impl Fn() -> I) -> f64 {
    let count = count as f64;
    if total.is_finite() { total / count } else { sum(values().map(|value| value / count)) }
}

/// The standard error of the mean of `n` values, `std_dev / sqrt(n)`. `n` is not 0.
#[must_use]
pub fn standard_error(n: usize, std_dev: f64) -> f64 {
    std_dev / (n as f64).sqrt()
}

/// The Student t interval of the mean, with n - 1 degrees of freedom.
///
/// None if there are fewer than two values, one is not finite, or `level` is not between 0 and 1.
#[must_use]
pub fn interval(values: &[f64], level: f64) -> Option<Interval> {
    interval_from_moments(values.len(), mean(values)?, sample_std_dev(values)?, level)
}

/// The Student t interval of the mean of `n` values that are only known by their mean and their sample standard
/// deviation: `mean ± t · std_dev / sqrt(n)`.
///
/// None if `n` is below two, a number is not finite, `std_dev` is negative, or `level` is not between 0 and 1.
///
/// ```
/// # use aiperf_metrics::statistics::interval_from_moments;
/// let interval = interval_from_moments(5, 95.2, 3.1, 0.95).unwrap();
/// assert_eq!(format!("{:.2} to {:.2}", interval.low, interval.high), "91.35 to 99.05");
/// ```
#[must_use]
pub fn interval_from_moments(n: usize, mean: f64, std_dev: f64, level: f64) -> Option<Interval> {
    if std_dev < 0.0 {
        return None;
    }
    let half_width = t_critical(n, level)? * standard_error(n, std_dev);
    let (low, high) = (mean - half_width, mean + half_width);
    (low.is_finite() && high.is_finite()).then_some(Interval { low, high, level })
}

/// The interval without its part below 0, for a mean that cannot be negative.
#[must_use]
pub fn clip_at_zero(interval: Interval) -> Interval {
    Interval { low: interval.low.max(0.0), high: interval.high.max(0.0), ..interval }
}

/// The quantile of Student's t with `n - 1` degrees of freedom that leaves `(1 - level) / 2` above it.
///
/// None if `n` is below two or `level` is not between 0 and 1.
#[must_use]
pub fn t_critical(n: usize, level: f64) -> Option<f64> {
    let degrees_of_freedom = n.checked_sub(1).filter(|degrees| *degrees > 0)?;
    if !(level > 0.0 && level < 1.0) {
        return None;
    }
    let student = StudentsT::new(0.0, 1.0, degrees_of_freedom as f64).ok()?;
    Some(student.inverse_cdf(0.5 + level / 2.0)).filter(|t| t.is_finite())
}

/// The sum of the values, with the rounding error of each addition carried along (Neumaier 1974).
#[must_use]
pub fn sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut sum = Sum::default();
    values.into_iter().for_each(|value| sum.add(value));
    sum.value()
}

#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    fn add(&mut self, value: f64) {
        let next = self.sum + value;
        self.lost +=
            if self.sum.abs() >= value.abs() { (self.sum - next) + value } else { (value - next) + self.sum };
        self.sum = next;
    }

    fn value(self) -> f64 {
        self.sum + self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn assert_close(actual: f64, expected: f64, tolerance: f64) {
        assert!((actual - expected).abs() <= tolerance, "{actual} is not {expected}");
    }

    #[test]
    fn the_largest_numbers_give_numbers_or_nothing() {
        for values in
            [[f64::MAX, f64::MAX], [1e308, 1e308], [-1e308, 1e308], [f64::MIN, f64::MIN], [5e-324, 1e308]]
        {
            assert!(mean(&values).is_some_and(f64::is_finite), "{values:?}");
            for spread in [sample_std_dev(&values), population_std_dev(&values)] {
                assert!(spread.is_none_or(f64::is_finite), "{values:?}");
            }
            let bounds = interval(&values, 0.95);
            assert!(bounds.is_none_or(|i| i.low.is_finite() && i.high.is_finite()), "{values:?}");
        }
        assert_eq!(mean(&[1e308, 1e308]), Some(1e308));
    }

    #[test]
    fn t_is_that_of_the_tables() {
        // Degrees of freedom, two-sided level, quantile.
        let table = [
            (1, 0.90, 6.313_752),
            (1, 0.95, 12.706_205),
            (2, 0.95, 4.302_653),
            (3, 0.95, 3.182_446),
            (4, 0.90, 2.131_847),
            (4, 0.95, 2.776_445),
            (4, 0.99, 4.604_095),
            (9, 0.95, 2.262_157),
            (9, 0.99, 3.249_836),
            (30, 0.95, 2.042_272),
            (120, 0.95, 1.979_930),
            (1_000, 0.95, 1.962_339),
        ];
        for (degrees, level, expected) in table {
            assert_close(t_critical(degrees + 1, level).unwrap(), expected, 1e-6);
        }
    }

    #[test]
    fn the_interval_of_the_specification_s_first_value() {
        let interval = interval_from_moments(5, 95.2, 3.1, 0.95).unwrap();
        assert_close(interval.low, 91.350_84, 1e-5);
        assert_close(interval.high, 99.049_16, 1e-5);
    }

    #[test]
    fn t_exists_at_extreme_levels() {
        assert_close(t_critical(2, 0.999_999).unwrap(), 636_619.8, 1.0);
        assert!(t_critical(1000, 1.0 - f64::EPSILON).unwrap() > 8.0);
        assert!(t_critical(2, f64::MIN_POSITIVE).unwrap().abs() < 1e-6);
    }

    #[test]
    fn the_interval_of_two_trials_is_wide() {
        let interval = interval(&[10.0, 12.0], 0.95).unwrap();
        assert_close(interval.low, 11.0 - 12.706_205, 1e-5);
        assert_close(interval.high, 11.0 + 12.706_205, 1e-5);
    }

    #[test]
    fn what_cannot_be_known_is_none() {
        assert_eq!(mean(&[]), None);
        assert_eq!(mean(&[1.0, f64::NAN]), None);
        assert_eq!(mean(&[1.0, f64::INFINITY]), None);
        assert_eq!(sample_std_dev(&[1.0]), None);
        assert_eq!(population_std_dev(&[]), None);
        assert_eq!(interval(&[1.0], 0.95), None);
        assert_eq!(interval(&[1.0, 2.0], 1.0), None);
        assert_eq!(interval(&[1.0, 2.0], f64::NAN), None);
        assert_eq!(interval_from_moments(5, f64::NAN, 1.0, 0.95), None);
        assert_eq!(interval_from_moments(5, 1.0, f64::NAN, 0.95), None);
        assert_eq!(interval_from_moments(5, 1.0, -1.0, 0.95), None);
        assert_eq!(t_critical(0, 0.95), None);
        assert_eq!(t_critical(1, 0.95), None);
    }

    #[test]
    fn deviations_divide_by_n_or_n_minus_one() {
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        assert_eq!(population_std_dev(&values), Some(2.0));
        assert_close(sample_std_dev(&values).unwrap(), (32.0_f64 / 7.0).sqrt(), 1e-15);
    }

    #[test]
    fn a_large_offset_does_not_drown_the_spread() {
        let values = [1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0];
        assert_eq!(mean(&values), Some(1e9 + 10.0));
        assert_close(sample_std_dev(&values).unwrap(), 30.0_f64.sqrt(), 1e-12);
    }

    #[test]
    fn sums_keep_what_a_large_term_would_swallow() {
        assert_eq!(sum([1e16, 1.0, 1.0, -1e16]), 2.0);
        assert_eq!(sum([]), 0.0);
    }

    #[test]
    fn equal_values_have_their_own_mean_and_no_spread() {
        let values = [0.1; 3];
        assert_eq!(mean(&values), Some(0.1));
        assert_eq!(sample_std_dev(&values), Some(0.0));
        assert_eq!(interval(&values, 0.95), Some(Interval { low: 0.1, high: 0.1, level: 0.95 }));
    }

    #[test]
    fn clipping_keeps_the_interval_in_order() {
        let clip = |low, high| {
            let clipped = clip_at_zero(Interval { low, high, level: 0.95 });
            (clipped.low, clipped.high)
        };
        assert_eq!(clip(-1.0, 2.0), (0.0, 2.0));
        assert_eq!(clip(1.0, 2.0), (1.0, 2.0));
        assert_eq!(clip(-2.0, -1.0), (0.0, 0.0));
    }

    proptest! {
        #[test]
        fn the_mean_lies_within_the_values(values in proptest::collection::vec(-1e9..1e9_f64, 1..50)) {
            let min = values.iter().copied().fold(f64::INFINITY, f64::min);
            let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let mean = mean(&values).unwrap();
            prop_assert!(min <= mean && mean <= max);
        }

        #[test]
        fn the_interval_is_symmetric_about_the_mean(
            values in proptest::collection::vec(-1e6..1e6_f64, 2..20),
            level in 0.5..0.999_f64,
        ) {
            let mean = mean(&values).unwrap();
            let interval = interval(&values, level).unwrap();
            let (below, above) = (mean - interval.low, interval.high - mean);
            prop_assert!(below >= 0.0 && above >= 0.0);
            prop_assert!((below - above).abs() <= 1e-12 * (interval.high.abs() + interval.low.abs() + 1.0));
        }

        #[test]
        fn a_higher_level_never_gives_a_narrower_interval(
            values in proptest::collection::vec(-1e6..1e6_f64, 2..20),
        ) {
            let (narrow, wide) = (interval(&values, 0.9).unwrap(), interval(&values, 0.99).unwrap());
            prop_assert!(wide.low <= narrow.low && narrow.high <= wide.high);
        }

        #[test]
        fn shifting_the_values_shifts_the_mean_and_keeps_the_spread(
            values in proptest::collection::vec(0.0..1e3_f64, 2..20),
        ) {
            let shifted: Vec<f64> = values.iter().map(|value| value + 1e6).collect();
            prop_assert!((mean(&shifted).unwrap() - mean(&values).unwrap() - 1e6).abs() < 1e-6);
            prop_assert!((sample_std_dev(&shifted).unwrap() - sample_std_dev(&values).unwrap()).abs() < 1e-6);
        }
    }
}
