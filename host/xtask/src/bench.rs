//! `cargo xtask bench`: builds what is measured as it ships, then lets the yardstick measure it.

use anyhow::{Context as _, Result, ensure};
use std::ffi::OsString;
use std::process::Command;

use crate::workspace::Workspace;

/// What the yardstick is asked for.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Options of the yardstick; `cargo xtask bench --help` lists them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<OsString>,
}

/// Builds what users run, and passes everything on.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let (root, target) = (workspace.root(), workspace.target().join("release"));
    let status = Command::new("cargo")
        .args(["build", "--release", "--locked", "--bin", "aiperf", "--bin", "aiperf-yardstick"])
        .current_dir(root)
        .status()
        .context("start cargo")?;
    ensure!(status.success(), "the build failed");
    let status = Command::new(target.join("aiperf-yardstick"))
        .arg("--program")
        .arg(target.join("aiperf"))
        .args(&arguments.options)
        .current_dir(root)
        .status()
        .context("start the yardstick")?;
    ensure!(status.success(), "the yardstick failed");
    Ok(())
}
