//! A command that could not do its work, with the exit code that says so.

use crate::exit_code::Exit;
use crate::lines::Lines;
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
    /// What is said about it: a line, or several.
    pub message: Lines,
}

impl Failure {
    pub(crate) fn new(exit: Exit, error: impl fmt::Display) -> Self {
        Self { exit, message: Lines::of(format_args!("error: {error}")) }
    }

    /// A failure whose message has several lines of our own.
    fn in_lines(exit: Exit, error: impl fmt::Display) -> Self {
        Self { exit, message: Lines::laid_out(&format!("error: {error}")) }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::DashboardInSweep => Self::in_lines(Exit::BadInput, error),
            error => Self::new(Exit::BadInput, error),
        }
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
        match &error {
            ToolchainError::File { .. } => Self::new(Exit::Unexpected, error),
            ToolchainError::Missing { .. } => Self::in_lines(Exit::BadInput, error),
            _ => Self::new(Exit::BadInput, error),
        }
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
            SweepError::Different { .. } => return Self::in_lines(Exit::BadInput, error),
            _ => Exit::BadInput,
        };
        Self::new(exit, error)
    }
}
