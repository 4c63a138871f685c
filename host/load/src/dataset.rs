//! A file of requests, one JSON object per line.
//!
//! The whole file is read and checked once, when it is opened. What stays in memory is where each turn stands; its
//! text is read again when it is put into the wire format. So the memory does not grow with the length of the texts.

mod row;
mod schedule;

pub use schedule::Schedule;

use crate::error::LoadError;
use crate::positioned;
use crate::random::Stream;
use aiperf_model::dataset::{DatasetType, Sampling};
use rand_chacha::rand_core::Rng as _;
pub(crate) use row::Row;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

/// Why a dataset cannot be used. The text names file, line and field.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// The file cannot be read.
    #[error("--input-file: cannot read '{}': {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A line is not what it should be.
    #[error("--input-file: '{}' line {line}: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The number of the line, from 1.
        line: u32,
        /// What is wrong, and what to write instead.
        problem: String,
    },
    /// The file as a whole is not what it should be.
    #[error("--input-file: '{}' {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do instead.
        problem: String,
    },
}

/// A dataset, checked and ready to be read.
#[derive(Debug)]
pub struct Dataset {
    path: PathBuf,
    file: File,
    kind: DatasetType,
    sha256: String,
    entries: Vec<Entry>,
    turns: Vec<TurnPlace>,
}

/// A request or a conversation.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Its turns among those of the dataset.
    first_turn: u32,
    turns: u32,
    /// The line on which it begins, from 1.
    line: u32,
    /// Of its first turn, in milliseconds.
    timestamp: Option<f64>,
}

/// Where a turn stands in the file.
#[derive(Clone, Copy, Debug)]
struct TurnPlace {
    offset: u64,
    length: u32,
    /// The position among the turns of its line.
    within: u32,
}

impl Dataset {
    /// Reads and checks a file. Without a kind, the first line tells it.
    pub fn open(path: &Path, kind: Option<DatasetType>) -> Result<Self, DatasetError> {
        let unreadable = |source| DatasetError::Unreadable { path: path.to_owned(), source };
        let file = File::open(path).map_err(unreadable)?;
        let mut reader =
            Reader { path, kind, digest: Sha256::new(), conversations: Conversations::default() };
        let mut lines = BufReader::with_capacity(1 << 20, &file);
        let (mut bytes, mut offset, mut number) = (Vec::new(), 0, 0);
        while lines.read_until(b'\n', &mut bytes).map_err(unreadable)? > 0 {
            number += 1;
            reader.line(&bytes, offset, number)?;
            offset += bytes.len() as u64;
            bytes.clear();
        }
        let Reader { kind, digest, conversations, .. } = reader;
        let (entries, turns) = conversations.into_entries();
        let (Some(kind), false) = (kind, entries.is_empty()) else {
            let problem =
                "holds no requests; write one JSON object per line, such as {\"text\": \"a prompt\"}".into();
            return Err(DatasetError::File { path: path.to_owned(), problem });
        };
        let sha256 = format!("{:x}", digest.finalize());
        Ok(Self { path: path.to_owned(), file, kind, sha256, entries, turns })
    }

    /// How many requests, or conversations, there are; at least one.
    #[must_use]
    pub fn entries(&self) -> u32 {
        self.entries.len() as u32
    }

    /// Whether any entry is a conversation of several turns.
    #[must_use]
    pub fn has_conversations(&self) -> bool {
        self.entries.len() < self.turns.len()
    }

    /// What its lines are.
    #[must_use]
    pub fn kind(&self) -> DatasetType {
        self.kind
    }

    /// The SHA-256 of the file, in lower-case hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Which entries a run sends, by its seed; from the first again after the last one. None stands for each of them
    /// once.
    #[must_use]
    pub fn order(&self, sampling: Sampling, seed: u64, most: Option<u32>) -> Vec<u32> {
        let length = most.unwrap_or(self.entries());
        let random = Stream::new(seed, "dataset order");
        // Below a random number of 64 bits, a remainder is as good as even.
        let below =
            |item: u32, bound: u32| (random.of_item(item.into()).next_u64() % u64::from(bound.max(1))) as u32;
        match (sampling, self.kind) {
            (Sampling::Random, _) | (_, DatasetType::RandomPool) => {
                (0..length).map(|position| below(position, self.entries())).collect()
            }
            (Sampling::Sequential, _) => (0..self.entries().min(length)).collect(),
            (Sampling::Shuffle, _) => {
                let mut order: Vec<u32> = (0..self.entries()).collect();
                for position in (1..self.entries()).rev() {
                    order.swap(position as usize, below(position, position + 1) as usize);
                }
                order.truncate(length as usize);
                order
            }
        }
    }

