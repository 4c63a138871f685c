//! One measuring thread: an event loop of its own with its share of the slots.

use crate::clock::nanoseconds;
use crate::deadline::{Deadline, watch};
use crate::handover::Handover;
use crate::heartbeat::EventLoopLagProbe;
use crate::pacer::Pacer;
use crate::phase_state::{PhaseSpec, PhaseState};
use crate::slot::{Shared, Slot};
use crate::target::Target;
use crate::thread_time::ThreadTime;
use crate::turns::TurnSender;
use aiperf_model::client::WorkerShare;
use aiperf_model::record::Phase;
use aiperf_timer::Timer;
use std::cell::RefCell;
use std::io;
use std::sync::Arc;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// A worker between two phases. During a phase it has a thread.
pub(crate) struct Worker {
    runtime: Runtime,
    timer: Timer,
    wake: Arc<Notify>,
    probe: Arc<EventLoopLagProbe>,
    slot_pool: SlotPool,
}

impl Worker {
    pub(crate) fn new(slot_pool: SlotPool) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        let wake = Arc::new(Notify::new());
        let timer = Timer::start(slot_pool.shared.clock.instant(0), Arc::clone(&wake))?;
        Ok(Self { runtime, timer, wake, probe: Arc::default(), slot_pool })
    }

    /// Where the heartbeat reaches it.
    pub(crate) fn probe(&self) -> Arc<EventLoopLagProbe> {
        Arc::clone(&self.probe)
    }

    /// Runs one phase to its end on this thread. Says how busy the thread was while it measured.
    pub(crate) fn run(&mut self, phase_spec: PhaseSpec) -> WorkerShare {
        // Asking the system takes a while, in which another worker could send the few requests of a warm-up alone.
        let begun = (phase_spec.phase == Phase::Profiling).then(ThreadTime::now);
        let idled = self.timer.idled();
        self.work(phase_spec);
        let idled = self.timer.idled().saturating_sub(idled);
        begun.map(|begun| begun.share_since(idled)).unwrap_or_default()
    }

    fn work(&mut self, phase_spec: PhaseSpec) {
        let Self { runtime, timer, wake, probe, slot_pool } = self;
        let shared = Arc::clone(&slot_pool.shared);
        let pacer = Pacer::new(shared.clock, Arc::clone(wake));
        let phase_state = Arc::new(PhaseState::new(phase_spec, pacer));
        let deadlines = RefCell::new(Vec::new());
        let shortest_timeout = nanoseconds(shared.shortest_timeout());
        let handle = runtime.handle().clone();
        // A task like those of the slots, so that it waits as they do.
        probe.begin();
        let beating = runtime.spawn(Arc::clone(probe).answer(shared.clock));
        runtime.block_on(async {
            tokio::select! {
                () = slot_pool.work(&phase_state, &deadlines, &handle) => {}
                () = watch(&deadlines, shortest_timeout, shared.clock, &shared.stop_signal) => {}
                () = phase_state.pacer.run(timer, &shared.stop_signal) => {}
            }
        });
        beating.abort();
        probe.end(shared.clock.now());
    }
}

/// How often a worker without any slot looks up while it waits for its first one, in nanoseconds: the phase may end
/// without it.
const LOOK_UP: u64 = 10_000_000;

/// The slots of a worker, made as they are needed.
pub(crate) struct SlotPool {
    shared: Arc<Shared>,
    /// For the slots, in turn.
    targets: Vec<Arc<Target>>,
    worker: u32,
    handover: Handover,
    turn_sender: Option<TurnSender>,
    /// How many slots there may be.
    limit: u32,
    made: u32,
    idle: Vec<Slot>,
}

impl SlotPool {
    /// A pool without slots; `targets` is not empty.
    pub(crate) fn new(
        shared: Arc<Shared>,
        targets: Vec<Arc<Target>>,
        worker: u32,
        handover: Handover,
        turn_sender: Option<TurnSender>,
        limit: u32,
    ) -> Self {
        Self { shared, targets, worker, handover, turn_sender, limit, made: 0, idle: Vec::new() }
    }

    /// Keeps slots at work until no requests are due any more and the last slot is done.
    async fn work(
        &mut self,
        phase_state: &Arc<PhaseState>,
        deadlines: &RefCell<Vec<Arc<Deadline>>>,
        runtime: &Handle,
    ) {
        let mut at_work = JoinSet::new();
        let mut has_begun = false;
        loop {
            let held_back = self.send_out(phase_state, deadlines, runtime, &mut at_work);
            has_begun |= !at_work.is_empty();
            let wake = if at_work.is_empty() {
                let now = self.shared.clock.now();
                let Some(begin) = held_back.filter(|_| !has_begun && !phase_state.is_exhausted(now)) else {
                    return;
                };
                Some(begin.min(now + LOOK_UP))
            } else {
                held_back
            };
            tokio::select! {
                Some(slot) = at_work.join_next() => match slot {
                    Ok(slot) => self.idle.push(slot),
                    Err(error) => std::panic::resume_unwind(error.into_panic()),
                },
                () = phase_state.shortage() => {}
                () = self.until(wake) => {}
            }
        }
    }

    /// Waits for a time; forever if there is none.
    async fn until(&self, time: Option<u64>) {
        match time {
            Some(time) => tokio::time::sleep_until(self.shared.clock.instant(time).into()).await,
            None => std::future::pending().await,
        }
    }

    /// Gives arrivals to idle and new slots as long as more slots are of use. Returns until when the ramp holds the
    /// next one back, if that is what keeps it: who asked the clock again could find it let go, and wait forever.
    fn send_out(
        &mut self,
        phase_state: &Arc<PhaseState>,
        deadlines: &RefCell<Vec<Arc<Deadline>>>,
        runtime: &Handle,
        at_work: &mut JoinSet<Slot>,
    ) -> Option<u64> {
        while phase_state.needs_slots() && !self.shared.stop_signal.is_stopped() {
            let now = self.shared.clock.now();
            if let Some(until) = phase_state.held_back(at_work.len() as u32, now) {
                return Some(until);
            }
            let mut slot = self.idle.pop().or_else(|| self.make())?;
            let Some(arrival) = phase_state.next(now) else {
                self.idle.push(slot);
                return None;
            };
            deadlines.borrow_mut().push(slot.begin_phase());
            at_work.spawn_on(slot.run(Arc::clone(phase_state), arrival), runtime);
        }
        None
    }

    fn make(&mut self) -> Option<Slot> {
        if self.made == self.limit {
            return None;
        }
        let target = self.targets.get(self.made as usize % self.targets.len())?;
        self.made += 1;
        let (handover, turn_sender) = (self.handover.clone(), self.turn_sender.clone());
        Some(Slot::new(Arc::clone(&self.shared), Arc::clone(target), self.worker, handover, turn_sender))
    }
}
