//! A command that could not do its work, with the exit code that says so.

use crate::exit_code::Exit;
use aiperf_artifacts::ArtifactError;
use aiperf_load::{DatasetError, LoadError};
use aiperf_plan::ConfigError;
use aiperf_plugin_host::HostError;
use aiperf_simulator::SimulatorError;
use aiperf_sweep::SweepError;
use aiperf_toolchain::ToolchainError;
use std::fmt;

/// What went wrong and how the process ends.
#[derive(Debug)]
pub(crate) struct Failure {
    pub exit: Exit,
    message: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, error: impl fmt::Display) -> Self {
        Self { exit, message: error.to_string() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(Exit::BadInput, error)
    }
}

impl From<DatasetError> for Failure {
    fn from(error: DatasetError) -> Self {
        Self::new(Exit::BadInput, error)
    }
}

impl From<HostError> for Failure {
    fn from(error: HostError) -> Self {
        Self::new(Exit::BadInput, error)
    }
}

impl From<ToolchainError> for Failure {
    fn from(error: ToolchainError) -> Self {
        let exit = match &error {
            ToolchainError::File { .. } => Exit::Unexpected,
            _ => Exit::BadInput,
        };
        Self::new(exit, error)
    }
}

impl From<SimulatorError> for Failure {
    fn from(error: SimulatorError) -> Self {
        Self::new(Exit::BadInput, error)
    }
}

impl From<ArtifactError> for Failure {
    fn from(error: ArtifactError) -> Self {
        Self::new(Exit::Unexpected, error)
    }
}

impl From<SweepError> for Failure {
    fn from(error: SweepError) -> Self {
        let exit = match &error {
            // Nothing has been begun in a directory that another process holds.
            SweepError::Artifacts(ArtifactError::Locked { .. }) => Exit::BadInput,
            SweepError::Artifacts(_)
            | SweepError::Load(LoadError::Sink(_) | LoadError::Bodies(_) | LoadError::Worker(_)) => {
                Exit::Unexpected
            }
            _ => Exit::BadInput,
        };
        Self::new(exit, error)
    }
}
