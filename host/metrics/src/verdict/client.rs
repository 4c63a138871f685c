//! Whether the client kept up.

use super::rules::{CLIENT_CPU, CLIENT_DELAY, CLIENT_ERRORS, SUSPENDED};
use aiperf_model::catalogue::MetricId;
use aiperf_model::client::{ClientHealth, WorkerShare};
use aiperf_model::client_error::ClientErrorEstimate;
use aiperf_model::metrics::{RunMetrics, Statistic};
use aiperf_model::verdict::Reason;

pub(super) fn reasons(
    metrics: &RunMetrics,
    client: &ClientHealth,
    client_error: Option<&ClientErrorEstimate>,
) -> Vec<Reason> {
    let delays = delays(metrics, client, client_error);
    let delayed = delays.into_iter().filter_map(|delay| {
        let measured = metrics.statistic(delay.metric, delay.statistic).filter(|value| *value > 0.0)?;
        let subject = delay.metric.metric().name_of(delay.statistic);
        CLIENT_DELAY.judge(Some(&subject), 100.0 * delay.milliseconds / measured)
    });
    let busiest = client.workers.iter().filter_map(busy_percent).max_by(f64::total_cmp);
    let errors = metrics.statistic(MetricId::ClientErrorRequestCount, Statistic::Avg);
    let suspended = SUSPENDED.judge(None, client.suspended_seconds);
    suspended
        .into_iter()
        .chain(delayed)
        .chain(busiest.and_then(|percent| CLIENT_CPU.judge(None, percent)))
        .chain(errors.and_then(|count| CLIENT_ERRORS.judge(None, count)))
        .collect()
}

/// What the client may have added to a statistic.
struct Delay {
    metric: MetricId,
    statistic: Statistic,
    milliseconds: f64,
}

fn delays(
    metrics: &RunMetrics,
    client: &ClientHealth,
    client_error: Option<&ClientErrorEstimate>,
) -> Vec<Delay> {
    let read = client.read_delay;
    let first_token = client_error.map(|client_error| client_error.ttft_ms);
    let per_token = client_error.and_then(|client_error| client_error.itl_ms);
    // Where this process stood still, requests were sent late because of that, which has a reason of its own.
    let was_awake = client.suspended_seconds == 0.0;
    let send_delay = |statistic| metrics.statistic(MetricId::SendDelay, statistic).filter(|_| was_awake);
    let sent = |statistic| send_delay(statistic).unwrap_or_default();
    // The first and the last token of an answer may be read late; their distance over the tokens between is the ITL.
    let gaps = metrics.statistic(MetricId::OutputSequenceLength, Statistic::Avg).map_or(1.0, |osl| osl - 1.0);
    let mut delays = Vec::new();
    let mut add = |metric, statistic, milliseconds| delays.push(Delay { metric, statistic, milliseconds });
    let statistics = [
        (Statistic::P50, read.p50_ms, first_token.map(|added| added.p50), per_token.map(|added| added.p50)),
        (
            Statistic::P99,
            read.p99_ms,
            first_token.and_then(|added| added.p99),
            per_token.and_then(|added| added.p99),
        ),
    ];
    for (statistic, read_ms, first_ms, per_token_ms) in statistics {
        let first_ms = read_ms.max(first_ms.unwrap_or_default());
        add(MetricId::TimeToFirstToken, statistic, first_ms);
        add(
            MetricId::InterTokenLatency,
            statistic,
            (read_ms / gaps.max(1.0)).max(per_token_ms.unwrap_or_default()),
        );
        add(MetricId::RequestLatency, statistic, read_ms);
        add(MetricId::EffectiveTimeToFirstToken, statistic, first_ms + sent(statistic));
        add(MetricId::EffectiveLatency, statistic, read_ms + sent(statistic));
    }
    delays
}

/// None where the system does not tell.
fn busy_percent(worker: &WorkerShare) -> Option<f64> {
    Some(worker.working_percent? + worker.waiting_percent.unwrap_or_default())
}
