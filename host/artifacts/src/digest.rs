//! Whether the files of a run are still those that were written.

use crate::error::ArtifactError;
use crate::export::Exporters;
use aiperf_files::FileError;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// A file as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDigest {
    /// Its name in the folder of the run.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, in lower-case hexadecimal.
    pub sha256: String,
}

/// A file that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The file.
    pub path: PathBuf,
    /// What became of it.
    pub change: Change,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is not there any more.
    Missing,
    /// It is longer or shorter.
    Length {
        /// How many bytes it had.
        before: u64,
        /// How many it has.
        now: u64,
    },
    /// Another thing has its name, such as a pipe.
    NotRegular(&'static str),
    /// It has the same length and says something else.
    Content,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.change {
            Change::Missing => write!(f, "{path} is missing"),
            Change::Length { before, now } => write!(f, "{path} had {before} bytes and has {now}"),
            Change::NotRegular(kind) => write!(f, "{path} is {kind}, not a regular file"),
            Change::Content => write!(f, "{path} was edited"),
        }
    }
}

/// The files of a run that is done.
pub fn of_run(folder: &Path, exporters: &Exporters) -> Result<Vec<FileDigest>, ArtifactError> {
    let digests = exporters.run_files().map(|name| {
        let path = folder.join(name);
        let read = aiperf_files::open(&path).map_err(io::Error::from).and_then(read);
        let (bytes, sha256) = read.map_err(ArtifactError::io("read", &path))?;
        Ok(FileDigest { name: name.to_owned(), bytes, sha256 })
    });
    digests.collect()
}

/// Which of these files of a folder are not as they were written.
pub fn differences(folder: &Path, files: &[FileDigest]) -> Result<Vec<Difference>, ArtifactError> {
    let mut found = Vec::new();
    for file in files {
        let path = folder.join(&file.name);
        if let Some(change) = change(&path, file).map_err(ArtifactError::unreadable(&path))? {
            found.push(Difference { path, change });
        }
    }
    Ok(found)
}

fn change(path: &Path, before: &FileDigest) -> io::Result<Option<Change>> {
    let file = match aiperf_files::open(path) {
        Ok(file) => file,
        Err(FileError::NotRegular(kind)) => return Ok(Some(Change::NotRegular(kind))),
        Err(FileError::System(error)) if error.kind() == ErrorKind::NotFound => {
            return Ok(Some(Change::Missing));
        }
        Err(error) => return Err(error.into()),
    };
    let now = file.metadata()?.len();
    if now != before.bytes {
        return Ok(Some(Change::Length { before: before.bytes, now }));
    }
    let (_, sha256) = read(file)?;
    Ok((sha256 != before.sha256).then_some(Change::Content))
}

/// The length of a file and its digest.
fn read(mut file: File) -> io::Result<(u64, String)> {
    let mut digest = Sha256::new();
    let bytes = io::copy(&mut file, &mut digest)?;
    Ok((bytes, format!("{:x}", digest.finalize())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout;
    use std::fs;

    #[test]
    fn each_change_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in Exporters::built_in().run_files() {
            fs::write(path(name), "{}\n").unwrap();
        }
        let files = of_run(folder.path(), &Exporters::built_in()).unwrap();
        assert_eq!(differences(folder.path(), &files).unwrap(), []);
        fs::write(path(layout::RUN_JSON), "[]\n").unwrap();
        fs::write(path(layout::RECORDS), "{").unwrap();
        fs::remove_file(path(layout::INPUTS)).unwrap();
        let found: Vec<_> =
            differences(folder.path(), &files).unwrap().into_iter().map(|file| file.change).collect();
        assert_eq!(found, [Change::Content, Change::Length { before: 3, now: 1 }, Change::Missing]);
    }

    #[test]
    fn a_run_without_its_files_has_no_digests() {
        let folder = tempfile::tempdir().unwrap();
        assert!(of_run(folder.path(), &Exporters::built_in()).is_err());
    }
}
