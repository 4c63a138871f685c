//! What can go wrong with the files of a benchmark.

use crate::lock::Owner;
use aiperf_files::WriteError;
use aiperf_model::fault::{Fault, Faulty};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Why a file or folder could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArtifactError {
    /// The system refused.
    #[error("cannot {action} {}: {source}{}", path.display(), hint(source.kind()))]
    Io {
        /// What was tried, such as `write`.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that the user named, or one of an earlier result, cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not what its format says.
    #[error("{} is not a valid {format}: at `{at}`: {problem}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What it should be, such as `sweep file`.
        format: &'static str,
        /// The path inside the JSON, such as `metadata.parameter_values[2]`, or `.` for the whole.
        at: String,
        /// What was found and what was expected there.
        problem: String,
    },
    /// A file has nothing in it.
    #[error("{} is empty, expected a {format}; give another file, or write it anew", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// What it should be, such as `sweep file`.
        format: &'static str,
    },
    /// Another process works in the directory.
    #[error("{} is in use by {}; wait until it has ended, or stop it", directory.display(), describe(owner.as_ref()))]
    Locked {
        /// The directory.
        directory: PathBuf,
        /// Who holds it, as far as the lock says.
        owner: Option<Owner>,
    },
    /// A folder on the way is a symbolic link.
    #[error("{} is a symbolic link; nothing is written or removed behind it, so replace it by a real folder or choose another place with --artifact-dir", .0.display())]
    SymbolicLink(PathBuf),
    /// A path leads out of the artifact directory.
    #[error("{} does not lie in the artifact directory {}", path.display(), base.display())]
    Outside {
        /// The path.
        path: PathBuf,
        /// The directory it should lie in.
        base: PathBuf,
    },
    /// A folder that is to be overwritten holds files of unknown origin.
    #[error("{} holds files but no manifest.json, so it is unknown which of them are an earlier result; empty it yourself or leave out --overwrite", .0.display())]
    UnknownOrigin(PathBuf),
    /// An earlier result stands where a new one is to be written.
    #[error("{} exists already and is not overwritten; remove it or choose another place", .0.display())]
    Exists(PathBuf),
    /// All numbered names are taken.
    #[error("{} and the names -2 to -{last} after it are all taken; remove old results or choose another place with --artifact-dir", path.display())]
    NamesTaken {
        /// The name without a number.
        path: PathBuf,
        /// The last number that was tried.
        last: u32,
    },
    /// A value could not be put into the format of its file.
    #[error("cannot encode the {what}: {source}")]
    Encode {
        /// What was to be encoded.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
}

impl ArtifactError {
    /// Wraps what the system said about a file that is read; for `map_err`.
    pub(crate) fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Unreadable { path: path.to_path_buf(), source }
    }

    /// Wraps what the system said about an action on a path; for `map_err`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_path_buf(), source }
    }
}

impl From<WriteError> for ArtifactError {
    fn from(WriteError { action, path, source }: WriteError) -> Self {
        Self::Io { action, path, source }
    }
}

impl Faulty for ArtifactError {
    fn fault(&self) -> Fault {
        match self {
            Self::Unreadable { .. }
            | Self::Empty { .. }
            | Self::Malformed { .. }
            | Self::Locked { .. }
            | Self::UnknownOrigin(_)
            | Self::Exists(_)
            | Self::NamesTaken { .. } => Fault::Input,
            // Also in mid-run somebody may put a link in the way.
            Self::Io { .. } | Self::SymbolicLink(_) | Self::Outside { .. } | Self::Encode { .. } => {
                Fault::Machine
            }
        }
    }
}

impl From<ArtifactError> for io::Error {
    fn from(error: ArtifactError) -> Self {
        let kind = match &error {
            ArtifactError::Io { source, .. } | ArtifactError::Unreadable { source, .. } => source.kind(),
            _ => ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

fn describe(owner: Option<&Owner>) -> String {
    match owner {
        Some(Owner { pid, since }) => format!("process {pid} since {since}"),
        None => "another process".to_owned(),
    }
}

/// What the user can do about a kind of error.
fn hint(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::StorageFull => "; free some space or choose another disk with --artifact-dir",
        ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "; raise the limit or choose another place with --artifact-dir"
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "; make the folder writable or choose another place with --artifact-dir"
        }
        ErrorKind::NotFound => "; the file or its folder does not exist or was removed in the meantime",
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            "; a part of the path is a file, so choose another place with --artifact-dir"
        }
        _ => "",
    }
}
