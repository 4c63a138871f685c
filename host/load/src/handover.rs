//! Where finished exchanges leave the measuring threads: the one thing that slots share with readers.

use aiperf_model::record::Exchange;
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::thread;
use std::time::Duration;

// A reader that slept on the channel would cost the measuring thread a system call per exchange to wake it.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// The slot's end: spreads exchanges evenly over the readers and never waits.
#[derive(Clone, Debug)]
pub(crate) struct Handover {
    readers: Vec<Sender<Exchange>>,
    next: usize,
}

/// A reader's end.
#[derive(Debug)]
pub(crate) struct Intake {
    exchanges: Receiver<Exchange>,
}

/// Both ends for so many readers, at least one.
pub(crate) fn handover(readers: usize) -> (Handover, Vec<Intake>) {
    let (senders, intakes) = (0..readers.max(1))
        .map(|_| {
            let (sender, exchanges) = mpsc::channel();
            (sender, Intake { exchanges })
        })
        .unzip();
    (Handover { readers: senders, next: 0 }, intakes)
}

impl Handover {
    /// Gives one exchange away. It is lost only if its reader is gone, which ends the run anyway.
    pub(crate) fn give(&mut self, exchange: Exchange) {
        self.next = if self.next + 1 < self.readers.len() { self.next + 1 } else { 0 };
        if let Some(reader) = self.readers.get(self.next) {
            let _ = reader.send(exchange);
        }
    }
}

impl Intake {
    /// Waits for exchanges and moves at most `limit` of them into `batch`; false when no more will come.
    pub(crate) fn take(&self, batch: &mut Vec<Exchange>, limit: usize) -> bool {
        loop {
            while batch.len() < limit {
                match self.exchanges.try_recv() {
                    Ok(exchange) => batch.push(exchange),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return !batch.is_empty(),
                }
            }
            if !batch.is_empty() {
                return true;
            }
            thread::sleep(POLL_INTERVAL);
        }
    }
}
