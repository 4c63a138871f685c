//! One run: its requests, its load, its records, its metrics, and the files of its folder.

use crate::benchmark::Benchmark;
use crate::error::SweepError;
use crate::events::{Event, Observer};
use crate::executor::Prepared;
use crate::failure;
use crate::failure::Addressed;
use crate::figures::{self, Figures};
use crate::files::BegunRun;
use crate::interrupt::Interrupt;
use crate::judging;
use crate::ledger::{Blame, Ending, Success};
use crate::order;
use crate::report::{self, Judged};
use crate::run_requests::RunRequests;
use crate::sinks::{EndWhenKnown, RunSinks, Summary, Summed};
use aiperf_artifacts::{ArtifactError, RecordsWriter, inputs, layout, time};
use aiperf_columns::Store;
use aiperf_load::{Clock, Control, LoadError, RunOutcome, RunSpec};
use aiperf_metrics::RunLength;
use aiperf_model::client_error::ClientErrorEstimate;
use aiperf_model::fault::{Fault, Faulty as _};
use aiperf_model::record::{Phase, Record};
use aiperf_model::sweep::Step;
use std::path::Path;

/// What the records of a run add up to.
pub(crate) struct Measured {
    pub(crate) clock: Clock,
    pub(crate) outcome: RunOutcome,
    pub(crate) summed: Summed,
}

/// Runs one step and writes the files of its folder. An error ends the benchmark; a run that failed is an [`Ending`].
pub(crate) fn execute(
    benchmark: &Benchmark<'_>,
    step: &Step,
    client_error: Option<&ClientErrorEstimate>,
    begun: &BegunRun,
    observer: &mut dyn Observer,
    interrupt: &Interrupt,
) -> Result<Ending, SweepError> {
    let BegunRun { folder, salt } = begun;
    let settings = benchmark.config.settings(&step.value);
    let control = Control::new();
    interrupt.watch(&control);
    let selection = RunRequests::new(benchmark, &settings).map_err(LoadError::from)?;
    let workload = order::workload(benchmark, step, &settings, &selection, begun);
    let prepared = match benchmark.executor.prepare(&workload, &benchmark.endpoint, &control) {
        Ok(prepared) => prepared,
        Err(error) => return failed_to_load(benchmark, error),
    };
    let bodies = prepared.bodies(&control).map(|bodies| bodies.map_err(SweepError::from));
    match inputs::write(&folder.join(layout::INPUTS), &salt.name, bodies) {
        // What was not written because the user wants to stop is written by the run that takes the place of this one.
        Err(SweepError::Load(error)) => return failed_to_load(benchmark, error),
        written => written?,
    }
    if control.is_stopping() {
        return Ok(Ending::Interrupted(None));
    }
    observer.notify(Event::RunStarted { step, control: &control });
    let spec = order::load(benchmark, step, &settings, &selection, folder);
    let figures = Figures::default();
    let measuring = || measure(benchmark, step, &spec, &*prepared, folder, &control, &figures);
    let measured = match figures::tell_while(measuring, &figures, step, &control, observer)? {
        Ok(measured) => measured,
        Err(error) => return failed_to_load(benchmark, error),
    };
    let Measured { outcome, summed: Summed { metrics, errors, .. }, .. } = &measured;
    let addressed = Addressed { errors, url: &request_url(benchmark) };
    let failure = failure::reason(outcome, metrics, addressed, benchmark.config.load.max_error_rate);
    let asked = report::input_config(benchmark, &settings, &selection);
    let verdict = judging::judge(benchmark, &settings, prepared.has_conversations(), &measured, client_error);
    let trust = Judged { verdict: &verdict, client_error };
    report::write(benchmark, step, folder, &asked, &measured, trust, failure.as_deref())?;
    Ok(match failure {
        _ if outcome.cancelled => Ending::Interrupted(Some(measured.summed.metrics)),
        Some(error) => Ending::Failed { error, timestamp: time::now(), blame: failure::blame(errors) },
        None => Ending::Succeeded(Success {
            start_unix_ns: measured.clock.wall().unix_ns(outcome.start),
            metrics: measured.summed.metrics,
            verdict,
            errors: measured.summed.errors.counts(),
        }),
    })
}

/// Sends the load. The records are on the disk when this returns, also where the load could not be finished.
fn measure(
    benchmark: &Benchmark<'_>,
    step: &Step,
    spec: &RunSpec,
    prepared: &dyn Prepared,
    folder: &Path,
    control: &Control,
    figures: &Figures,
) -> Result<Result<Measured, LoadError>, ArtifactError> {
    let clock = Clock::start();
    let phases = phases(benchmark, step, spec);
    let file = RecordsWriter::create(&folder.join(layout::RECORDS), clock.wall(), &phases)?;
    let summary =
        Summary::new(order::shape(spec), &benchmark.config.workload.goodput, Store::in_folder(folder));
    let others = benchmark.sinks.of_run(step, folder)?;
    let end = benchmark.config.settings(&step.value).precision.map(|precision| EndWhenKnown {
        length: RunLength::new(order::shape(spec), precision),
        control: control.clone(),
    });
    let mut sinks = RunSinks::new(file, summary, benchmark.config.server.secrets(), figures, others, end);
    let outcome = prepared.run(clock, spec, control, &mut |record: Record| sinks.take(record));
    let summed = sinks.finish()?;
    Ok(outcome.and_then(|outcome| Ok(Measured { clock, outcome, summed: summed? })))
}

/// The phases of a run, in order.
fn phases(benchmark: &Benchmark<'_>, step: &Step, spec: &RunSpec) -> Vec<Phase> {
    let is_warmed_up = step.warm_up && benchmark.config.load.warmup_request_count > 0;
    let is_ramped = !(spec.concurrency_ramp.is_zero() && spec.request_rate_ramp.is_zero());
    let all = [(Phase::Warmup, is_warmed_up), (Phase::Ramp, is_ramped), (Phase::Profiling, true)];
    all.into_iter().filter(|(_, is_there)| *is_there).map(|(phase, _)| phase).collect()
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
