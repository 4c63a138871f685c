//! When a run counts as failed, and by what.

use crate::hint::hint;
use crate::ledger::Blame;
use aiperf_artifacts::error_summary::ErrorSummary;
use aiperf_load::{Absence, RunOutcome};
use aiperf_model::catalogue::MetricId;
use aiperf_model::metrics::{RunMetrics, Statistic};
use aiperf_model::record::FailureKind;

/// The errors of a run, and where its requests went.
#[derive(Clone, Copy)]
pub(crate) struct Addressed<'a> {
    pub(crate) errors: &'a ErrorSummary,
    /// The URL of the requests, without keys.
    pub(crate) url: &'a str,
}

/// Why a run is excluded from statistics, or none if it is in all: no request succeeded, or more than the share
/// `max_error_rate` of the requests failed.
pub(crate) fn reason(
    outcome: &RunOutcome,
    metrics: &RunMetrics,
    requests: Addressed<'_>,
    max_error_rate: f64,
) -> Option<String> {
    let count = |metric| metrics.statistic(metric, Statistic::Avg).unwrap_or_default();
    let (succeeded, failed) = (count(MetricId::RequestCount), count(MetricId::ErrorRequestCount));
    if succeeded == 0.0 {
        if let Some(Absence { seconds, message }) = &outcome.absence {
            return Some(format!("the server could not be reached for {seconds:.1} s: {message}"));
        }
        return Some(match most_frequent(requests) {
            Some(error) => format!("no request to {} succeeded; most frequent error: {error}", requests.url),
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
        let error = most_frequent(requests).unwrap_or_default();
        format!(
            "{failed} of {} requests to {} failed, more than --max-error-rate {max_error_rate}; most frequent error: {error}",
            succeeded + failed,
            requests.url
        )
    })
}

/// Whether most of what failed was the endpoint plugin's fault.
pub(crate) fn blame(errors: &ErrorSummary) -> Blame {
    match errors.entries().first() {
        Some((details, _)) if details.kind == FailureKind::Plugin.name() => Blame::Plugin,
        _ => Blame::Requests,
    }
}

/// What failed most often, how often, and what may help.
fn most_frequent(requests: Addressed<'_>) -> Option<String> {
    let (details, count) = requests.errors.entries().into_iter().next()?;
    let code = details.code.map(|code| format!(" {code}")).unwrap_or_default();
    let wait = details.retry_after_seconds.map(|seconds| format!(", to be asked again after {seconds} s"));
    let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
    let help = hint(&details, requests.url).map(|hint| format!("; {hint}")).unwrap_or_default();
    Some(format!("{}{code}: {} ({times}{}){help}", details.kind, details.message, wait.unwrap_or_default()))
}
