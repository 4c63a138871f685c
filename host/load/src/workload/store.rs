//! The requests of one phase, ready to be sent: what does not fit into memory is read back before it is due.
//!
//! Requests are kept in blocks of about [`BLOCK_LENGTH`] bytes. A block is in memory for good or in the file, from
//! where [`Store::read_ahead`] brings it while the run approaches it. Taking a request copies nothing and waits for
//! nobody: a body that is not in memory, or is being put there at this very moment, is read from the file by who
//! needs it.

use super::body_file::BodyFile;
use crate::error::LoadError;
use bytes::Bytes;
use std::collections::VecDeque;
use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread;

/// How long a block should be, in bytes: long enough to be read at once, short enough for a slow request to keep.
const BLOCK_LENGTH: usize = 256 * 1024;

/// How many bytes are read ahead of the request that is sent next: those of a tenth of a second at a rate that no
/// server reaches.
const AHEAD: usize = 8 * 1024 * 1024;

/// The requests of one phase.
#[derive(Debug)]
pub(super) struct Store {
    count: u32,
    per_block: u32,
    blocks: Vec<Block>,
    body_file: Arc<BodyFile>,
    /// The blocks of the file that are in memory.
    ahead: Mutex<VecDeque<usize>>,
}

/// Requests in a row, and their bodies one after the other.
#[derive(Debug)]
struct Block {
    requests: Box<[Placed]>,
    length: usize,
    bodies: Bodies,
}

#[derive(Debug)]
enum Bodies {
    Resident(Bytes),
    // Written by one thread now and then; who sends never waits for it.
    Spilled { offset: u64, ahead: RwLock<Option<Bytes>> },
}

/// A request within its block.
#[derive(Clone, Copy, Debug)]
struct Placed {
    start: usize,
    facts: Facts,
}

/// What is known of a request beside its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    /// The position of its path and headers among those of the workload.
    pub(super) form: u32,
    /// Tokens of the prompt, if they are known.
    pub(super) input_tokens: Option<u32>,
    pub(super) max_output_tokens: Option<u32>,
    /// How many turns the conversation has that it begins; 1 for a request by itself.
    pub(super) turns: u32,
    /// Where in the body the words are that another opening takes the place of; none if there are none, or if they cannot
    /// be told from other bytes.
    pub(super) opening: Option<u32>,
}

/// One request in its wire format.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) body: Vec<u8>,
    pub(super) facts: Facts,
}

impl Store {
    /// Makes so many requests on all available cores.
    pub(super) fn fill(
        count: u32,
        body_file: &Arc<BodyFile>,
        make: &(impl Fn(u32) -> Result<Made, LoadError> + Sync),
    ) -> Result<Self, LoadError> {
        let mut store = Self {
            count,
            per_block: 1,
            blocks: Vec::new(),
            body_file: Arc::clone(body_file),
            ahead: Mutex::default(),
        };
        if count == 0 {
            return Ok(store);
        }
        let typical = make(0)?.body.len().max(1);
        store.per_block = (BLOCK_LENGTH / typical).clamp(1, count as usize) as u32;
        let blocks = count.div_ceil(store.per_block);
        let next = AtomicU32::new(0);
        let make_blocks = || {
            let mut filled = Vec::new();
            while let Some(index) = Some(next.fetch_add(1, Relaxed)).filter(|index| *index < blocks) {
                let first = index * store.per_block;
                let positions = first..first.saturating_add(store.per_block).min(count);
                let block = Block::make(positions.map(make), body_file);
                // Nobody needs further blocks once one could not be made.
                filled.push((index, block.inspect_err(|_| next.store(blocks, Relaxed))?));
            }
            Ok(filled)
        };
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let mut filled = on_threads(cores.min(blocks as usize), &make_blocks)?;
        filled.sort_unstable_by_key(|(index, _)| *index);
        store.blocks = filled.into_iter().map(|(_, block)| block).collect();
        Ok(store)
    }

    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// What is known of the request at a position; begins again after the last one.
    pub(super) fn facts(&self, position: u32) -> Option<Facts> {
        let (block, within) = self.place(position)?;
        Some(block.requests.get(within)?.facts)
    }

    /// The body of the request at a position; begins again after the last one.
    pub(super) fn body(&self, position: u32) -> Option<io::Result<Bytes>> {
        let (block, within) = self.place(position)?;
        block.body(within, &self.body_file)
    }

