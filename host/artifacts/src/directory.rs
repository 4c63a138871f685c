//! The base directory of a benchmark: found a free name, created, and kept from reaching outside itself.

use crate::durable;
use crate::error::ArtifactError;
use crate::export::Exporters;
use crate::layout::{self, Layout};
use crate::lock::{DirectoryLock, Owner};
use crate::manifest::Manifest;
use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

/// How many numbered names are tried.
const LAST_NUMBER: u32 = 9999;

/// The base directory of one benchmark, held by this process until it is dropped.
#[derive(Debug)]
pub struct ArtifactDir {
    path: PathBuf,
    lock: DirectoryLock,
}

impl ArtifactDir {
    /// Creates a new directory of this name, or with `-2`, `-3` … after it if the name is taken. The name must be
    /// one path component, as [`names::base_name`](crate::names::base_name) makes it.
    pub fn create(parent: &Path, name: &str) -> Result<Self, ArtifactError> {
        create_all(parent)?;
        let first = child(parent, name)?;
        let numbered = (2..=LAST_NUMBER).map(|number| parent.join(format!("{name}-{number}")));
        for path in std::iter::once(first.clone()).chain(numbered) {
            match create_one(&path) {
                Ok(()) => durable::sync_folder(&path)?,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(ArtifactError::io("create", &path)(error)),
            }
            if let Some(directory) = Self::take_vacant(&path)? {
                return Ok(directory);
            }
        }
        Err(ArtifactError::NamesTaken { path: first, last: LAST_NUMBER })
    }

