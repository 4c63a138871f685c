//! Whether the trials of a value say the same, and what that means for the value.

use super::rules::{DRIFT, SPREAD, TWO_MODES};
use crate::statistics::{mean, sample_std_dev, sum};
use aiperf_model::catalogue::MetricId;
use aiperf_model::metrics::{RunMetrics, Statistic};
use aiperf_model::verdict::{Reason, Verdict};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// What the summary of a sweep shows of each value.
const SHOWN: [(MetricId, Statistic); 6] = [
    (MetricId::RequestThroughput, Statistic::Avg),
    (MetricId::OutputTokenThroughput, Statistic::Avg),
    (MetricId::TimeToFirstToken, Statistic::P50),
    (MetricId::TimeToFirstToken, Statistic::P99),
    (MetricId::InterTokenLatency, Statistic::Avg),
    (MetricId::RequestLatency, Statistic::P99),
];

/// From this spread on, in percent, there is a note.
const NOTED_SPREAD: f64 = 10.0;
/// The least change over a sweep, relative to the mean, that is called a drift however certain it is.
const LEAST_DRIFT: f64 = 0.02;

/// One successful run of a value.
#[derive(Clone, Copy, Debug)]
pub struct Trial<'a> {
    /// What it says.
    pub metrics: &'a RunMetrics,
    /// How far it can be believed.
    pub verdict: &'a Verdict,
    /// When it began, in nanoseconds since the Unix epoch.
    pub start_unix_ns: u64,
}

