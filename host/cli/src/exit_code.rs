//! The exit codes of `aiperf`, in one place and documented for scripts.

use aiperf_model::fault::Fault;
use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything went well.
    Success = 0,
    /// The machine failed, as a full disk does; what was written is valid.
    MachineFailed = 1,
    /// Arguments or configuration are wrong; nothing was sent or written.
    BadInput = 2,
    /// Some runs failed; the files are complete and the other runs are analysed.
    SomeFailed = 3,
    /// No run succeeded, or the server that was named does not answer.
    NothingSucceeded = 4,
    /// A plugin failed, also one that made every run fail; the files are complete without its part.
    PluginFailed = 5,
    /// A value is not valid, and `--require-valid` was given; the files are complete.
    GateFailed = 6,
    /// Interrupted by the user; the files are valid up to there.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<Fault> for Exit {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Input => Self::BadInput,
            Fault::Machine => Self::MachineFailed,
            Fault::Server => Self::NothingSucceeded,
            Fault::Plugin => Self::PluginFailed,
            Fault::Stopped => Self::Interrupted,
        }
    }
}
