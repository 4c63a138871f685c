//! Whether the load was the one that was asked for, and steady, and answered by the server itself.

use super::rules::{
    BACKLOG, CACHE_HITS, CONCURRENCY_LIMIT, DESYNCHRONIZED, ERRORS, OFFERED_LOAD, RAMP_AND_DRAIN,
    REQUESTS_PER_SLOT, RETRIES, UNEXPECTED_CACHE_HITS, USAGE_CONTRADICTED,
};
use super::{Repetition, RequestedLoad};
use crate::timeline::{ConcurrencyTimeline, Waits};
use aiperf_model::catalogue::MetricId;
use aiperf_model::metrics::{RunMetrics, Statistic};
use aiperf_model::verdict::Reason;

pub(super) fn reasons(
    asked: RequestedLoad,
    metrics: &RunMetrics,
    timeline: &ConcurrencyTimeline,
    missed: u64,
) -> Vec<Reason> {
    let load = match asked.concurrency {
        _ if timeline.has_schedule() => open_loop(metrics, timeline, missed),
        Some(users) if asked.users_think => users_who_think(users, timeline),
        Some(concurrency) => closed_loop(concurrency, metrics, timeline),
        None => Vec::new(),
    };
    load.into_iter()
        .chain(errors(asked, metrics))
        .chain(desynchronized(metrics))
        .chain(retries(metrics))
        .chain(usage_contradicted(metrics))
        .chain(unexpected_cache_hits(asked, metrics))
        .collect()
}

/// What is no fault, but changes what the figures mean.
pub(super) fn notes(timeline: &ConcurrencyTimeline) -> Vec<String> {
    let Waits { limit, .. } = timeline.waits();
    let waited = limit > 0;
    let note = "requests waited for the limit of --concurrency; effective latencies include that";
    waited.then(|| note.to_owned()).into_iter().collect()
}

fn open_loop(metrics: &RunMetrics, timeline: &ConcurrencyTimeline, missed: u64) -> Vec<Reason> {
    let Waits { limit, client } = timeline.waits();
    let offered = timeline.offered(missed).and_then(|share| {
        let percent = 100.0 * share;
        if limit > client {
            CONCURRENCY_LIMIT.judge(None, percent)
        } else {
            OFFERED_LOAD.judge(Some("request rate"), percent)
        }
    });
    let edges = ramp_and_drain(metrics).or_else(|| timeline.ramp_drain_fraction());
    let edges = edges.and_then(|share| RAMP_AND_DRAIN.judge(None, 100.0 * share));
    let backlog = timeline.backlog().and_then(|share| BACKLOG.judge(None, 100.0 * share));
    offered.into_iter().chain(edges).chain(backlog).collect()
}

fn closed_loop(concurrency: u32, metrics: &RunMetrics, timeline: &ConcurrencyTimeline) -> Vec<Reason> {
    let slots = f64::from(concurrency);
    let plateau = timeline.plateau(concurrency);
    let mean = plateau.map(|plateau| plateau.mean).or_else(|| timeline.mean_in_flight());
    let offered = mean.and_then(|mean| OFFERED_LOAD.judge(Some("concurrency"), 100.0 * mean / slots));
    offered
        .into_iter()
        .chain(REQUESTS_PER_SLOT.judge(None, timeline.sent() as f64 / slots))
        .chain(ramp_and_drain(metrics).and_then(|share| RAMP_AND_DRAIN.judge(None, 100.0 * share)))
        .collect()
}

/// How many of them wait for an answer at a time is up to the server and to them.
fn users_who_think(users: u32, timeline: &ConcurrencyTimeline) -> Vec<Reason> {
    REQUESTS_PER_SLOT.judge(None, timeline.sent() as f64 / f64::from(users)).into_iter().collect()
}

/// How much of the throughput of the steady part the whole run lacks; none without a steady part.
fn ramp_and_drain(metrics: &RunMetrics) -> Option<f64> {
    let of = |metric| metrics.statistic(metric, Statistic::Avg);
    of(MetricId::SteadyDuration)?;
    let steady = of(MetricId::RequestThroughput).filter(|steady| *steady > 0.0)?;
    Some(1.0 - of(MetricId::OverallRequestThroughput)? / steady)
}

fn errors(asked: RequestedLoad, metrics: &RunMetrics) -> Option<Reason> {
    let percent = metrics.statistic(MetricId::RequestErrorRate, Statistic::Avg)?;
    let reason = ERRORS.judge(None, percent);
    // A limit of the user below ours is a wish for less, not for more leniency.
    reason
        .into_iter()
        .chain(ERRORS.judge_with(None, percent, None, Some(100.0 * asked.max_error_rate)))
        .last()
}

fn desynchronized(metrics: &RunMetrics) -> Option<Reason> {
    let count = metrics.statistic(MetricId::DesynchronizedRequestCount, Statistic::Avg)?;
    DESYNCHRONIZED.judge(None, count)
}

fn retries(metrics: &RunMetrics) -> Option<Reason> {
    let count = |metric| metrics.statistic(metric, Statistic::Avg);
    let completed = count(MetricId::CompletedRequestCount)?;
    RETRIES.judge(None, 100.0 * count(MetricId::RetriedRequestCount)? / completed)
}

/// The subject names what the server reports and what is used instead, each as a mean over the answers.
fn usage_contradicted(metrics: &RunMetrics) -> Option<Reason> {
    let mean = |metric| metrics.statistic(metric, Statistic::Avg);
    let percent = 100.0 * mean(MetricId::ContradictedUsageCount)? / mean(MetricId::RequestCount)?;
    let sides = [
        ("output", MetricId::UsageCompletionTokens, MetricId::OutputSequenceLength),
        ("input", MetricId::UsagePromptTokens, MetricId::InputSequenceLength),
    ];
    let told = sides.into_iter().filter_map(|(side, reported, used)| {
        let [reported, used] = [mean(reported)?, mean(used)?].map(|tokens| format!("{tokens:.0}"));
        (reported != used).then(|| format!("{reported} {side} tokens reported, {used} used"))
    });
    USAGE_CONTRADICTED.judge(Some(&told.collect::<Vec<_>>().join(", ")), percent)
}

/// What all requests have in common is no hit: the template of a chat, and a word with which prompts begin by chance. It is
/// at most what the server counts beyond the made-up prompt, and no more than half of the requests had from the cache.
fn unexpected_cache_hits(asked: RequestedLoad, metrics: &RunMetrics) -> Option<Reason> {
    let cached = |statistic| metrics.statistic(MetricId::UsagePromptCacheReadTokens, statistic);
    let prompts = |statistic| metrics.statistic(MetricId::UsagePromptTokens, statistic);
    let percent = |tokens: f64| Some(100.0 * tokens / prompts(Statistic::Avg).filter(|mean| *mean > 0.0)?);
    match asked.repetition {
        Repetition::Wanted => None,
        Repetition::Unknown => {
            UNEXPECTED_CACHE_HITS.judge_with(None, percent(cached(Statistic::Avg)?)?, Some(CACHE_HITS), None)
        }
        Repetition::Never { tokens } => {
            let beside = (prompts(Statistic::Avg)? - tokens).max(0.0) + 1.0;
            let shared = beside.min(cached(Statistic::P50)?);
            UNEXPECTED_CACHE_HITS.judge(None, percent(cached(Statistic::Avg)? - shared)?)
        }
    }
}
