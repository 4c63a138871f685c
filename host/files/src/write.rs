//! Files that are either the old one or the new one, never half of each, whatever happens in between.
//!
//! A file is written under a temporary name in its own folder, brought to the disk, and renamed; then the folder is
//! brought to the disk too. A symbolic link at its place is replaced, not followed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// Why a file cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub struct WriteError {
    /// What was tried, such as `write`.
    pub action: &'static str,
    /// Where.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl WriteError {
    /// Wraps what the system said; for `map_err`.
    fn of(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self { action, path: path.to_path_buf(), source }
    }
}

impl From<WriteError> for io::Error {
    fn from(error: WriteError) -> Self {
        error.source
    }
}

/// Replaces a file by these bytes, in a folder where others may do the same.
///
/// # Errors
///
/// The file, or its folder, does not take it. What stood there before is untouched.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let mut file = NewFile::create(path)?;
    file.write_all(bytes).map_err(WriteError::of("write", path))?;
    file.commit()
}

/// The same in a folder that is made if it does not exist.
///
/// # Errors
///
/// As for [`replace`], and if the folder cannot be made.
pub fn replace_in_folder(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let folder = folder_of(path);
    fs::create_dir_all(folder).map_err(WriteError::of("create", folder))?;
    replace(path, bytes)
}

/// A file in the making. Dropped without [`commit`](Self::commit), it leaves no trace.
#[derive(Debug)]
pub struct NewFile {
    file: BufWriter<File>,
    temporary: PathBuf,
    path: PathBuf,
    committed: bool,
}

impl NewFile {
    /// Begins a file that is to stand at this path, under a name that nobody else takes.
    ///
    /// # Errors
    ///
    /// The folder takes no file.
    pub fn create(path: &Path) -> Result<Self, WriteError> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self::create_as(hidden(path, &format!(".{}-{count}.tmp", process::id())), path)
    }

    /// Begins a file under a temporary name that is known, in a folder that only this process writes to: what a killed one
    /// left there is replaced.
    ///
    /// # Errors
    ///
    /// The folder takes no file.
    pub fn create_as(temporary: PathBuf, path: &Path) -> Result<Self, WriteError> {
        let file = create_new(&temporary)?;
        Ok(Self { file: BufWriter::new(file), temporary, path: path.to_path_buf(), committed: false })
    }

    /// Puts the file into its place. When this returns, it is on the disk.
    ///
    /// # Errors
    ///
    /// The disk does not take it; what stood there before is untouched.
    pub fn commit(mut self) -> Result<(), WriteError> {
        self.file.flush().map_err(WriteError::of("write", &self.path))?;
        self.file.get_ref().sync_all().map_err(WriteError::of("write", &self.path))?;
        fs::rename(&self.temporary, &self.path).map_err(WriteError::of("replace", &self.path))?;
        self.committed = true;
        sync_folder(&self.path)
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.committed {
            // The write has failed already; a second error would hide the first.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// The name of a file that is hidden beside another one.
#[must_use]
pub fn hidden(path: &Path, ending: &str) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}{ending}"))
}

/// A new file where nothing was, or where a file of that name was left over. A symbolic link at that place is
/// removed, not followed.
///
/// # Errors
///
/// The folder takes no file, or what stands there cannot be removed.
pub fn create_new(path: &Path) -> Result<File, WriteError> {
    match fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(WriteError::of("replace", path)(error)),
    }
    file_options().create_new(true).open(path).map_err(WriteError::of("create", path))
}

/// Brings the folder of a file to the disk, so that the file's name survives a power cut.
///
/// # Errors
///
/// The disk does not take it.
pub fn sync_folder(path: &Path) -> Result<(), WriteError> {
    let folder = folder_of(path);
    sync(folder).map_err(WriteError::of("write", folder))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// For a file that others may read and its owner may write.
#[cfg(unix)]
#[must_use]
pub fn file_options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.write(true).mode(0o644);
    options
}

/// For a file that others may read and its owner may write.
#[cfg(not(unix))]
#[must_use]
pub fn file_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    options
}

#[cfg(unix)]
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Elsewhere a folder cannot be opened as a file; the system journals names by itself.
#[cfg(not(unix))]
fn sync(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below").join("a.json");
        replace_in_folder(&path, b"old").unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn an_abandoned_file_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        replace(&path, b"old").unwrap();
        let mut file = NewFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        file.flush().unwrap();
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn two_writers_do_not_share_a_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let [mut first, mut second] = [NewFile::create(&path).unwrap(), NewFile::create(&path).unwrap()];
        first.write_all(b"first").unwrap();
        second.write_all(b"second").unwrap();
        first.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"first");
        second.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
    }

    #[test]
    fn errors_name_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let text = replace(&folder.path().join("gone").join("a.json"), b"x").unwrap_err().to_string();
        assert!(text.starts_with("cannot create ") && text.contains("gone"), "{text}");
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_is_replaced_not_followed() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (outside, path) = (folder.path().join("outside"), folder.path().join("a.json"));
        fs::write(&outside, b"mine").unwrap();
        symlink(&outside, &path).unwrap();
        let temporary = hidden(&path, ".tmp");
        symlink(&outside, &temporary).unwrap();
        let mut file = NewFile::create_as(temporary, &path).unwrap();
        file.write_all(b"new").unwrap();
        file.commit().unwrap();
        assert_eq!(fs::read(&outside).unwrap(), b"mine");
        let metadata = fs::symlink_metadata(&path).unwrap();
        assert!(metadata.is_file());
        assert_eq!(metadata.permissions().mode() & 0o777 & !0o644, 0);
    }
}
