//! One run of the plan: workload, load, records, metrics, and the files of the run.

use crate::benchmark::Benchmark;
use crate::error::SweepError;
use crate::events::{Event, Observer};
use crate::failure;
use crate::failure::Addressed;
use crate::interrupt::Interrupt;
use crate::judging;
use crate::ledger::{Blame, Ending, Success};
use crate::report::{self, Trust};
use crate::selection::Selection;
use aiperf_artifacts::error_summary::ErrorSummary;
use aiperf_artifacts::{ArtifactError, RecordsWriter, inputs, layout, time};
use aiperf_columns::Store;
use aiperf_load::{
    BodyMemory, Cancellation, Clock, Control, ConversationSpec, Length, LoadError, Processing, RunOutcome,
    RunSpec, Workload, WorkloadSpec,
};
use aiperf_metrics::{Accumulator, ConcurrencyTimeline, TimelineRecorder, record_metrics};
use aiperf_model::budget::ErrorBudget;
use aiperf_model::fault::{Fault, Faulty as _};
use aiperf_model::metrics::RunMetrics;
use aiperf_model::record::{Phase, Record};
use aiperf_model::sweep::Step;
use aiperf_plan::{CancellationConfig, ConversationConfig, RunSettings};
use std::io;
use std::path::Path;

/// What the records of a run add up to.
pub(crate) struct Measured {
    pub(crate) clock: Clock,
    pub(crate) outcome: RunOutcome,
    pub(crate) metrics: RunMetrics,
    pub(crate) timeline: ConcurrencyTimeline,
    pub(crate) errors: ErrorSummary,
}

/// Runs one step and writes the files of its folder. An error ends the benchmark; a run that failed is an [`Ending`].
pub(crate) fn execute(
    benchmark: &Benchmark<'_>,
    step: &Step,
    budget: Option<&ErrorBudget>,
    folder: &Path,
    observer: &mut dyn Observer,
    interrupt: &Interrupt,
) -> Result<Ending, SweepError> {
    let settings = benchmark.config.settings(&step.value);
    let control = Control::new();
    interrupt.watch(&control);
    let selection = Selection::new(benchmark, &settings).map_err(LoadError::from)?;
    let workload = match prepare(benchmark, step, &settings, &selection, folder, &control) {
        Ok(workload) => workload,
        Err(error) => return failed_to_load(benchmark, error),
    };
    let bodies = workload.profiling_bodies(&*benchmark.endpoint, &control);
    match inputs::write(&folder.join(layout::INPUTS), bodies.map(|bodies| bodies.map_err(SweepError::from))) {
        // What was not written because the user wants to stop is written by the run that takes the place of this one.
        Err(SweepError::Load(error)) => return failed_to_load(benchmark, error),
        written => written?,
    }
    if control.is_stopping() {
        return Ok(Ending::Interrupted(None));
    }
    observer.notify(Event::RunStarted { step, control: &control });
    let measured = match measure(benchmark, step, &settings, &selection, &workload, folder, &control)? {
        Ok(measured) => measured,
        Err(error) => return failed_to_load(benchmark, error),
    };
    let Measured { outcome, metrics, errors, .. } = &measured;
    let addressed = Addressed { errors, url: &request_url(benchmark) };
    let failure = failure::reason(outcome, metrics, addressed, benchmark.config.load.max_error_rate);
    let asked = report::input_config(benchmark, &settings, &selection);
    let verdict = judging::judge(benchmark, &settings, workload.has_conversations(), &measured, budget);
    let trust = Trust { verdict: &verdict, budget };
    report::write(benchmark, step, folder, &asked, &measured, trust, failure.as_deref())?;
    Ok(match failure {
        _ if outcome.cancelled => Ending::Interrupted(Some(measured.metrics)),
        Some(error) => Ending::Failed { error, timestamp: time::now(), blame: failure::blame(errors) },
        None => Ending::Succeeded(Success {
            start_unix_ns: measured.clock.wall().unix_ns(measured.outcome.start),
            metrics: measured.metrics,
            verdict,
            errors: measured.errors.counts(),
        }),
    })
}

