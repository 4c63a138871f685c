//! Where finished exchanges leave the measuring threads: the one thing that slots share with readers.
//!
//! A slot never waits here and takes no lock. What is read more slowly than it comes waits in memory up to a limit,
//! and beyond it in a file, which the overflow thread writes and, when the readers have time, reads back.

mod overflow;
mod queue_file;
#[cfg(test)]
mod testing;

pub(crate) use overflow::Overflow;

use aiperf_model::record::{EventMark, Exchange};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::thread;
use std::time::Duration;

// A thread that slept on its channel would cost the measuring thread a system call per exchange to wake it.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Bytes beyond which a reader takes no more at once: what it has taken is not counted as waiting any more.
const BATCH_BYTES: usize = 1024 * 1024;

/// The slot's end: spreads exchanges evenly over the readers and never waits.
#[derive(Clone, Debug)]
pub(crate) struct Handover {
    readers: Readers,
    overflow: Sender<Exchange>,
}

/// Ways to all readers, and how much is on them.
#[derive(Clone, Debug)]
struct Readers {
    senders: Vec<Sender<Exchange>>,
    next: usize,
    waiting: Arc<AtomicUsize>,
    limit: usize,
}

/// A reader's end.
#[derive(Debug)]
pub(crate) struct Intake {
    exchanges: Receiver<Exchange>,
    waiting: Arc<AtomicUsize>,
}

/// All ends for so many readers, at least one. At most `limit` bytes wait in memory, the rest in a nameless file in
/// `folder`, if it comes to that.
pub(crate) fn handover(readers: usize, limit: usize, folder: &Path) -> (Handover, Vec<Intake>, Overflow) {
    let waiting = Arc::new(AtomicUsize::new(0));
    let (senders, intakes) = (0..readers.max(1))
        .map(|_| {
            let (sender, exchanges) = mpsc::channel();
            (sender, Intake { exchanges, waiting: Arc::clone(&waiting) })
        })
        .unzip();
    let readers = Readers { senders, next: 0, waiting, limit };
    let (sender, overflowing) = mpsc::channel();
    let overflow = Overflow::new(overflowing, readers.clone(), folder);
    (Handover { readers, overflow: sender }, intakes, overflow)
}

impl Handover {
    /// Gives one exchange away. It is lost only if its reader is gone, which ends the run anyway.
    pub(crate) fn give(&mut self, exchange: Exchange) {
        if self.readers.are_behind() {
            let _ = self.overflow.send(exchange);
        } else {
            self.readers.give(exchange);
        }
    }
}

impl Readers {
    /// Whether as much waits as may.
    fn are_behind(&self) -> bool {
        self.waiting.load(Relaxed) >= self.limit
    }

    /// Whether so little waits that more is welcome.
    fn want_more(&self) -> bool {
        self.waiting.load(Relaxed) <= self.limit / 2
    }

    fn give(&mut self, exchange: Exchange) {
        self.next = if self.next + 1 < self.senders.len() { self.next + 1 } else { 0 };
        if let Some(reader) = self.senders.get(self.next) {
            let size = footprint(&exchange);
            self.waiting.fetch_add(size, Relaxed);
            if reader.send(exchange).is_err() {
                // What is lost waits no more, or the overflow would wait for it for ever.
                self.waiting.fetch_sub(size, Relaxed);
            }
        }
    }
}

impl Intake {
    /// Waits for exchanges and moves at most `limit` of them into `batch`, fewer if they are large; false when no more
    /// will come.
    pub(crate) fn take(&self, batch: &mut Vec<Exchange>, limit: usize) -> bool {
        let mut bytes = 0;
        loop {
            while batch.len() < limit && bytes < BATCH_BYTES {
                match self.exchanges.try_recv() {
                    Ok(exchange) => {
                        bytes += footprint(&exchange);
                        batch.push(exchange);
                    }
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return self.has_taken(batch),
                }
            }
            if self.has_taken(batch) {
                return true;
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    /// Whether a batch has anything in it, which then waits no more.
    fn has_taken(&self, batch: &[Exchange]) -> bool {
        self.waiting.fetch_sub(batch.iter().map(footprint).sum(), Relaxed);
        !batch.is_empty()
    }
}

impl Drop for Intake {
    /// What a reader leaves behind waits no more.
    fn drop(&mut self) {
        let left: usize = self.exchanges.try_iter().map(|exchange| footprint(&exchange)).sum();
        self.waiting.fetch_sub(left, Relaxed);
    }
}

/// The memory of an exchange in bytes.
fn footprint(exchange: &Exchange) -> usize {
    size_of::<Exchange>() + exchange.buffer.capacity() + exchange.events.capacity() * size_of::<EventMark>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_takes_only_a_few_large_exchanges_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let (mut handover, intakes, overflow) = handover(1, 64 * BATCH_BYTES, folder.path());
        for request in 0..3 {
            handover.give(testing::exchange(request, BATCH_BYTES / 2));
        }
        drop((handover, overflow));
        let taken = |limit| {
            let mut batch = vec![];
            intakes[0].take(&mut batch, limit);
            batch.len()
        };
        assert_eq!([taken(64), taken(64)], [2, 1]);
    }

    #[test]
    fn nothing_waits_for_a_reader_that_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let (mut handover, intakes, overflow) = handover(1, 4000, folder.path());
        for request in 0..10 {
            handover.give(testing::exchange(request, 1000));
        }
        drop((handover, intakes));
        // Returns, although nobody takes what it has.
        overflow.run().unwrap();
    }
}
