//! Files that are either the old one or the new one, never half of each, whatever happens in between.
//!
//! A file is written under a temporary name in its own folder, brought to the disk, and renamed; then the folder is
//! brought to the disk too.

use crate::error::ArtifactError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Replaces a file by these bytes.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), ArtifactError> {
    let mut file = DurableFile::create(path)?;
    file.write_all(bytes).map_err(ArtifactError::io("write", path))?;
    file.commit()
}

/// A file in the making. Dropped without [`commit`](Self::commit), it leaves no trace.
#[derive(Debug)]
pub struct DurableFile {
    file: BufWriter<File>,
    temporary: PathBuf,
    path: PathBuf,
    committed: bool,
}

impl DurableFile {
    /// Begins a file that is to stand at this path.
    pub fn create(path: &Path) -> Result<Self, ArtifactError> {
        let temporary = temporary_name(path);
        let file = create_new(&temporary)?;
        Ok(Self { file: BufWriter::new(file), temporary, path: path.to_path_buf(), committed: false })
    }

    /// Puts the file into its place. When this returns, it is on the disk.
    pub fn commit(mut self) -> Result<(), ArtifactError> {
        self.file.flush().map_err(ArtifactError::io("write", &self.path))?;
        self.file.get_ref().sync_all().map_err(ArtifactError::io("write", &self.path))?;
        fs::rename(&self.temporary, &self.path).map_err(ArtifactError::io("replace", &self.path))?;
        self.committed = true;
        sync_folder(&self.path)
    }
}

impl Write for DurableFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for DurableFile {
    fn drop(&mut self) {
        if !self.committed {
            // The write has failed already; a second error would hide the first.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// The name under which a file is written before it takes its place.
pub(crate) fn temporary_name(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.tmp"))
}

/// A new file where nothing was, or where a file of that name was left over. A symbolic link at that place is
/// removed, not followed.
pub(crate) fn create_new(path: &Path) -> Result<File, ArtifactError> {
    match fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(ArtifactError::io("replace", path)(error)),
    }
    file_options().create_new(true).open(path).map_err(ArtifactError::io("create", path))
}

/// Brings the folder of a file to the disk, so that the file's name survives a power cut.
pub(crate) fn sync_folder(path: &Path) -> Result<(), ArtifactError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    sync(folder).map_err(ArtifactError::io("write", folder))
}

/// For a file that others may read and its owner may write.
#[cfg(unix)]
pub(crate) fn file_options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.write(true).mode(0o644);
    options
}

#[cfg(not(unix))]
pub(crate) fn file_options() -> OpenOptions {
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
        let path = folder.path().join("a.json");
        write(&path, b"old").unwrap();
        write(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_abandoned_file_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write(&path, b"old").unwrap();
        let mut file = DurableFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        file.flush().unwrap();
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_killed_process_left_over_does_not_stand_in_the_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        fs::write(temporary_name(&path), b"half").unwrap();
        write(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn errors_name_the_path_and_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let vanished = folder.path().join("gone").join("a.json");
        let text = write(&vanished, b"x").unwrap_err().to_string();
        assert!(text.contains("gone") && text.contains("does not exist or was removed"), "{text}");
        fs::write(folder.path().join("file"), b"").unwrap();
        let text = write(&folder.path().join("file").join("a.json"), b"x").unwrap_err().to_string();
        assert!(text.contains("file") && text.contains("--artifact-dir"), "{text}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_named() {
        let error = File::options().write(true).open("/dev/full").unwrap().write_all(b"x").unwrap_err();
        let text = ArtifactError::io("write", Path::new("/dev/full"))(error).to_string();
        assert!(text.contains("free some space"), "{text}");
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_is_replaced_not_followed() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (outside, path) = (folder.path().join("outside"), folder.path().join("a.json"));
        fs::write(&outside, b"mine").unwrap();
        symlink(&outside, &path).unwrap();
        symlink(&outside, temporary_name(&path)).unwrap();
        write(&path, b"new").unwrap();
        assert_eq!(fs::read(&outside).unwrap(), b"mine");
        let metadata = fs::symlink_metadata(&path).unwrap();
        assert!(metadata.is_file());
        assert_eq!(metadata.permissions().mode() & 0o777 & !0o644, 0);
    }
}
