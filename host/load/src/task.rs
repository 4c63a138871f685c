//! The task of a slot, as its connection sees it: what wakes it, and what interrupts it.

use crate::deadline::{Deadline, Interruption};
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

/// The task that a slot is for the length of a phase.
pub(crate) struct SlotTask {
    deadline: Arc<Deadline>,
    suppressible: Arc<SuppressibleWaker>,
    waker: Waker,
}

impl SlotTask {
    /// The task that runs this.
    pub(crate) async fn current(deadline: Arc<Deadline>) -> Self {
        let task = poll_fn(|context| Poll::Ready(context.waker().clone())).await;
        deadline.attach(task.clone());
        let suppressible = Arc::new(SuppressibleWaker { task, suppressed: AtomicBool::new(false) });
        let waker = Waker::from(Arc::clone(&suppressible));
        Self { deadline, suppressible, waker }
    }

    /// Sets the time by which the request that now begins must have ended.
    pub(crate) fn set_deadline(&self, at: u64) {
        self.deadline.set(at);
    }

    /// The request has ended.
    pub(crate) fn clear_deadline(&self) {
        self.deadline.clear();
    }

    /// Whether the request in flight is to be given up.
    pub(crate) fn interruption(&self) -> Option<Interruption> {
        self.deadline.interruption()
    }

    /// The context in which to poll what waits for the socket.
    pub(crate) fn context(&self) -> Context<'_> {
        Context::from_waker(&self.waker)
    }

    /// Does something that tells the connection to go on.
    ///
    /// The halves of a hyper connection wake each other's task. Here that is the same task, which polls the
    /// connection next anyway: such a wake would only cost one more turn of the event loop.
    pub(crate) fn suppressed<T>(&self, action: impl FnOnce() -> T) -> T {
        self.suppressible.suppressed.store(true, Relaxed);
        let result = action();
        self.suppressible.suppressed.store(false, Relaxed);
        result
    }
}

/// Wakes the task unless it is suppressed.
struct SuppressibleWaker {
    task: Waker,
    suppressed: AtomicBool,
}

impl Wake for SuppressibleWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.suppressed.load(Relaxed) {
            self.task.wake_by_ref();
        }
    }
}
