//! A command that could not do its work, with the exit code that says so. There is one way to become one: an error type
//! that knows whose fault each of its errors is.

use crate::exit_code::Exit;
use crate::lines::Lines;
use aiperf_model::fault::Faulty;

/// What went wrong and how the process ends.
#[derive(Debug)]
pub(crate) struct Failure {
    pub exit: Exit,
    /// What is said about it: a line, or several.
    pub message: Lines,
}

impl<E: Faulty> From<E> for Failure {
    fn from(error: E) -> Self {
        let text = format!("error: {error}");
        let message = if error.is_laid_out() { Lines::laid_out(&text) } else { Lines::of(text) };
        Self { exit: error.fault().into(), message }
    }
}
