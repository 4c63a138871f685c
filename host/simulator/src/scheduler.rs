//! Brings the engine's virtual time to the wall clock: waits for deadlines and hands due tokens to the tasks that
//! send them. Everything here runs on the runtime's one thread.
//!
//! The handing over itself crosses no thread, and tokens due at the same time follow each other at the price of one
//! send each. With nothing due, nothing runs.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use aiperf_timer::Timer;
use tokio::sync::Notify;

use crate::engine::{Due, Engine, Ticket, Totals, Work};
use crate::{Law, Unsteadiness};

/// The engine on the wall clock.
#[derive(Debug)]
pub(crate) struct Scheduler {
    start: Instant,
    state: RefCell<State>,
    /// Something was submitted, or a deadline is near.
    wake: Arc<Notify>,
}

#[derive(Debug)]
struct State {
    engine: Engine,
    outboxes: HashMap<Ticket, Outbox>,
}

/// What is due of one sequence and not yet taken by the task that sends it.
#[derive(Debug, Default)]
struct Outbox {
    due: VecDeque<Due>,
    task: Option<Waker>,
}

/// What the server is doing at a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) active: usize,
    pub(crate) waiting: usize,
    pub(crate) totals: Totals,
}

impl Scheduler {
    pub(crate) fn new(start: Instant, law: Law, unsteadiness: Unsteadiness) -> Self {
        let state = State { engine: Engine::new(law, unsteadiness), outboxes: HashMap::new() };
        Self { start, state: RefCell::new(state), wake: Arc::new(Notify::new()) }
    }

    /// Time since the start, the scale of all deadlines.
    pub(crate) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// What the server is doing now.
    pub(crate) fn load(&self) -> Load {
        let engine = &self.state.borrow().engine;
        Load { active: engine.active(), waiting: engine.waiting(), totals: engine.totals() }
    }

    /// What the timer waits for.
    pub(crate) fn wake(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// A request that arrived at `at` joins the batch or its queue.
    pub(crate) fn submit(self: &Rc<Self>, at: Duration, work: Work) -> Tokens {
        let mut state = self.state.borrow_mut();
        state.deliver(at);
        let ticket = state.engine.submit(at, work);
        state.outboxes.insert(ticket, Outbox::default());
        drop(state);
        self.wake.notify_one();
        Tokens { scheduler: Rc::clone(self), ticket }
    }

    /// Delivers every token at its deadline, for as long as the simulator lives.
    pub(crate) async fn run(self: Rc<Self>, mut timer: Timer) {
        loop {
            let next = self.state.borrow_mut().deliver(self.now());
            timer.step_towards(next).await;
        }
    }
}

impl State {
    /// Puts every token due by `now` into its outbox and returns the next deadline.
    fn deliver(&mut self, now: Duration) -> Option<Duration> {
        while let Some(due) = self.engine.pop_due(now) {
            if let Some(outbox) = self.outboxes.get_mut(&due.ticket) {
                outbox.due.push_back(due);
                if let Some(task) = outbox.task.take() {
                    task.wake();
                }
            }
        }
        self.engine.next_deadline()
    }
}

/// The tokens of one sequence as they become due. Dropping it cancels what is left of the sequence.
#[derive(Debug)]
pub(crate) struct Tokens {
    scheduler: Rc<Scheduler>,
    ticket: Ticket,
}

impl Tokens {
    /// The next token that is due. Not to be called again after the last one.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Due> {
        let mut state = self.scheduler.state.borrow_mut();
        let outbox = state.outboxes.entry(self.ticket).or_default();
        if let Some(due) = outbox.due.pop_front() {
            return Poll::Ready(due);
        }
        outbox.task = Some(context.waker().clone());
        Poll::Pending
    }

    /// Waits for the last token.
    pub(crate) async fn last(mut self) -> Due {
        loop {
            let due = std::future::poll_fn(|context| self.poll_next(context)).await;
            if due.last {
                return due;
            }
        }
    }
}

impl Drop for Tokens {
    fn drop(&mut self) {
        let now = self.scheduler.now();
        let mut state = self.scheduler.state.borrow_mut();
        state.outboxes.remove(&self.ticket);
        state.deliver(now);
        state.engine.cancel(now, self.ticket);
        // A place may be free, and its next sequence due before the alarm.
        self.scheduler.wake.notify_one();
    }
}
