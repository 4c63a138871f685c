//! From command lines and files to plans, through the public interface.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail anywhere"
)]

mod checks;
mod files;
mod flags;
mod order;
mod secrets;

use aiperf_plan::{Config, ConfigError, Environment, Options, Plan};
use clap::Parser;

/// The part of the command line that this crate owns.
#[derive(Debug, Parser)]
struct CommandLine {
    #[command(flatten)]
    options: Options,
}

/// The options of a command line without its quotes: arguments are separated by `|` where one holds a blank.
fn options(line: &str) -> Options {
    let separator = if line.contains('|') { '|' } else { ' ' };
    let arguments = line.split(separator).map(str::trim).filter(|argument| !argument.is_empty());
    CommandLine::try_parse_from(std::iter::once("profile").chain(arguments)).expect(line).options
}

fn resolve(line: &str) -> Result<Config, ConfigError> {
    let with_model = Options { model: Some("llama-3-8b".into()), ..Options::default() };
    Config::resolve(options(line).over(with_model), &Environment { cores: 2, ..Environment::default() })
}

fn config(line: &str) -> Config {
    resolve(line).expect(line)
}

fn plan(line: &str) -> Plan {
    Plan::new(&config(line))
}