    /// How many turns an entry has.
    pub(crate) fn turns(&self, entry: u32) -> u32 {
        self.entries.get(entry as usize).map_or(0, |entry| entry.turns)
    }

    /// Reads one turn of an entry.
    pub(crate) fn row(&self, entry: u32, turn: u32) -> Result<Row, LoadError> {
        let changed = || {
            LoadError::Dataset(DatasetError::File {
                path: self.path.clone(),
                problem: "was changed during the benchmark; leave it as it is until the end".into(),
            })
        };
        let place = self.entries.get(entry as usize).filter(|entry| turn < entry.turns);
        let place = place.and_then(|entry| self.turns.get((entry.first_turn + turn) as usize));
        let place = place.ok_or_else(changed)?;
        let mut bytes = vec![0; place.length as usize];
        positioned::read_exact_at(&self.file, &mut bytes, place.offset).map_err(|_| changed())?;
        let text = std::str::from_utf8(&bytes).map_err(|_| changed())?;
        let line = row::parse(self.kind, text).map_err(|_| changed())?;
        line.turns.into_iter().nth(place.within as usize).ok_or_else(changed)
    }
}

/// Reads lines into an index.
struct Reader<'a> {
    path: &'a Path,
    kind: Option<DatasetType>,
    digest: Sha256,
    conversations: Conversations,
}

impl Reader<'_> {
    fn line(&mut self, bytes: &[u8], offset: u64, number: u32) -> Result<(), DatasetError> {
        self.digest.update(bytes);
        let wrong =
            |problem: String| DatasetError::Line { path: self.path.to_owned(), line: number, problem };
        let text = std::str::from_utf8(bytes)
            .map_err(|_| wrong("this is not UTF-8; save the file as UTF-8".into()))?;
        if text.trim().is_empty() {
            return Ok(());
        }
        let kind = match self.kind {
            Some(kind) => kind,
            None => row::infer(text).ok_or_else(|| {
                let types = "single_turn, multi_turn, mooncake_trace or random_pool";
                wrong(format!(
                    "the type of the dataset cannot be told from it; add --custom-dataset-type {types}"
                ))
            })?,
        };
        self.kind = Some(kind);
        let line = row::parse(kind, text).map_err(wrong)?;
        let length = u32::try_from(bytes.len()).map_err(|_| wrong("it is longer than 4 GiB".into()))?;
        let places = (0..line.turns.len() as u32).map(|within| TurnPlace { offset, length, within });
        let timestamp = line.turns.first().and_then(|row| row.timestamp);
        self.conversations.add(line.session_id, places, number, timestamp);
        Ok(())
    }
}

/// Entries as they are gathered: lines of the same session are one conversation.
#[derive(Default)]
struct Conversations {
    by_name: HashMap<String, usize>,
    gathered: Vec<(Entry, Vec<TurnPlace>)>,
}

impl Conversations {
    fn add(
        &mut self,
        session_id: Option<String>,
        places: impl Iterator<Item = TurnPlace>,
        line: u32,
        timestamp: Option<f64>,
    ) {
        let new = self.gathered.len();
        let index = session_id.map_or(new, |name| *self.by_name.entry(name).or_insert(new));
        match self.gathered.get_mut(index) {
            Some((_, turns)) => turns.extend(places),
            None => {
                self.gathered.push((Entry { first_turn: 0, turns: 0, line, timestamp }, places.collect()));
            }
        }
    }

    fn into_entries(self) -> (Vec<Entry>, Vec<TurnPlace>) {
        let mut all = Vec::with_capacity(self.gathered.len());
        let entries = self.gathered.into_iter().map(|(entry, turns)| {
            let entry = Entry { first_turn: all.len() as u32, turns: turns.len() as u32, ..entry };
            all.extend(turns);
            entry
        });
        (entries.collect(), all)
    }
}
