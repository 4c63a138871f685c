//! Leads the workers through the phases of a run, and ends it when its time is up or the user says so.

use super::RunSpec;
use crate::arrivals::{Arrivals, DueTimes, Extent, Limits, Process, SlotRamp};
use crate::clock::nanoseconds;
use crate::error::LoadError;
use crate::heartbeat::{Heard, Heartbeat};
use crate::phase_state::PhaseSpec;
use crate::slot::Shared;
use crate::stop_signal::Level;
use crate::worker::Worker;
use aiperf_model::arrival::{ArrivalPattern, RequestRate};
use aiperf_model::client::{ClientHealth, WorkerShare};
use aiperf_model::record::Phase;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;
use tracing::info;

/// How often it looks at the clock and at the orders of the user.
const TICK: Duration = Duration::from_millis(10);

/// Owns the workers.
pub(super) struct Director {
    shared: Arc<Shared>,
    workers: Vec<Worker>,
    warmup_requests: u32,
    /// What ends the profiling phase beside its time.
    limits: Limits,
    duration: Option<u64>,
    grace_period: u64,
    open_loop: Option<OpenLoop>,
    ramps: Ramps,
    ended_by_order: bool,
}

/// How long the load of the profiling phase grows, in nanoseconds.
#[derive(Clone, Copy, Debug)]
struct Ramps {
    concurrency: u64,
    slots: u32,
    request_rate: u64,
}

impl Ramps {
    fn new(spec: &RunSpec) -> Self {
        Self {
            concurrency: nanoseconds(spec.concurrency_ramp),
            slots: spec.concurrency.unwrap_or(1),
            request_rate: nanoseconds(spec.request_rate_ramp),
        }
    }

    fn longest(self) -> u64 {
        self.concurrency.max(self.request_rate)
    }
}

/// How many arrivals the phases have.
#[derive(Clone, Copy, Debug)]
struct PhaseCounts {
    warmup: u32,
    /// None if something else ends it.
    profiling: Option<u32>,
}

/// What an open loop needs beside the limits of a phase.
struct OpenLoop {
    warmup: DueTimes,
    profiling: DueTimes,
    /// How many slots of each worker stand ready for what is due next.
    ready_slots: u32,
}

impl OpenLoop {
    /// The open loop of a run whose phases have so many arrivals; none if it is closed.
    fn of(spec: &RunSpec, counts: PhaseCounts, workers: usize) -> Result<Option<Self>, LoadError> {
        match (&spec.request_rate, &spec.schedule) {
            (Some(rate), _) => Self::of_rate(*rate, spec, counts, workers).map(Some),
            (None, Some(due)) => Self::of_schedule(due, spec, workers).map(Some),
            (None, None) => Ok(None),
        }
    }

    fn of_rate(
        rate: RequestRate,
        spec: &RunSpec,
        counts: PhaseCounts,
        workers: usize,
    ) -> Result<Self, LoadError> {
        let ramp = nanoseconds(spec.request_rate_ramp);
        let process = |purpose| Process::new(rate, spec.arrival_seed, purpose);
        let warmup = Extent { arrivals: Some(counts.warmup), length: None };
        let length = spec.duration.filter(|_| !spec.may_end_early).map(nanoseconds);
        let profiling = Extent { arrivals: counts.profiling, length };
        Ok(Self {
            warmup: DueTimes::drawn(process("warm-up arrivals")?.within(0, warmup)),
            profiling: DueTimes::drawn(process("arrivals")?.within(ramp, profiling)),
            ready_slots: ready_slots(rate.per_second * READY_FOR.as_secs_f64(), workers),
        })
    }

    /// A schedule says nothing of a warm-up: that has its mean rate.
    fn of_schedule(due: &Arc<[u64]>, spec: &RunSpec, workers: usize) -> Result<Self, LoadError> {
        let most = most_within(due, nanoseconds(READY_FOR));
        let seconds = due.last().map_or(0.0, |last| *last as f64 / 1e9).max(1.0);
        let mean =
            RequestRate { per_second: due.len().max(1) as f64 / seconds, pattern: ArrivalPattern::Constant };
        Ok(Self {
            warmup: DueTimes::drawn(Process::new(mean, spec.arrival_seed, "warm-up arrivals")?),
            profiling: DueTimes::listed(Arc::clone(due)),
            ready_slots: ready_slots(most.into(), workers),
        })
    }

