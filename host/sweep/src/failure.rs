//! When a run counts as failed.

use aiperf_artifacts::error_summary::ErrorSummary;
use aiperf_load::RunOutcome;
use aiperf_model::catalogue::MetricId;
use aiperf_model::metrics::{RunMetrics, Statistic};
use aiperf_model::record::FailureKind;

/// Why a run is in no statistic, or none if it is in all: the server went away, no request succeeded, or more than
/// the share `max_error_rate` of the requests failed.
pub(crate) fn reason(
    outcome: &RunOutcome,
    metrics: &RunMetrics,
    errors: &ErrorSummary,
    max_error_rate: f64,
) -> Option<String> {
    if let Some(unreachable) = &outcome.unreachable {
        return Some(unreachable.clone());
    }
    let count = |metric| metrics.statistic(metric, Statistic::Avg).unwrap_or_default();
    let (succeeded, failed) = (count(MetricId::RequestCount), count(MetricId::ErrorRequestCount));
    if succeeded == 0.0 {
        return Some(match most_frequent(errors) {
            Some(error) => format!("no request succeeded; most frequent error: {error}"),
            None if outcome.counts.sent == 0 && outcome.in_ramp > 0 => {
                "all requests were sent within the ramp, before there is anything to measure; \
                 ask for more of them or for a shorter ramp"
                    .into()
            }
            None => "no request was completed".into(),
        });
    }
    let rate = failed / (succeeded + failed);
    (rate > max_error_rate).then(|| {
        let error = most_frequent(errors).unwrap_or_default();
        format!(
            "{failed} of {} requests failed, more than --max-error-rate {max_error_rate}; most frequent error: {error}",
            succeeded + failed
        )
    })
}

/// Whether most of what failed was the endpoint plugin's fault.
pub(crate) fn is_by_plugin(errors: &ErrorSummary) -> bool {
    errors.entries().first().is_some_and(|(details, _)| details.kind == FailureKind::Plugin.name())
}

fn most_frequent(errors: &ErrorSummary) -> Option<String> {
    let (details, count) = errors.entries().into_iter().next()?;
    let code = details.code.map(|code| format!(" {code}")).unwrap_or_default();
    let wait = details.retry_after_seconds.map(|seconds| format!(", to be asked again after {seconds} s"));
    Some(format!("{}{code}: {} ({count} times{})", details.kind, details.message, wait.unwrap_or_default()))
}
