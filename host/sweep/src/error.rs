//! What ends a benchmark; a failed run is not among it.

use aiperf_artifacts::ArtifactError;
use aiperf_load::LoadError;

/// Why a benchmark or an analysis could not go on. What was written until then is valid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SweepError {
    /// The plan cannot be run by anybody.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A file could not be written or read.
    #[error(transparent)]
    Artifacts(#[from] ArtifactError),
    /// The directory is none of ours.
    #[error("{0} holds no manifest.json; give the directory of an earlier sweep, or one sweep file")]
    NoManifest(String),
    /// The directory does not hold a sweep.
    #[error("{directory} holds {found}; only a sweep over several values can be analysed")]
    NoSweep {
        /// The directory as the user named it.
        directory: String,
        /// What it holds instead.
        found: &'static str,
    },
}
