//! The driver with a strategy, an executor and a sink of this file: no server, no load, and no other file that knows of
//! them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use aiperf_artifacts::export::Exporter;
use aiperf_artifacts::run::RunReport;
use aiperf_artifacts::{ArtifactError, Exporters, Manifest};
use aiperf_load::{Clock, Control, Counts, LoadError, RunOutcome, RunSpec, Sink, Transport, WorkloadSpec};
use aiperf_model::catalogue::{Metric, OpenMetric, Scope, Unit};
use aiperf_model::client::ClientHealth;
use aiperf_model::conclusion::{Direction, Report, Series};
use aiperf_model::metrics::{RecordMetrics, Statistic, Summary};
use aiperf_model::parameter::{Parameter, ParameterValue};
use aiperf_model::plugin::{
    AnalysisPlugins, Endpoint, EndpointInfo, Identity, Kind, Plugin, PluginError, TrendDetector,
};
use aiperf_model::record::{Answer, Failure, FailureKind, Phase, Record, Timing};
use aiperf_model::request::{Payload, Request};
use aiperf_model::response;
use aiperf_model::sweep::{Step, SweepResult, SweepValue};
use aiperf_plan::{Config, Environment, Options, Plan};
use aiperf_sweep::{
    Benchmark, Bodies, Ending, Event, Executor, History, Interrupt, Left, LeftOut, Next, NoOthers, Observer,
    Outcome, Prepared, RecordSink, RecordSinks, Strategy, Sweep, reanalyze, reanalyze_file,
};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const MILLISECOND: u64 = 1_000_000;

/// A server of the imagination: each request takes a millisecond more than the one before, and the third one fails.
struct Imagined;

struct ImaginedRun {
    requests: u32,
}

impl Executor for Imagined {
    fn prepare(
        &self,
        workload: &WorkloadSpec,
        _endpoint: &Arc<dyn Endpoint>,
        _control: &Control,
    ) -> Result<Box<dyn Prepared>, LoadError> {
        Ok(Box::new(ImaginedRun { requests: workload.requests }))
    }
}

impl Prepared for ImaginedRun {
    fn bodies<'a>(&'a self, _control: &'a Control) -> Bodies<'a> {
        Box::new((0..self.requests).map(|_| Ok(vec!["{}".into()])))
    }

    fn has_conversations(&self) -> bool {
        false
    }

    fn run(
        &self,
        _clock: Clock,
        spec: &RunSpec,
        _control: &Control,
        sink: Sink<'_>,
    ) -> Result<RunOutcome, LoadError> {
        if spec.concurrency == Some(13) {
            let (url, reason) = ("http://13".to_owned(), "unlucky".to_owned());
            return Err(LoadError::Unreachable { url, reason });
        }
        (0..self.requests).try_for_each(|request| sink(record(request))).map_err(LoadError::Sink)?;
        let sent = u64::from(self.requests);
        Ok(RunOutcome {
            start: 0,
            end: sent * MILLISECOND,
            cancelled: false,
            counts: Counts { sent, succeeded: sent - 1, failed: 1, cancelled: 0 },
            in_ramp: 0,
            absence: None,
            lost: 0,
            client: ClientHealth::default(),
        })
    }
}

fn record(request: u32) -> Record {
    let send = u64::from(request) * MILLISECOND;
    let end = send + u64::from(request + 1) * MILLISECOND;
    let timing = Timing {
        request,
        conversation: request,
        turn: 0,
        phase: Phase::Profiling,
        worker: 0,
        due: send,
        scheduled: false,
        ready: send,
        send: Some(send),
        first_byte: Some(end),
        end,
        status: Some(200),
        connect: None,
        connect_wait: 0,
        reused_connection: true,
        retries: 0,
    };
    let failure = Failure {
        kind: FailureKind::Timeout,
        status: None,
        retry_after_seconds: None,
        message: "late".into(),
    };
    let answer = Answer { content: vec![end], streamed: true, first_output: Some(end), ..Answer::default() };
    let outcome = if request == 2 { Err(failure) } else { Ok(answer) };
    Record { timing, requested_output_tokens: None, outcome }
}

