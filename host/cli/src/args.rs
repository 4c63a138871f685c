//! The subcommands and their arguments. The flags of `profile` are the options of the plan.

mod plugin;

use aiperf_plan::{AnalysisOptions, Options, SourceOptions};
use aiperf_simulator::{SETTINGS, Settings};
use clap::{Arg, ArgMatches, Args, Command as ClapCommand, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

pub(crate) use plugin::{
    BenchArguments, BuildArguments, InspectArguments, ListArguments, NewArguments, PluginCommand,
    RecordArguments, TestArguments,
};

/// Benchmark LLM inference servers across parameter values
#[derive(Parser)]
#[command(name = "aiperf", version, max_term_width = 110, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub command: Command,

    /// Tell on standard error what happens inside: runs, phases, connections, plugins [env: `AIPERF_LOG` = error, warn,
    /// info, debug or trace]
    #[arg(long, global = true)]
    pub verbose: bool,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Measure a server: one run, a sweep over lists of values, repeated trials, or both
    Profile(Box<Options>),
    /// Analyse an earlier sweep again, with any plugins and no server
    Analyze(AnalyzeArguments),
    /// Write the report of an earlier benchmark again: one page, in one file
    Report(ReportArguments),
    /// Serve a simulated model with known latencies until interrupted
    Simulate(SimulateArguments),
    /// See, lock, write, build and test plugins
    Plugin {
        /// What to do
        #[command(subcommand)]
        command: PluginCommand,
    },
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Tables for people.
    #[default]
    Table,
    /// JSON for programs.
    Json,
}

#[derive(Args)]
pub(crate) struct AnalyzeArguments {
    /// The directory of an earlier sweep, whose sweep files are written anew, or one sweep file, which is only read
    pub input: PathBuf,

    /// Where to write the sweep files of a directory instead
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,

    /// What to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,

    #[command(flatten)]
    pub sources: SourceOptions,

    #[command(flatten)]
    pub analysis: AnalysisOptions,
}

#[derive(Args)]
pub(crate) struct ReportArguments {
    /// The directory of an earlier benchmark
    pub directory: PathBuf,

    /// Where to write the page [default: report.html in the directory]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    #[command(flatten)]
    pub sources: SourceOptions,

    #[command(flatten)]
    pub analysis: AnalysisOptions,
}

/// The port and address, and a flag for each setting of the simulator.
pub(crate) struct SimulateArguments {
    pub host: IpAddr,
    pub port: u16,
    pub settings: Settings,
}

impl FromArgMatches for SimulateArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut settings = Settings::default();
        for setting in SETTINGS {
            if let Some(value) = matches.get_one::<String>(setting.key) {
                setting.write(&mut settings, value).map_err(|error| {
                    clap::Error::raw(clap::error::ErrorKind::ValueValidation, format!("{error}\n"))
                })?;
            }
        }
        Ok(Self {
            host: matches.get_one("host").copied().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            port: matches.get_one("port").copied().unwrap_or(8000),
            settings,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for SimulateArguments {
    fn augment_args(command: ClapCommand) -> ClapCommand {
        let host = Arg::new("host")
            .long("host")
            .value_name("ADDRESS")
            .value_parser(clap::value_parser!(IpAddr))
            .help("Address to listen on [default: 127.0.0.1]");
        let port = Arg::new("port")
            .long("port")
            .value_name("PORT")
            .value_parser(clap::value_parser!(u16))
            .help("Port to listen on; 0 takes a free one [default: 8000]");
        let settings = SETTINGS.iter().map(|setting| {
            let argument = Arg::new(setting.key).long(setting.key).help(format!(
                "{} [default: {}]",
                setting.doc,
                setting.default_value()
            ));
            if setting.is_switch() {
                argument.value_name("BOOL").num_args(0..=1).require_equals(true).default_missing_value("true")
            } else {
                argument.value_name("VALUE").allow_hyphen_values(true)
            }
        });
        command.arg(host).arg(port).args(settings)
    }

    fn augment_args_for_update(command: ClapCommand) -> ClapCommand {
        Self::augment_args(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn flags_of_an_analysis_are_those_of_a_benchmark() {
        let all = Arguments::command();
        let arguments = |command: &str| -> Vec<&Arg> {
            all.find_subcommand(command)
                .unwrap()
                .get_arguments()
                .filter(|argument| !argument.is_positional())
                .collect()
        };
        let described = |argument: &Arg| (argument.get_help().unwrap().to_string(), argument.get_num_args());
        for command in ["analyze", "report"] {
            let mut shared = 0;
            for flag in arguments(command) {
                let same = arguments("profile").into_iter().find(|other| other.get_long() == flag.get_long());
                if let Some(same) = same.filter(|flag| flag.get_long() != Some("help")) {
                    assert_eq!(described(flag), described(same), "{command} {flag}");
                    shared += 1;
                }
            }
            assert_eq!(shared, 17, "{command}");
        }
    }
}
