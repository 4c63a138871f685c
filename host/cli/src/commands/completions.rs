//! `aiperf completions`: what a shell needs to complete arguments.

use crate::args::Arguments;
use crate::exit_code::Exit;
use crate::failure::Failure;
use clap::CommandFactory as _;
use clap_complete::Shell;

#[expect(clippy::unnecessary_wraps, reason = "all commands end alike")]
pub(crate) fn completions(shell: Shell) -> Result<Exit, Failure> {
    clap_complete::generate(shell, &mut Arguments::command(), "aiperf", &mut std::io::stdout());
    Ok(Exit::Success)
}