    fn due_times(&self, phase: Phase) -> &DueTimes {
        match phase {
            Phase::Warmup => &self.warmup,
            Phase::Ramp | Phase::Profiling => &self.profiling,
        }
    }
}

/// How many slots of each worker stand ready where so many arrivals may come close together.
fn ready_slots(arrivals: f64, workers: usize) -> u32 {
    ((arrivals / workers as f64).ceil() as u32).clamp(FEWEST_READY, MOST_READY)
}

/// How many of some times, which never decrease, lie at most within a length of time.
pub(super) fn most_within(times: &[u64], length: u64) -> u32 {
    let mut first = times.iter().peekable();
    let (mut within, mut most) = (0, 0);
    for time in times {
        within += 1;
        while first.next_if(|first| **first + length <= *time).is_some() {
            within -= 1;
        }
        most = most.max(within);
    }
    most
}

/// For the arrivals of so much time slots stand ready, so that none waits for a connection to be opened.
const READY_FOR: Duration = Duration::from_millis(50);
/// Arrivals may come close together at any rate.
const FEWEST_READY: u32 = 2;
/// Connections are not free, for the server either.
const MOST_READY: u32 = 64;

/// How long before the first arrival of an open loop its phase begins: for threads to start and slots to connect.
const HEAD_START: Duration = Duration::from_millis(20);

/// A position is a request, or a conversation if there are any.
fn profiling_limits(spec: &RunSpec, shared: &Shared) -> Limits {
    if shared.workload.has_conversations() {
        Limits { count: spec.conversations, requests: spec.requests, end: None }
    } else {
        Limits { count: spec.requests.or(spec.conversations), ..Limits::default() }
    }
}

/// When profiling happened.
#[derive(Debug)]
pub(super) struct Driven {
    pub(super) start: u64,
    pub(super) end: u64,
    /// Whether the user ended it.
    pub(super) ended_by_order: bool,
    /// What the workers say of themselves.
    pub(super) client: ClientHealth,
}

impl Director {
    pub(super) fn new(spec: &RunSpec, shared: Arc<Shared>, workers: Vec<Worker>) -> Result<Self, LoadError> {
        let limits = profiling_limits(spec, &shared);
        let warmup_requests = if spec.warm_up { shared.workload.warmup_requests() } else { 0 };
        let counts = PhaseCounts { warmup: warmup_requests, profiling: limits.count };
        Ok(Self {
            open_loop: OpenLoop::of(spec, counts, workers.len())?,
            ramps: Ramps::new(spec),
            warmup_requests,
            limits,
            duration: spec.duration.map(nanoseconds),
            grace_period: nanoseconds(spec.grace_period),
            ended_by_order: false,
            shared,
            workers,
        })
    }

    /// Runs the phases one after the other.
    pub(super) fn drive(mut self) -> Result<Driven, LoadError> {
        if self.warmup_requests > 0 {
            let limits = Limits { count: Some(self.warmup_requests), ..Limits::default() };
            self.run_phase(Phase::Warmup, self.next_start(), limits)?;
        }
        let start = self.next_start();
        let end = self.duration.map(|duration| start.saturating_add(duration));
        let heartbeat =
            Heartbeat::start(self.shared.clock, self.workers.iter().map(Worker::probe).collect())?;
        let (workers, missed_arrivals) =
            self.run_phase(Phase::Profiling, start, Limits { end, ..self.limits })?;
        let Heard { read_delay, suspended } = heartbeat.stop();
        let start = start.saturating_add(self.ramps.longest());
        // A run that is stopped before its first arrival, or in its ramp, ends before it starts.
        let end = self.shared.clock.now().max(start);
        let suspended_seconds = suspended as f64 / 1e9;
        let client = ClientHealth { read_delay, suspended_seconds, workers, missed_arrivals };
        Ok(Driven { start, end, ended_by_order: self.ended_by_order, client })
    }

    fn next_start(&self) -> u64 {
        let head_start = if self.open_loop.is_some() { nanoseconds(HEAD_START) } else { 0 };
        self.shared.clock.now().saturating_add(head_start)
    }

