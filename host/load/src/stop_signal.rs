//! How a run, once under way, is told to end: one level that only rises, seen by all threads.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use tokio::sync::watch;

/// How much is to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Requests are sent.
    Running,
    /// No further request is sent; those in flight may end.
    Stop,
    /// Requests in flight are cancelled.
    Abort,
}

/// The level, as a number for slots to look at before each request and as a signal that wakes workers.
#[derive(Debug)]
pub(crate) struct StopSignal {
    // Read before every request: cheaper than the lock of the channel.
    level: AtomicU8,
    signal: watch::Sender<Level>,
}

impl StopSignal {
    pub(crate) fn new() -> Self {
        Self { level: AtomicU8::new(Level::Running as u8), signal: watch::Sender::new(Level::Running) }
    }

    /// Raises the signal to at least `level`.
    pub(crate) fn stop(&self, level: Level) {
        let before = self.level.fetch_max(level as u8, Relaxed);
        if before < level as u8 {
            self.signal.send_if_modified(|current| {
                let rises = *current < level;
                *current = (*current).max(level);
                rises
            });
        }
    }

    /// Whether no further request is to be sent.
    pub(crate) fn is_stopped(&self) -> bool {
        self.level.load(Relaxed) != Level::Running as u8
    }

    /// Waits until no further request is to be sent.
    pub(crate) async fn stopped(&self) {
        self.reached(Level::Stop).await;
    }

    /// Waits until requests in flight are to be cancelled.
    pub(crate) async fn aborted(&self) {
        self.reached(Level::Abort).await;
    }

    async fn reached(&self, wanted: Level) {
        let mut receiver = self.signal.subscribe();
        // The sender is borrowed, so the channel cannot close before the level is reached.
        let _ = receiver.wait_for(|level| *level >= wanted).await;
    }
}
