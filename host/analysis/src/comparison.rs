//! Whether two values differ: whether the interval of their difference excludes zero, and the difference matters.
//!
//! A value is compared with all others of a sweep, so the intervals of these differences hold together at the level
//! (Bonferroni): on a plateau, the more values there are, the farther the best one lies from some of them by chance.
//!
//! Few trials say little of how much a value varies, and some seem to vary much less than they do. So the deviation of a
//! value is taken to be at least the one that all values have together, relative to their means. `docs/coverage.md`
//! has what that does to the errors of both kinds.

use aiperf_metrics::significance::critical;
use aiperf_model::conclusion::{Direction, Uncertainty};
use aiperf_model::point::{Interval, Measurement};
use std::cell::OnceCell;

/// The degrees of freedom behind an interval from within a run, which does not name them.
const WITHIN_RUN_DEGREES: f64 = 60.0;
/// How often a value is preferred to one that is as good, over all that cannot be told apart from it.
const PREFERRED_BY_CHANCE: f64 = 0.1;

/// When two values differ.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    /// The coverage of the intervals of all differences from one value together.
    pub(crate) level: f64,
    /// The least difference that matters, relative to the larger of the two.
    pub(crate) material: f64,
}

impl Rule {
    /// Whether a difference of these two numbers would matter.
    pub(crate) fn is_material(self, a: f64, b: f64) -> bool {
        (a - b).abs() > self.material * a.abs().max(b.abs())
    }
}

/// A mean and what is known of how far it can be off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) mean: f64,
    trials: f64,
    /// The standard deviation of one trial, and the degrees of freedom behind it.
    deviation: Option<(f64, f64)>,
    pub(crate) uncertainty: Uncertainty,
}

impl Estimate {
    /// A mean of which nothing else is known.
    pub(crate) fn exact(mean: f64) -> Self {
        Self { mean, trials: 1.0, deviation: None, uncertainty: Uncertainty::Unknown }
    }

    /// A measurement of a point that has so many trials, of which a file may hold the mean and deviation only.
    pub(crate) fn measured(measurement: &Measurement, trials: u32) -> Self {
        let known = measurement.trials.len();
        let trials =
            if known == 1 && measurement.std_dev.is_some() { f64::from(trials) } else { known as f64 };
        match (measurement.std_dev, measurement.within_run) {
            (Some(std_dev), _) if trials > 1.0 => Self::over_trials(measurement.mean, trials, std_dev),
            (_, Some(interval)) => Self::within_run(measurement.mean, interval),
            _ => Self::exact(measurement.mean),
        }
    }

    /// The mean of so many trials with this standard deviation.
    pub(crate) fn over_trials(mean: f64, trials: f64, std_dev: f64) -> Self {
        Self { mean, trials, deviation: Some((std_dev, trials - 1.0)), uncertainty: Uncertainty::Trials }
    }

    fn within_run(mean: f64, interval: Interval) -> Self {
        let half_width = (interval.high - mean).max(mean - interval.low);
        let deviation = half_width / critical((1.0 - interval.level) / 2.0, WITHIN_RUN_DEGREES);
        let deviation = Some((deviation, WITHIN_RUN_DEGREES));
        Self { mean, trials: 1.0, deviation, uncertainty: Uncertainty::WithinRun }
    }
}

/// A difference of two values and what follows from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Difference {
    /// The first value less the other.
    pub(crate) gap: f64,
    pub(crate) interval: Option<Interval>,
    /// Whether the two differ.
    pub(crate) is_told_apart: bool,
}

/// Values that are compared with each other: those of one objective, or of one metric along one parameter.
#[derive(Clone, Debug)]
pub(crate) struct Comparison {
    rule: Rule,
    estimates: Vec<Estimate>,
    /// The deviation that all have together, relative to their means or, around zero, as it is.
    pooled: Option<f64>,
    is_relative: bool,
    pub(crate) degrees_of_freedom: f64,
    /// How many standard errors half of the interval of a difference is.
    half_width: f64,
    /// By how many standard errors each one has to be better to be preferred.
    least_gains: OnceCell<Vec<f64>>,
}

