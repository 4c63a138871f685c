//! Puts a run together: readers, workers, phases, and what ends them.

mod director;

use crate::background;
use crate::cancellation::{Cancellation, CancellationDelay};
use crate::clock::Clock;
use crate::completion_id::Ids;
use crate::control::Control;
use crate::error::LoadError;
use crate::handover::{Handover, Intake, handover};
use crate::reachability::{Absence, Reachability};
use crate::reading::{CRASH_LIMIT, Crashes, Reader};
use crate::response_memory::{LONGEST_MIB, ResponseMemory};
use crate::slot::Shared;
use crate::stop_signal::{Level, StopSignal};
use crate::target::{Target, TargetSpec};
use crate::transport::Transport;
use crate::turns::{Turn, TurnReader, TurnSender};
use crate::worker::{SlotPool, Worker};
use crate::workload::Workload;
use aiperf_model::arrival::RequestRate;
use aiperf_model::client::ClientHealth;
use aiperf_model::plugin::Endpoint;
use aiperf_model::record::{FailureKind, Phase, Record};
use aiperf_model::request::Header;
use aiperf_model::server::ServerUrl;
use director::Director;
use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

/// How to send a workload.
#[derive(Clone, Debug)]
pub struct RunSpec {
    /// The URLs of the servers, at least one; slots are spread over them in turn.
    pub urls: Vec<ServerUrl>,
    /// The path of the user's choice, or none for the endpoint's own.
    pub endpoint_path: Option<String>,
    /// How the servers are connected to.
    pub transport: Transport,
    /// Headers for all requests, such as `authorization`; they win over ours.
    pub headers: Vec<Header>,
    /// How many requests are in flight at once, or with a request rate at most; at least 1. None, which needs a
    /// request rate, for as many as it takes.
    pub concurrency: Option<u32>,
    /// How many requests arrive per second; none if a request follows the one before it.
    pub request_rate: Option<RequestRate>,
    /// For how long the requests in flight grow from 1 to the concurrency; 0 for all at once.
    pub concurrency_ramp: Duration,
    /// For how long the request rate grows from 0; 0 for the rate from the start.
    pub request_rate_ramp: Duration,
    /// The seed of the choices among requests, such as which are cancelled.
    pub seed: u64,
    /// The seed of the arrivals. At two rates the same seed gives the same arrivals, only closer together.
    pub arrival_seed: u64,
    /// When requests are due, in nanoseconds since the beginning and never decreasing; none if no schedule says so. The
    /// run ends with the last of them. It takes the place of a request rate.
    pub schedule: Option<Arc<[u64]>>,
    /// How many profiling requests to send, all turns of conversations counted, or none if something else ends the run.
    pub requests: Option<u32>,
    /// How many conversations to begin; none if something else ends the run.
    pub conversations: Option<u32>,
    /// For how long to send profiling requests, or none if only their number ends the run.
    pub duration: Option<Duration>,
    /// Whether the run may well end before that time.
    pub may_end_early: bool,
    /// How long requests in flight may take once no more are sent because of time or an order to stop.
    pub grace_period: Duration,
    /// How long one request may take, from send to end.
    pub request_timeout: Duration,
    /// For how long no connection may be had, without an answer meanwhile, before the run ends.
    pub unreachable_timeout: Duration,
    /// Which requests are cancelled on purpose; none for none.
    pub cancellation: Option<Cancellation>,
    /// Whether the warm-up requests of the workload are sent first.
    pub warm_up: bool,
    /// How many measuring threads to use; none for one per core. There are never more than the concurrency.
    pub workers: Option<u32>,
    /// What happens to responses once they are there.
    pub processing: Processing,
}

/// How responses are read and counted, which happens on other threads than those that measure.
#[derive(Clone, Debug)]
pub struct Processing {
    /// Whether it waits until the load is over, so that nothing takes time from the measuring threads.
    pub deferred: bool,
    /// How long one response may be, in MiB; at least 1 and at most 1024. All responses in flight may be four times as
    /// long together.
    pub longest_response_mib: u32,
    /// How many bytes of responses may wait in memory.
    pub memory_limit: usize,
    /// The folder of a file without a name, in which the others wait.
    pub spill_folder: PathBuf,
}

