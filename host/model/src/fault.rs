//! Whose fault it is that a command could not do its work. Each error type says it of each of its errors, so that the
//! exit code of the program does not depend on the way an error came.

use std::fmt::Display;

/// Where the cause lies of what went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// What the user wrote or named cannot be used. It is found before anything is sent or written.
    Input,
    /// The machine: a disk, a limit, a file that changed underneath. What was written until then is valid.
    Machine,
    /// The server that was named: it cannot be reached.
    Server,
    /// A plugin.
    Plugin,
    /// Nobody's: the user wanted to stop.
    Stopped,
}

/// An error that knows whose fault it is.
pub trait Faulty: Display {
    /// Where the cause lies.
    fn fault(&self) -> Fault;

    /// Whether line breaks of its text are part of how it is laid out. Others came with what it quotes.
    fn is_laid_out(&self) -> bool {
        false
    }
}
