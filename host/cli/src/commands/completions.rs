//! `aiperf completions`: what a shell needs to complete arguments.

use crate::args::Arguments;
use crate::console;
use crate::exit_code::Exit;
use crate::failure::Failure;
use clap::CommandFactory as _;
use clap_complete::Shell;

pub(crate) fn completions(shell: Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "aiperf", &mut script);
    console::print_script(&script)?;
    Ok(Exit::Success)
}