impl Default for Processing {
    /// While the load goes on, with 16 MiB of memory and the system's folder for temporary files.
    fn default() -> Self {
        Self {
            deferred: false,
            longest_response_mib: LONGEST_MIB,
            memory_limit: 16 * 1024 * 1024,
            spill_folder: std::env::temp_dir(),
        }
    }
}

/// Takes the records of a run, one after the other.
pub type Sink<'a> = &'a mut (dyn FnMut(Record) -> io::Result<()> + Send);

/// What became of the profiling requests; `sent` is the sum of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Begun.
    pub sent: u64,
    /// Answered as they should be.
    pub succeeded: u64,
    /// Failed.
    pub failed: u64,
    /// Cancelled by us before they ended.
    pub cancelled: u64,
}

/// What became of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunOutcome {
    /// When profiling began, after the ramps, in nanoseconds since the origin of the clock, as all times of the
    /// records.
    pub start: u64,
    /// When the last profiling request ended.
    pub end: u64,
    /// Whether the user ended it early.
    pub cancelled: bool,
    /// What became of the profiling requests.
    pub counts: Counts,
    /// How many requests were due in a ramp.
    pub in_ramp: u64,
    /// The server that stayed away for too long, so that the run ended early; none if none did.
    pub absence: Option<Absence>,
    /// How many requests were begun of which no record came; more than 0 is a fault of ours.
    pub lost: u64,
    /// How well this program kept up while profiling.
    pub client: ClientHealth,
}

/// Sends a workload and hands each record to `sink`, on a thread in the background.
///
/// Blocks until the last request has ended and its record was taken. A request that fails is a record, not an error.
/// Records come in no order; those of the warm-up may mix with the first ones of profiling.
pub fn run(
    clock: Clock,
    spec: &RunSpec,
    workload: &Workload,
    endpoint: &Arc<dyn Endpoint>,
    control: &Control,
    sink: Sink<'_>,
) -> Result<RunOutcome, LoadError> {
    check(spec, workload)?;
    let targets = reach_targets(spec, workload, &**endpoint)?;
    control.begin(total_requests(spec, workload));
    let shared = Arc::new(Shared {
        workload: workload.clone(),
        clock,
        timeout: spec.request_timeout,
        cancellation_delay: spec
            .cancellation
            .map(|cancellation| CancellationDelay::new(spec.seed, cancellation)),
        reuse: spec.transport.reuse,
        stop_signal: StopSignal::new(),
        reachability: Reachability::new(spec.unreachable_timeout),
        control: control.clone(),
        ids: Ids::default(),
        has_limit: spec.concurrency.is_some(),
    });
    let worker_count = worker_count(spec);
    let (handover, intakes, overflow) =
        handover(worker_count as usize, spec.processing.memory_limit, &spec.processing.spill_folder);
    let (turn_senders, turns) = turn_channels(worker_count, workload);
    let workers = make_workers(worker_count, spec.concurrency, &shared, &targets, &handover, &turn_senders)?;
    drop((handover, turn_senders));
    let director = Director::new(spec, Arc::clone(&shared), workers)?;
    let crashes = Crashes::default();
    let give_up = || shared.stop_signal.stop(Level::Abort);
    let large = Mutex::new(());
    let reader = Reader {
        endpoint: &**endpoint,
        workload,
        control,
        crashes: &crashes,
        large: &large,
        give_up: &give_up,
    };
    let turn_readers = turns
        .into_iter()
        .map(|turns| TurnReader { turns, reader, stop_signal: &shared.stop_signal })
        .collect();

    let (driven, tally, spilled) = thread::scope(|scope| {
        // If a thread is refused, returning drops the director and with it all senders, which ends the others.
        let director = director;
        let overflowing = named("aiperf-overflow")
            .spawn_scoped(scope, move || overflow.run())
            .map_err(LoadError::Worker)?;
        let driving = named("aiperf-director")
            .spawn_scoped(scope, move || director.drive())
            .map_err(LoadError::Worker)?;
        let (driven, tally) = if spec.processing.deferred {
            let driven = join(driving);
            (driven, process(intakes, turn_readers, reader, sink)?)
        } else {
            let tally = process(intakes, turn_readers, reader, sink)?;
            (join(driving), tally)
        };
        Ok::<_, LoadError>((driven?, tally, join(overflowing)))
    })?;
    spilled.map_err(LoadError::Spill)?;

    if let Some(message) = crashes.into_fatal() {
        let plugin = Box::new(endpoint.identity().clone());
        return Err(LoadError::PluginCrashed { plugin, crashes: CRASH_LIMIT, message });
    }
    if let Some(error) = tally.sink_error {
        return Err(LoadError::Sink(error));
    }
    if let Some(fault) = shared.workload.take_fault() {
        return Err(fault);
    }
    Ok(RunOutcome {
        start: driven.start,
        end: driven.end,
        cancelled: driven.ended_by_order,
        counts: tally.counts,
        in_ramp: tally.in_ramp,
        absence: shared.reachability.lost(),
        lost: control.progress().sent.saturating_sub(tally.records),
        client: driven.client,
    })
}

