//! Whether there are enough requests for the percentiles that are shown.

use super::rules::SAMPLE_SIZE;
use crate::bounds::needed;
use aiperf_model::catalogue::MetricId;
use aiperf_model::metrics::{Distribution, RunMetrics, Statistic, Summary};
use aiperf_model::verdict::Reason;

/// The percentiles that tables and conclusions show.
const SHOWN: [(Statistic, f64); 4] =
    [(Statistic::P50, 0.5), (Statistic::P90, 0.9), (Statistic::P95, 0.95), (Statistic::P99, 0.99)];

/// One reason for all percentiles that are open, which the farthest one stands for.
pub(super) fn reasons(metrics: &RunMetrics) -> Vec<Reason> {
    let shown = [MetricId::TimeToFirstToken, MetricId::RequestLatency];
    let known = shown.into_iter().filter_map(|metric| match metrics.get(metric)? {
        Summary::Distribution(distribution) => Some(*distribution),
        Summary::Scalar(_) => None,
    });
    let known: Vec<Distribution> = known.collect();
    let is_open =
        |statistic| known.iter().any(|metric| metric.bounds.of(statistic).is_some_and(|bounds| bounds.open));
    let open: Vec<_> = SHOWN.into_iter().filter(|(statistic, _)| is_open(*statistic)).collect();
    let names: Vec<&str> = open.iter().map(|(statistic, _)| statistic.name()).collect();
    let Some((farthest, quantile)) = open.last().copied() else { return Vec::new() };
    let worth = known.iter().filter_map(|metric| Some(metric.bounds.of(farthest)?.effective));
    let worth = worth.reduce(f64::min).unwrap_or_default();
    // Estimated from the run, the number needed is a little larger than the rule for independent requests says.
    let needed = (needed(quantile) as f64).max(worth.ceil() + 1.0);
    SAMPLE_SIZE.judge_with(Some(&names.join(", ")), worth.floor(), Some(needed), None).into_iter().collect()
}
