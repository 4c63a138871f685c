//! One thing that was checked.

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What should hold, as a clause that lacks its subject.
    pub check: String,
    /// Why it does not, or none if it does.
    pub problem: Option<String>,
}

impl Outcome {
    /// The outcome of a check.
    pub(crate) fn new(check: impl Into<String>, result: Result<(), String>) -> Self {
        Self { check: check.into(), problem: result.err() }
    }

    /// Whether it holds.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.problem.is_none()
    }
}