    /// Takes a directory in which nothing is: a new one, or one whose process was killed before it wrote anything. Of two
    /// processes only one succeeds, since only one holds the lock, and whoever comes later finds its manifest.
    fn take_vacant(path: &Path) -> Result<Option<Self>, ArtifactError> {
        if check_folder(path).is_err() || !is_vacant(path)? {
            return Ok(None);
        }
        match Self::open(path) {
            Ok(directory) => Ok(is_vacant(path)?.then_some(directory)),
            Err(ArtifactError::Locked { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes the directory of exactly this name. An earlier result in it, known from its manifest, is removed; other
    /// files stay.
    pub fn overwrite(parent: &Path, name: &str) -> Result<Self, ArtifactError> {
        create_all(parent)?;
        let path = child(parent, name)?;
        match create_one(&path) {
            Ok(()) => return Self::open(&path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(ArtifactError::io("create", &path)(error)),
        }
        let directory = Self::open(&path)?;
        directory.clear()?;
        Ok(directory)
    }

    /// Takes a directory that exists, as that of an earlier benchmark. One that another process holds is refused.
    pub fn open(path: &Path) -> Result<Self, ArtifactError> {
        check_folder(path)?;
        Ok(Self { path: path.to_path_buf(), lock: DirectoryLock::take(path)? })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Who held the directory before and was killed, if somebody was.
    #[must_use]
    pub fn left_by(&self) -> Option<&Owner> {
        self.lock.left_by()
    }

    /// Removes the benchmark and the directory; files of the user stay, and the directory with them.
    pub fn discard(self) -> Result<(), ArtifactError> {
        self.clear()?;
        let Self { path, lock } = self;
        drop(lock);
        match fs::remove_dir(&path) {
            Err(error) if error.kind() != ErrorKind::DirectoryNotEmpty => {
                Err(ArtifactError::io("remove", &path)(error))
            }
            _ => Ok(()),
        }
    }

    /// Removes what an earlier attempt at a run left in its folder.
    pub fn clear_run(&self, folder: &Path, exporters: &Exporters) -> Result<(), ArtifactError> {
        // Whoever sees the folder in between must not take the metrics for those of the records.
        exporters.run_files().try_for_each(|name| remove_with_rest(&folder.join(name)))
    }

    /// Creates a folder below the directory, as [`Layout`] names it, with all folders on the way. Folders that exist
    /// are fine; a symbolic link on the way is not.
    pub fn prepare(&self, folder: &Path) -> Result<(), ArtifactError> {
        for step in self.steps_to(folder)? {
            match create_one(&step) {
                // Else a power cut may take the folder with all files in it.
                Ok(()) => durable::sync_folder(&step)?,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    check_folder(&step)?;
                }
                Err(error) => return Err(ArtifactError::io("create", &step)(error)),
            }
        }
        Ok(())
    }

    /// Every folder from below the directory down to this one.
    fn steps_to(&self, folder: &Path) -> Result<Vec<PathBuf>, ArtifactError> {
        let outside = || ArtifactError::Outside { path: folder.to_path_buf(), base: self.path.clone() };
        let below = folder.strip_prefix(&self.path).map_err(|_| outside())?;
        let mut step = self.path.clone();
        let mut steps = Vec::new();
        for component in below.components() {
            let Component::Normal(name) = component else { return Err(outside()) };
            step.push(name);
            steps.push(step.clone());
        }
        Ok(steps)
    }

    /// Removes the files of the benchmark that the manifest describes, and the folders that are empty then.
    fn clear(&self) -> Result<(), ArtifactError> {
        let manifest = self.path.join(layout::MANIFEST);
        if !exists(&manifest)? {
            let is_vacant = is_vacant(&self.path)?;
            return if is_vacant { Ok(()) } else { Err(ArtifactError::UnknownOrigin(self.path.clone())) };
        }
        for folder in self.folders(&Manifest::read(&manifest)?) {
            self.clear_folder(&folder)?;
        }
        // The manifest goes last: a removal that was interrupted can be taken up again.
        for name in Exporters::built_in().files().filter(|name| *name != layout::MANIFEST) {
            remove_with_rest(&self.path.join(name))?;
        }
        remove_with_rest(&manifest)
    }

    /// The folders of a benchmark other than the directory itself.
    fn folders(&self, manifest: &Manifest) -> Vec<PathBuf> {
        let layout = Layout::new(&self.path, manifest.shape());
        let mut folders: Vec<PathBuf> = layout.sweep_aggregate().into_iter().collect();
        folders.extend(manifest.steps().iter().map(|step| layout.run(&step.value.parameters, step.trial)));
        folders.extend(
            manifest.plan.values.iter().filter_map(|value| layout.value_aggregate(&value.parameters)),
        );
        folders.retain(|folder| *folder != self.path);
        folders
    }

    fn clear_folder(&self, folder: &Path) -> Result<(), ArtifactError> {
        let steps = self.steps_to(folder)?;
        for step in &steps {
            if !exists(step)? {
                return Ok(());
            }
            check_folder(step)?;
        }
        for name in Exporters::built_in().files() {
            remove_with_rest(&folder.join(name))?;
        }
        for step in steps.iter().rev() {
            match fs::remove_dir(step) {
                Ok(()) => {}
                // Another folder of the benchmark or a file of the user is still in it.
                Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => break,
                Err(error) => return Err(ArtifactError::io("remove", step)(error)),
            }
        }
        Ok(())
    }
}

/// Whether a folder holds nothing but what a process leaves there that is killed before its manifest is written.
fn is_vacant(path: &Path) -> Result<bool, ArtifactError> {
    let unfinished = durable::temporary_name(Path::new(layout::MANIFEST));
    let is_left_over = |name: &std::ffi::OsStr| name == layout::LOCK || name == unfinished.as_os_str();
    let mut entries = fs::read_dir(path).map_err(ArtifactError::io("read", path))?;
    Ok(entries.all(|entry| entry.is_ok_and(|entry| is_left_over(&entry.file_name()))))
}

/// A folder that exists and is no symbolic link.
fn check_folder(path: &Path) -> Result<(), ArtifactError> {
    let metadata = fs::symlink_metadata(path).map_err(ArtifactError::io("open", path))?;
    if metadata.is_symlink() {
        Err(ArtifactError::SymbolicLink(path.to_path_buf()))
    } else if metadata.is_dir() {
        Ok(())
    } else {
        Err(ArtifactError::io("open", path)(ErrorKind::NotADirectory.into()))
    }
}

/// A path directly below another.
fn child(parent: &Path, name: &str) -> Result<PathBuf, ArtifactError> {
    let path = parent.join(name);
    let mut components = Path::new(name).components();
    match (components.next(), components.next()) {
        (Some(Component::Normal(_)), None) => Ok(path),
        _ => Err(ArtifactError::Outside { path, base: parent.to_path_buf() }),
    }
}

/// Removes a file and what a killed process may have left of its next version. A symbolic link itself is removed.
fn remove_with_rest(path: &Path) -> Result<(), ArtifactError> {
    for path in [durable::temporary_name(path).as_path(), path] {
        match fs::remove_file(path) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(ArtifactError::io("remove", path)(error)),
        }
    }
    Ok(())
}

/// Whether something stands at the path, be it a symbolic link to nothing.
fn exists(path: &Path) -> Result<bool, ArtifactError> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(ArtifactError::io("read", path)(error)),
    }
}

fn create_one(path: &Path) -> io::Result<()> {
    builder().create(path)
}

fn create_all(path: &Path) -> Result<(), ArtifactError> {
    builder().recursive(true).create(path).map_err(ArtifactError::io("create", path))
}

#[cfg(unix)]
fn builder() -> DirBuilder {
    use std::os::unix::fs::DirBuilderExt;
    let mut builder = DirBuilder::new();
    builder.mode(0o755);
    builder
}

#[cfg(not(unix))]
fn builder() -> DirBuilder {
    DirBuilder::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::tests::manifest;
    use std::collections::BTreeSet;

    /// Everything below a folder, files and folders, other than locks.
    fn tree(folder: &Path) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut open = vec![folder.to_path_buf()];
        while let Some(next) = open.pop() {
            for entry in fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                if path.ends_with(layout::LOCK) {
                    continue;
                }
                found.insert(path.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/"));
                if fs::symlink_metadata(&path).unwrap().is_dir() {
                    open.push(path);
                }
            }
        }
        found
    }

    /// The directory of a finished benchmark of the manifest's plan.
    fn finished(parent: &Path) -> PathBuf {
        let directory = ArtifactDir::create(parent, "base").unwrap();
        let manifest = manifest();
        for folder in directory.folders(&manifest) {
            directory.prepare(&folder).unwrap();
            for name in Exporters::built_in().files() {
                fs::write(folder.join(name), b"x").unwrap();
            }
        }
        manifest.write(&directory.path().join(layout::MANIFEST)).unwrap();
        directory.path().to_path_buf()
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let parent = tempfile::tempdir().unwrap();
        let artifacts = parent.path().join("new").join("artifacts");
        let names: Vec<_> = (0..3)
            .map(|_| ArtifactDir::create(&artifacts, "base").unwrap())
            .map(|directory| {
                fs::write(directory.path().join(layout::MANIFEST), b"{}").unwrap();
                directory.path().file_name().unwrap().to_owned()
            })
            .collect();
        assert_eq!(names, ["base", "base-2", "base-3"]);
    }

    #[test]
    fn what_a_process_left_that_was_killed_at_once_is_taken() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("base");
        fs::create_dir(&path).unwrap();
        assert_eq!(ArtifactDir::create(parent.path(), "base").unwrap().path(), path);
        for name in [layout::LOCK, ".manifest.json.tmp"] {
            fs::write(path.join(name), b"{").unwrap();
            assert_eq!(ArtifactDir::create(parent.path(), "base").unwrap().path(), path, "{name}");
        }
        fs::write(path.join("notes.txt"), b"mine").unwrap();
        let numbered = ArtifactDir::create(parent.path(), "base").unwrap();
        assert_eq!(numbered.path(), parent.path().join("base-2"));
        // One that another process is about to write into is not vacant.
        assert_eq!(ArtifactDir::create(parent.path(), "base").unwrap().path(), parent.path().join("base-3"));
    }

