//! How files of a benchmark are written: by the helper of all files, under a temporary name that whoever clears a
//! directory knows. Only one process writes into a directory.

use crate::error::ArtifactError;
use aiperf_files::NewFile;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Replaces a file by these bytes. When this returns, they are on the disk.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), ArtifactError> {
    let mut file = create(path)?;
    file.write_all(bytes).map_err(ArtifactError::io("write", path))?;
    Ok(file.commit()?)
}

/// Begins a file that is to stand at this path.
pub(crate) fn create(path: &Path) -> Result<NewFile, ArtifactError> {
    Ok(NewFile::create_as(temporary_name(path), path)?)
}

/// The name under which a file is written before it takes its place.
pub(crate) fn temporary_name(path: &Path) -> PathBuf {
    aiperf_files::hidden(path, ".tmp")
}

/// A new file where nothing was, or where a file of that name was left over.
pub(crate) fn create_new(path: &Path) -> Result<File, ArtifactError> {
    Ok(aiperf_files::create_new(path)?)
}

/// Brings the folder of a file to the disk, so that the file's name survives a power cut.
pub(crate) fn sync_folder(path: &Path) -> Result<(), ArtifactError> {
    Ok(aiperf_files::sync_folder(path)?)
}

/// For a file that others may read and its owner may write.
pub(crate) fn file_options() -> OpenOptions {
    aiperf_files::file_options()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

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
}