/// Doubles the concurrency until a run fails, which no plan knows beforehand.
struct Doubling {
    most: u32,
}

impl Strategy for Doubling {
    fn next(&mut self, history: &History<'_>) -> Next {
        // The first value is of the plan; those that follow are new.
        if history.ended(0) == 0 {
            return Next::Run(step(0, 0, 1));
        }
        let index = history.next_index();
        let has_failed = |last: u32| matches!(history.ending(last), Some(Ending::Failed { .. }));
        if index.checked_sub(1).is_some_and(has_failed) {
            return Next::Nothing(None);
        }
        let concurrency = 1 << index;
        if concurrency > self.most { Next::Nothing(None) } else { Next::Run(step(index, index, concurrency)) }
    }

    fn left(&self, history: &History<'_>) -> Left {
        Left::About(self.most.ilog2().saturating_sub(history.next_index()) as usize)
    }
}

fn step(index: u32, value: u32, concurrency: u32) -> Step {
    let parameters = vec![Parameter::new("concurrency", ParameterValue::Integer(concurrency.into()))];
    let value = SweepValue { index: value, parameters, seed: 42 };
    Step { index, value, trial: 1, warm_up: false, cooldown: Duration::ZERO }
}

/// Keeps what every sink of every run was given.
#[derive(Default)]
struct Kept(Arc<Mutex<Vec<String>>>);

struct KeptOfRun {
    name: String,
    records: u32,
    kept: Arc<Mutex<Vec<String>>>,
}

impl RecordSinks for Kept {
    fn of_run(&self, step: &Step, folder: &Path) -> Result<Vec<Box<dyn RecordSink>>, ArtifactError> {
        assert!(folder.is_dir());
        let name = aiperf_model::parameter::describe(&step.value.parameters);
        Ok(vec![Box::new(KeptOfRun { name, records: 0, kept: Arc::clone(&self.0) })])
    }
}

impl RecordSink for KeptOfRun {
    fn take(&mut self, _record: &Record, _metrics: &RecordMetrics) -> io::Result<()> {
        self.records += 1;
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.kept.lock().unwrap().push(format!("{}: {} records", self.name, self.records));
        Ok(())
    }
}

/// Writes down what it is told, the figures once for each run.
#[derive(Default)]
struct Told(Vec<String>);

impl Observer for Told {
    fn notify(&mut self, event: Event<'_>) {
        match event {
            Event::Figures { figures, .. } => {
                let p50 = figures.ttft.quantile_ms(0.5).map(f64::round);
                let line = format!("{} good, {} bad, TTFT p50 {p50:?}", figures.succeeded, figures.errors());
                self.0.push(line);
            }
            Event::RunEnded { step, .. } => self.0.push(format!("run {} ended", step.index)),
            Event::Remaining { done, left, .. } => self.0.push(format!("{done} done, {left:?}")),
            _ => {}
        }
    }
}

struct Format {
    identity: Identity,
    info: EndpointInfo,
}

impl Plugin for Format {
    fn identity(&self) -> &Identity {
        &self.identity
    }
}

impl Endpoint for Format {
    fn info(&self) -> &EndpointInfo {
        &self.info
    }

    fn build(&self, _request: &Request) -> Result<Payload, PluginError> {
        unreachable!("the executor of these tests sends nothing")
    }

