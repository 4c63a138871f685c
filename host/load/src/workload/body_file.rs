//! Where bodies go that are too many for memory: a temporary file without a name.

use crate::positioned;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How many bytes of bodies a run keeps in memory, and where the others wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyMemory {
    /// So many bytes of all bodies together stay in memory for the whole run.
    pub resident: u64,
    /// A folder on a disk with room for the others. Their file has no name and is gone with the process.
    pub folder: PathBuf,
}

impl BodyMemory {
    /// The usual 32 MiB, which hold about 9,000 requests of 550 tokens.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { resident: 32 * 1024 * 1024, folder: folder.into() }
    }
}

/// The memory and the file of one workload. Threads fill it at the same time.
#[derive(Debug)]
pub(super) struct BodyFile {
    memory: BodyMemory,
    resident: AtomicU64,
    file: OnceLock<File>,
    end: AtomicU64,
}

impl BodyFile {
    pub(super) fn new(memory: BodyMemory) -> Self {
        Self { memory, resident: AtomicU64::new(0), file: OnceLock::new(), end: AtomicU64::new(0) }
    }

    /// Whether so many bytes more may stay in memory; if so they are counted.
    pub(super) fn has_room_for(&self, bytes: u64) -> bool {
        let fits = |resident| Some(resident + bytes).filter(|resident| *resident <= self.memory.resident);
        self.resident.fetch_update(Relaxed, Relaxed, fits).is_ok()
    }

    /// Writes bytes to the file and returns their offset there.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<u64> {
        let file = if let Some(file) = self.file.get() {
            file
        } else {
            let file = tempfile::tempfile_in(&self.memory.folder)?;
            // Of two threads that are here at once, both use the file of the first.
            self.file.get_or_init(|| file)
        };
        let offset = self.end.fetch_add(bytes.len() as u64, Relaxed);
        positioned::write_all_at(file, bytes, offset)?;
        Ok(offset)
    }

    /// Reads so many bytes that were written at an offset.
    pub(super) fn read(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let file = self.file.get().ok_or(io::ErrorKind::NotFound)?;
        let mut bytes = vec![0; length];
        positioned::read_exact_at(file, &mut bytes, offset)?;
        Ok(bytes)
    }
}