/// The verdict on each value of a sweep from its successful trials, in the order given.
#[must_use]
pub fn judge_values(values: &[Vec<Trial<'_>>]) -> Vec<Verdict> {
    let drifts = drifts(values);
    values.iter().map(|trials| judge_value(trials, &drifts)).collect()
}

fn judge_value(trials: &[Trial<'_>], drifts: &[Reason]) -> Verdict {
    let mut reasons = worst_of_each(trials.iter().flat_map(|trial| &trial.verdict.reasons));
    let mut notes: Vec<String> = trials.iter().flat_map(|trial| trial.verdict.notes.clone()).collect();
    notes.sort_unstable();
    notes.dedup();
    if trials.len() > 1 {
        reasons.extend(drifts.iter().cloned());
    }
    for (metric, statistic) in SHOWN {
        let of_trial = |trial: &Trial<'_>| trial.metrics.statistic(metric, statistic);
        let measured: Vec<f64> = trials.iter().filter_map(of_trial).collect();
        let subject = subject(metric, statistic);
        let Some(spread) = spread_percent(&measured) else { continue };
        match SPREAD.judge(Some(&subject), spread) {
            Some(reason) => reasons.push(reason),
            None if spread > NOTED_SPREAD => {
                notes.push(format!("{subject} varies by {spread:.0} % over the trials"));
            }
            None => {}
        }
        let apart = two_groups(&measured).and_then(|percent| TWO_MODES.judge(Some(&subject), percent));
        reasons.extend(apart);
    }
    Verdict::new(reasons, notes)
}

fn subject(metric: MetricId, statistic: Statistic) -> String {
    format!("{} {}", metric.metric().short, statistic.name())
}

/// The gravest reason of each rule and subject, in the order in which they first come; of equal ones the first.
fn worst_of_each<'a>(reasons: impl Iterator<Item = &'a Reason>) -> Vec<Reason> {
    let mut worst: Vec<Reason> = Vec::new();
    for reason in reasons {
        let same = |other: &&mut Reason| (&other.reason, &other.subject) == (&reason.reason, &reason.subject);
        match worst.iter_mut().find(same) {
            Some(known) if known.verdict < reason.verdict => *known = reason.clone(),
            Some(_) => {}
            None => worst.push(reason.clone()),
        }
    }
    worst
}

/// The coefficient of variation, in percent.
fn spread_percent(trials: &[f64]) -> Option<f64> {
    let mean = mean(trials).filter(|mean| *mean != 0.0)?;
    Some(100.0 * sample_std_dev(trials)? / mean.abs())
}

/// How far apart two groups of trials are, in percent of the mean, if they are two: with at least two trials on either
/// side of the widest gap, and each side no wider than a quarter of the distance between their means. A dip test, whose
/// name this deserves more, has no power with the few trials that people run.
fn two_groups(trials: &[f64]) -> Option<f64> {
    let mut sorted = trials.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let gaps = sorted.array_windows().map(|[low, high]| high - low).enumerate();
    let (widest, _) = gaps.max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    let (low, high) = sorted.split_at(widest + 1);
    if low.len() < 2 || high.len() < 2 {
        return None;
    }
    let width = |group: &[f64]| Some(group.last()? - group.first()?);
    let apart = mean(high)? - mean(low)?;
    let overall = mean(trials).filter(|mean| *mean != 0.0)?;
    let narrow = width(low)?.max(width(high)?) <= apart / 4.0;
    narrow.then(|| 100.0 * apart / overall.abs())
}

/// What changes with time over the whole sweep.
fn drifts(values: &[Vec<Trial<'_>>]) -> Vec<Reason> {
    let slopes: Vec<(String, Slope)> = SHOWN
        .into_iter()
        .filter_map(|(metric, statistic)| {
            let series: Vec<Vec<(f64, f64)>> =
                values.iter().map(|trials| over_time(trials, metric, statistic)).collect();
            Some((subject(metric, statistic), slope(&series)?))
        })
        .collect();
    let adjusted = holm(&slopes.iter().map(|(_, slope)| slope.p).collect::<Vec<_>>());
    let tested = slopes.iter().zip(adjusted).filter(|((_, slope), _)| slope.change.abs() >= LEAST_DRIFT);
    tested.filter_map(|((subject, _), p)| DRIFT.judge(Some(subject), p)).collect()
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
    /// The relative change from the first run to the last.
    change: f64,
    /// How probable a slope at least this steep is without any drift.
    p: f64,
}

/// The slope over time that all series share, each relative to its own mean: least squares within the series, that is
/// the fixed-effects estimator, with a t test at Σ(n − 1) − 1 degrees of freedom. None with too few runs, or where all
/// are alike.
fn slope(series: &[Vec<(f64, f64)>]) -> Option<Slope> {
    let centred: Vec<(f64, f64)> = series.iter().filter_map(|runs| relative(runs)).flatten().collect();
    let series = series.iter().filter(|runs| runs.len() > 1).count();
    let degrees = centred.len().checked_sub(series + 1).filter(|degrees| *degrees > 0)?;
    let squares = sum(centred.iter().map(|(time, _)| time * time));
    if squares <= 0.0 {
        return None;
    }
    let slope = sum(centred.iter().map(|(time, value)| time * value)) / squares;
    let errors = sum(centred.iter().map(|(time, value)| (value - slope * time).powi(2)));
    let error = (errors / degrees as f64 / squares).sqrt();
    let p = if error > 0.0 {
        let student = StudentsT::new(0.0, 1.0, degrees as f64).ok()?;
        2.0 * student.sf((slope / error).abs())
    } else {
        // A perfect line, or nothing but equal values.
        if slope == 0.0 { 1.0 } else { 0.0 }
    };
    let times = || centred.iter().map(|(time, _)| *time);
    let span = times().fold(f64::MIN, f64::max) - times().fold(f64::MAX, f64::min);
    Some(Slope { change: slope * span, p })
}

/// Times around their mean, and values around theirs and relative to it; none of a single run or around 0.
fn relative(runs: &[(f64, f64)]) -> Option<Vec<(f64, f64)>> {
    let (times, values): (Vec<f64>, Vec<f64>) = runs.iter().copied().unzip();
    let (time, value) = (mean(&times)?, mean(&values).filter(|mean| *mean != 0.0)?);
    (runs.len() > 1).then(|| runs.iter().map(|(at, measured)| (at - time, measured / value - 1.0)).collect())
}

/// Probabilities corrected for how many were looked at (Holm 1979), in the order given.
fn holm(probabilities: &[f64]) -> Vec<f64> {
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
    fn groups_are_two_only_if_each_is_narrow_and_has_two_trials() {
        let table = [
            (vec![10.0, 10.2, 14.0, 14.1], Some(33.0)),
            (vec![14.0, 10.0, 14.1, 10.2], Some(33.0)),
            (vec![10.0, 10.1, 10.2, 14.0], None),
            (vec![10.0, 11.0, 13.0, 14.0], None),
            (vec![10.0, 14.0], None),
            (vec![], None),
        ];
        for (trials, expected) in table {
            assert_eq!(two_groups(&trials).map(f64::round), expected, "{trials:?}");
        }
    }

    #[test]
    fn holm_corrects_in_order() {
        assert_eq!(holm(&[0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]);
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
        assert_eq!(holm(&[]), [0.0; 0]);
    }

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
