//! Whether there are enough requests for the percentiles that are shown.

use super::rules::SAMPLE_SIZE;
use crate::bounds::needed;
use aiperf_model::catalogue::MetricId;
use aiperf_model::metrics::{RunMetrics, Statistic, Summary};
use aiperf_model::verdict::Reason;

/// The percentiles that tables and conclusions show.
const SHOWN: [(Statistic, f64); 4] =
    [(Statistic::P50, 0.5), (Statistic::P90, 0.9), (Statistic::P95, 0.95), (Statistic::P99, 0.99)];

/// One reason for all percentiles that are open, which the farthest one stands for.
pub(super) fn reasons(metrics: &RunMetrics) -> Vec<Reason> {
    let Some(count) = fewest(metrics) else { return Vec::new() };
    let open: Vec<_> = SHOWN.into_iter().filter(|(_, quantile)| count < needed(*quantile)).collect();
    let names: Vec<&str> = open.iter().map(|(statistic, _)| statistic.name()).collect();
    let farthest = open.last().map(|(_, quantile)| needed(*quantile) as f64);
    SAMPLE_SIZE.judge_with(Some(&names.join(", ")), count as f64, farthest, None).into_iter().collect()
}

/// The number of requests behind the latencies that every run shows.
fn fewest(metrics: &RunMetrics) -> Option<u64> {
    let shown = [MetricId::TimeToFirstToken, MetricId::RequestLatency];
    let counts = shown.into_iter().filter_map(|metric| match metrics.get(metric)? {
        Summary::Distribution(distribution) => Some(distribution.count),
        Summary::Scalar(_) => None,
    });
    counts.min()
}
