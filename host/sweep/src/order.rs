//! What a run asks of its executor: which requests, and how they are sent.

use crate::benchmark::Benchmark;
use crate::files::BegunRun;
use crate::run_requests::RunRequests;
use aiperf_load::{BodyMemory, Cancellation, ConversationSpec, Length, Processing, RunSpec, WorkloadSpec};
use aiperf_metrics::LoadShape;
use aiperf_model::sweep::Step;
use aiperf_plan::{CancellationConfig, ConversationConfig, RunSettings};
use std::path::Path;

/// The requests of a run.
pub(crate) fn workload(
    benchmark: &Benchmark<'_>,
    step: &Step,
    settings: &RunSettings,
    selection: &RunRequests,
    begun: &BegunRun,
) -> WorkloadSpec {
    let length =
        |length: aiperf_plan::Length| Length { mean: f64::from(length.mean), std_dev: length.std_dev };
    WorkloadSpec {
        model: benchmark.config.model.clone(),
        seed: settings.seed,
        prompt_salt: begun.salt.of_trial.clone(),
        requests: selection.entries,
        warmup_requests: if step.warm_up { settings.warmup_requests } else { 0 },
        dataset: selection.dataset.clone(),
        conversation: benchmark.config.workload.conversation.map(conversation),
        input_length: length(settings.isl),
        output_length: settings.osl.map(length),
        streaming: benchmark.streaming(),
        extra: benchmark.config.workload.extra(),
        // The disk that takes the results has room for the requests.
        body_memory: BodyMemory::in_folder(&begun.folder),
    }
}

fn conversation(config: ConversationConfig) -> ConversationSpec {
    ConversationSpec {
        turns: Length { mean: config.turn_mean, std_dev: config.turn_std_dev },
        delay_ms: Length { mean: config.delay_mean_ms, std_dev: config.delay_std_dev_ms },
    }
}

/// How they are sent.
pub(crate) fn load(
    benchmark: &Benchmark<'_>,
    step: &Step,
    settings: &RunSettings,
    selection: &RunRequests,
    folder: &Path,
) -> RunSpec {
    let server = &benchmark.config.server;
    RunSpec {
        urls: benchmark.urls.clone(),
        endpoint_path: server.endpoint.as_ref().map(|path| path.as_str().to_owned()),
        transport: benchmark.transport.clone(),
        headers: server.request_headers(),
        concurrency: settings.concurrency,
        request_rate: settings.request_rate,
        concurrency_ramp: settings.concurrency_ramp,
        request_rate_ramp: settings.request_rate_ramp,
        seed: settings.seed,
        arrival_seed: aiperf_plan::arrival_seed(benchmark.config.workload.random_seed, step.trial),
        schedule: selection.schedule.clone(),
        requests: selection.requests,
        conversations: selection.conversations,
        duration: settings.duration,
        may_end_early: settings.precision.is_some(),
        grace_period: settings.grace_period,
        request_timeout: server.request_timeout,
        unreachable_timeout: server.unreachable_timeout,
        cancellation: benchmark.config.load.cancellation.map(|CancellationConfig { rate_percent, delay }| {
            Cancellation { share: rate_percent / 100.0, delay }
        }),
        warm_up: step.warm_up,
        workers: Some(benchmark.config.load.workers),
        processing: Processing {
            deferred: benchmark.config.load.defer_parsing,
            longest_response_mib: server.response_mib,
            spill_folder: folder.to_path_buf(),
            ..Processing::default()
        },
    }
}

/// How the load is made, as far as its steady part depends on it.
pub(crate) fn shape(spec: &RunSpec) -> LoadShape {
    let is_open = spec.request_rate.is_some() || spec.schedule.is_some();
    match spec.concurrency {
        Some(slots) if !is_open => LoadShape::Closed { slots, ramped: !spec.concurrency_ramp.is_zero() },
        _ => LoadShape::Open,
    }
}
