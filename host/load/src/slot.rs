//! One slot: it sends one request at a time over the connection it owns, until no more are due.

mod holding;

use crate::arrivals::{Arrival, FurtherTurn};
use crate::cancellation::CancellationDelay;
use crate::clock::{Clock, nanoseconds};
use crate::completion_id::Ids;
use crate::connection::{Broken, Connection, Standing, WireTimes};
use crate::control::Control;
use crate::deadline::{Deadline, Interruption};
use crate::failure;
use crate::framing::Received;
use crate::handover::Handover;
use crate::phase_state::PhaseState;
use crate::reachability::Reachability;
use crate::stop_signal::StopSignal;
use crate::target::Target;
use crate::task::SlotTask;
use crate::turns::{Turn, TurnSender};
use crate::workload::{Continued, Dialogue, PreparedRequest, Workload};
use aiperf_model::connection::ConnectionReuse;
use aiperf_model::record::{Exchange, Failure, FailureKind, Phase, Timing};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// What all slots of a run share. Nothing of it is written to while a response is read.
pub(crate) struct Shared {
    pub(crate) workload: Workload,
    pub(crate) clock: Clock,
    pub(crate) timeout: Duration,
    pub(crate) cancellation_delay: Option<CancellationDelay>,
    pub(crate) reuse: ConnectionReuse,
    pub(crate) stop_signal: StopSignal,
    pub(crate) reachability: Reachability,
    pub(crate) control: Control,
    pub(crate) ids: Ids,
    /// Whether there are only so many slots, so that a request may have to wait for one.
    pub(crate) has_limit: bool,
}

impl Shared {
    /// The least time after which anything is given up.
    pub(crate) fn shortest_timeout(&self) -> Duration {
        let cancel_after = self.cancellation_delay.as_ref().map_or(Duration::MAX, CancellationDelay::delay);
        self.connect_timeout().min(cancel_after)
    }

    /// How long a connection may take to open.
    pub(crate) fn connect_timeout(&self) -> Duration {
        self.timeout.min(CONNECT_LIMIT)
    }
}

/// How long before a request is due its slot looks after the connection: servers close idle ones, and opening one
/// takes a few round trips.
const CONNECT_AHEAD: u64 = 1_000_000_000;

/// How long a connection may take to open, TLS handshake included, where a request may take longer: what is not open
/// by then is hung, and a request that waits for it would say nothing.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);

/// A slot between two phases.
pub(crate) struct Slot {
    shared: Arc<Shared>,
    target: Arc<Target>,
    worker: u32,
    handover: Handover,
    /// Where exchanges go instead if there are conversations.
    turn_sender: Option<TurnSender>,
    deadline: Arc<Deadline>,
    connection: Option<Connection>,
    /// The exchange that ended last, until the next request on its connection is about to be sent.
    held: Option<Exchange>,
    /// Why the next request cannot be sent, if its connection has turned out to be of no use ahead of time.
    spoiled: Option<Failure>,
    /// Connections in a row that could not be had.
    failed_connections: u32,
    /// The size of the last response, in bytes and events: the next one is often like it.
    last_size: (usize, usize),
}

/// What kept a request from being sent, beside this program.
#[derive(Clone, Copy, Debug)]
struct Admission {
    /// When it was due and had a slot.
    ready: u64,
    /// For how long it then waited for a connection that the slot was opening already, in nanoseconds.
    connecting: u64,
}

/// What one attempt came to.
#[derive(Debug, Default)]
struct Attempt {
    times: WireTimes,
    connect: Option<u64>,
    /// When the connection was open, unless it had been before.
    opened: Option<u64>,
    reused_connection: bool,
    failure: Option<Failure>,
    /// Whether the connection, which had been open before, was dead already as far as can be told.
    stale: bool,
}

impl Slot {
    pub(crate) fn new(
        shared: Arc<Shared>,
        target: Arc<Target>,
        worker: u32,
        handover: Handover,
        turn_sender: Option<TurnSender>,
    ) -> Self {
        let deadline = Arc::new(Deadline::new());
        Self {
            shared,
            target,
            worker,
            handover,
            turn_sender,
            deadline,
            connection: None,
            held: None,
            spoiled: None,
            failed_connections: 0,
            last_size: (0, 0),
        }
    }

    /// Begins a phase: a slot is one task for the length of it.
    pub(crate) fn begin_phase(&mut self) -> Arc<Deadline> {
        self.deadline = Arc::new(Deadline::new());
        Arc::clone(&self.deadline)
    }

