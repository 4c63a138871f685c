//! How probable a difference is by chance: Student's t at any degrees of freedom, and many of them at once.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// From here on Student's t is the normal distribution to all digits that are shown.
const MOST_DEGREES: f64 = 1e6;

/// How probable a figure at least so many standard errors from 0, on either side, is by chance.
///
/// 1 for what is not a number, or without degrees of freedom.
///
/// ```
/// # use aiperf_metrics::significance::two_sided;
/// assert!((two_sided(2.776, 4.0) - 0.05).abs() < 1e-4);
/// ```
#[must_use]
pub fn two_sided(t: f64, degrees_of_freedom: f64) -> f64 {
    if t.is_infinite() {
        return 0.0;
    }
    let student = student(degrees_of_freedom).filter(|_| !t.is_nan());
    student.map_or(1.0, |student| (2.0 * student.sf(t.abs())).min(1.0))
}

/// How many standard errors a figure exceeds by chance with this probability, on one side.
///
/// Infinite without degrees of freedom, or where the probability is not between 0 and 1.
///
/// ```
/// # use aiperf_metrics::significance::critical;
/// assert!((critical(0.025, 4.0) - 2.776).abs() < 1e-3);
/// ```
#[must_use]
pub fn critical(probability: f64, degrees_of_freedom: f64) -> f64 {
    let student = student(degrees_of_freedom).filter(|_| probability > 0.0 && probability < 1.0);
    student.map_or(f64::INFINITY, |student| student.inverse_cdf(1.0 - probability))
}

fn student(degrees_of_freedom: f64) -> Option<StudentsT> {
    StudentsT::new(0.0, 1.0, degrees_of_freedom.min(MOST_DEGREES)).ok()
}

/// Probabilities corrected for how many were looked at (Holm 1979), in the order given: whoever calls significant what
/// is at most 0.05 errs anywhere in 5 of 100 cases, however the figures depend on each other.
#[must_use]
pub fn holm(probabilities: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    let at = |index: usize| probabilities.get(index).copied().unwrap_or(1.0);
    order.sort_by(|a, b| at(*a).total_cmp(&at(*b)));
    let mut adjusted = vec![1.0; probabilities.len()];
    let mut least: f64 = 0.0;
    for (rank, index) in order.iter().enumerate() {
        least = least.max((probabilities.len() - rank) as f64 * at(*index)).min(1.0);
        if let Some(place) = adjusted.get_mut(*index) {
            *place = least;
        }
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holm_corrects_in_order() {
        assert_eq!(holm(&[0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]);
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
        assert_eq!(holm(&[]), [0.0; 0]);
    }

    #[test]
    fn tails_and_quantiles_are_those_of_the_tables() {
        for (degrees, tail, quantile) in
            [(1.0, 0.025, 12.706), (4.0, 0.05, 2.132), (16.0, 0.1, 1.337), (1e9, 0.025, 1.960)]
        {
            assert!((critical(tail, degrees) - quantile).abs() < 1e-3, "{degrees}");
            assert!((two_sided(-quantile, degrees) - 2.0 * tail).abs() < 1e-4, "{degrees}");
        }
        assert_eq!(
            (two_sided(f64::INFINITY, 3.0), two_sided(f64::NAN, 3.0), two_sided(9.0, 0.0)),
            (0.0, 1.0, 1.0)
        );
        assert_eq!((critical(0.0, 3.0), critical(0.1, 0.0)), (f64::INFINITY, f64::INFINITY));
    }
}