    fn parse(
        &self,
        _events: &[response::Event<'_>],
        _streamed: bool,
    ) -> Result<response::Response, PluginError> {
        unreachable!("the executor of these tests receives nothing")
    }
}

fn format() -> Arc<dyn Endpoint> {
    let identity = Identity {
        kind: Kind::Endpoint,
        name: "imagined".into(),
        version: "1.0.0".into(),
        sha256: String::new(),
        source: "built-in".into(),
        sandboxed: true,
        settings: "{}".into(),
    };
    let info = EndpointInfo { default_path: "/".into(), supports_streaming: true, produces_tokens: true };
    Arc::new(Format { identity, info })
}

/// A benchmark of these concurrencies in a folder, and what is done with it.
fn with_benchmark<T>(
    folder: &Path,
    concurrency: &str,
    sinks: &dyn RecordSinks,
    use_it: impl FnOnce(&Benchmark<'_>) -> T,
) -> T {
    let options = Options {
        model: Some("m".into()),
        url: Some(vec!["http://127.0.0.1:9".into()]),
        concurrency: Some(concurrency.into()),
        num_prompts: Some("4".into()),
        max_error_rate: Some(0.5),
        artifact_dir: Some(folder.to_path_buf()),
        no_calibrate: Some(true),
        ..Options::default()
    };
    let config = Config::resolve(options, &Environment::default()).unwrap();
    let plan = Plan::new(&config);
    let analysis = AnalysisPlugins::default();
    use_it(&Benchmark {
        config: &config,
        plan: &plan,
        urls: vec!["http://127.0.0.1:9".parse().unwrap()],
        transport: Transport::default(),
        dataset: None,
        endpoint: format(),
        analysis: &analysis,
        executor: &Imagined,
        sinks,
        exporters: Exporters::built_in(),
        calibration_backend: None,
        command_line: Vec::new(),
        version: "0.0.0",
    })
}

fn points(outcome: &Outcome) -> Vec<String> {
    outcome.result.points.iter().map(|point| aiperf_model::parameter::describe(&point.parameters)).collect()
}

#[test]
fn a_list_is_run_in_its_order_and_every_sink_gets_every_record() {
    let folder = tempfile::tempdir().unwrap();
    let kept = Kept::default();
    let (mut told, mut also) = (Told::default(), Told::default());
    let outcome = with_benchmark(folder.path(), "4,2,13", &kept, |benchmark| {
        let mut observers: Vec<&mut dyn Observer> = vec![&mut told, &mut also];
        Sweep::begin(benchmark).unwrap().run(&mut observers, &Interrupt::default()).unwrap()
    });
    assert_eq!(
        *kept.0.lock().unwrap(),
        ["concurrency 4: 4 records", "concurrency 2: 4 records", "concurrency 13: 0 records"]
    );
    assert_eq!((outcome.succeeded, outcome.failed), (2, 1));
    assert_eq!(points(&outcome), ["concurrency 2", "concurrency 4"]);
    told.0.dedup();
    also.0.dedup();
    let figures = "3 good, 1 bad, TTFT p50 Some(2.0)".to_owned();
    assert_eq!(told.0.iter().filter(|line| **line == figures).count(), 2, "{:#?}", told.0);
    let ended: Vec<_> = told.0.iter().filter(|line| line.contains("done")).collect();
    assert_eq!(ended, ["1 done, Planned(2)", "2 done, Planned(1)", "2 done, Planned(0)"]);
    assert_eq!(also.0, told.0);
}

/// Reads a meter that no catalogue knows, and notes what detectors are told of it.
struct Meter;

struct MeterOfRun {
    watts: f64,
}

impl RecordSinks for Meter {
    fn of_run(&self, step: &Step, _folder: &Path) -> Result<Vec<Box<dyn RecordSink>>, ArtifactError> {
        let concurrency = step.value.parameters.first().unwrap().value.as_number().unwrap();
        Ok(vec![Box::new(MeterOfRun { watts: 100.0 * concurrency })])
    }
}

impl RecordSink for MeterOfRun {
    fn take(&mut self, _record: &Record, _metrics: &RecordMetrics) -> io::Result<()> {
        Ok(())
    }

    fn metrics(&mut self) -> Vec<(OpenMetric, Summary)> {
        let power = OpenMetric::new(Metric {
            tag: "gpu_power".into(),
            short: None,
            header: "GPU Power".into(),
            unit: Unit::Other("W".into()),
            scope: Scope::Run,
            better: Some(Direction::Minimize),
            sweep: vec![Statistic::Avg].into(),
            console: true,
            signed: false,
            definition: "Mean power of all GPUs.".into(),
        });
        vec![(power.unwrap(), Summary::Scalar(self.watts))]
    }
}

struct Noting {
    identity: Identity,
    series: Mutex<Vec<Series>>,
}

impl Plugin for Noting {
    fn identity(&self) -> &Identity {
        &self.identity
    }
}

impl TrendDetector for Noting {
    fn detect(&self, series: &Series) -> Result<Report, PluginError> {
        self.series.lock().unwrap().push(series.clone());
        Ok(Report::default())
    }
}

#[test]
fn a_metric_that_comes_in_at_run_time_is_in_every_file_and_analysed() {
    let folder = tempfile::tempdir().unwrap();
    let directory = with_benchmark(folder.path(), "2,4", &Meter, |benchmark| {
        let sweep = Sweep::begin(benchmark).unwrap();
        let directory = sweep.directory().to_path_buf();
        let outcome = sweep.run(&mut Told::default(), &Interrupt::default()).unwrap();
        assert_eq!(outcome.result.open_metrics.len(), 1);
        directory
    });
    let (json, csv) =
        (directory.join("sweep_aggregate/profile_export_aiperf_sweep.json"), "profile_export_aiperf.csv");
    let csv = std::fs::read_to_string(directory.join("concurrency_4").join(csv)).unwrap();
    assert!(csv.contains("GPU Power (W),400\r\n"), "{csv}");
    let sweep_file =
        || -> serde_json::Value { serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap() };
    let first = sweep_file();
    let block = &first["per_value_metrics"]["4"]["gpu_power_avg"];
    assert_eq!((&block["mean"], &block["unit"]), (&400.0.into(), &"W".into()));
    assert_eq!(first["metadata"]["open_metrics"][0]["tag"], "gpu_power");
    let csv = std::fs::read_to_string(json.with_extension("csv")).unwrap();
    assert!(csv.contains("gpu_power_avg_mean (W)"), "{csv}");

    // The runs, and the sweep file alone, say all there is to know of it: detectors learn which way it gets better.
    let mut identity = format().identity().clone();
    identity.kind = Kind::Trend;
    let noting = Arc::new(Noting { identity, series: Mutex::default() });
    let analysis =
        AnalysisPlugins { detectors: vec![Arc::clone(&noting) as _], ..AnalysisPlugins::default() };
    reanalyze(&directory, &analysis, &Exporters::built_in(), None).unwrap();
    assert_eq!(sweep_file()["metadata"]["open_metrics"], first["metadata"]["open_metrics"]);
    reanalyze_file(&json, &analysis).unwrap();
    let series = noting.series.lock().unwrap();
    let power: Vec<_> = series.iter().filter(|series| series.key == "gpu_power_avg").collect();
    assert_eq!(power.len(), 2);
    for power in power {
        assert_eq!((power.unit.as_str(), power.better), ("W", Some(Direction::Minimize)));
        assert_eq!(power.samples.iter().map(|sample| sample.y).collect::<Vec<_>>(), [200.0, 400.0]);
    }
}

/// A format of this file: what is best, and how many requests were answered.
struct Brief;

impl Exporter<SweepResult> for Brief {
    fn file_name(&self) -> &'static str {
        "brief.txt"
    }

    fn encode(&self, result: &SweepResult) -> Result<Vec<u8>, ArtifactError> {
        Ok(format!("{} values\n", result.points.len()).into_bytes())
    }
}

impl Exporter<RunReport<'_>> for Brief {
    fn file_name(&self) -> &'static str {
        "brief.txt"
    }

    fn encode(&self, run: &RunReport<'_>) -> Result<Vec<u8>, ArtifactError> {
        Ok(format!("{} metrics\n", run.metrics.all().count()).into_bytes())
    }
}

