//! A file that grows, and of which nothing waits in memory for longer than a second, also where nothing more comes.

use crate::error::ArtifactError;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Bytes that are gathered before the system is asked to write them.
const BUFFER: usize = 256 * 1024;

/// How long bytes may wait in memory for the next ones.
const FLUSH_INTERVAL: Duration = Duration::from_secs(1);

/// The file, and a thread that hands what was gathered to the system once a second.
#[derive(Debug)]
pub(crate) struct SteadyFile {
    shared: Arc<Shared>,
    path: PathBuf,
    flusher: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug)]
struct State {
    file: BufWriter<File>,
    has_ended: bool,
    /// What the system said when the thread asked it to write.
    failed: Option<io::Error>,
}

impl SteadyFile {
    /// Writes to a file that is open; the path is for errors.
    pub(crate) fn new(file: File, path: &Path) -> Result<Self, ArtifactError> {
        let file = BufWriter::with_capacity(BUFFER, file);
        let state = Mutex::new(State { file, has_ended: false, failed: None });
        let shared = Arc::new(Shared { state, ended: Condvar::new() });
        let flushing = Arc::clone(&shared);
        let flusher = thread::Builder::new()
            .name("aiperf-flusher".into())
            .spawn(move || flushing.flush_until_the_end())
            .map_err(ArtifactError::io("write", path))?;
        Ok(Self { shared, path: path.to_path_buf(), flusher: Some(flusher) })
    }

    /// Adds bytes at the end. An error may be that of earlier bytes.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), ArtifactError> {
        let mut state = self.shared.lock();
        let earlier = state.failed.take().map_or(Ok(()), Err);
        earlier.and_then(|()| state.file.write_all(bytes)).map_err(ArtifactError::io("write", &self.path))
    }

    /// Brings everything to the disk.
    pub(crate) fn finish(mut self) -> Result<(), ArtifactError> {
        self.end();
        let mut state = self.shared.lock();
        let earlier = state.failed.take().map_or(Ok(()), Err);
        earlier
            .and_then(|()| state.file.flush())
            .and_then(|()| state.file.get_ref().sync_all())
            .map_err(ArtifactError::io("write", &self.path))
    }

    fn end(&mut self) {
        self.shared.lock().has_ended = true;
        self.shared.ended.notify_all();
        if let Some(flusher) = self.flusher.take() {
            // A thread that panicked has left the bytes to whoever writes the next ones.
            let _ = flusher.join();
        }
    }
}

impl Drop for SteadyFile {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn flush_until_the_end(&self) {
        let mut state = self.lock();
        while !state.has_ended {
            let waited = self.ended.wait_timeout_while(state, FLUSH_INTERVAL, |state| !state.has_ended);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if state.failed.is_none() {
                state.failed = state.file.flush().err();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_was_written_arrives_though_nothing_follows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records");
        let file = SteadyFile::new(File::create(&path).unwrap(), &path).unwrap();
        file.write(b"one line\n").unwrap();
        while fs::read(&path).unwrap().is_empty() {
            thread::yield_now();
        }
        assert_eq!(fs::read(&path).unwrap(), b"one line\n");
        file.write(b"another").unwrap();
        file.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one line\nanother");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_told_with_the_next_bytes() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let file = SteadyFile::new(full, Path::new("/dev/full")).unwrap();
        file.write(b"one line\n").unwrap();
        let error = loop {
            match file.write(b"") {
                Ok(()) => thread::yield_now(),
                Err(error) => break error,
            }
        };
        assert!(error.to_string().contains("free some space"), "{error}");
    }
}