    /// How many turns so many conversations have together, from the first again after the last one.
    pub(super) fn turns_of(&self, conversations: u32) -> u64 {
        let turns =
            self.blocks.iter().flat_map(|block| &block.requests).map(|placed| u64::from(placed.facts.turns));
        let Some(rest) = conversations.checked_rem(self.count) else { return 0 };
        let rounds = u64::from(conversations / self.count);
        rounds * turns.clone().sum::<u64>() + turns.take(rest as usize).sum::<u64>()
    }

    /// All bodies in order, whatever is in memory.
    pub(super) fn bodies(&self) -> impl Iterator<Item = io::Result<Bytes>> {
        self.blocks.iter().flat_map(|block| match block.bodies(&self.body_file) {
            Ok(bodies) => (0..block.requests.len())
                .filter_map(|within| Some(Ok(bodies.slice(block.range(within)?))))
                .collect::<Vec<_>>(),
            Err(error) => vec![Err(error)],
        })
    }

    /// Brings the bodies into memory that are sent from a position on, and lets go of those before it. A body that
    /// cannot be read is left for who needs it.
    pub(super) fn read_ahead(&self, position: u32) {
        let Some(position) = position.checked_rem(self.count) else { return };
        let wanted = self.wanted((position / self.per_block) as usize);
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        ahead.retain(|index| {
            let stays = wanted.contains(index);
            if !stays && let Some(block) = self.blocks.get(*index) {
                block.let_go();
            }
            stays
        });
        for index in wanted {
            if !ahead.contains(&index)
                && let Some(block) = self.blocks.get(index)
                && block.bring(&self.body_file)
            {
                ahead.push_back(index);
            }
        }
    }

    /// The blocks to have in memory while the run is in one of them: that one, those after it, and the one before,
    /// of which some requests may be drawn and not taken yet.
    fn wanted(&self, current: usize) -> Vec<usize> {
        let mut length = 0;
        let first = current + self.blocks.len() - 1;
        let in_turn = (first..first + self.blocks.len()).map(|index| index % self.blocks.len());
        let fits = |index: &usize| {
            let fits = length < AHEAD;
            length += self.blocks.get(*index).map_or(0, |block| block.length);
            fits
        };
        in_turn.take_while(fits).collect()
    }

    fn place(&self, position: u32) -> Option<(&Block, usize)> {
        let position = position.checked_rem(self.count)?;
        let block = self.blocks.get((position / self.per_block) as usize)?;
        Some((block, (position % self.per_block) as usize))
    }
}

impl Block {
    fn make(
        requests: impl Iterator<Item = Result<Made, LoadError>>,
        body_file: &BodyFile,
    ) -> Result<Self, LoadError> {
        let mut bytes = Vec::with_capacity(BLOCK_LENGTH + BLOCK_LENGTH / 4);
        let mut placed = Vec::new();
        for made in requests {
            let Made { body, facts } = made?;
            placed.push(Placed { start: bytes.len(), facts });
            bytes.extend_from_slice(&body);
        }
        let length = bytes.len();
        let bodies = if body_file.has_room_for(length as u64) {
            bytes.shrink_to_fit();
            Bodies::Resident(bytes.into())
        } else {
            let offset = body_file.write(&bytes).map_err(LoadError::Bodies)?;
            Bodies::Spilled { offset, ahead: RwLock::default() }
        };
        Ok(Self { requests: placed.into(), length, bodies })
    }

    fn range(&self, within: usize) -> Option<std::ops::Range<usize>> {
        let start = self.requests.get(within)?.start;
        let end = self.requests.get(within + 1).map_or(self.length, |next| next.start);
        Some(start..end)
    }

    fn body(&self, within: usize, body_file: &BodyFile) -> Option<io::Result<Bytes>> {
        let range = self.range(within)?;
        match &self.bodies {
            Bodies::Resident(bytes) => Some(Ok(bytes.slice(range))),
            Bodies::Spilled { offset, ahead } => {
                if let Ok(ahead) = ahead.try_read()
                    && let Some(bytes) = &*ahead
                {
                    return Some(Ok(bytes.slice(range)));
                }
                Some(body_file.read(offset + range.start as u64, range.len()).map(Bytes::from))
            }
        }
    }

    fn bodies(&self, body_file: &BodyFile) -> io::Result<Bytes> {
        match &self.bodies {
            Bodies::Resident(bytes) => Ok(bytes.clone()),
            Bodies::Spilled { offset, .. } => body_file.read(*offset, self.length).map(Bytes::from),
        }
    }