#[test]
fn a_format_is_written_beside_the_others_and_belongs_to_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut exporters = Exporters::built_in();
    exporters.run.push(&Brief);
    exporters.sweep.push(&Brief);
    let outcome = with_benchmark(folder.path(), "1,2", &NoOthers, |benchmark| {
        let benchmark = Benchmark {
            exporters: exporters.clone(),
            urls: benchmark.urls.clone(),
            transport: benchmark.transport.clone(),
            dataset: None,
            endpoint: Arc::clone(&benchmark.endpoint),
            command_line: Vec::new(),
            ..*benchmark
        };
        Sweep::begin(&benchmark).unwrap().run(&mut Told::default(), &Interrupt::default()).unwrap()
    });
    let below = |name: &str| folder.path().join("m-openai-imagined-concurrency_sweep").join(name);
    assert_eq!(std::fs::read_to_string(below("sweep_aggregate/brief.txt")).unwrap(), "2 values\n");
    assert!(below("sweep_aggregate/profile_export_aiperf_sweep.csv").is_file());
    assert!(std::fs::read_to_string(below("concurrency_2/brief.txt")).unwrap().ends_with(" metrics\n"));
    let names: Vec<_> = outcome.manifest.runs[0].files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "profile_export_aiperf.json",
            "profile_export_aiperf.csv",
            "brief.txt",
            "profile_export.jsonl",
            "inputs.json"
        ]
    );
}

