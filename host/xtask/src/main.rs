//! Work on the project itself, as `cargo xtask COMMAND`.
//!
//! Nothing here reaches a user: what ships is built by cargo alone.

mod bench;
mod bindings;
mod build_plugins;
mod coverage;
mod tidy;
mod workspace;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// Work on the project itself.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure the client against bare loops and known servers, and print the table of `docs/performance.md`.
    #[command(disable_help_flag = true)]
    Bench(bench::Arguments),
    /// Build the built-in plugins and write them to `plugins/prebuilt`.
    BuildPlugins(build_plugins::Arguments),
    /// Simulate how often conclusions are right, and write the tables of `docs/coverage.md`.
    Coverage(coverage::Arguments),
    /// Write the SDK's bindings from `wit/`.
    GenerateBindings(bindings::Arguments),
    /// Check that crates depend only on those below them, and that files stay small.
    Tidy,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let workspace = Workspace::find()?;
    match arguments.command {
        Command::Bench(arguments) => bench::run(&workspace, &arguments),
        Command::BuildPlugins(arguments) => build_plugins::run(&workspace, &arguments),
        Command::Coverage(arguments) => coverage::run(&workspace, &arguments),
        Command::GenerateBindings(arguments) => bindings::run(&workspace, &arguments),
        Command::Tidy => tidy::run(&workspace),
    }
}
