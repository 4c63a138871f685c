//! What ends a benchmark; a failed run is not among it.

use aiperf_artifacts::{ArtifactError, Exporters};
use aiperf_load::LoadError;
use aiperf_model::fault::{Fault, Faulty};

/// Why a benchmark or an analysis could not go on. What was written until then is valid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SweepError {
    /// The plan cannot be run by anybody.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// There is no room for the connections of the load.
    #[error(
        "--concurrency: {needed} connections are needed at the same time, but there is room for {most}; raise the limit of open files with `ulimit -n {files}`, or write a lower concurrency"
    )]
    Connections {
        /// How many the largest value needs.
        needed: u32,
        /// How many there may be.
        most: u64,
        /// How many files would have to be allowed.
        files: u64,
    },
    /// A file could not be written or read.
    #[error(transparent)]
    Artifacts(#[from] ArtifactError),
    /// The directory is none of ours.
    #[error("{0} holds no manifest.json; give the directory of an earlier sweep, or one sweep file")]
    NoManifest(String),
    /// The directory holds no benchmark that could be continued.
    #[error(
        "--resume: {directory} holds no manifest.json, so no run has begun there; give the directory that the earlier command named, or run the command without --resume"
    )]
    NothingToResume {
        /// The directory as the user named it.
        directory: String,
    },
    /// An earlier benchmark is not the one that is to continue it. One line per difference, between one that says so and one that says what to do.
    #[error(
        "--resume: {directory} is the result of another benchmark:\n  {differences}\nrepeat the earlier command with --resume, or leave out --resume to begin anew; there is no --force, since figures of two benchmarks in one result would be compared as if they were of one"
    )]
    Different {
        /// The directory as the user named it.
        directory: String,
        /// What differs, with a line break between two differences.
        differences: String,
    },
    /// Files of runs that are done were changed. One line per file, between one that says so and one that says what to do.
    #[error(
        "--resume: these files of runs that are done are not as they were written:\n  {differences}\nput them back, or remove all of {} of such a run, which is then run again",
        Exporters::built_in().run_files().collect::<Vec<_>>().join(", ")
    )]
    ChangedFiles {
        /// What changed, with a line break between two files.
        differences: String,
    },
    /// The directory does not hold a sweep.
    #[error("{directory} holds {found}; only a sweep over several values can be analysed")]
    NoSweep {
        /// The directory as the user named it.
        directory: String,
        /// What it holds instead.
        found: &'static str,
    },
}

impl Faulty for SweepError {
    fn fault(&self) -> Fault {
        match self {
            Self::Load(error) => error.fault(),
            Self::Artifacts(error) => error.fault(),
            Self::Connections { .. }
            | Self::NoManifest(_)
            | Self::NothingToResume { .. }
            | Self::Different { .. }
            | Self::ChangedFiles { .. }
            | Self::NoSweep { .. } => Fault::Input,
        }
    }

    fn is_laid_out(&self) -> bool {
        matches!(self, Self::Different { .. } | Self::ChangedFiles { .. })
    }
}