#[test]
fn two_metrics_of_one_name_end_the_benchmark() {
    struct Twice;
    impl RecordSinks for Twice {
        fn of_run(&self, _step: &Step, _folder: &Path) -> Result<Vec<Box<dyn RecordSink>>, ArtifactError> {
            Ok(vec![Box::new(MeterOfRun { watts: 1.0 }), Box::new(MeterOfRun { watts: 2.0 })])
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let error = with_benchmark(folder.path(), "2", &Twice, |benchmark| {
        Sweep::begin(benchmark).unwrap().run(&mut Told::default(), &Interrupt::default()).unwrap_err()
    });
    assert!(error.to_string().contains("two metrics 'gpu_power'"), "{error}");
}

#[test]
fn a_strategy_makes_up_runs_that_no_plan_knows_and_a_resume_knows_them() {
    let folder = tempfile::tempdir().unwrap();
    let run = |directory: Option<&Path>, most| {
        with_benchmark(folder.path(), "1,13", &NoOthers, |benchmark| {
            let sweep = match directory {
                Some(directory) => Sweep::resume(benchmark, directory).unwrap(),
                None => Sweep::begin(benchmark).unwrap(),
            };
            let directory = sweep.directory().to_path_buf();
            let sweep = sweep.by(Box::new(Doubling { most }));
            (sweep.run(&mut Told::default(), &Interrupt::default()).unwrap(), directory)
        })
    };
    let (first, directory) = run(None, 8);
    assert_eq!(points(&first), ["concurrency 1", "concurrency 4", "concurrency 8"]);
    let manifest = Manifest::read(&directory.join("manifest.json")).unwrap();
    assert_eq!(manifest, first.manifest);
    assert_eq!((manifest.plan.values.len(), manifest.runs.len()), (4, 4));
    assert!(directory.join("concurrency_8/profile_export.jsonl").is_file());
    let (second, _) = run(Some(&directory), 32);
    assert_eq!(
        points(&second),
        ["concurrency 1", "concurrency 4", "concurrency 8", "concurrency 16", "concurrency 32"]
    );
    assert_eq!(second.manifest.runs[2], manifest.runs[2], "what is done stays as it is");
}

#[test]
fn what_a_strategy_leaves_out_is_told_with_its_reason() {
    struct NothingMore(bool);
    impl Strategy for NothingMore {
        fn next(&mut self, _history: &History<'_>) -> Next {
            let reason = "enough is known".to_owned();
            if std::mem::replace(&mut self.0, true) {
                Next::Nothing(Some(LeftOut { steps: vec![step(1, 1, 2)], reason }))
            } else {
                Next::Run(step(0, 0, 1))
            }
        }

        fn left(&self, _history: &History<'_>) -> Left {
            Left::Unknown
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let outcome = with_benchmark(folder.path(), "1,2", &NoOthers, |benchmark| {
        let sweep = Sweep::begin(benchmark).unwrap().by(Box::new(NothingMore(false)));
        sweep.run(&mut Told::default(), &Interrupt::default()).unwrap()
    });
    assert_eq!(outcome.unfinished, 0);
    let state = serde_json::to_value(&outcome.manifest.runs[1]).unwrap();
    assert_eq!((&state["state"], &state["reason"]), (&"not_needed".into(), &"enough is known".into()));
}
