//! The metrics files of one run.

use crate::benchmark::Benchmark;
use crate::one_run::Measured;
use crate::run_requests::RunRequests;
use aiperf_artifacts::ArtifactError;
use aiperf_artifacts::input_config::{InputConfig, InputFile, TokenLength};
use aiperf_artifacts::run::RunReport;
use aiperf_model::client_error::ClientErrorEstimate;
use aiperf_model::sweep::Step;
use aiperf_model::verdict::Verdict;
use aiperf_plan::{Length, RunSettings};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::path::Path;

/// What the run asked of the server, in the words of the metrics file.
pub(crate) fn input_config(
    benchmark: &Benchmark<'_>,
    settings: &RunSettings,
    selection: &RunRequests,
) -> Value {
    let length = |length: Length| TokenLength { mean: f64::from(length.mean), std_dev: length.std_dev };
    let urls: Vec<String> = benchmark.urls.iter().map(ToString::to_string).collect();
    InputConfig {
        model: &benchmark.config.model,
        urls: &urls,
        endpoint_type: &benchmark.endpoint.identity().name,
        streaming: benchmark.streaming(),
        concurrency: settings.concurrency,
        request_rate: settings.request_rate,
        ramps: (settings.concurrency_ramp, settings.request_rate_ramp),
        fixed_schedule: benchmark.config.load.fixed_schedule,
        requests: selection.requests,
        conversations: selection.conversations,
        duration: settings.duration,
        file: selection.dataset.as_ref().zip(benchmark.config.workload.dataset.as_ref()).map(
            |(order, config)| InputFile {
                path: &config.file,
                kind: order.dataset.kind(),
                sampling: config.sampling,
            },
        ),
        prompts: selection.entries,
        input_length: length(settings.isl),
        output_length: settings.osl.map(length),
        random_seed: settings.seed,
    }
    .to_value()
}

/// How far the run can be believed.
#[derive(Clone, Copy)]
pub(crate) struct Judged<'a> {
    pub(crate) verdict: &'a Verdict,
    /// The client's own error, if it is known.
    pub(crate) client_error: Option<&'a ClientErrorEstimate>,
}

/// Writes both files into the folder of the run.
pub(crate) fn write(
    benchmark: &Benchmark<'_>,
    step: &Step,
    folder: &Path,
    input_config: &Value,
    measured: &Measured,
    trust: Judged<'_>,
    failure: Option<&str>,
) -> Result<(), ArtifactError> {
    let (outcome, wall) = (&measured.outcome, measured.clock.wall());
    let start_unix_ns = wall.unix_ns(outcome.start);
    let incomplete = if outcome.cancelled { Some("interrupted by the user") } else { failure };
    benchmark.exporters.export_run(
        folder,
        &RunReport {
            aiperf_version: benchmark.version,
            benchmark_id: &benchmark_id(start_unix_ns, step),
            metrics: &measured.summed.metrics,
            input_config,
            random_seed: step.value.seed,
            trial: step.trial,
            cli_command: &benchmark.command_line.join(" "),
            variation_index: step.value.index,
            parameters: &step.value.parameters,
            was_cancelled: outcome.cancelled,
            incomplete_reason: incomplete,
            verdict: trust.verdict,
            client_error: trust.client_error,
            client: &outcome.client,
            errors: &measured.summed.errors,
            start_unix_ns,
            end_unix_ns: wall.unix_ns(outcome.end),
        },
    )
}

/// Twelve hexadecimal digits that no other run has: a hash of its start and its step.
fn benchmark_id(start_unix_ns: u64, step: &Step) -> String {
    let digest = Sha256::new()
        .chain_update(start_unix_ns.to_le_bytes())
        .chain_update(step.index.to_le_bytes())
        .finalize();
    digest.iter().take(6).fold(String::new(), |mut id, byte| {
        // Writing to a string does not fail.
        let _ = write!(id, "{byte:02x}");
        id
    })
}