fn prepare(
    benchmark: &Benchmark<'_>,
    step: &Step,
    settings: &RunSettings,
    selection: &Selection,
    folder: &Path,
    control: &Control,
) -> Result<Workload, LoadError> {
    let length =
        |length: aiperf_plan::Length| Length { mean: f64::from(length.mean), std_dev: length.std_dev };
    let spec = WorkloadSpec {
        model: benchmark.config.model.clone(),
        seed: settings.seed,
        requests: selection.entries,
        warmup_requests: if step.warm_up { settings.warmup_requests } else { 0 },
        dataset: selection.dataset.clone(),
        conversation: benchmark.config.workload.conversation.map(conversation_spec),
        input_length: length(settings.isl),
        output_length: settings.osl.map(length),
        streaming: benchmark.streaming(),
        extra: benchmark.config.workload.extra(),
        // The disk that takes the results has room for the requests.
        body_memory: BodyMemory::in_folder(folder),
    };
    Workload::prepare_under(&spec, &*benchmark.endpoint, control)
}

fn conversation_spec(config: ConversationConfig) -> ConversationSpec {
    ConversationSpec {
        turns: Length { mean: config.turn_mean, std_dev: config.turn_std_dev },
        delay_ms: Length { mean: config.delay_mean_ms, std_dev: config.delay_std_dev_ms },
    }
}

/// Sends the load. The records are on the disk when this returns, also where the load could not be finished.
fn measure(
    benchmark: &Benchmark<'_>,
    step: &Step,
    settings: &RunSettings,
    selection: &Selection,
    workload: &Workload,
    folder: &Path,
    control: &Control,
) -> Result<Result<Measured, LoadError>, ArtifactError> {
    let server = &benchmark.config.server;
    let spec = RunSpec {
        urls: benchmark.urls.clone(),
        endpoint_path: server.endpoint.as_ref().map(|path| path.as_str().to_owned()),
        transport: benchmark.transport.clone(),
        headers: server.request_headers(),
        concurrency: settings.concurrency,
        request_rate: settings.request_rate,
        concurrency_ramp: settings.concurrency_ramp,
        request_rate_ramp: settings.request_rate_ramp,
        seed: settings.seed,
        schedule: selection.schedule.clone(),
        requests: selection.requests,
        conversations: selection.conversations,
        duration: settings.duration,
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
            spill_folder: folder.to_path_buf(),
            ..Processing::default()
        },
    };
    let clock = Clock::start();
    let mut writer = RecordsWriter::create(&folder.join(layout::RECORDS), clock.wall())?;
    let store = Store::in_folder(folder);
    let mut accumulator = Accumulator::new(&benchmark.config.workload.goodput, &store);
    let mut timeline = TimelineRecorder::new(&store);
    let mut errors = ErrorSummary::default();
    let secrets = server.secrets();
    let mut sink = |mut record: Record| {
        record.hide(&secrets);
        let metrics = record_metrics(&record);
        writer.write(&record, &metrics)?;
        if let (Phase::Profiling, Err(failure)) = (record.timing.phase, &record.outcome) {
            errors.add(failure);
        }
        accumulator.add(&record, &metrics);
        timeline.add(&record);
        Ok(())
    };
    let outcome = aiperf_load::run(clock, &spec, workload, &benchmark.endpoint, control, &mut sink);
    writer.finish()?;
    let (metrics, timeline) = (accumulator.finish(), timeline.finish());
    Ok(outcome.and_then(|outcome| match store.fault() {
        Some(fault) => Err(LoadError::Spill(io::Error::new(fault.kind(), fault.to_string()))),
        None => Ok(Measured { clock, outcome, metrics, timeline, errors }),
    }))
}

/// The URL that requests go to; of several servers, that of the first one. Without keys.
fn request_url(benchmark: &Benchmark<'_>) -> String {
    let server = &benchmark.config.server;
    let path = server.path(&benchmark.endpoint.info().default_path);
    benchmark.urls.first().map_or_else(String::new, |url| url.request_url(path))
}

/// Whether the load error is the user's wish, the server's or plugin's of this run, or a fault of the whole plan.
fn failed_to_load(benchmark: &Benchmark<'_>, error: LoadError) -> Result<Ending, SweepError> {
    match error.fault() {
        Fault::Stopped => Ok(Ending::Interrupted(None)),
        fault @ (Fault::Server | Fault::Plugin) => {
            let blame = if fault == Fault::Server { Blame::Unreachable } else { Blame::Plugin };
            // A plugin's last words may be the server's.
            let error = benchmark.config.server.secrets().hide(&error.to_string()).into_owned();
            Ok(Ending::Failed { error, timestamp: time::now(), blame })
        }
        Fault::Input | Fault::Machine => Err(error.into()),
    }
}
