//! `cargo xtask coverage`: simulates how often conclusions and intervals are right, and writes the page about it.

use anyhow::{Context as _, Result, ensure};
use std::process::Command;

use crate::workspace::Workspace;

/// How the page is made.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many sweeps each row of a table is made of; the page in the docs has the default
    #[arg(long, default_value_t = 2000)]
    sweeps: u32,
    /// Print the page instead of writing `docs/coverage.md`
    #[arg(long)]
    print: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let mut command = Command::new("cargo");
    command
        .args(["run", "--release", "--locked", "--bin", "aiperf-coverage", "--", "--sweeps"])
        .arg(arguments.sweeps.to_string())
        .current_dir(workspace.root());
    if !arguments.print {
        command.args(["--output", "docs/coverage.md"]);
    }
    let status = command.status().context("start cargo")?;
    ensure!(status.success(), "the simulation failed");
    Ok(())
}
