//! One process per directory: a lock that names its owner and ends with it.
//!
//! The operating system holds the lock for as long as the owner lives, however it ends; the file only says who that
//! is. A file that nobody holds was left by a process that was killed, and is taken over.

use crate::durable;
use crate::error::ArtifactError;
use crate::layout;
use crate::time;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Who holds a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The process.
    pub pid: u32,
    /// When it took the directory; RFC 3339, UTC.
    pub since: String,
}

/// A directory that this process holds. Dropped, it is free again and the file is gone.
#[derive(Debug)]
pub struct DirectoryLock {
    /// Holds the lock of the operating system.
    _file: File,
    path: PathBuf,
    left_by: Option<Owner>,
}

impl DirectoryLock {
    /// Takes a directory that exists, unless another process holds it.
    pub fn take(directory: &Path) -> Result<Self, ArtifactError> {
        let path = directory.join(layout::LOCK);
        loop {
            let mut file = open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(ArtifactError::Locked {
                        directory: directory.to_path_buf(),
                        owner: read_owner(&mut file),
                    });
                }
                Err(TryLockError::Error(error)) => return Err(ArtifactError::io("lock", &path)(error)),
            }
            // The owner before may have removed the file between our opening and locking it.
            if stands_at(&file, &path) {
                let left_by = read_owner(&mut file);
                write_owner(&mut file).map_err(ArtifactError::io("write", &path))?;
                return Ok(Self { _file: file, path, left_by });
            }
        }
    }

    /// Who held the directory and was killed, if the file was left over.
    #[must_use]
    pub fn left_by(&self) -> Option<&Owner> {
        self.left_by.as_ref()
    }
}

impl Drop for DirectoryLock {
    fn drop(&mut self) {
        // Removed while it is still held. A file that stays is recognised as left over.
        let _ = fs::remove_file(&self.path);
    }
}

fn open(path: &Path) -> Result<File, ArtifactError> {
    if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
        return Err(ArtifactError::SymbolicLink(path.to_path_buf()));
    }
    let mut options = durable::file_options();
    options.read(true).create(true).truncate(false);
    options.open(path).map_err(ArtifactError::io("lock", path))
}

/// What the file says, or none if it is new or its owner was killed before it could write.
fn read_owner(file: &mut File) -> Option<Owner> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn write_owner(file: &mut File) -> io::Result<()> {
    let owner = Owner { pid: std::process::id(), since: time::now() };
    io::Seek::rewind(file)?;
    file.set_len(0)?;
    serde_json::to_writer(&mut *file, &owner)?;
    file.write_all(b"\n")
}

#[cfg(unix)]
fn stands_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// Elsewhere an open file cannot be removed.
#[cfg(not(unix))]
fn stands_at(_file: &File, _path: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_one_owner_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let lock = DirectoryLock::take(folder.path()).unwrap();
        assert_eq!(lock.left_by(), None);
        let text = DirectoryLock::take(folder.path()).unwrap_err().to_string();
        assert!(text.contains(&std::process::id().to_string()), "{text}");
        drop(lock);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        DirectoryLock::take(folder.path()).unwrap();
    }

    #[test]
    fn a_file_that_nobody_holds_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        for (text, left_by) in [
            (
                r#"{"pid":7,"since":"2025-01-15T10:30:45Z"}"#,
                Some(Owner { pid: 7, since: "2025-01-15T10:30:45Z".into() }),
            ),
            ("", None),
            (r#"{"pid""#, None),
        ] {
            fs::write(folder.path().join(layout::LOCK), text).unwrap();
            assert_eq!(DirectoryLock::take(folder.path()).unwrap().left_by(), left_by.as_ref());
        }
    }

    #[test]
    fn of_many_that_come_together_one_wins() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(layout::LOCK), r#"{"pid":7,"since":"2025-01-15T10:30:45Z"}"#).unwrap();
        let held = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| DirectoryLock::take(folder.path()))).collect();
            // All results are alive at the same time, so a lock is not given back before the last one has tried.
            let taken: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
            taken.iter().filter(|lock| lock.is_ok()).count()
        });
        assert_eq!(held, 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let outside = folder.path().join("outside");
        fs::write(&outside, b"mine").unwrap();
        std::os::unix::fs::symlink(&outside, folder.path().join(layout::LOCK)).unwrap();
        assert!(matches!(DirectoryLock::take(folder.path()), Err(ArtifactError::SymbolicLink(_))));
        assert_eq!(fs::read(&outside).unwrap(), b"mine");
    }
}