/// Reads and records until no more exchanges come, in the background; only turns are read at once, since the next ones
/// wait for them.
fn process(
    intakes: Vec<Intake>,
    turn_readers: Vec<TurnReader<'_>>,
    reader: Reader<'_>,
    sink: Sink<'_>,
) -> Result<Tally, LoadError> {
    thread::scope(|scope| {
        // Readers that are faster than the sink wait for it.
        let (record_sender, records) = mpsc::sync_channel(BATCHES_UNDER_WAY);
        for intake in intakes {
            let record_sender = record_sender.clone();
            let read = move || {
                background::give_way();
                reader.run(&intake, &record_sender);
            };
            named("aiperf-reader").spawn_scoped(scope, read).map_err(LoadError::Worker)?;
        }
        for turn_reader in turn_readers {
            let record_sender = record_sender.clone();
            let read = move || turn_reader.run(&record_sender);
            named("aiperf-turns").spawn_scoped(scope, read).map_err(LoadError::Worker)?;
        }
        drop(record_sender);
        let record = move || {
            background::give_way();
            Tally::take(&records, sink, reader.give_up)
        };
        let recording = named("aiperf-recorder").spawn_scoped(scope, record).map_err(LoadError::Worker)?;
        Ok(join(recording))
    })
}

/// How many batches of records may be on the way from the readers to the sink.
const BATCHES_UNDER_WAY: usize = 16;

/// Waits for a thread; its panic becomes ours.
fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn check(spec: &RunSpec, workload: &Workload) -> Result<(), LoadError> {
    if spec.urls.is_empty() {
        return Err(LoadError::Empty("a run needs a server; write its URL like http://localhost:8000"));
    }
    let has_due_times = spec.request_rate.is_some() || spec.schedule.is_some();
    if spec.concurrency == Some(0) || (spec.concurrency.is_none() && !has_due_times) {
        return Err(LoadError::Empty(
            "a run needs at least one request in flight; ask for a concurrency of 1 or more, or for a request rate",
        ));
    }
    let has_count = spec.requests.or(spec.conversations).is_some() || spec.schedule.is_some();
    if !has_count && spec.duration.is_none() {
        return Err(LoadError::Empty("a run needs an end; set a number of requests, a duration, or both"));
    }
    if spec.processing.deferred && workload.has_conversations() {
        return Err(LoadError::Empty(
            "turns are made of the answers before them, so reading these cannot wait",
        ));
    }
    Ok(())
}

