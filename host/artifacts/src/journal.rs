//! `journal.jsonl`: what happened to a benchmark since its manifest was written as a whole, one line for each change.
//!
//! A manifest of thousands of runs takes long to write. So a change is added here, and the manifest is written now and
//! then; whoever reads the manifest reads both. The file is there only while the manifest lacks something.

use crate::contradiction::Contradiction;
use crate::durable;
use crate::error::ArtifactError;
use crate::manifest::{ClientErrorRecord, RunRecord, ValueRecord};
use aiperf_files::FileError;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

pub(crate) const FORMAT: &str = "journal";

/// The most bytes of a file.
const LARGEST: u64 = 1 << 30;

/// One change, as what is true after it: made twice, it changes nothing more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A value that the plan did not have.
    Value(ValueRecord),
    /// A run, be it new or in another state.
    Run(RunRecord),
    /// The client's own error at a value.
    #[serde(alias = "error_budget")]
    ClientError(ClientErrorRecord),
    /// What is spent of the time for all trials, in seconds.
    SpentSeconds(f64),
}

/// The file.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: Option<File>,
}

impl Journal {
    /// The journal at a path, which need not exist.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path, file: None }
    }

    /// Whether there is something in it.
    pub(crate) fn is_begun(&self) -> bool {
        self.file.is_some()
    }

    /// Adds changes. When this returns, they are on the disk.
    pub(crate) fn append(&mut self, changes: &[Change]) -> Result<(), ArtifactError> {
        let mut lines = Vec::new();
        for change in changes {
            serde_json::to_writer(&mut lines, change)
                .map_err(|error| ArtifactError::Encode { what: "journal", source: error.into() })?;
            lines.push(b'\n');
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(begin(&self.path)?),
        };
        let written = file.write_all(&lines).and_then(|()| file.sync_data());
        written.map_err(ArtifactError::io("write", &self.path))
    }

    /// Removes the file, once the manifest says all that stands in it.
    pub(crate) fn clear(&mut self) -> Result<(), ArtifactError> {
        self.file = None;
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(ArtifactError::io("remove", &self.path)(error))
            }
            _ => Ok(()),
        }
    }
}

fn begin(path: &Path) -> Result<File, ArtifactError> {
    let file = durable::create_new(path)?;
    durable::sync_folder(path)?;
    Ok(file)
}

/// The changes in a file with their lines, in order; none if there is no file. A last line that was cut in the middle is
/// no change.
pub(crate) fn read(path: &Path) -> Result<Vec<(u64, Change)>, ArtifactError> {
    let bytes = match aiperf_files::read(path, LARGEST) {
        Err(FileError::System(error)) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.map_err(|error| ArtifactError::unreadable(path)(error.into()))?,
    };
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or_default();
    let lines = bytes.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n');
    let numbered = (1..).zip(lines).filter(|(_, line)| !line.is_empty());
    let changes = numbered.map(|(number, line)| {
        let change = serde_json::from_slice(line);
        change.map(|change| (number, change)).map_err(|error: serde_json::Error| {
            contradiction(number, error.to_string()).in_file(path, FORMAT)
        })
    });
    changes.collect()
}

/// What is wrong with a line.
pub(crate) fn contradiction(line: u64, problem: String) -> Contradiction {
    Contradiction::new(format!("line {line}"), problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes() -> Vec<Change> {
        let record = crate::manifest::tests::manifest().runs.remove(1);
        vec![Change::SpentSeconds(1.5), Change::Run(record)]
    }

    #[test]
    fn what_was_added_is_read_back_and_a_torn_line_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let changes_read = || read(&path).unwrap().into_iter().map(|(_, change)| change).collect::<Vec<_>>();
        assert_eq!(changes_read(), []);
        let mut journal = Journal::at(path.clone());
        journal.append(&changes()[..1]).unwrap();
        journal.append(&changes()[1..]).unwrap();
        assert_eq!(changes_read(), changes());
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 2]).unwrap();
        assert_eq!(changes_read(), changes()[..1]);
        fs::write(&path, b"{\"run\"").unwrap();
        assert_eq!(changes_read(), []);
        fs::write(&path, b"nonsense\n{}\n").unwrap();
        let text = read(&path).unwrap_err().to_string();
        assert!(text.contains("line 1"), "{text}");
        journal.clear().unwrap();
        journal.clear().unwrap();
        assert!(!path.exists());
    }
}