    /// Reads the bodies into memory if they are in the file; whether they are now there for a while.
    fn bring(&self, body_file: &BodyFile) -> bool {
        let Bodies::Spilled { offset, ahead } = &self.bodies else { return false };
        let Ok(bytes) = body_file.read(*offset, self.length) else { return false };
        *ahead.write().unwrap_or_else(PoisonError::into_inner) = Some(bytes.into());
        true
    }

    fn let_go(&self) {
        if let Bodies::Spilled { ahead, .. } = &self.bodies {
            *ahead.write().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

/// Does the same work on so many threads, this one among them, and puts the results together.
fn on_threads<T: Send>(
    threads: usize,
    work: &(impl Fn() -> Result<Vec<T>, LoadError> + Sync),
) -> Result<Vec<T>, LoadError> {
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut results = work()?;
        for thread in others {
            match thread.join() {
                Ok(others) => results.extend(others?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(results)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::body_file::BodyMemory;

    /// So many requests whose bodies are their position, a hundred thousand digits long.
    fn store(count: u32, resident: u64) -> Store {
        let folder = std::env::temp_dir();
        let body_file = Arc::new(BodyFile::new(BodyMemory { resident, folder }));
        Store::fill(count, &body_file, &|position| {
            let facts = Facts {
                form: 0,
                input_tokens: Some(position),
                max_output_tokens: None,
                turns: 1,
                opening: None,
            };
            Ok(Made { body: text(position), facts })
        })
        .unwrap()
    }

    fn text(position: u32) -> Vec<u8> {
        format!("{position:05}").repeat(20_000).into_bytes()
    }

    fn in_memory(store: &Store) -> Vec<usize> {
        let is_ahead = |block: &Block| matches!(&block.bodies, Bodies::Spilled { ahead, .. } if ahead.read().unwrap().is_some());
        (0..).zip(&store.blocks).filter(|(_, block)| is_ahead(block)).map(|(index, _)| index).collect()
    }

    #[test]
    fn a_request_is_the_same_wherever_it_is_kept() {
        for resident in [0, 1_000_000, u64::MAX] {
            let store = store(25, resident);
            for position in [0, 1, 2, 24, 25, 60] {
                assert_eq!(store.body(position).unwrap().unwrap(), text(position % 25));
                assert_eq!(store.facts(position).unwrap().input_tokens, Some(position % 25));
            }
            store.read_ahead(3);
            assert_eq!(store.body(3).unwrap().unwrap(), text(3));
            let all: Vec<_> = store.bodies().map(Result::unwrap).collect();
            assert_eq!(all, (0..25).map(text).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_stays_in_memory_is_as_much_as_is_allowed() {
        let resident = |store: &Store| {
            store.blocks.iter().filter(|block| matches!(block.bodies, Bodies::Resident(_))).count()
        };
        // A block of 256 KiB has two such requests.
        assert_eq!(resident(&store(20, 0)), 0);
        assert_eq!(resident(&store(20, 700_000)), 3);
        assert_eq!(resident(&store(20, u64::MAX)), 10);
    }

    #[test]
    fn the_bodies_ahead_follow_the_run_and_begin_again_after_the_last_one() {
        let store = store(1000, 0);
        // 8 MiB are 42 blocks of 200 kB.
        store.read_ahead(0);
        assert_eq!(in_memory(&store), (0..41).chain([499]).collect::<Vec<_>>());
        store.read_ahead(100);
        assert_eq!(in_memory(&store), (49..91).collect::<Vec<_>>());
        store.read_ahead(990 + 1000);
        assert_eq!(in_memory(&store), (0..36).chain(494..500).collect::<Vec<_>>());
    }

    #[test]
    fn a_phase_without_requests_has_none() {
        let store = store(0, 0);
        store.read_ahead(5);
        assert!(store.body(0).is_none() && store.facts(0).is_none() && store.bodies().next().is_none());
    }

    #[test]
    fn a_folder_that_takes_no_file_is_an_error() {
        let body_file = BodyFile::new(BodyMemory { resident: 0, folder: "/nowhere/at/all".into() });
        let made = |position| {
            Ok(Made {
                body: text(position),
                facts: Facts {
                    form: 0,
                    input_tokens: None,
                    max_output_tokens: None,
                    turns: 1,
                    opening: None,
                },
            })
        };
        let error = Store::fill(1, &Arc::new(body_file), &made).unwrap_err().to_string();
        assert!(error.contains("temporary file") && error.contains("free some space"), "{error}");
    }
}
