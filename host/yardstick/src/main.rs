//! How fast, exact and small the client is, side by side with bare loops on the same server.
//!
//! Every part is a process of its own on a core of its own: the server on the first core, whatever is measured on the
//! second one, with all of its threads. Parts that are compared take turns, and only their ratio is reported, since
//! machines differ and change. [`rows`] has the rows of the table, [`table`] its form, [`process`] starts and
//! watches the parts. `cargo xtask bench` builds everything and runs this.

mod aiperf;
mod bare_loop;
mod bare_server;
mod exchange;
mod hyper_loop;
mod peer;
mod process;
mod rows;
mod socket_loop;
mod statistics;
mod table;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Measure the client against bare loops and known servers.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
    #[command(flatten)]
    bench: Bench,
}

/// What a benchmark is made with.
#[derive(Debug, clap::Args)]
struct Bench {
    /// The program to measure.
    #[arg(long, default_value = "target/release/aiperf")]
    program: PathBuf,
    /// Also run the AIPerf of this virtual environment (`pip install aiperf==0.13.0`).
    #[arg(long, value_name = "VENV")]
    peer: Option<PathBuf>,
    /// The tokenizer of the peer, which it downloads unless this is the folder of a `tokenizer.json`.
    #[arg(long, value_name = "NAME|DIR", default_value = "builtin")]
    peer_tokenizer: String,
    /// Seconds of each measurement of speed.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// How often the parts that are compared take turns.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Only the rows whose name contains this.
    #[arg(long)]
    only: Option<String>,
}

/// The parts that run as processes of their own.
#[derive(Debug, Subcommand)]
enum Part {
    /// Answer every request with the same stream of so many tokens.
    #[command(hide = true)]
    Server { tokens: usize },
    /// Send and receive with hyper and nothing else.
    #[command(hide = true)]
    HyperLoop { address: SocketAddr, concurrency: u32, seconds: f64 },
    /// Send and receive with sockets and nothing else.
    #[command(hide = true)]
    SocketLoop { address: SocketAddr, concurrency: u32, seconds: f64 },
}

fn main() -> Result<()> {
    let Arguments { part, bench } = Arguments::parse();
    let requests_per_second = match part {
        None => return rows::print(&bench),
        Some(Part::Server { tokens }) => return bare_server::serve(tokens),
        Some(Part::HyperLoop { address, concurrency, seconds }) => {
            hyper_loop::requests_per_second(address, concurrency, Duration::from_secs_f64(seconds))?
        }
        Some(Part::SocketLoop { address, concurrency, seconds }) => {
            socket_loop::requests_per_second(address, concurrency, Duration::from_secs_f64(seconds))?
        }
    };
    println!("{requests_per_second}");
    Ok(())
}
