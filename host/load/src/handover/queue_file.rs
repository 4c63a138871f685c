//! Exchanges in a nameless file: written in blocks, read back in the same order.

use aiperf_model::record::{EventMark, Exchange, Failure, Timing};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// Bytes that are gathered before the system is asked to write them; as many are read at once.
const BLOCK: usize = 1024 * 1024;

/// A queue of exchanges, first in, first out, of which only a block of each end is in memory.
#[derive(Debug)]
pub(super) struct ResponseQueueFile {
    folder: PathBuf,
    /// Made when it is first needed.
    file: Option<File>,
    /// The lengths of the blocks that wait in the file.
    blocks: VecDeque<usize>,
    /// Where the first of them begins, and where the next one will.
    start: u64,
    end: u64,
    /// Encoded exchanges that are not in the file yet.
    tail: Vec<u8>,
    /// Encoded exchanges that are not in it any more; those before `position` have been given away.
    head: Vec<u8>,
    position: usize,
    /// Whether the disk refused a block, after which nothing more is tried.
    full: bool,
}

/// All of an exchange but the response, whose bytes follow it as they are.
#[derive(Serialize, Deserialize)]
struct QueuedResponse<Events, Cause> {
    timing: Timing,
    events: Events,
    streamed: bool,
    failure: Cause,
    response: usize,
}

impl ResponseQueueFile {
    /// An empty queue, whose file will be in this folder.
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_path_buf(),
            file: None,
            blocks: VecDeque::new(),
            start: 0,
            end: 0,
            tail: Vec::new(),
            head: Vec::new(),
            position: 0,
            full: false,
        }
    }

    /// Adds an exchange; false if the disk takes no more.
    pub(super) fn push(&mut self, exchange: &Exchange) -> bool {
        if self.full {
            return false;
        }
        let frame = QueuedResponse {
            timing: exchange.timing,
            events: &exchange.events,
            streamed: exchange.streamed,
            failure: &exchange.failure,
            response: exchange.buffer.len(),
        };
        let Ok(frame) = postcard::to_allocvec(&frame) else { return false };
        self.tail.extend_from_slice(&frame);
        self.tail.extend_from_slice(&exchange.buffer);
        if self.tail.len() >= BLOCK {
            // What could not be written stays in memory, and is read from there.
            self.full = self.write_block().is_err();
        }
        true
    }

    /// Takes the oldest exchange.
    pub(super) fn pop(&mut self) -> io::Result<Option<Exchange>> {
        if self.position == self.head.len() && !self.next_head()? {
            return Ok(None);
        }
        let encoded = self.head.get(self.position..).unwrap_or_default();
        let (frame, rest) =
            postcard::take_from_bytes::<QueuedResponse<Vec<EventMark>, Option<Failure>>>(encoded)
                .map_err(io::Error::other)?;
        let QueuedResponse { timing, events, streamed, failure, response } = frame;
        let buffer = rest.get(..response).ok_or(io::ErrorKind::UnexpectedEof)?.to_vec();
        self.position = self.head.len() - (rest.len() - response);
        Ok(Some(Exchange { timing, buffer, events, streamed, failure }))
    }

    /// Whether nothing is left to take.
    pub(super) fn is_empty(&self) -> bool {
        self.position == self.head.len() && self.blocks.is_empty() && self.tail.is_empty()
    }

    fn write_block(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile_in(&self.folder)?),
        };
        file.seek(SeekFrom::Start(self.end))?;
        file.write_all(&self.tail)?;
        self.blocks.push_back(self.tail.len());
        self.end += self.tail.len() as u64;
        self.tail.clear();
        Ok(())
    }

    /// Brings the oldest block into memory; false if there is none.
    fn next_head(&mut self) -> io::Result<bool> {
        self.position = 0;
        self.head.clear();
        let (Some(length), Some(file)) = (self.blocks.pop_front(), &mut self.file) else {
            std::mem::swap(&mut self.head, &mut self.tail);
            return Ok(!self.head.is_empty());
        };
        file.seek(SeekFrom::Start(self.start))?;
        self.head.resize(length, 0);
        file.read_exact(&mut self.head)?;
        self.start += length as u64;
        if self.blocks.is_empty() {
            // The space is used again.
            (self.start, self.end) = (0, 0);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handover::testing::exchange;

    fn same(popped: Option<Exchange>, expected: &Exchange) -> bool {
        let told = |exchange: &Exchange| format!("{exchange:?}");
        popped.is_some_and(|popped| told(&popped) == told(expected))
    }

    #[test]
    fn exchanges_come_back_as_they_went_and_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let mut queue = ResponseQueueFile::new(folder.path());
        // Blocks are full at different places, and the queue is emptied in between.
        for _ in 0..2 {
            let (mut pushed, mut popped) = (0, 0);
            for take in [0, 3, 1, 0, 7, 1] {
                for _ in 0..8 {
                    assert!(queue.push(&exchange(pushed, 300_000 + pushed as usize)));
                    pushed += 1;
                }
                for _ in 0..take {
                    assert!(same(queue.pop().unwrap(), &exchange(popped, 300_000 + popped as usize)));
                    popped += 1;
                }
            }
            while popped < pushed {
                assert!(!queue.is_empty());
                assert!(same(queue.pop().unwrap(), &exchange(popped, 300_000 + popped as usize)));
                popped += 1;
            }
            assert!(queue.is_empty() && queue.pop().unwrap().is_none());
        }
        assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "the file has no name");
    }

    #[test]
    fn what_the_disk_refuses_stays_in_memory() {
        let mut queue = ResponseQueueFile::new(Path::new("/no/such/folder"));
        // The block that could not be written is kept, what comes after it is refused.
        assert!(queue.push(&exchange(0, BLOCK)));
        assert!(!queue.push(&exchange(1, 1)));
        assert!(same(queue.pop().unwrap(), &exchange(0, BLOCK)));
        assert!(queue.is_empty());
    }
}
