//! `aiperf`: benchmark LLM inference servers across parameter values.
//!
//! Each subcommand is a file in `commands/`. This file only reads the arguments and turns what became of the command
//! into an exit code.

#![deny(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "they panic once the reader is gone; see console.rs"
)]

mod args;
mod commands;
mod console;
mod diagnostics;
mod environment;
mod error;
mod exit_code;
mod failure;
mod lines;
mod plugins;
mod process_title;
mod redaction;
mod signals;
mod spaced_list;
mod ui;

use aiperf_load::raise_file_limit;
use aiperf_plugin_host::run_as_compiler;
use args::{Arguments, Command};
use clap::Parser as _;
use exit_code::Exit;
use lines::{Lines, in_line};
use spaced_list::spaced_list;
use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(ended) = run_as_compiler() {
        return ended;
    }
    raise_file_limit();
    let arguments = process_title::arguments();
    let Arguments { command, verbose } = match Arguments::try_parse_from(&arguments) {
        Ok(understood) => understood,
        Err(error) => return not_understood(&arguments, error),
    };
    if let Err(problem) = diagnostics::begin(verbose, environment::log_level().as_deref()) {
        say!("error: {problem}");
        return Exit::BadInput.into();
    }
    let ended = match command {
        Command::Profile(options) => commands::profile(*options),
        Command::Analyze(arguments) => commands::analyze(&arguments),
        Command::Report(arguments) => commands::report(&arguments),
        Command::Simulate(arguments) => commands::simulate(&arguments),
        Command::Plugin { command } => commands::plugin(&command),
        Command::Completions { shell } => commands::completions(shell),
    };
    match ended {
        Ok(exit) => exit.into(),
        Err(failure) => {
            console::say_lines(&failure.message);
            failure.exit.into()
        }
    }
}

/// Says what is wrong with the arguments, or the help that was asked for instead.
fn not_understood(arguments: &[OsString], error: clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // A reader that is gone has had what it wanted.
        let _ = error.print();
        return Exit::Success.into();
    }
    if let Some(list) = spaced_list(arguments) {
        say!("error: the values of {} have commas between them; write {list}", list.flag);
        return Exit::BadInput.into();
    }
    // The message repeats the arguments, and these may be names of files that others chose.
    let shown = arguments.iter().map(|argument| in_line(&argument.to_string_lossy()).into_owned());
    let told = Arguments::try_parse_from(shown).err().unwrap_or(error);
    console::say_lines(&Lines::laid_out(&told.render().to_string()));
    Exit::BadInput.into()
}