    /// Sends requests, beginning with one that was drawn for it, until no more are due.
    pub(crate) async fn run(mut self, phase_state: Arc<PhaseState>, first: Arrival) -> Self {
        let task = SlotTask::current(Arc::clone(&self.deadline)).await;
        // Counted once for the phase: a count that all workers write to for each request would be passed around between
        // their cores.
        let shared = Arc::clone(&self.shared);
        let mut next = Some(first);
        let mut ready = first.due;
        while let Some(arrival) = next {
            let connecting = if arrival.scheduled {
                self.await_due(&shared, &task, &phase_state, arrival).await
            } else {
                0
            };
            phase_state.begin(arrival, &shared.stop_signal);
            if shared.stop_signal.is_stopped() {
                break;
            }
            let Some(prepared) = shared.workload.request(phase_state.phase_of(arrival), arrival.request)
            else {
                break;
            };
            let admission = Admission { ready, connecting };
            let mut last = self.converse(&shared, &task, &phase_state, prepared, arrival, admission).await;
            if let Some(exchange) = last.as_mut().filter(|_| !arrival.scheduled) {
                self.get_to_know(&task, exchange).await;
            }
            if self.failed_connections > 0 {
                self.regain(&task, &phase_state, arrival.scheduled).await;
            }
            let free_at = shared.clock.now();
            // Responses that are there already are read first: the times of other slots must not wait for our write.
            tokio::task::yield_now().await;
            next = if shared.stop_signal.is_stopped() { None } else { phase_state.next(free_at) };
            if let Some(exchange) = last {
                self.hold(&task, exchange, next).await;
            }
            if shared.reuse == ConnectionReuse::StickyUserSessions {
                self.connection = None;
            }
            // Where slots are without number, one that is late to be free is no excuse.
            let earliest = if shared.has_limit { free_at } else { 0 };
            ready = next.map_or(0, |arrival| arrival.due.max(earliest));
        }
        self.release();
        self
    }

    /// Sends a request and, where it begins a conversation, the turns that follow, each when it is due. Returns the
    /// exchange, unless its turns have been handed over already.
    async fn converse(
        &mut self,
        shared: &Shared,
        task: &SlotTask,
        phase_state: &PhaseState,
        mut prepared: PreparedRequest,
        mut arrival: Arrival,
        mut admission: Admission,
    ) -> Option<Exchange> {
        let begun_in = phase_state.phase_of(arrival);
        let turns = shared.workload.turns(begun_in, arrival.request);
        let Some(turn_sender) = self.turn_sender.clone() else {
            return Some(self.perform(task, &prepared, begun_in, arrival, admission).await);
        };
        let mut dialogue = Dialogue::begin(&shared.workload, begun_in, arrival.request);
        loop {
            let mut exchange =
                self.perform(task, &prepared, phase_state.phase_of(arrival), arrival, admission).await;
            self.get_to_know(task, &mut exchange).await;
            let free_at = shared.clock.now();
            let end = exchange.timing.end;
            let (next, following) = oneshot::channel();
            let next = Some(next).filter(|_| arrival.turn + 1 < turns);
            // Who reads turns is gone only if the run has failed already.
            let _ = turn_sender.send(Turn { exchange, dialogue, next });
            let Ok(Some(following)) = following.await else { return None };
            let Continued { request, delay, dialogue: continued } = following;
            let due = end.saturating_add(delay);
            if shared.stop_signal.is_stopped() {
                return None;
            }
            match phase_state.take_turn(due) {
                FurtherTurn::Due => {}
                FurtherTurn::NoneLeft => return None,
                // The slot is this user's until then: nobody else takes its place.
                FurtherTurn::AfterTheEnd(end) => {
                    phase_state.pacer.until(end, arrival.request, &shared.stop_signal).await;
                    return None;
                }
            }
            (prepared, dialogue) = (request, continued);
            arrival = Arrival { turn: arrival.turn + 1, due, scheduled: false, ..arrival };
            admission = Admission {
                ready: due.max(free_at),
                connecting: self.await_due(shared, task, phase_state, arrival).await,
            };
            if shared.stop_signal.is_stopped() {
                return None;
            }
        }
    }

