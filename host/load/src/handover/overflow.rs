//! The thread that keeps what the readers have no time for.

use super::queue_file::ResponseQueueFile;
use super::{POLL_INTERVAL, Readers};
use aiperf_model::record::Exchange;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::thread;

/// What goes beyond the memory, on its way through a file to the readers.
#[derive(Debug)]
pub(crate) struct Overflow {
    coming: Receiver<Exchange>,
    readers: Readers,
    folder: PathBuf,
}

impl Overflow {
    pub(super) fn new(coming: Receiver<Exchange>, readers: Readers, folder: &Path) -> Self {
        Self { coming, readers, folder: folder.to_path_buf() }
    }

    /// Works until no more exchanges will come and the readers have been given all of them. Where the file cannot be
    /// written, they wait in memory after all. An error means that exchanges cannot be read back.
    pub(crate) fn run(mut self) -> io::Result<()> {
        // Most runs never get here, and have no file.
        let Ok(first) = self.coming.recv() else { return Ok(()) };
        let mut queue = ResponseQueueFile::new(&self.folder);
        self.keep(first, &mut queue);
        loop {
            let ended = self.keep_what_has_come(&mut queue);
            while self.readers.want_more()
                && let Some(exchange) = queue.pop()?
            {
                self.readers.give(exchange);
            }
            if ended && queue.is_empty() {
                return Ok(());
            }
            self.wait(ended, &mut queue);
        }
    }

    /// True when no more will come.
    fn keep_what_has_come(&mut self, queue: &mut ResponseQueueFile) -> bool {
        loop {
            match self.coming.try_recv() {
                Ok(exchange) => self.keep(exchange, queue),
                Err(TryRecvError::Empty) => return false,
                Err(TryRecvError::Disconnected) => return true,
            }
        }
    }

    fn keep(&mut self, exchange: Exchange, queue: &mut ResponseQueueFile) {
        if !queue.push(&exchange) {
            self.readers.give(exchange);
        }
    }

    fn wait(&mut self, ended: bool, queue: &mut ResponseQueueFile) {
        if ended || !queue.is_empty() {
            // For the readers, which say nothing.
            thread::sleep(POLL_INTERVAL);
        } else if let Ok(exchange) = self.coming.recv() {
            self.keep(exchange, queue);
        }
    }
}
