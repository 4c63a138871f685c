//! Why a plugin could not be made.

use aiperf_files::WriteError;
use aiperf_model::fault::{Fault, Faulty};
use std::path::PathBuf;

/// Why a plugin could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ToolchainError {
    /// A tool is not installed.
    #[error("{what}; install it with\n{commands}")]
    Missing {
        /// What is missing.
        what: String,
        /// The commands that install it, one a line.
        commands: String,
    },
    /// A tool cannot be started or answers with nonsense.
    #[error("{tool} does not work: {reason}")]
    Tool {
        /// The command.
        tool: String,
        /// What happened.
        reason: String,
    },
    /// A tool has told on standard error why it failed.
    #[error("{what} failed, see above")]
    Failed {
        /// What failed.
        what: String,
    },
    /// A core module cannot be made a component.
    #[error("cannot make a component of the module: {0}")]
    Encoding(String),
    /// A component breaks the contract.
    #[error("the component breaks the contract: {0}")]
    Contract(String),
    /// The directory is no project.
    #[error("{directory} is no plugin project: it has neither {known}; `aiperf plugin new` makes one")]
    NoProject {
        /// The directory.
        directory: String,
        /// The files that would make it one.
        known: &'static str,
    },
    /// The sources make no plugin.
    #[error("{directory} makes no plugin: {reason}")]
    NothingBuilt {
        /// The directory.
        directory: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A name that no plugin may have.
    #[error(
        "'{0}' is no name for a plugin; take lower-case letters, digits and hyphens, starting with a letter"
    )]
    BadName(String),
    /// There is something already.
    #[error("{0} exists already; choose another name or remove it")]
    Exists(String),
    /// A file cannot be read or written.
    #[error("cannot {action} {path}: {reason}", path = .path.display())]
    File {
        /// `read`, `write` or `create`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        reason: std::io::Error,
    },
}

impl From<WriteError> for ToolchainError {
    fn from(WriteError { action, path, source }: WriteError) -> Self {
        Self::File { action, path, reason: source }
    }
}

impl ToolchainError {
    /// For `map_err`: a file that could not be read, written or created.
    pub(crate) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |reason| Self::File { action, path, reason }
    }
}

impl Faulty for ToolchainError {
    fn fault(&self) -> Fault {
        match self {
            Self::Missing { .. }
            | Self::Tool { .. }
            | Self::Failed { .. }
            | Self::Encoding(_)
            | Self::Contract(_)
            | Self::NoProject { .. }
            | Self::NothingBuilt { .. }
            | Self::BadName(_)
            | Self::Exists(_) => Fault::Input,
            Self::File { .. } => Fault::Machine,
        }
    }

    fn is_laid_out(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }
}