fn reach_targets(
    spec: &RunSpec,
    workload: &Workload,
    endpoint: &dyn Endpoint,
) -> Result<Vec<Target>, LoadError> {
    let target_spec = TargetSpec {
        endpoint_path: spec.endpoint_path.as_deref(),
        default_path: &endpoint.info().default_path,
        headers: &spec.headers,
        transport: &spec.transport,
    };
    let memory = ResponseMemory::new(spec.processing.longest_response_mib);
    let reach = |url| Ok(Target::reach(url, target_spec, workload)?.with_memory(&memory));
    spec.urls.iter().map(reach).collect()
}

fn total_requests(spec: &RunSpec, workload: &Workload) -> Option<u64> {
    let warmup = if spec.warm_up { u64::from(workload.warmup_requests()) } else { 0 };
    let scheduled = spec.schedule.as_ref().map(|due| due.len() as u32);
    let conversations = spec.conversations.or(scheduled).map(|count| workload.requests_of(count));
    let requests = spec.requests.map(u64::from);
    Some(warmup + requests.into_iter().chain(conversations).min()?)
}

fn worker_count(spec: &RunSpec) -> u32 {
    let cores = || thread::available_parallelism().map_or(1, NonZeroUsize::get) as u32;
    spec.workers.unwrap_or_else(cores).clamp(1, spec.concurrency.unwrap_or(u32::MAX))
}

/// Both ends for the turns of each worker, if there are conversations.
fn turn_channels(worker_count: u32, workload: &Workload) -> (Vec<TurnSender>, Vec<mpsc::Receiver<Turn>>) {
    let count = if workload.has_conversations() { worker_count } else { 0 };
    (0..count).map(|_| mpsc::channel()).unzip()
}

/// Deals the slots out to the workers, and the targets to the slots, in turn.
fn make_workers(
    worker_count: u32,
    concurrency: Option<u32>,
    shared: &Arc<Shared>,
    targets: &[Target],
    handover: &Handover,
    turn_senders: &[TurnSender],
) -> Result<Vec<Worker>, LoadError> {
    (0..worker_count)
        .map(|worker| {
            let in_turn = targets.iter().cycle().skip(worker as usize).step_by(worker_count as usize);
            let targets = in_turn.take(targets.len()).map(|target| Arc::new(target.separate())).collect();
            // The slots of all workers together are the concurrency.
            let slots = concurrency.map_or(u32::MAX, |slots| (slots - worker).div_ceil(worker_count));
            let turn_sender = turn_senders.get(worker as usize).cloned();
            let slot_pool =
                SlotPool::new(Arc::clone(shared), targets, worker, handover.clone(), turn_sender, slots);
            Worker::new(slot_pool).map_err(LoadError::Worker)
        })
        .collect()
}

fn named(name: &str) -> thread::Builder {
    thread::Builder::new().name(name.to_owned())
}

/// What the records add up to.
#[derive(Debug, Default)]
struct Tally {
    counts: Counts,
    in_ramp: u64,
    /// Those of the warm-up and of ramps too.
    records: u64,
    sink_error: Option<io::Error>,
}

impl Tally {
    /// Passes records on until no more come; after the first failure of the sink the rest is only counted.
    fn take(records: &mpsc::Receiver<Vec<Record>>, sink: Sink<'_>, give_up: &dyn Fn()) -> Self {
        let mut tally = Self::default();
        for record in records.iter().flatten() {
            tally.records += 1;
            match record.timing.phase {
                Phase::Profiling => tally.count(&record),
                Phase::Ramp => tally.in_ramp += 1,
                Phase::Warmup => {}
            }
            if tally.sink_error.is_none()
                && let Err(error) = sink(record)
            {
                tally.sink_error = Some(error);
                give_up();
            }
        }
        tally
    }

    fn count(&mut self, record: &Record) {
        self.counts.sent += 1;
        let counter = match &record.outcome {
            Ok(_) => &mut self.counts.succeeded,
            Err(failure) if failure.kind == FailureKind::Cancelled => &mut self.counts.cancelled,
            Err(_) => &mut self.counts.failed,
        };
        *counter += 1;
    }
}