    /// What each worker is to do in a phase.
    fn phase_specs(&self, phase: Phase, start: u64, arrivals: Vec<Arrivals>) -> Vec<PhaseSpec> {
        let Ramps { concurrency, slots, .. } = self.ramps;
        let has_ramps = phase == Phase::Profiling;
        let ramp_end = if has_ramps { start.saturating_add(self.ramps.longest()) } else { 0 };
        let slot_ramps = SlotRamp::of_workers(start, concurrency, slots, self.workers.len() as u32)
            .map(|ramp| Some(ramp).filter(|_| has_ramps && concurrency > 0));
        arrivals
            .into_iter()
            .zip(slot_ramps)
            .map(|(arrivals, slot_ramp)| PhaseSpec {
                phase,
                arrivals,
                ready_slots: self.open_loop.as_ref().map(|open_loop| open_loop.ready_slots),
                ramp_end,
                slot_ramp,
            })
            .collect()
    }

    /// The arrivals of a phase, for each worker and for one who only counts what they leave.
    fn arrivals(&self, phase: Phase, start: u64, limits: Limits) -> Vec<Arrivals> {
        let workers = self.workers.len() + 1;
        match &self.open_loop {
            None => Arrivals::closed_loop(limits, workers),
            Some(open_loop) => Arrivals::open_loop(limits, start, open_loop.due_times(phase), workers),
        }
    }

    /// Returns how busy the workers were, and how many arrivals they left.
    fn run_phase(
        &mut self,
        phase: Phase,
        start: u64,
        limits: Limits,
    ) -> Result<(Vec<WorkerShare>, u64), LoadError> {
        info!(?phase, workers = self.workers.len(), "phase begins");
        let shared = Arc::clone(&self.shared);
        let mut arrivals = self.arrivals(phase, start, limits);
        let left = arrivals.pop();
        let reached = left.as_ref().map(Arrivals::reached);
        let phase_specs = self.phase_specs(phase, start, arrivals);
        shared.workload.read_ahead(phase, 0);
        let mut workers = std::mem::take(&mut self.workers);
        let started = thread::scope(|scope| {
            // Each worker holds a sender; the channel closes when the last one has ended.
            let (working, all_ended) = mpsc::channel::<WorkerShare>();
            for ((worker, phase_spec), index) in workers.iter_mut().zip(phase_specs).zip(0..) {
                let working = working.clone();
                let run = move || {
                    // Nobody takes it any more only if the run was given up.
                    let _ = working.send(worker.run(phase_spec));
                };
                let name = format!("aiperf-worker-{index}");
                if let Err(error) = thread::Builder::new().name(name).spawn_scoped(scope, run) {
                    shared.stop_signal.stop(Level::Abort);
                    return Err(LoadError::Worker(error));
                }
            }
            drop(working);
            Ok(self.supervise(&all_ended, limits.end, || {
                if let Some(reached) = &reached {
                    shared.workload.read_ahead(phase, reached.position());
                }
            }))
        });
        self.workers = workers;
        info!(?phase, "phase ended");
        let until = shared.clock.now().min(limits.end.unwrap_or(u64::MAX));
        Ok((started?, left.map_or(0, |left| left.missed(until))))
    }

    /// Waits for the workers, and stops them when they are to end earlier. Meanwhile it does a thing now and
    /// then. Returns how busy the workers were.
    fn supervise(
        &mut self,
        all_ended: &Receiver<WorkerShare>,
        stop_at: Option<u64>,
        now_and_then: impl Fn(),
    ) -> Vec<WorkerShare> {
        let (clock, stop_signal, control) =
            (self.shared.clock, &self.shared.stop_signal, &self.shared.control);
        let (mut stopped_at, mut ended) = (None, Vec::new());
        loop {
            if control.is_aborting() {
                stop_signal.stop(Level::Abort);
            } else if control.is_stopping() || control.has_enough() {
                stop_signal.stop(Level::Stop);
            }
            self.ended_by_order |= control.is_stopping();
            let now = clock.now();
            if stop_signal.is_stopped() || stop_at.is_some_and(|stop_at| now >= stop_at) {
                let stopped_at = *stopped_at.get_or_insert(stop_at.map_or(now, |stop_at| stop_at.min(now)));
                if now >= self.grace_period.saturating_add(stopped_at) {
                    stop_signal.stop(Level::Abort);
                }
            }
            now_and_then();
            match all_ended.recv_timeout(TICK) {
                Ok(share) => ended.push(share),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return ended,
            }
        }
    }
}
