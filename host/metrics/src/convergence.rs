//! Whether the trials of a value agree well enough.
//!
//! The rule is sequential: it is asked after each trial, and the first yes ends them. Intervals of a fixed width that are
//! reached in this way cover the mean nearly as often as they say if the width is small (Chow and Robbins, "On the
//! asymptotic theory of fixed-width sequential confidence intervals for the mean", 1965); with very few trials they end
//! too soon by luck, which is what the least number is for.

use crate::statistics;
use aiperf_model::catalogue;
use aiperf_model::convergence::{Convergence, ValueConvergence};
use aiperf_model::metrics::RunMetrics;
use aiperf_model::parameter::Parameter;

/// What the rule says of a value from its successful runs.
#[must_use]
pub fn convergence(
    rule: &Convergence,
    index: u32,
    parameters: &[Parameter],
    runs: &[RunMetrics],
    confidence_level: f64,
) -> ValueConvergence {
    let measured: Vec<f64> = catalogue::find_key(&rule.metric)
        .map(|(metric, statistic)| runs.iter().filter_map(|run| run.statistic(metric, statistic)).collect())
        .unwrap_or_default();
    let relative_half_width = relative_half_width(&measured, confidence_level);
    let is_enough = measured.len() >= rule.min_trials.max(2) as usize;
    ValueConvergence {
        index,
        parameters: parameters.to_vec(),
        trials: measured.len() as u32,
        relative_half_width,
        converged: is_enough && relative_half_width.is_some_and(|width| width <= rule.threshold),
    }
}

/// Half of the Student interval of the mean, over the mean. Equal values agree perfectly, also around 0.
fn relative_half_width(trials: &[f64], confidence_level: f64) -> Option<f64> {
    let (mean, std_dev) = (statistics::mean(trials)?, statistics::sample_std_dev(trials)?);
    if std_dev == 0.0 {
        return Some(0.0);
    }
    let t = statistics::t_critical(trials.len(), confidence_level)?;
    Some(t * statistics::standard_error(trials.len(), std_dev) / mean.abs()).filter(|width| width.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aiperf_model::catalogue::MetricId;
    use aiperf_model::metrics::Summary;

    fn judged(min_trials: u32, throughputs: &[f64]) -> ValueConvergence {
        let rule = Convergence { metric: "request_throughput_avg".into(), threshold: 0.05, min_trials };
        let run = |throughput: &f64| RunMetrics {
            entries: vec![(MetricId::RequestThroughput, Summary::Scalar(*throughput))],
            ..RunMetrics::default()
        };
        let runs: Vec<RunMetrics> = throughputs.iter().map(run).collect();
        convergence(&rule, 0, &[], &runs, 0.95)
    }

    #[test]
    fn half_of_the_interval_is_held_against_the_threshold() {
        // t(0.975, 2) / √3 = 2.4841 deviations.
        let narrow = judged(3, &[98.1, 100.0, 101.9]);
        assert!((narrow.relative_half_width.unwrap() - 0.0472).abs() < 1e-4, "{narrow:?}");
        assert!(narrow.converged);
        assert!(!judged(3, &[97.9, 100.0, 102.1]).converged);
    }

    #[test]
    fn luck_with_few_trials_is_not_enough() {
        assert!(judged(2, &[100.0, 100.1]).converged);
        assert!(!judged(3, &[100.0, 100.1]).converged);
        assert!(!judged(0, &[100.0]).converged);
        assert!(!judged(3, &[]).converged);
    }

    #[test]
    fn equal_trials_agree_also_around_0_and_unequal_ones_do_not() {
        assert_eq!(judged(3, &[0.0; 3]).relative_half_width, Some(0.0));
        assert!(judged(3, &[0.0; 3]).converged);
        assert_eq!(judged(3, &[-1.0, 0.0, 1.0]).relative_half_width, None);
    }
}
