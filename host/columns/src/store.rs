//! Where columns and tables keep what they hold, and what went wrong with it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// How many numbers a column or a table keeps in memory: half a MiB.
const RESIDENT: usize = 65_536;

/// What all columns of a run share; clones are the same store.
#[derive(Clone, Debug)]
pub struct Store {
    folder: Arc<Path>,
    resident: usize,
    fault: Arc<OnceLock<io::Error>>,
}

impl Store {
    /// Keeps what has no room in memory in nameless files of this folder, which must have room for them.
    #[must_use]
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into().into(), resident: RESIDENT, fault: Arc::default() }
    }

    /// The same, with so many numbers of each column in memory, at least two.
    #[must_use]
    pub fn with_resident(self, numbers: usize) -> Self {
        Self { resident: numbers.max(2), ..self }
    }

    /// What could not be read back, after which the numbers that came from this store say nothing.
    ///
    /// What cannot be written is no fault: it stays in memory.
    pub fn fault(&self) -> Option<&io::Error> {
        self.fault.get()
    }

    pub(crate) fn resident(&self) -> usize {
        self.resident
    }

    pub(crate) fn file(&self) -> io::Result<File> {
        tempfile::tempfile_in(&self.folder)
    }

    /// Notes the first fault.
    pub(crate) fn note(&self, error: io::Error) {
        let _ = self.fault.set(error);
    }
}

/// In the folder of the system for temporary files.
impl Default for Store {
    fn default() -> Self {
        Self::in_folder(std::env::temp_dir())
    }
}
