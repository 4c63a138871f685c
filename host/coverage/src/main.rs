//! How often what this program says is right, by simulation: sweeps with known laws and noise from fixed seeds go
//! through the real analysis, and the share of right answers is counted.
//!
//! A table is one file with one function, named in [`tables::TABLES`]. Each has tests over few sweeps; the whole is
//! `cargo xtask coverage`, which writes `docs/coverage.md`.

mod best;
mod inflections;
mod pareto;
mod plugins;
mod sweeps;
mod table;
mod tables;
mod within_run;

use anyhow::Context as _;
use clap::Parser;
use std::io::Write as _;
use std::path::PathBuf;

/// Count how often conclusions are right.
#[derive(Parser)]
#[command(name = "cargo xtask coverage")]
struct Arguments {
    /// How many sweeps each row of a table is made of
    #[arg(long, default_value_t = 2000)]
    sweeps: u32,
    /// Write the page into this file instead of printing it
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let Arguments { sweeps, output } = Arguments::parse();
    let page = tables::page(sweeps);
    let Some(file) = output else {
        return Ok(std::io::stdout().write_all(page.as_bytes())?);
    };
    aiperf_files::replace(&file, page.as_bytes()).with_context(|| format!("cannot write {}", file.display()))
}
