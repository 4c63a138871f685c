//! What is said on standard output and standard error.
//!
//! Whoever reads it may leave, as `head` does. Nothing else ends with that: a benchmark goes on, and writes its files.

use crate::exit_code::Exit;
use crate::failure::Failure;
use std::fmt::{Arguments, Display};
use std::io::{self, ErrorKind, Write as _};

/// Prints the result of a command. A reader that is gone has had what it wanted.
///
/// # Errors
///
/// The text could not be written for another reason, such as a full disk.
pub(crate) fn print(text: impl Display) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match write!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Unexpected, format!("cannot write to the standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Says one line on standard error; [`say!`](crate::say) formats it.
pub(crate) fn say(line: Arguments<'_>) {
    // There is no other place to say that this failed.
    let _ = writeln!(io::stderr(), "{line}");
}

/// Says one line on standard error, like `eprintln!`, but survives that nobody listens.
#[macro_export]
macro_rules! say {
    ($($line:tt)*) => { $crate::console::say(format_args!($($line)*)) };
}
