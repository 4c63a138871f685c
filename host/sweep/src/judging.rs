//! What is put before the judge of a run.

use crate::benchmark::Benchmark;
use crate::one_run::Measured;
use aiperf_metrics::verdict::{Evidence, Repetition, RequestedLoad, judge_run};
use aiperf_model::client_error::ClientErrorEstimate;
use aiperf_model::verdict::Verdict;
use aiperf_plan::{RunSettings, TrialPrompts};

/// How far a run can be believed.
pub(crate) fn judge(
    benchmark: &Benchmark<'_>,
    settings: &RunSettings,
    users_think: bool,
    measured: &Measured,
    client_error: Option<&ClientErrorEstimate>,
) -> Verdict {
    let config = benchmark.config;
    judge_run(&Evidence {
        asked: RequestedLoad {
            concurrency: settings.concurrency,
            rate: settings.request_rate,
            users_think,
            max_error_rate: config.load.max_error_rate,
            unreachable_timeout: config.server.unreachable_timeout.as_secs_f64(),
            repetition: repetition(benchmark, settings, users_think),
        },
        metrics: &measured.summed.metrics,
        timeline: &measured.summed.timeline,
        client: &measured.outcome.client,
        client_error,
        lost_records: measured.outcome.lost,
        server_lost: measured.outcome.absence.as_ref().map(|absence| absence.seconds),
    })
}

fn repetition(benchmark: &Benchmark<'_>, settings: &RunSettings, users_think: bool) -> Repetition {
    let config = benchmark.config;
    // Each turn of a conversation repeats what was said before it.
    let is_wanted =
        users_think || config.sweep.same_seed || config.workload.trial_prompts == TrialPrompts::Same;
    match config.workload.dataset {
        _ if is_wanted => Repetition::Wanted,
        Some(_) => Repetition::Unknown,
        None => Repetition::Never { tokens: f64::from(settings.isl.mean) },
    }
}
