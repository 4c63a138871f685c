//! One run of the plan: workload, load, records, metrics, and the files of the run.

use crate::benchmark::Benchmark;
use crate::error::SweepError;
use crate::events::{Event, Observer};
use crate::failure;
use crate::interrupt::Interrupt;
use crate::judging;
use crate::ledger::{Ending, Success};
use crate::report::{self, Trust};
use aiperf_artifacts::error_summary::ErrorSummary;
use aiperf_artifacts::{ArtifactError, RecordsWriter, inputs, layout, time};
use aiperf_load::{
    BodyMemory, Clock, Control, Length, LoadError, Processing, RunOutcome, RunSpec, Workload, WorkloadSpec,
};
use aiperf_metrics::{Accumulator, Course, record_metrics};
use aiperf_model::budget::ErrorBudget;
use aiperf_model::metrics::RunMetrics;
use aiperf_model::record::{Phase, Record};
use aiperf_model::sweep::Step;
use aiperf_plan::RunSettings;
use std::path::Path;

/// What the records of a run add up to.
pub(crate) struct Measured {
    pub(crate) clock: Clock,
    pub(crate) outcome: RunOutcome,
    pub(crate) metrics: RunMetrics,
    pub(crate) course: Course,
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
    let workload = match prepare(benchmark, step, &settings, folder, &control) {
        Ok(workload) => workload,
        Err(error) => return failed_to_load(error),
    };
    inputs::write(&folder.join(layout::INPUTS), workload.profiling_bodies())?;
    if control.is_stopping() {
        return Ok(Ending::Interrupted(None));
    }
    observer.notify(Event::RunStarted { step, control: &control });
    let measured = match measure(benchmark, step, &settings, &workload, folder, &control)? {
        Ok(measured) => measured,
        Err(error) => return failed_to_load(error),
    };
    let Measured { outcome, metrics, errors, .. } = &measured;
    let failure = failure::reason(outcome, metrics, errors, benchmark.config.load.max_error_rate);
    let asked = report::input_config(benchmark, &settings, workload.profiling_requests());
    let verdict = judging::judge(benchmark, &settings, &measured, budget);
    let trust = Trust { verdict: &verdict, budget };
    report::write(benchmark, step, folder, &asked, &measured, trust, failure.as_deref())?;
    Ok(match failure {
        _ if outcome.cancelled => Ending::Interrupted(Some(measured.metrics)),
        Some(error) => Ending::Failed { error, timestamp: time::now() },
        None => Ending::Succeeded(Success {
            start_unix_ns: measured.clock.wall().unix_ns(measured.outcome.start),
            metrics: measured.metrics,
            verdict,
        }),
    })
}

fn prepare(
    benchmark: &Benchmark<'_>,
    step: &Step,
    settings: &RunSettings,
    folder: &Path,
    control: &Control,
) -> Result<Workload, LoadError> {
    let length =
        |length: aiperf_plan::Length| Length { mean: f64::from(length.mean), std_dev: length.std_dev };
    let spec = WorkloadSpec {
        model: benchmark.config.model.clone(),
        seed: settings.seed,
        requests: settings.requests.unwrap_or(UNBOUNDED_WORKLOAD),
        warmup_requests: if step.warm_up { settings.warmup_requests } else { 0 },
        input_length: length(settings.isl),
        output_length: settings.osl.map(length),
        streaming: benchmark.streaming(),
        extra: benchmark.config.workload.extra(),
        // The disk that takes the results has room for the requests.
        body_memory: BodyMemory::in_folder(folder),
    };
    Workload::prepare_under(&spec, &*benchmark.endpoint, control)
}

/// How many different requests a run without a number of requests goes through before it begins again.
const UNBOUNDED_WORKLOAD: u32 = 1000;

/// Sends the load. The records are on the disk when this returns, also where the load could not be finished.
fn measure(
    benchmark: &Benchmark<'_>,
    step: &Step,
    settings: &RunSettings,
    workload: &Workload,
    folder: &Path,
    control: &Control,
) -> Result<Result<Measured, LoadError>, ArtifactError> {
    let server = &benchmark.config.server;
    let spec = RunSpec {
        urls: benchmark.urls.clone(),
        endpoint_path: server.endpoint.clone(),
        transport: benchmark.transport.clone(),
        headers: server.request_headers(),
        concurrency: settings.concurrency,
        request_rate: settings.request_rate,
        concurrency_ramp: settings.concurrency_ramp,
        request_rate_ramp: settings.request_rate_ramp,
        seed: settings.seed,
        requests: settings.requests,
        duration: settings.duration,
        grace_period: settings.grace_period,
        request_timeout: server.request_timeout,
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
    let mut accumulator = Accumulator::new(&benchmark.config.workload.goodput);
    let mut course = Course::default();
    let mut errors = ErrorSummary::default();
    let mut sink = |record: Record| {
        let metrics = record_metrics(&record);
        writer.write(&record, &metrics)?;
        if let (Phase::Profiling, Err(failure)) = (record.timing.phase, &record.outcome) {
            errors.add(failure);
        }
        accumulator.add(&record, &metrics);
        course.add(&record);
        Ok(())
    };
    let outcome = aiperf_load::run(clock, &spec, workload, &benchmark.endpoint, control, &mut sink);
    writer.finish()?;
    Ok(outcome.map(|outcome| Measured {
        clock,
        outcome,
        metrics: accumulator.finish(),
        course: course.sorted(),
        errors,
    }))
}

/// Whether the load error is the user's wish, the server's or plugin's of this run, or a fault of the whole plan.
fn failed_to_load(error: LoadError) -> Result<Ending, SweepError> {
    match error {
        LoadError::Stopped => Ok(Ending::Interrupted(None)),
        LoadError::Unreachable { .. } | LoadError::PluginCrashed { .. } | LoadError::Build { .. } => {
            Ok(Ending::Failed { error: error.to_string(), timestamp: time::now() })
        }
        error => Err(error.into()),
    }
}
