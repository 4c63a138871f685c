//! The subcommands and their arguments. The flags of `profile` are the options of the plan.

mod plugin;

use aiperf_plan::Options;
use aiperf_simulator::{SETTINGS, Settings};
use clap::{Arg, ArgMatches, Args, Command as ClapCommand, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

pub(crate) use plugin::{
    BenchArguments, BuildArguments, InspectArguments, ListArguments, NativeArguments, NewArguments,
    PluginCommand, PluginSources, RecordArguments, TestArguments,
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
    pub analysis: AnalysisArguments,
}

#[derive(Args)]
pub(crate) struct ReportArguments {
    /// The directory of an earlier benchmark
    pub directory: PathBuf,

    /// Where to write the page [default: report.html in the directory]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    #[command(flatten)]
    pub analysis: AnalysisArguments,
}

/// With which plugins an earlier benchmark is analysed, and what these may do.
#[derive(Args)]
pub(crate) struct AnalysisArguments {
    #[command(flatten)]
    pub plugins: PluginSources,

    /// Use only plugins that aiperf-plugins.lock in the current directory lists
    #[arg(long)]
    pub locked: bool,

    /// The longest time of one call of a plugin [default: 5]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub plugin_timeout_seconds: Option<f64>,

    /// The most memory of one instance of a plugin, in MiB [default: 64]
    #[arg(long, value_name = "MIB")]
    pub plugin_memory_mib: Option<u32>,

    /// The most that one call of a plugin returns or logs, in MiB [default: 32]
    #[arg(long, value_name = "MIB")]
    pub plugin_output_mib: Option<u32>,

    /// The most messages that are kept of one call of a plugin; of all its calls, ten times as many [default: 100]
    #[arg(long, value_name = "COUNT")]
    pub plugin_log_lines: Option<u32>,

    /// The most findings of a trend detector that are kept of one metric, and as many lists of derived numbers
    /// [default: 100]
    #[arg(long, value_name = "COUNT")]
    pub plugin_findings: Option<u32>,

    /// The most WebAssembly instances that one plugin consists of; one in Python has more than 32 [default: 128]
    #[arg(long, value_name = "COUNT")]
    pub plugin_instances: Option<u32>,

    /// The most processor time of compiling a plugin that is not kept compiled [default: 120]
    #[arg(long, value_name = "SECONDS")]
    pub plugin_compile_seconds: Option<u32>,

    /// The most memory of compiling a plugin that is not kept compiled, in MiB [default: 2048]
    #[arg(long, value_name = "MIB")]
    pub plugin_compile_mib: Option<u32>,

    /// Directory to keep the input of failed plugin calls in, for `aiperf plugin test --trace`
    #[arg(long, value_name = "DIR")]
    pub plugin_trace: Option<PathBuf>,

    /// Objective whose best configuration is reported beside throughput and latency-p99; two or more span the
    /// trade-off
    #[arg(long, value_name = "PLUGIN")]
    pub objective: Vec<String>,

    /// Criterion that fills `pareto_optimal` [default: dominance]; further ones are reported too
    #[arg(long, value_name = "PLUGIN")]
    pub pareto: Vec<String>,

    /// Detector of inflections [default: slope-change]; repeatable
    #[arg(long, value_name = "PLUGIN")]
    pub trend: Vec<String>,
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