    #[test]
    fn processes_that_begin_together_get_different_directories() {
        let parent = tempfile::tempdir().unwrap();
        let create = || ArtifactDir::create(parent.path(), "base").unwrap();
        let held: Vec<ArtifactDir> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(create)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(held.iter().map(ArtifactDir::path).collect::<BTreeSet<_>>().len(), 8);
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["../outside", "/outside", "a/b", "..", ""] {
            let error = ArtifactDir::create(parent.path(), name).unwrap_err();
            assert!(matches!(error, ArtifactError::Outside { .. }), "{name}: {error}");
        }
        let directory = ArtifactDir::create(parent.path(), "base").unwrap();
        for folder in [directory.path().join("..").join("x"), parent.path().join("x")] {
            let error = directory.prepare(&folder).unwrap_err();
            assert!(matches!(error, ArtifactError::Outside { .. }), "{error}");
        }
        assert_eq!(tree(parent.path()), BTreeSet::from(["base".to_owned()]));
    }

    #[test]
    fn a_place_that_cannot_be_written_is_named() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("file");
        fs::write(&file, b"").unwrap();
        let text = ArtifactDir::create(&file.join("artifacts"), "base").unwrap_err().to_string();
        assert!(text.contains("file") && text.contains("--artifact-dir"), "{text}");
    }

    #[test]
    fn overwriting_removes_the_earlier_result_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let directory = finished(parent.path());
        let notes = directory.join("profile_runs/trial_0001/concurrency_10/notes.txt");
        fs::write(&notes, b"mine").unwrap();
        fs::write(directory.join("profile_runs/trial_0001/concurrency_20/.inputs.json.tmp"), b"").unwrap();
        assert!(tree(&directory).len() > 60);
        assert_eq!(ArtifactDir::overwrite(parent.path(), "base").unwrap().path(), directory);
        let left = [
            "profile_runs",
            "profile_runs/trial_0001",
            "profile_runs/trial_0001/concurrency_10",
            "profile_runs/trial_0001/concurrency_10/notes.txt",
        ];
        assert_eq!(tree(&directory), left.map(str::to_owned).into());
    }

    #[test]
    fn overwriting_starts_where_nothing_was() {
        let parent = tempfile::tempdir().unwrap();
        let path = ArtifactDir::overwrite(parent.path(), "base").unwrap().path().to_path_buf();
        assert_eq!(ArtifactDir::overwrite(parent.path(), "base").unwrap().path(), path);
    }

    #[test]
    fn a_directory_in_use_is_neither_opened_nor_overwritten() {
        let parent = tempfile::tempdir().unwrap();
        let path = finished(parent.path());
        let before = tree(&path);
        let held = ArtifactDir::open(&path).unwrap();
        for refused in [ArtifactDir::open(&path), ArtifactDir::overwrite(parent.path(), "base")] {
            assert!(matches!(refused.unwrap_err(), ArtifactError::Locked { .. }));
        }
        assert_eq!(tree(&path), before);
        drop(held);
        ArtifactDir::open(&path).unwrap();
    }

    #[test]
    fn files_of_unknown_origin_are_not_overwritten() {
        let parent = tempfile::tempdir().unwrap();
        let precious = parent.path().join("base").join("precious");
        fs::create_dir(parent.path().join("base")).unwrap();
        fs::write(&precious, b"mine").unwrap();
        let error = ArtifactDir::overwrite(parent.path(), "base").unwrap_err();
        assert!(matches!(error, ArtifactError::UnknownOrigin(_)), "{error}");
        assert_eq!(fs::read(&precious).unwrap(), b"mine");
    }

    #[cfg(unix)]
    #[test]
    fn nothing_follows_a_symbolic_link() {
        use std::os::unix::fs::symlink;
        let parent = tempfile::tempdir().unwrap();
        let outside = parent.path().join("outside");
        fs::create_dir_all(outside.join("concurrency_10")).unwrap();
        let precious = outside.join("concurrency_10").join(layout::RUN_JSON);
        fs::write(&precious, b"mine").unwrap();

        let directory = finished(parent.path());
        let trial = directory.join("profile_runs").join("trial_0001");
        fs::remove_dir_all(&trial).unwrap();
        symlink(&outside, &trial).unwrap();
        let opened = ArtifactDir::open(&directory).unwrap();
        let not_prepared = opened.prepare(&trial.join("concurrency_30")).unwrap_err();
        drop(opened);
        let not_overwritten = ArtifactDir::overwrite(parent.path(), "base").unwrap_err();
        for error in [not_prepared, not_overwritten] {
            assert!(matches!(&error, ArtifactError::SymbolicLink(path) if *path == trial), "{error}");
        }
        assert_eq!(fs::read(&precious).unwrap(), b"mine");

        symlink(&outside, parent.path().join("link")).unwrap();
        assert!(matches!(
            ArtifactDir::overwrite(parent.path(), "link").unwrap_err(),
            ArtifactError::SymbolicLink(_)
        ));
        assert_eq!(ArtifactDir::create(parent.path(), "link").unwrap().path(), parent.path().join("link-2"));
    }

    #[cfg(unix)]
    #[test]
    fn folders_can_be_read_by_others_and_written_by_the_owner() {
        use std::os::unix::fs::PermissionsExt;
        let parent = tempfile::tempdir().unwrap();
        let directory = ArtifactDir::create(parent.path(), "base").unwrap();
        let mode = fs::metadata(directory.path()).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode & !0o755, 0, "{mode:o}");
        assert_eq!(mode & 0o700, 0o700, "{mode:o}");
    }
}
