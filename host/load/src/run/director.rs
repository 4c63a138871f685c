//! Leads the workers through the phases of a run, and ends it when its time is up or the user says so.

use super::RunSpec;
use crate::arrivals::{Arrivals, ClosedLoop};
use crate::brake::Level;
use crate::clock::nanoseconds;
use crate::error::LoadError;
use crate::slot::Shared;
use crate::worker::Worker;
use aiperf_model::record::Phase;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// How often it looks at the clock and at the orders of the user.
const TICK: Duration = Duration::from_millis(10);

/// Owns the workers.
pub(super) struct Director {
    shared: Arc<Shared>,
    workers: Vec<Worker>,
    warmup_requests: u32,
    requests: Option<u32>,
    duration: Option<u64>,
    grace_period: u64,
    ended_by_order: bool,
}

/// When profiling happened.
#[derive(Debug)]
pub(super) struct Driven {
    pub(super) start: u64,
    pub(super) end: u64,
    /// Whether the user ended it.
    pub(super) ended_by_order: bool,
}

impl Director {
    pub(super) fn new(spec: &RunSpec, shared: Arc<Shared>, workers: Vec<Worker>) -> Self {
        Self {
            warmup_requests: if spec.warm_up { shared.workload.warmup_requests() } else { 0 },
            requests: spec.requests,
            duration: spec.duration.map(nanoseconds),
            grace_period: nanoseconds(spec.grace_period),
            ended_by_order: false,
            shared,
            workers,
        }
    }

    /// Runs the phases one after the other.
    pub(super) fn drive(mut self) -> Result<Driven, LoadError> {
        if self.warmup_requests > 0 {
            let arrivals: Arc<dyn Arrivals> = Arc::new(ClosedLoop::new(Some(self.warmup_requests), None));
            self.run_phase(Phase::Warmup, &arrivals, None)?;
        }
        let clock = self.shared.clock;
        let start = clock.now();
        let stop_at = self.duration.map(|duration| start.saturating_add(duration));
        let arrivals: Arc<dyn Arrivals> = Arc::new(ClosedLoop::new(self.requests, stop_at));
        self.run_phase(Phase::Profiling, &arrivals, stop_at)?;
        Ok(Driven { start, end: clock.now(), ended_by_order: self.ended_by_order })
    }

    fn run_phase(
        &mut self,
        phase: Phase,
        arrivals: &Arc<dyn Arrivals>,
        stop_at: Option<u64>,
    ) -> Result<(), LoadError> {
        let shared = Arc::clone(&self.shared);
        let mut workers = std::mem::take(&mut self.workers);
        let started = thread::scope(|scope| {
            // Each worker holds a sender; the channel closes when the last one has ended.
            let (working, all_ended) = mpsc::channel::<()>();
            for (worker, index) in workers.iter_mut().zip(0..) {
                let working = working.clone();
                let run = move || {
                    worker.run(phase, arrivals);
                    drop(working);
                };
                let name = format!("aiperf-worker-{index}");
                if let Err(error) = thread::Builder::new().name(name).spawn_scoped(scope, run) {
                    shared.brake.pull(Level::Abort);
                    return Err(LoadError::Worker(error));
                }
            }
            drop(working);
            self.supervise(&all_ended, stop_at);
            Ok(())
        });
        self.workers = workers;
        started
    }

    /// Waits for the workers, and pulls the brake when they are to end earlier.
    fn supervise(&mut self, all_ended: &Receiver<()>, stop_at: Option<u64>) {
        let (clock, brake, control) = (self.shared.clock, &self.shared.brake, &self.shared.control);
        let mut stopped_at = None;
        loop {
            if control.is_aborting() {
                brake.pull(Level::Abort);
            } else if control.is_stopping() {
                brake.pull(Level::Stop);
            }
            self.ended_by_order |= control.is_stopping();
            let now = clock.now();
            if brake.is_pulled() || stop_at.is_some_and(|stop_at| now >= stop_at) {
                let stopped_at = *stopped_at.get_or_insert(stop_at.map_or(now, |stop_at| stop_at.min(now)));
                if now >= self.grace_period.saturating_add(stopped_at) {
                    brake.pull(Level::Abort);
                }
            }
            match all_ended.recv_timeout(TICK) {
                Ok(()) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}
