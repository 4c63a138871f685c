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
mod environment;
mod exit_code;
mod failure;
mod plugins;
mod process_title;
mod redaction;
mod signals;
mod ui;

use aiperf_load::raise_file_limit;
use args::{Arguments, Command};
use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    raise_file_limit();
    let ended = match Arguments::parse_from(process_title::arguments()).command {
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
            say!("error: {failure}");
            failure.exit.into()
        }
    }
}
