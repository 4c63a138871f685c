//! What is said on standard output and standard error. All of it passes through [`Lines`], which hold nothing that a
//! terminal would obey.
//!
//! Whoever reads it may leave, as `head` does. Nothing else ends with that: a benchmark goes on, and writes its files.

use crate::error::CommandError;
use crate::failure::Failure;
use crate::lines::Lines;
use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write as _};

/// Prints the result of a command. A reader that is gone has had what it wanted.
///
/// # Errors
///
/// The text could not be written for another reason, such as a full disk.
pub(crate) fn print(lines: &Lines) -> Result<(), Failure> {
    write(lines.to_string().as_bytes())
}

/// Prints a script of our own as it is, for a program to read.
///
/// # Errors
///
/// As for [`print()`].
pub(crate) fn print_script(script: &[u8]) -> Result<(), Failure> {
    write(script)
}

fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe && !is_of_lost_terminal(&error) => {
            Err(CommandError::Output(error).into())
        }
        _ => Ok(()),
    }
}

/// Says lines on standard error.
pub(crate) fn say_lines(lines: &Lines) {
    // There is no other place to say that this failed.
    let _ = io::stderr().write_all(lines.to_string().as_bytes());
}

/// Whether the terminal is gone that standard output was.
#[cfg(unix)]
fn is_of_lost_terminal(error: &io::Error) -> bool {
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::FileTypeExt as _;
    const INPUT_OUTPUT_ERROR: i32 = 5;
    let stdout = io::stdout().as_fd().try_clone_to_owned().map(std::fs::File::from);
    let is_device = stdout
        .and_then(|stdout| stdout.metadata())
        .is_ok_and(|metadata| metadata.file_type().is_char_device());
    error.raw_os_error() == Some(INPUT_OUTPUT_ERROR) && is_device
}

#[cfg(not(unix))]
fn is_of_lost_terminal(_error: &io::Error) -> bool {
    false
}

/// Says one line on standard error; [`say!`](crate::say) formats it.
pub(crate) fn say(line: Arguments<'_>) {
    say_lines(&Lines::of(line));
}

/// Says one line on standard error, like `eprintln!`, but survives that nobody listens.
#[macro_export]
macro_rules! say {
    ($($line:tt)*) => { $crate::console::say(format_args!($($line)*)) };
}
