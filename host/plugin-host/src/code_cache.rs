//! Compiled code on disk, found again by the content of the component and the settings of the compiler.
//!
//! It only saves time: without it every start compiles again.

use std::path::{Path, PathBuf};
use std::{env, fs, io, process};

use wasmtime::{Cache, CacheConfig};

use crate::log::LogSink;

/// Where the user's compiled plugins belong: `$XDG_CACHE_HOME/aiperf`, or `~/.cache/aiperf`. None if neither variable
/// holds an absolute path.
#[must_use]
pub fn user_cache_dir() -> Option<PathBuf> {
    cache_dir_in(env::var_os("XDG_CACHE_HOME").map(PathBuf::from), env::home_dir())
}

fn cache_dir_in(xdg_cache_home: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    xdg_cache_home
        .filter(|path| path.is_absolute())
        .or_else(|| home.map(|home| home.join(".cache")))
        .filter(|path| path.is_absolute())
        .map(|path| path.join("aiperf"))
}

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
    fn the_users_choice_wins_over_the_home_directory() {
        let path = |text: &str| Some(PathBuf::from(text));
        assert_eq!(cache_dir_in(path("/c"), path("/home/a")), path("/c/aiperf"));
        assert_eq!(cache_dir_in(path("relative"), path("/home/a")), path("/home/a/.cache/aiperf"));
        assert_eq!(cache_dir_in(None, path("/home/a")), path("/home/a/.cache/aiperf"));
        assert_eq!(cache_dir_in(None, None), None);
    }

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
