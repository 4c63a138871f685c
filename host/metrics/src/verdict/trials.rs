//! Whether the trials of a value say the same, and what that means for the value.

use super::drift;
use super::rules::{BIMODAL, SPREAD};
use crate::statistics::{mean, sample_std_dev};
use aiperf_model::catalogue::{COLUMNS, Column};
use aiperf_model::figure;
use aiperf_model::metrics::RunMetrics;
use aiperf_model::verdict::{Drift, Reason, Verdict};

/// What the summary shows of each value and is judged over the trials.
pub(super) fn judged() -> impl Iterator<Item = &'static Column> {
    COLUMNS.iter().filter(|column| column.judged)
}

/// From this spread on, in percent, there is a note.
const NOTED_SPREAD: f64 = 10.0;

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

/// The verdict on each value of a sweep from its successful trials, in the order given, and from what changes with time
/// over all of them.
#[must_use]
pub fn judge_values(values: &[Vec<Trial<'_>>], drift: &[Drift]) -> Vec<Verdict> {
    let drifts: Vec<Reason> = drift.iter().filter_map(drift::reason).collect();
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
    for Column { metric, statistic, .. } in judged() {
        let of_trial = |trial: &Trial<'_>| trial.metrics.statistic(*metric, *statistic);
        let measured: Vec<f64> = trials.iter().filter_map(of_trial).collect();
        let subject = metric.metric().name_of(*statistic);
        let Some(spread) = spread_percent(&measured) else { continue };
        match SPREAD.judge(Some(&subject), spread) {
            Some(reason) => reasons.push(reason),
            None if spread > NOTED_SPREAD => {
                notes.push(format!("{subject} varies by {} over the trials", figure::percent(spread)));
            }
            None => {}
        }
        let apart = two_groups(&measured).and_then(|percent| BIMODAL.judge(Some(&subject), percent));
        reasons.extend(apart);
    }
    Verdict::new(reasons, notes)
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
}
