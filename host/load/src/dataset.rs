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
use aiperf_model::fault::{Fault, Faulty};
use aiperf_model::limits::MOST_TURNS;
use rand_chacha::rand_core::Rng as _;
pub(crate) use row::Row;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
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
    /// The file is no longer the one that was checked.
    #[error("--input-file: '{}' was changed during the benchmark; leave it as it is until the end", .0.display())]
    Changed(PathBuf),
}

impl Faulty for DatasetError {
    fn fault(&self) -> Fault {
        match self {
            Self::Unreadable { .. } | Self::Line { .. } | Self::File { .. } => Fault::Input,
            Self::Changed(_) => Fault::Machine,
        }
    }
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

/// Where a turn stands in the file: a line, or the object of a turn within one.
#[derive(Clone, Copy, Debug)]
struct TurnPlace {
    offset: u64,
    length: u32,
}

/// The most bytes of a line, which is a request or a conversation.
const LONGEST_LINE: u64 = 256 << 20;

impl Dataset {
    /// Reads and checks a file. Without a kind, the first line tells it.
    pub fn open(path: &Path, kind: Option<DatasetType>) -> Result<Self, DatasetError> {
        let unreadable = |source| DatasetError::Unreadable { path: path.to_owned(), source };
        let file = aiperf_files::open(path).map_err(|error| unreadable(error.into()))?;
        let mut reader =
            Reader { path, kind, digest: Sha256::new(), conversations: Conversations::default() };
        let mut lines = BufReader::with_capacity(1 << 20, &file);
        let (mut bytes, mut offset, mut number) = (Vec::new(), 0, 0);
        while lines.by_ref().take(LONGEST_LINE + 1).read_until(b'\n', &mut bytes).map_err(unreadable)? > 0 {
            number += 1;
            if bytes.len() as u64 > LONGEST_LINE {
                let problem = format!("has more than {} MiB in line {number}", LONGEST_LINE >> 20);
                return Err(DatasetError::File { path: path.to_owned(), problem });
            }
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
        let changed = || LoadError::Dataset(DatasetError::Changed(self.path.clone()));
        let place = self.entries.get(entry as usize).filter(|entry| turn < entry.turns);
        let place = place.and_then(|entry| self.turns.get((entry.first_turn + turn) as usize));
        let place = place.ok_or_else(changed)?;
        let mut bytes = vec![0; place.length as usize];
        positioned::read_exact_at(&self.file, &mut bytes, place.offset).map_err(|_| changed())?;
        let text = std::str::from_utf8(&bytes).map_err(|_| changed())?;
        row::parse_turn(self.kind, text).map_err(|_| changed())
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
        if text.trim_start().starts_with('[') {
            return Err(wrong(row::array(self.kind)));
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
        u32::try_from(bytes.len()).map_err(|_| wrong("it is longer than 4 GiB".into()))?;
        let places = line
            .places
            .iter()
            .map(|place| TurnPlace { offset: offset + place.start as u64, length: place.len() as u32 });
        if self.conversations.add(line.session_id, places, number, line.timestamp) > MOST_TURNS as usize {
            return Err(wrong(format!(
                "with it a conversation has more than {MOST_TURNS} turns; leave some out, or make several conversations of it"
            )));
        }
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
    /// Returns how many turns the conversation has then.
    fn add(
        &mut self,
        session_id: Option<String>,
        places: impl Iterator<Item = TurnPlace>,
        line: u32,
        timestamp: Option<f64>,
    ) -> usize {
        let new = self.gathered.len();
        let index = session_id.map_or(new, |name| *self.by_name.entry(name).or_insert(new));
        if let Some((_, turns)) = self.gathered.get_mut(index) {
            turns.extend(places);
            return turns.len();
        }
        let turns: Vec<_> = places.collect();
        let length = turns.len();
        self.gathered.push((Entry { first_turn: 0, turns: 0, line, timestamp }, turns));
        length
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

#[cfg(test)]
mod tests {
    use super::*;
    use aiperf_model::dataset::ScheduleWindow;
    use std::io::Write as _;

    fn open(lines: &str) -> Result<Dataset, DatasetError> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(lines.as_bytes()).unwrap();
        Dataset::open(file.path(), None)
    }

    #[test]
    fn a_turn_is_read_without_the_others_of_its_line() {
        let line = r#"{"session_id": "é", "turns": [{"text": "one"},  {"text": "]},{", "delay": 5}, {"text": "é"}]}"#;
        let dataset = open(&format!("{line}\n{line}\n")).unwrap();
        assert_eq!((dataset.entries(), dataset.turns(0)), (1, 6));
        let said = |turn| dataset.row(0, turn).unwrap().texts.concat();
        assert_eq!([0, 1, 2, 3, 4, 5].map(said), ["one", "]},{", "é", "one", "]},{", "é"]);
        assert_eq!(dataset.row(0, 4).unwrap().delay, Some(5.0));
        let read: u32 = dataset.turns.iter().map(|place| place.length).sum();
        assert!((read as usize) < 2 * line.len(), "all turns together are {read} bytes");
    }

    #[test]
    fn the_turns_of_a_line_stand_in_it_once() {
        let error =
            open(r#"{"turns": [{"text": "a"}], "turns": [{"text": "b"}, {"text": "c"}]}"#).unwrap_err();
        assert!(error.to_string().contains("write the field 'turns' once"), "{error}");
    }

    #[test]
    fn numbers_have_the_limits_of_the_flags() {
        let turns = |count| vec![r#"{"text": "a"}"#; count].join(",");
        let sessions = "{\"session_id\": 1, \"text\": \"a\"}\n".repeat(10_001);
        for (lines, problem) in [
            (
                r#"{"input_length": 4294967295}"#.to_owned(),
                "line 1: field 'input_length' is 4294967295, but must be a whole number of tokens from 1 to 10000000",
            ),
            (
                "{\"input_length\": 10000000}\n{\"input_length\": 10000001}".to_owned(),
                "line 2: field 'input_length' is 10000001",
            ),
            (
                r#"{"text": "a", "delay": 1e300}"#.to_owned(),
                "but must be a number of milliseconds from 0 to 31536000000",
            ),
            (
                format!(r#"{{"turns": [{}]}}"#, turns(10_001)),
                "line 1: with it a conversation has more than 10000 turns",
            ),
            (sessions, "line 10001: with it a conversation has more than 10000 turns"),
        ] {
            let error = open(&lines).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
        open(&format!(r#"{{"turns": [{}]}}"#, turns(10_000))).unwrap();
    }

    #[test]
    fn a_schedule_of_more_than_a_year_is_refused() {
        let lines = "{\"text\": \"a\", \"timestamp\": 1700000000000}\n{\"text\": \"b\", \"timestamp\": 1700000000500}";
        let dataset = open(lines).unwrap();
        let error = dataset.schedule(ScheduleWindow::default()).unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("--fixed-schedule-auto-offset"), "{error}");
        let from_the_first = ScheduleWindow { auto_offset: true, ..ScheduleWindow::default() };
        assert_eq!(dataset.schedule(from_the_first).unwrap().due, [0, 500_000_000]);
    }
}