    /// Waits until a request is due, with a connection that is open by then if it can be had. Returns by how long the
    /// connection came too late.
    async fn await_due(
        &mut self,
        shared: &Shared,
        task: &SlotTask,
        phase_state: &PhaseState,
        arrival: Arrival,
    ) -> u64 {
        let Arrival { request, due, .. } = arrival;
        phase_state.pacer.until(due.saturating_sub(CONNECT_AHEAD), request, &shared.stop_signal).await;
        let mut late = 0;
        if shared.clock.now() < due && !shared.stop_signal.is_stopped() {
            match self.kept_connection(task).await {
                Ok(Some(connection)) => self.connection = Some(connection),
                // Where there is none, the request will find out and say why.
                Ok(None) => self.connection = self.open(task).await.ok(),
                Err(failure) => self.spoiled = Some(failure),
            }
            late = shared.clock.now().saturating_sub(due);
            task.clear_deadline();
        }
        phase_state.pacer.until(due, request, &shared.stop_signal).await;
        late
    }

    async fn perform(
        &mut self,
        task: &SlotTask,
        prepared: &PreparedRequest,
        phase: Phase,
        arrival: Arrival,
        admission: Admission,
    ) -> Exchange {
        let mut received = Received::with_capacity(self.last_size.0, self.last_size.1);
        let mut retries = 0;
        self.shared.control.count_sent();
        let cancel_after = self.shared.cancellation_delay.as_ref();
        let cancel_after =
            cancel_after.and_then(|cancel_after| cancel_after.of(phase, arrival.request, arrival.turn));
        let begun = self.shared.clock.now();
        let mut attempt = self.attempt(task, prepared, cancel_after, &mut received).await;
        if attempt.stale {
            retries = 1;
            attempt = self.attempt(task, prepared, cancel_after, &mut received).await;
        }
        task.clear_deadline();
        self.note_reachability(&attempt, received.status.is_some());
        self.last_size = (received.buffer.len(), received.events.len());
        let end = match (&attempt.failure, attempt.times.last_read) {
            (None, Some(last_read)) => last_read,
            _ => self.shared.clock.now(),
        };
        let timing = Timing {
            request: arrival.request,
            conversation: self.shared.workload.place(phase, arrival.request),
            turn: arrival.turn,
            phase,
            worker: self.worker,
            due: arrival.due,
            scheduled: arrival.scheduled,
            ready: admission.ready,
            send: attempt.times.send,
            first_byte: attempt.times.first_byte,
            end,
            status: received.status,
            connect: attempt.connect,
            connect_wait: admission.connecting
                + attempt.opened.map_or(0, |opened| opened.saturating_sub(begun)),
            reused_connection: attempt.reused_connection,
            retries,
        };
        self.shared.control.count_ended();
        let Received { buffer, events, streamed, .. } = received;
        Exchange { timing, buffer, events, streamed, failure: attempt.failure }
    }

