//! What can go wrong in a command itself; what goes wrong in a stage is an error of the stage.

use aiperf_files::WriteError;
use aiperf_model::fault::{Fault, Faulty};
use aiperf_model::server::NotAServerUrl;
use std::io;
use std::path::PathBuf;

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The result could not be printed.
    #[error("cannot write to the standard output: {0}")]
    Output(io::Error),
    /// A file could not be written.
    #[error(transparent)]
    Write(WriteError),
    /// The system does not tell of signals.
    #[error("cannot listen to signals: {0}")]
    Signals(io::Error),
    /// The simulator listens where no URL leads to.
    #[error("the address of the simulator {0}")]
    Simulator(NotAServerUrl),
    /// The turns of conversations are made of answers, which are to be read later.
    #[error(
        "--defer-parsing: the file of --input-file has conversations, whose turns are made of the answers before them; remove --defer-parsing"
    )]
    ConversationsCannotWait,
    /// The command of an earlier benchmark cannot be taken up.
    #[error("--resume: the command in {}, written by aiperf {version}, is not understood here: {problem}", path.display())]
    EarlierCommand {
        /// The manifest.
        path: PathBuf,
        /// Who wrote it.
        version: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A sweep file is only read.
    #[error("--output goes with a directory; of a sweep file the result is only printed: use --format json")]
    OutputOfFile,
    /// The directory of fixtures is none.
    #[error("--fixtures: '{}' is no directory", .0.display())]
    NoFixtures(PathBuf),
    /// A fixture would be overwritten.
    #[error("{} exists already; choose another name or remove it", .0.display())]
    FixtureExists(PathBuf),
    /// A call cannot be repeated.
    #[error("{0}")]
    Trace(String),
    /// There is nothing to compare with.
    #[error(
        "--native: the library holds no {kind} '{name}'; give the one that is built from the same source"
    )]
    NotInLibrary {
        /// What is compared.
        kind: String,
        /// Its name.
        name: String,
    },
    /// A plugin cannot be measured, or refuses to build a request.
    #[error("{0}")]
    Plugin(String),
    /// The server did not answer, or with an error.
    #[error("{0}")]
    NoAnswer(String),
}

impl Faulty for CommandError {
    fn fault(&self) -> Fault {
        match self {
            Self::Output(_) | Self::Write(_) | Self::Signals(_) | Self::Simulator(_) => Fault::Machine,
            Self::ConversationsCannotWait
            | Self::EarlierCommand { .. }
            | Self::OutputOfFile
            | Self::NoFixtures(_)
            | Self::FixtureExists(_)
            | Self::Trace(_)
            | Self::NotInLibrary { .. } => Fault::Input,
            Self::Plugin(_) => Fault::Plugin,
            Self::NoAnswer(_) => Fault::Server,
        }
    }
}
