//! Files that a user names: opened without waiting, and read no further than a limit; and the one way to write a file
//! ([`replace`], [`NewFile`]), which no other crate has.
//!
//! A name may be that of a pipe into which nobody writes, or of a device that never ends. So every name that comes from
//! outside is opened here: what is no regular file is refused by what it is, and what is larger than its reader can use
//! is refused by its limit. The only pipes that are read are those that a shell has made for the command, which it names
//! `/dev/stdin` and `/dev/fd/N`.

mod write;

pub use write::{
    NewFile, WriteError, create_new, file_options, hidden, replace, replace_in_folder, sync_folder,
};

use std::fs::{self, File, FileType, Metadata};
use std::io::{self, Read as _};
use std::path::Path;

/// Why a file cannot be read, as words about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// In the words of the operating system.
    #[error(transparent)]
    System(#[from] io::Error),
    /// It is something that has no end, or that others would have to write to first.
    #[error("it is {0}, not a regular file")]
    NotRegular(&'static str),
    /// It holds more than its reader takes.
    #[error("it holds more than the {size} that are read of such a file", size = size(*.0))]
    TooLarge(u64),
    /// It holds bytes that are no text.
    #[error("it is not UTF-8 text")]
    NoText,
}

impl From<FileError> for io::Error {
    fn from(error: FileError) -> Self {
        match error {
            FileError::System(error) => error,
            other => Self::other(other),
        }
    }
}

/// Opens a regular file for reading, from wherever it is to be read and as often.
pub fn open(path: &Path) -> Result<File, FileError> {
    let (file, about) = open_any(path, &options())?;
    match irregular(about.file_type()) {
        Some(kind) => Err(FileError::NotRegular(kind)),
        None => Ok(file),
    }
}

/// Opens a regular file for reading and for changes in its place.
pub fn open_for_changes(path: &Path) -> Result<File, FileError> {
    let (file, about) = open_any(path, options().write(true))?;
    match irregular(about.file_type()) {
        Some(kind) => Err(FileError::NotRegular(kind)),
        None => Ok(file),
    }
}

/// All bytes of a file of at most `limit` bytes.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let (file, about) = open_any(path, &options())?;
    match irregular(about.file_type()) {
        Some(PIPE) if is_made_by_a_shell(path) => wait_for_writers(&file)?,
        Some(kind) => return Err(FileError::NotRegular(kind)),
        None => {}
    }
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(FileError::TooLarge(limit)) } else { Ok(bytes) }
}

/// The text of a file of at most `limit` bytes.
pub fn read_text(path: &Path, limit: u64) -> Result<String, FileError> {
    String::from_utf8(read(path, limit)?).map_err(|_| FileError::NoText)
}

/// Opens whatever has this name, without waiting for anybody.
fn open_any(path: &Path, options: &fs::OpenOptions) -> Result<(File, Metadata), FileError> {
    let file = options.open(path).map_err(|error| {
        // Sockets cannot be opened, in words that do not say so.
        let kind = fs::metadata(path).ok().and_then(|about| irregular(about.file_type()));
        kind.map_or(FileError::System(error), FileError::NotRegular)
    })?;
    let about = file.metadata()?;
    Ok((file, about))
}

#[cfg(unix)]
fn options() -> fs::OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = fs::OpenOptions::new();
    options.read(true).custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    options
}

#[cfg(not(unix))]
fn options() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.read(true);
    options
}

const PIPE: &str = "a pipe";

/// What it is, if it is no regular file.
fn irregular(kind: FileType) -> Option<&'static str> {
    if kind.is_file() {
        return None;
    }
    if kind.is_dir() {
        return Some("a directory");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if kind.is_fifo() {
            return Some(PIPE);
        }
        if kind.is_socket() {
            return Some("a socket");
        }
    }
    Some("a device")
}

/// Such a pipe has a writer from the beginning, which the user knows.
fn is_made_by_a_shell(path: &Path) -> bool {
    path == Path::new("/dev/stdin") || path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd")
}

#[cfg(unix)]
fn wait_for_writers(pipe: &File) -> io::Result<()> {
    Ok(rustix::fs::fcntl_setfl(pipe, rustix::fs::OFlags::empty())?)
}

#[cfg(not(unix))]
fn wait_for_writers(_pipe: &File) -> io::Result<()> {
    Ok(())
}

/// As limits are written.
fn size(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    if bytes >= MIB { format!("{} MiB", bytes / MIB) } else { format!("{bytes} bytes") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    fn told<T: std::fmt::Debug>(result: Result<T, FileError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        assert_eq!(told(read(&path, 4)), "it holds more than the 4 bytes that are read of such a file");
        assert_eq!(read_text(&path, 5).unwrap(), "12345");
        fs::write(&path, [0xff]).unwrap();
        assert_eq!(told(read_text(&path, 5)), "it is not UTF-8 text");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        assert!(Command::new("mkfifo").arg(place("pipe")).status().unwrap().success());
        let _socket = std::os::unix::net::UnixListener::bind(place("socket")).unwrap();
        std::os::unix::fs::symlink("nowhere", place("link")).unwrap();
        for (path, expected) in [
            (place("pipe"), "it is a pipe, not a regular file"),
            (place("socket"), "it is a socket, not a regular file"),
            (place(""), "it is a directory, not a regular file"),
            ("/dev/zero".into(), "it is a device, not a regular file"),
            (place("link"), "No such file or directory (os error 2)"),
        ] {
            assert_eq!(told(open(&path)), expected);
            assert_eq!(told(open_for_changes(&path)), expected);
            assert_eq!(told(read(&path, 1)), expected);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_of_a_shell_is_read_to_its_end() {
        let mut writer =
            Command::new("sh").args(["-c", "echo one; echo two"]).stdout(Stdio::piped()).spawn().unwrap();
        let stream = std::os::fd::OwnedFd::from(writer.stdout.take().unwrap());
        let path = format!("/dev/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&stream));
        // The only other end is the writer's.
        let text = read_text(Path::new(&path), 100).unwrap();
        assert_eq!(text, "one\ntwo\n");
        assert!(writer.wait().unwrap().success());
    }
}