impl Comparison {
    pub(crate) fn new(rule: Rule, estimates: Vec<Estimate>) -> Self {
        let is_relative =
            estimates.iter().all(|one| one.mean > 0.0) || estimates.iter().all(|one| one.mean < 0.0);
        let known = || estimates.iter().filter_map(|one| Some((one.mean, one.deviation?)));
        let degrees_of_freedom: f64 = known().map(|(_, (_, degrees))| degrees).sum();
        let scale = |mean: f64| if is_relative { mean.abs() } else { 1.0 };
        let squares: f64 =
            known().map(|(mean, (deviation, degrees))| degrees * (deviation / scale(mean)).powi(2)).sum();
        let others = estimates.len().saturating_sub(1).max(1) as f64;
        let pooled = (degrees_of_freedom > 0.0).then(|| (squares / degrees_of_freedom).sqrt());
        Self {
            rule,
            estimates,
            pooled,
            is_relative,
            degrees_of_freedom,
            half_width: critical((1.0 - rule.level) / 2.0 / others, degrees_of_freedom),
            least_gains: OnceCell::new(),
        }
    }

    pub(crate) fn rule(&self) -> Rule {
        self.rule
    }

    pub(crate) fn estimates(&self) -> &[Estimate] {
        &self.estimates
    }

    /// What the weakest of the estimates rests on.
    pub(crate) fn uncertainty(&self) -> Uncertainty {
        let has = |kind| self.estimates.iter().any(|one| one.uncertainty == kind);
        if has(Uncertainty::Trials) {
            Uncertainty::Trials
        } else if has(Uncertainty::WithinRun) {
            Uncertainty::WithinRun
        } else {
            Uncertainty::Unknown
        }
    }

    /// The standard error of one of the means; none where nothing is known of any.
    pub(crate) fn standard_error(&self, position: usize) -> Option<f64> {
        let estimate = self.estimates.get(position)?;
        let shared = self.pooled? * if self.is_relative { estimate.mean.abs() } else { 1.0 };
        let own = estimate.deviation.map_or(0.0, |(deviation, _)| deviation);
        Some(own.max(shared) / estimate.trials.sqrt())
    }

    /// The value at `position` less the one at `other`.
    pub(crate) fn difference(&self, position: usize, other: usize) -> Difference {
        let (a, b) = (self.mean(position), self.mean(other));
        let half_width = self.error_of_difference(position, other).map(|error| error * self.half_width);
        let difference = a - b;
        let interval = half_width.map(|half| Interval {
            low: difference - half,
            high: difference + half,
            level: self.rule.level,
        });
        let excludes_zero = half_width.is_none_or(|half| difference.abs() > half);
        Difference { gap: difference, interval, is_told_apart: excludes_zero && self.rule.is_material(a, b) }
    }

    /// Whether the value at `position` is preferred to the one at `other`: it is better by more than is by chance in one
    /// of ten cases, corrected for how many there are that it cannot be told apart from.
    ///
    /// This decides which of several values to name, where something has to be named; [`Self::difference`] says whether
    /// they differ.
    pub(crate) fn is_preferred(&self, direction: Direction, position: usize, other: usize) -> bool {
        let (a, b) = (self.mean(position), self.mean(other));
        let gain = match direction {
            Direction::Minimize => b - a,
            Direction::Maximize => a - b,
        };
        let least =
            self.error_of_difference(position, other).map_or(0.0, |error| error * self.least_gain(position));
        gain > least && self.rule.is_material(a, b)
    }

    fn least_gain(&self, position: usize) -> f64 {
        let least_gains = self.least_gains.get_or_init(|| {
            let positions = 0..self.estimates.len();
            let alike = |position: usize| {
                let is_alike =
                    |other: &usize| *other != position && !self.difference(position, *other).is_told_apart;
                positions.clone().filter(is_alike).count().max(1)
            };
            let by_chance = |position: usize| PREFERRED_BY_CHANCE / alike(position) as f64;
            positions.clone().map(|position| critical(by_chance(position), self.degrees_of_freedom)).collect()
        });
        least_gains.get(position).copied().unwrap_or(f64::INFINITY)
    }

    fn mean(&self, position: usize) -> f64 {
        self.estimates.get(position).map_or(f64::NAN, |estimate| estimate.mean)
    }