    /// Sends a request over the slot's connection, or over a new one if that has been closed. `cancel_after` is how long
    /// its user waits, if that is not until the timeout.
    async fn attempt(
        &mut self,
        task: &SlotTask,
        prepared: &PreparedRequest,
        cancel_after: Option<Duration>,
        received: &mut Received,
    ) -> Attempt {
        let kept = match self.spoiled.take() {
            Some(failure) => Err(failure),
            None => self.kept_connection(task).await,
        };
        self.release();
        let opened = match kept {
            Ok(Some(connection)) => Ok((connection, None)),
            Ok(None) => self.open(task).await.map(|connection| (connection, Some(self.shared.clock.now()))),
            Err(failure) => Err(failure),
        };
        let (mut connection, opened) = match opened {
            Ok(opened) => opened,
            Err(failure) => return Attempt { failure: Some(failure), ..Attempt::default() },
        };
        let (reused_connection, connect) = (connection.has_served(), connection.opening());
        let closing_time = connection.closing_time();
        // The time of a request does not include that of its connection.
        let timeout = self.shared.timeout;
        let cancel_after = cancel_after.filter(|cancel_after| *cancel_after < timeout);
        self.start_timeout(task, cancel_after.unwrap_or(timeout));
        let request = self.target.request(prepared);
        let outcome = connection.exchange(request, task, received).await;
        let status = received.status;
        let times = connection.times();
        let began = times.first_byte.is_some();
        let failure = match outcome {
            Ok(())
                if status.is_some_and(is_success)
                    && self.shared.ids.note(&mut connection.last_answer, received, &prepared.body) =>
            {
                Some(failure::repeated(status))
            }
            Ok(()) => {
                self.keep(connection);
                failure::in_head(received)
            }
            Err(Broken::Interrupted(Interruption::Cancelled)) => Some(failure::cancelled(status)),
            Err(Broken::Interrupted(Interruption::Timeout)) => Some(match cancel_after {
                Some(cancel_after) => failure::given_up(status, cancel_after.as_secs_f64()),
                None => failure::timeout(status, timeout.as_secs_f64()),
            }),
            Err(Broken::NoRoom(no_room)) => {
                received.forget_body();
                Some(failure::no_room_for_response(status, no_room))
            }
            Err(Broken::Early) => Some(match status.filter(|status| !is_success(*status)) {
                // A server may refuse what it has not read to the end.
                Some(status) => failure::unsuccessful(status, received),
                None => failure::preceded(status),
            }),
            Err(Broken::Closed) => Some(failure::closed(status, began)),
            Err(Broken::Http1(error)) => Some(failure::broken(&error, status, began)),
            Err(Broken::Http2(error)) => Some(failure::broken_off(&error, status, began)),
        };
        let stale = opened.is_none()
            && !began
            && failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::Connect)
            && self.shared.clock.now() <= times.send.unwrap_or(u64::MAX).saturating_add(closing_time);
        Attempt { times, connect, opened, reused_connection, failure, stale }
    }

    /// Keeps a connection for the next request, if it may have one.
    fn keep(&mut self, connection: Connection) {
        self.connection = match self.shared.reuse {
            ConnectionReuse::Pooled | ConnectionReuse::StickyUserSessions => Some(connection),
            ConnectionReuse::Never => None,
        };
    }

    /// The slot's connection, unless there is none or the server has closed it. It fails where bytes came on it that
    /// nobody asked for: whose answer comes next on it, nobody knows.
    async fn kept_connection(&mut self, task: &SlotTask) -> Result<Option<Connection>, Failure> {
        let Some(mut connection) = self.connection.take() else { return Ok(None) };
        self.start_timeout(task, self.shared.timeout);
        match connection.standing(task).await {
            Standing::Ready => Ok(Some(connection)),
            Standing::Closed => Ok(None),
            // Whoever had the connection before has the answer that nobody knows whose it is.
            Standing::Desynchronized if self.fail_held() => Ok(None),
            Standing::Desynchronized => Err(failure::preceded(None)),
        }
    }

    async fn open(&self, task: &SlotTask) -> Result<Connection, Failure> {
        self.start_timeout(task, self.shared.connect_timeout());
        Connection::open(&self.target.route, self.shared.clock, task).await
    }

    fn start_timeout(&self, task: &SlotTask, timeout: Duration) {
        task.set_deadline(self.shared.clock.now().saturating_add(nanoseconds(timeout)));
    }

    /// Waits a while after a connection that could not be had; in a closed loop until one can, or until nothing more
    /// is to be sent. A user who could not reach the server would try that, and not use up the requests of others.
    async fn regain(&mut self, task: &SlotTask, phase_state: &PhaseState, scheduled: bool) {
        loop {
            tokio::time::sleep(pause(self.failed_connections)).await;
            let is_over =
                self.shared.stop_signal.is_stopped() || phase_state.is_exhausted(self.shared.clock.now());
            if scheduled || is_over {
                return;
            }
            let opened = self.open(task).await;
            task.clear_deadline();
            match opened {
                Ok(connection) => {
                    self.connection = Some(connection);
                    return;
                }
                Err(failure) if failure.kind == FailureKind::Client => return,
                Err(failure) => self.note_failure(&failure),
            }
        }
    }

    fn note_failure(&mut self, failure: &Failure) {
        self.failed_connections += 1;
        let Shared { reachability, clock, stop_signal, .. } = &*self.shared;
        reachability.failed(&failure.message, clock.now(), stop_signal);
    }

    fn note_reachability(&mut self, attempt: &Attempt, answered: bool) {
        match &attempt.failure {
            Some(failure) if matches!(failure.kind, FailureKind::Connect | FailureKind::Tls) => {
                self.note_failure(failure);
            }
            // The server cannot help it.
            Some(failure) if failure.kind == FailureKind::Client => self.failed_connections += 1,
            _ if answered => {
                self.failed_connections = 0;
                self.shared.reachability.answered();
            }
            _ => {}
        }
    }
}

fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

/// How long a slot waits after so many connections in a row that it could not have: 10 ms, then twice as long
/// each time, up to 0.16 s. Without it the slots of a server that is gone would use up the requests of the others.
fn pause(failed_connections: u32) -> Duration {
    Duration::from_millis(10 << failed_connections.saturating_sub(1).min(4))
}
