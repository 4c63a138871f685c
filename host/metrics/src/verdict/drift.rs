//! Whether the server changes with time while it is measured.
//!
//! One test for each figure of the summary over all values with two or more trials, since a drift is the server's and
//! not that of a value. Which values were run early and which late does not matter: each run counts relative to the
//! mean of its value, over its start relative to theirs.

use super::rules::DRIFT;
use super::trials::{Trial, judged};
use crate::significance::{holm, two_sided};
use crate::statistics::{mean, sum};
use aiperf_model::catalogue::{self, MetricId};
use aiperf_model::metrics::Statistic;
use aiperf_model::verdict::{Drift, Reason};

/// The least change over a sweep, relative to the mean, that is called a drift however certain it is.
const LEAST: f64 = 0.02;

/// What changes with time over the whole sweep: each figure of the summary with enough trials for the test.
#[must_use]
pub fn drift(values: &[Vec<Trial<'_>>]) -> Vec<Drift> {
    let slopes: Vec<(String, Slope)> = judged()
        .filter_map(|column| {
            let series: Vec<Vec<(f64, f64)>> =
                values.iter().map(|trials| over_time(trials, column.metric, column.statistic)).collect();
            Some((column.key(), slope(&series)?))
        })
        .collect();
    let adjusted = holm(&slopes.iter().map(|(_, slope)| slope.p).collect::<Vec<_>>());
    let tested = slopes.into_iter().zip(adjusted);
    tested
        .map(|((metric, slope), adjusted_p_value)| Drift {
            metric,
            relative_change: slope.change,
            relative_change_per_hour: slope.per_second * 3600.0,
            p_value: slope.p,
            adjusted_p_value,
            degrees_of_freedom: slope.degrees_of_freedom as u32,
            significant: slope.change.abs() >= LEAST && DRIFT.judge(None, adjusted_p_value).is_some(),
        })
        .collect()
}

/// The reason to doubt that follows from it, if one does.
pub(super) fn reason(drift: &Drift) -> Option<Reason> {
    let (metric, statistic) = catalogue::find_key(&drift.metric).filter(|_| drift.significant)?;
    DRIFT.judge(Some(&metric.metric().name_of(statistic)), drift.adjusted_p_value)
}

/// Seconds and value of each trial that has one.
fn over_time(trials: &[Trial<'_>], metric: MetricId, statistic: Statistic) -> Vec<(f64, f64)> {
    let of_trial = |trial: &Trial<'_>| {
        Some((trial.start_unix_ns as f64 / 1e9, trial.metrics.statistic(metric, statistic)?))
    };
    trials.iter().filter_map(of_trial).collect()
}

/// A common slope of several series.
struct Slope {
    /// The relative change in a second.
    per_second: f64,
    /// The relative change from the first run to the last.
    change: f64,
    /// How probable a slope at least this steep is without any drift.
    p: f64,
    degrees_of_freedom: usize,
}

/// The slope over time that all series share, each relative to its own mean: least squares within the series, that is
/// the fixed-effects estimator, with a t test at Σ(n − 1) − 1 degrees of freedom. None with too few runs, or where all
/// are at the same time.
fn slope(series: &[Vec<(f64, f64)>]) -> Option<Slope> {
    let centred: Vec<(f64, f64)> = series.iter().filter_map(|runs| relative(runs)).flatten().collect();
    let series = series.iter().filter(|runs| runs.len() > 1).count();
    let degrees_of_freedom = centred.len().checked_sub(series + 1).filter(|degrees| *degrees > 0)?;
    let squares = sum(centred.iter().map(|(time, _)| time * time));
    if squares <= 0.0 {
        return None;
    }
    let per_second = sum(centred.iter().map(|(time, value)| time * value)) / squares;
    let errors = sum(centred.iter().map(|(time, value)| (value - per_second * time).powi(2)));
    let error = (errors / degrees_of_freedom as f64 / squares).sqrt();
    let p = if error > 0.0 {
        two_sided(per_second / error, degrees_of_freedom as f64)
    } else {
        // A perfect line, or nothing but equal values.
        if per_second == 0.0 { 1.0 } else { 0.0 }
    };
    let times = || centred.iter().map(|(time, _)| *time);
    let span = times().fold(f64::MIN, f64::max) - times().fold(f64::MAX, f64::min);
    Some(Slope { per_second, change: per_second * span, p, degrees_of_freedom })
}

/// Times around their mean, and values around theirs and relative to it; none of a single run or around 0.
fn relative(runs: &[(f64, f64)]) -> Option<Vec<(f64, f64)>> {
    let (times, values): (Vec<f64>, Vec<f64>) = runs.iter().copied().unzip();
    let (time, value) = (mean(&times)?, mean(&values).filter(|mean| *mean != 0.0)?);
    (runs.len() > 1).then(|| runs.iter().map(|(at, measured)| (at - time, measured / value - 1.0)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slope_is_common_to_values_of_different_size() {
        let small = vec![(0.0, 10.0), (10.0, 10.1), (20.0, 10.2)];
        let large = vec![(5.0, 1000.0), (15.0, 1010.0), (25.0, 1020.5)];
        let drift = slope(&[small, large]).unwrap();
        assert!((drift.change - 0.02).abs() < 0.001, "{}", drift.change);
        assert!(drift.p < 0.001, "{}", drift.p);
        let noise = slope(&[vec![(0.0, 10.0), (10.0, 10.5), (20.0, 9.9), (30.0, 10.2)]]).unwrap();
        assert!(noise.p > 0.3, "{}", noise.p);
        assert!(slope(&[vec![(0.0, 10.0)], vec![(1.0, 5.0)]]).is_none());
        assert!(slope(&[vec![(0.0, 10.0), (1.0, 11.0)]]).is_none());
    }
}