    fn error_of_difference(&self, position: usize, other: usize) -> Option<f64> {
        Some(self.standard_error(position)?.hypot(self.standard_error(other)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    const RULE: Rule = Rule { level: 0.95, material: 0.01 };

    fn throughputs(points: &[aiperf_model::point::Point]) -> Comparison {
        let of = |point: &aiperf_model::point::Point| {
            Estimate::measured(point.measurement("request_throughput_avg").unwrap(), point.trials)
        };
        Comparison::new(RULE, points.iter().map(of).collect())
    }

    fn trials(values: &[&[f64]]) -> Comparison {
        let points: Vec<_> = (0..)
            .zip(values)
            .map(|(index, trials)| testing::point(index, &[("request_throughput_avg", trials)]))
            .collect();
        throughputs(&points)
    }

    #[test]
    fn values_differ_if_the_interval_excludes_zero_and_the_difference_matters() {
        let steady = trials(&[&[100.0, 100.1], &[100.9, 100.8], &[102.0, 102.1], &[90.0, 115.0]]);
        let told = |other| steady.difference(other, 0).is_told_apart;
        assert!(!told(1), "0.8 % does not matter");
        // The last value varies so much that nothing is told apart from anything.
        assert!(!told(2) && !told(3));
        let quiet = trials(&[&[100.0, 100.1], &[100.9, 100.8], &[102.0, 102.1]]);
        assert!(!quiet.difference(1, 0).is_told_apart && quiet.difference(2, 0).is_told_apart);
        let difference = quiet.difference(2, 0);
        assert_eq!(difference.gap, 2.0);
        assert!(difference.interval.unwrap().low > 1.0);
    }

    #[test]
    fn without_any_uncertainty_only_what_matters_counts() {
        let single = trials(&[&[100.0], &[100.9], &[102.0]]);
        assert_eq!(single.uncertainty(), Uncertainty::Unknown);
        assert!(!single.difference(1, 0).is_told_apart && single.difference(2, 0).is_told_apart);
        assert_eq!(single.difference(2, 0).interval, None);
    }

    #[test]
    fn an_interval_from_within_the_only_run_is_used() {
        let of = |mean: f64, half: f64| {
            let mut point = testing::point(0, &[("request_throughput_avg", &[mean])]);
            point.measurements[0].within_run =
                Some(Interval { low: mean - half, high: mean + half, level: 0.95 });
            Estimate::measured(&point.measurements[0], 1)
        };
        let wide = Comparison::new(RULE, vec![of(100.0, 5.0), of(104.0, 5.0)]);
        assert_eq!(wide.uncertainty(), Uncertainty::WithinRun);
        assert!(!wide.difference(1, 0).is_told_apart);
        let narrow = Comparison::new(RULE, vec![of(100.0, 1.0), of(104.0, 1.0)]);
        assert!(narrow.difference(1, 0).is_told_apart);
    }

    #[test]
    fn a_value_with_one_trial_borrows_the_deviation_of_the_others() {
        let mixed = trials(&[&[100.0, 110.0, 90.0], &[100.0]]);
        let (three, one) = (mixed.standard_error(0).unwrap(), mixed.standard_error(1).unwrap());
        assert!((one / three - 3.0_f64.sqrt()).abs() < 1e-9, "{one} {three}");
    }

    #[test]
    fn what_cannot_be_told_apart_may_still_be_preferred() {
        let example = throughputs(&testing::specification());
        assert!(!example.difference(3, 2).is_told_apart);
        assert!(example.is_preferred(Direction::Maximize, 3, 2));
        assert!(!example.is_preferred(Direction::Maximize, 2, 3));
        let plateau = trials(&[&[98.0, 100.0, 102.0], &[99.5, 101.5, 103.5], &[100.0, 97.0, 103.0]]);
        assert!(!plateau.is_preferred(Direction::Maximize, 1, 0));
    }

    #[test]
    fn values_around_zero_share_the_deviation_as_it_is() {
        let rates = trials(&[&[0.0, 0.0, 0.0], &[0.0, 0.0, 0.0], &[5.0, 6.0, 7.0]]);
        assert!(rates.difference(2, 0).is_told_apart);
        assert!(!rates.difference(1, 0).is_told_apart);
    }
}
