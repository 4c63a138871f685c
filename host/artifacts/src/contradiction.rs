//! What a file says that cannot be true, though its shape is right.

use crate::error::ArtifactError;
use std::path::Path;

/// Beyond this, squares and sums of numbers are no numbers any more; nothing that a server does is as large.
const LARGEST: f64 = 1e100;

/// A fault that the shape alone does not show.
#[derive(Debug)]
pub(crate) struct Contradiction {
    /// The path inside the JSON, such as `runs[2].trial`, or `.` for the whole.
    at: String,
    /// What was found and what was expected there.
    problem: String,
}

impl Contradiction {
    pub(crate) fn new(at: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { at: at.into(), problem: problem.into() }
    }

    /// As the error of the file in which it stands.
    pub(crate) fn in_file(self, path: &Path, format: &'static str) -> ArtifactError {
        let Self { at, problem } = self;
        ArtifactError::Malformed { path: path.to_path_buf(), format, at, problem }
    }
}

/// Whether something could have been measured to be as large; else what is wrong with it.
pub(crate) fn check_size(number: f64) -> Result<(), String> {
    if number.abs() <= LARGEST {
        return Ok(());
    }
    Err(format!("found {number:e}, expected a number between -{LARGEST:e} and {LARGEST:e}"))
}
