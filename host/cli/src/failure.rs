//! A command that could not do its work, with the exit code that says so.

use crate::exit_code::Exit;
use crate::lines::Lines;
use aiperf_model::fault::Faulty;
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

impl<E: Faulty> From<E> for Failure {
    fn from(error: E) -> Self {
        let exit = error.fault().into();
        if error.is_laid_out() { Self::in_lines(exit, error) } else { Self::new(exit, error) }
    }
}
