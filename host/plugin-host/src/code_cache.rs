//! Compiled code on disk, found again by the content of the component and the settings of the compiler.
//!
//! It only saves time: without it every start compiles again.

use std::path::Path;
use std::{fs, io, process};

use wasmtime::{Cache, CacheConfig};

use crate::log::LogSink;

/// The cache in this directory, or none, with a notice, if the directory cannot be used.
pub(crate) fn open(directory: &Path, log: &LogSink) -> Option<Cache> {
    let mut config = CacheConfig::new();
    config.with_directory(directory);
    let opened = check_writable(directory)
        .map_err(|error| error.to_string())
        .and_then(|()| Cache::new(config).map_err(|error| format!("{error:#}")));
    opened
        .map_err(|reason| {
            log.notice(format!(
                "compiled plugins are not kept, since '{}' cannot be used: {reason}",
                directory.display()
            ));
        })
        .ok()
}

/// The cache itself would be silent about files that it cannot write.
fn check_writable(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let probe = directory.join(format!(".probe-{}", process::id()));
    fs::write(&probe, b"")?;
    fs::remove_file(probe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[test]
    fn a_directory_that_cannot_be_used_is_told_and_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let received = Arc::clone(&lines);
        let log = LogSink::new(move |line| received.lock().unwrap().push(line.to_string()));
        assert!(open(&file, &log).is_none());
        let lines = lines.lock().unwrap();
        assert!(lines[0].starts_with("plugin host: compiled plugins are not kept, since '"), "{lines:?}");
    }
}
