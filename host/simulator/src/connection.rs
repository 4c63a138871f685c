//! What the parts of one connection tell each other: which deadlines the next write answers, and when to hang up.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::Settings;
use crate::scheduler::Scheduler;
use aiperf_timer::LatenessRecorder;

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) settings: Settings,
    pub(crate) scheduler: Rc<Scheduler>,
    pub(crate) lateness: Arc<LatenessRecorder>,
    /// Inference requests so far.
    pub(crate) requests: Cell<u64>,
}

/// One client connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) server: Rc<Server>,
    /// Deadlines of what was given to hyper and has not reached the socket.
    unsent: RefCell<Vec<Duration>>,
    /// Asks for the connection to be closed after the answer it is sending.
    pub(crate) hang_up: Notify,
}

impl Connection {
    pub(crate) fn new(server: Rc<Server>) -> Self {
        Self { server, unsent: RefCell::new(Vec::new()), hang_up: Notify::new() }
    }

    /// The next write carries something that was due at `deadline`.
    pub(crate) fn promise(&self, deadline: Duration) {
        self.unsent.borrow_mut().push(deadline);
    }

    /// A write that began at `now` was taken by the operating system.
    pub(crate) fn sent(&self, now: Duration) {
        for deadline in self.unsent.borrow_mut().drain(..) {
            self.server.lateness.record(now.saturating_sub(deadline));
        }
    }
}
