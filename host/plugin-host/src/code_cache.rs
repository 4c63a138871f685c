//! Compiled code on disk, found again by the content of the component and the settings of the compiler.
//!
//! It only saves time: without it every start compiles again. The files are as the processor needs them, so that those
//! of a component with an interpreter inside, which are tens of megabytes, are mapped instead of read.

#[expect(unsafe_code, reason = "the engine takes compiled code on trust")]
mod mapped;

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{fs, io};

use aiperf_model::plugin::Kind;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::log::LogSink;

/// The bytes of all files beyond which those go that have not been used for longest.
const ROOM: u64 = 1 << 30;

/// The compiled code of one engine's settings.
#[derive(Clone, Debug)]
pub(crate) struct CodeCache {
    directory: PathBuf,
    settings: u64,
}

impl CodeCache {
    /// The cache in this directory, or none, with a notice, if the directory cannot be used.
    pub(crate) fn open(directory: &Path, engine: &Engine, log: &LogSink) -> Option<Self> {
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        let settings = hasher.hash_one(engine.precompile_compatibility_hash());
        let cache = Self { directory: directory.join("code"), settings };
        match cache.check_writable() {
            Ok(()) => Some(cache),
            Err(reason) => {
                log.notice(format!(
                    "compiled plugins are not kept, since '{}' cannot be used: {reason}",
                    directory.display()
                ));
                None
            }
        }
    }

    fn check_writable(&self) -> io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        // A file that is begun and given up leaves no trace.
        aiperf_files::NewFile::create(&self.directory.join("probe"))?;
        Ok(())
    }

    /// The code of a component with this digest, compiled if there is none.
    ///
    /// # Errors
    ///
    /// What `compile` says.
    pub(crate) fn code(
        &self,
        engine: &Engine,
        sha256: &str,
        compile: impl FnOnce() -> Result<Vec<u8>, String>,
    ) -> Result<Component, String> {
        let path = self.directory.join(format!("{sha256}-{:016x}", self.settings));
        if path.is_file()
            && let Ok(code) = mapped::open(engine, &path)
        {
            note_use(&path);
            return Ok(code);
        }
        let code = compile()?;
        // What cannot be kept is compiled again.
        let _ = aiperf_files::replace(&path, &code).map_err(io::Error::from).and_then(|()| self.make_room());
        compiled(engine, &code)
    }

    /// The kinds and names of the plugins in a component with this digest. They are only names: what a component is
    /// chosen by, it is asked again.
    pub(crate) fn names(&self, sha256: &str) -> Option<Vec<(Kind, String)>> {
        let path = self.path_of_names(sha256);
        let names = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
        note_use(&path);
        Some(names)
    }

    /// Keeps the kinds and names of the plugins in a component, which never change.
    pub(crate) fn keep_names(&self, sha256: &str, names: &[(Kind, String)]) {
        let path = self.path_of_names(sha256);
        if !path.exists() {
            // A component whose names cannot be kept is asked again.
            let _ = serde_json::to_vec(names).map(|text| aiperf_files::replace(&path, &text));
        }
    }

    fn path_of_names(&self, sha256: &str) -> PathBuf {
        self.directory.join(format!("{sha256}-names.json"))
    }

    /// Removes what has not been used for longest, until the rest has room.
    fn make_room(&self) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let about = entry.metadata()?;
            files.push((about.modified()?, about.len(), entry.path()));
        }
        files.sort_unstable_by(|left, right| right.cmp(left));
        let mut kept = 0;
        for (_, size, path) in files {
            kept += size;
            if kept > ROOM {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

/// The code that a compiler of this program has just made.
pub(crate) fn compiled(engine: &Engine, code: &[u8]) -> Result<Component, String> {
    mapped::from_bytes(engine, code).map_err(|error| format!("{error:#}"))
}

/// The time of a file is when it was last used. Where that cannot be noted, it goes the earlier.
fn note_use(path: &Path) {
    let _ = fs::File::open(path).and_then(|file| file.set_modified(SystemTime::now()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    const EMPTY: &str = "(component)";
    /// No component at all: what it is asked with comes from the cache.
    const NONE: &str = "(";

    fn cache(folder: &tempfile::TempDir) -> (Engine, CodeCache) {
        let engine = Engine::default();
        let cache = CodeCache::open(folder.path(), &engine, &LogSink::none()).unwrap();
        (engine, cache)
    }

    /// Asks for the code of `text`, which is compiled if it is not kept.
    fn ask(cache: &CodeCache, engine: &Engine, text: &str, sha256: &str) -> Result<Component, String> {
        cache.code(engine, sha256, || {
            engine
                .precompile_component(&wat::parse_str(text).unwrap_or_default())
                .map_err(|error| error.to_string())
        })
    }

    fn files(cache: &CodeCache) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> =
            fs::read_dir(&cache.directory).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    #[test]
    fn a_directory_that_cannot_be_used_is_told_and_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let received = Arc::clone(&lines);
        let log = LogSink::new(move |line| received.lock().unwrap().push(line.to_string()));
        assert!(CodeCache::open(&file, &Engine::default(), &log).is_none());
        let lines = lines.lock().unwrap();
        assert!(lines[0].starts_with("plugin host: compiled plugins are not kept, since '"), "{lines:?}");
    }

    #[test]
    fn code_is_compiled_once_and_found_by_its_digest() {
        let folder = tempfile::tempdir().unwrap();
        let (engine, cache) = cache(&folder);
        ask(&cache, &engine, EMPTY, "ab").unwrap();
        assert_eq!(files(&cache).len(), 1);
        // No component at all would be compiled, so this is the code that was kept.
        ask(&cache, &engine, NONE, "ab").unwrap();
        assert!(ask(&cache, &engine, NONE, "cd").is_err());
    }

    #[test]
    fn a_file_of_another_engine_is_compiled_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (engine, cache) = cache(&folder);
        ask(&cache, &engine, EMPTY, "ab").unwrap();
        let other = Engine::new(wasmtime::Config::new().epoch_interruption(true)).unwrap();
        assert!(ask(&cache, &other, NONE, "ab").is_err());
        ask(&cache, &other, EMPTY, "ab").unwrap();
        ask(&cache, &other, NONE, "ab").unwrap();
        // Two engines do not even meet at one file.
        let other_cache = CodeCache::open(folder.path(), &other, &LogSink::none()).unwrap();
        assert_ne!(other_cache.settings, cache.settings);
    }

    #[test]
    fn what_was_used_longest_ago_makes_room() {
        let folder = tempfile::tempdir().unwrap();
        let (_, cache) = cache(&folder);
        let now = SystemTime::now();
        for (name, age) in [("new", 1), ("old", 3), ("middle", 2)] {
            let file = fs::File::create(cache.directory.join(name)).unwrap();
            // Not a byte of it is on the disk.
            file.set_len(ROOM / 2).unwrap();
            file.set_modified(now - Duration::from_secs(age)).unwrap();
        }
        cache.make_room().unwrap();
        let names: Vec<_> = files(&cache).iter().map(|path| path.file_name().unwrap().to_owned()).collect();
        assert_eq!(names, ["middle", "new"]);
    }
}
