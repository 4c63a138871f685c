//! `aiperf profile`: a benchmark from its flags to its summary.

mod calibration;
mod dry_run;
mod earlier_command;

use super::report;
use crate::console::{self, say_lines};
use crate::environment;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::failure::Failure;
use crate::lines::Lines;
use crate::plugins::Plugins;
use crate::redaction::without_secrets;
use crate::say;
use crate::signals;
use crate::ui::{self, Silent, Simple, format};
use aiperf_artifacts::Exporters;
use aiperf_load::{Dataset, Sockets, Transport, TrustedAuthorities};
use aiperf_model::parameter;
use aiperf_model::server::ServerUrl;
use aiperf_model::sweep::SweepResult;
use aiperf_model::verdict::{Validity, ValueVerdict};
use aiperf_plan::{AUTOMATIC_UI_NOTICE, Config, ConnectionConfig, Options, Plan, Servers, Ui};
use aiperf_simulator::{Settings, Simulator};
use aiperf_sweep::{Benchmark, Interrupt, Local, NoOthers, Observer, Outcome, Stop, Sweep};
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

/// What the user is told who does not want to know who the server is.
const INSECURE_WARNING: &str = "warning: --insecure: certificates are not checked, so anybody on the way to the server can read the prompts and the key, and answer in its place";

pub(crate) fn profile(options: Options) -> Result<Exit, Failure> {
    let options = earlier_command::below(with_file(options)?)?;
    let config = Config::resolve(options, &environment::read())?;
    let plan = Plan::new(&config);
    let plugins = Plugins::load(&config.server, &config.plugins)?;
    let dataset = open_dataset(&config)?;
    if config.output.ui_is_automatic {
        say!("{AUTOMATIC_UI_NOTICE}");
    }
    let servers = if config.output.dry_run { Started::none() } else { Started::new(&config.server.servers)? };
    let benchmark = Benchmark {
        config: &config,
        plan: &plan,
        urls: servers.urls,
        transport: transport(&config)?,
        dataset,
        endpoint: plugins.endpoint,
        analysis: &plugins.analysis,
        executor: &Local,
        sinks: &NoOthers,
        exporters: Exporters::built_in(),
        calibration_backend: Some(&calibration::CalibrationBackend),
        command_line: without_secrets(environment::arguments()),
        version: env!("CARGO_PKG_VERSION"),
    };
    if config.output.dry_run {
        console::print(&dry_run::describe(&benchmark)?)?;
        return Ok(Exit::Success);
    }
    let interrupt = Interrupt::default();
    signals::watch(interrupt.clone()).map_err(CommandError::Signals)?;
    let sweep = match &config.output.resume {
        Some(directory) => Sweep::resume(&benchmark, directory)?,
        None => Sweep::begin(&benchmark)?,
    };
    sweep.notices().iter().for_each(|notice| say!("note: {notice}"));
    let directory = sweep.directory().to_path_buf();
    let ended = sweep.run(&mut *observer(&config, &plan), &interrupt);
    let outcome = ended.inspect_err(|_| tell_how_to_continue(&config, &directory))?;
    let page = if outcome.discarded {
        Ok(())
    } else {
        report::write(&directory, &outcome.result, &outcome.manifest)
    };
    let printed = console::print(&result(&outcome, &plan, &directory));
    if outcome.succeeded == 0 {
        say_lines(&ui::failed_values(&outcome.result));
    }
    if let Some(stop) = outcome.stopped {
        say!("{stop}: {} of {} not done", outcome.unfinished, format::count(plan.steps.len(), "run"));
    }
    if outcome.unfinished > 0 && can_go_on(&outcome) {
        tell_how_to_continue(&config, &directory);
    }
    if config.trust.require_valid {
        for line in doubted(&outcome.result) {
            say!("{line}");
        }
    }
    // A page that cannot be written must not keep from the terminal what was measured.
    page?;
    printed.map(|()| exit(&outcome, &config))
}

/// Whether the same command has reason to end in another way: something succeeded, or it was not let to its end.
fn can_go_on(outcome: &Outcome) -> bool {
    outcome.succeeded > 0 || outcome.stopped == Some(Stop::Interrupted)
}

/// What was measured and where it lies; nothing where nothing was.
fn result(outcome: &Outcome, plan: &Plan, directory: &Path) -> Lines {
    let files = if outcome.discarded {
        Lines::default()
    } else {
        Lines::of(format_args!("Files: {}", directory.display()))
    };
    Lines::sections([shown(outcome, plan), files])
}

/// Each value that is not valid, with its reasons.
fn doubted(result: &SweepResult) -> Vec<String> {
    let doubted = result.verdicts.iter().filter(|value| value.verdict.verdict != Validity::Valid);
    let line = |value: &ValueVerdict| {
        let name = if value.parameters.is_empty() {
            "the run".into()
        } else {
            parameter::describe(&value.parameters)
        };
        let reasons: Vec<&str> = value.verdict.reasons.iter().map(|reason| reason.reason.as_str()).collect();
        format!("--require-valid: {name} is {} ({})", value.verdict.verdict, reasons.join(", "))
    };
    doubted.map(line).collect()
}

/// How the servers are connected to; what is dangerous about it is said.
fn transport(config: &Config) -> Result<Transport, Failure> {
    let ConnectionConfig { insecure, ca_certs, reuse_strategy, http2 } = &config.server.connection;
    let trust = if *insecure {
        say!("{INSECURE_WARNING}");
        TrustedAuthorities::anybody()
    } else {
        TrustedAuthorities::with_certificates(ca_certs)?
    };
    let holds_server = matches!(config.server.servers, Servers::Simulator { .. });
    let sockets = Sockets::of_this_process(holds_server);
    Ok(Transport { trust, reuse: *reuse_strategy, http2: *http2, sockets })
}

/// The file of requests, checked as a whole before anything is sent.
fn open_dataset(config: &Config) -> Result<Option<Arc<Dataset>>, Failure> {
    let Some(file) = &config.workload.dataset else { return Ok(None) };
    let dataset = Dataset::open(&file.file, file.kind)?;
    if let Some(window) = config.load.fixed_schedule {
        dataset.schedule(window)?;
    }
    if config.load.defer_parsing && dataset.has_conversations() {
        return Err(CommandError::ConversationsCannotWait.into());
    }
    Ok(Some(Arc::new(dataset)))
}

/// The command that runs what is not done.
fn tell_how_to_continue(config: &Config, directory: &Path) {
    let secrets = match (&config.server.api_key, config.server.headers.is_empty()) {
        (None, true) => "",
        (Some(_), true) => " (with --api-key or OPENAI_API_KEY again, since keys are not stored)",
        (_, false) => " (with --header and --api-key again where they were given, since they are not stored)",
    };
    say!("continue with: aiperf profile --resume {}{secrets}", quoted(&no_flag(directory)));
}

/// A path that no program takes for a flag.
fn no_flag(path: &Path) -> String {
    let text = path.display().to_string();
    if text.starts_with('-') { format!("./{text}") } else { text }
}

/// An argument as a shell takes it.
fn quoted(argument: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:@%,=".contains(&byte);
    if argument.bytes().all(is_plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

/// The options of `--config` below those of the command line.
fn with_file(options: Options) -> Result<Options, Failure> {
    match options.config.clone() {
        Some(path) => Ok(options.over(Options::load_file(&path)?)),
        None => Ok(options),
    }
}

/// The servers of a benchmark; the simulator runs for as long as this lives.
pub(crate) struct Started {
    pub(crate) urls: Vec<ServerUrl>,
    _simulator: Option<Simulator>,
}

impl Started {
    /// No server, for a plan that is not carried out.
    fn none() -> Self {
        Self { urls: Vec::new(), _simulator: None }
    }

    pub(crate) fn new(servers: &Servers) -> Result<Self, Failure> {
        match servers {
            Servers::Urls(urls) => Ok(Self { urls: urls.clone(), _simulator: None }),
            Servers::Simulator { query } => {
                let simulator =
                    Simulator::start(Settings::from_query(query)?, (Ipv4Addr::LOCALHOST, 0).into())?;
                let url = simulator.base_url().parse().map_err(CommandError::Simulator)?;
                Ok(Self { urls: vec![url], _simulator: Some(simulator) })
            }
        }
    }
}

fn observer(config: &Config, plan: &Plan) -> Box<dyn Observer> {
    match config.output.ui {
        Ui::None => Box::new(Silent),
        Ui::Simple => {
            Box::new(Simple::new(plan.steps.len(), plan.shape.trials, config.trials.time_budget.is_some()))
        }
    }
}

/// What the benchmark says, as text.
fn shown(outcome: &Outcome, plan: &Plan) -> Lines {
    let is_single = !plan.shape.sweep && plan.shape.trials == 1;
    match &outcome.last_run {
        Some(metrics) if is_single => {
            let result = &outcome.result;
            Lines::sections([
                ui::run_table(metrics),
                ui::request_errors(result),
                ui::verdicts(&result.verdicts),
            ])
        }
        // Why is said on standard error.
        _ if outcome.result.points.is_empty() => Lines::default(),
        _ => {
            let mut lines = Lines::of("");
            lines.append(&ui::summary(&outcome.result));
            lines
        }
    }
}

fn exit(outcome: &Outcome, config: &Config) -> Exit {
    match outcome {
        Outcome { stopped: Some(Stop::Interrupted), .. } => Exit::Interrupted,
        // What is to be mended is the plugin, also where nothing succeeded.
        Outcome { failed_by_plugin: true, .. } => Exit::PluginFailed,
        Outcome { succeeded: 0, .. } => Exit::NothingSucceeded,
        Outcome { result, .. } if !result.conclusions.failures.is_empty() => Exit::PluginFailed,
        Outcome { failed: 1.., .. } => Exit::SomeFailed,
        Outcome { result, .. } if config.trust.require_valid && !doubted(result).is_empty() => {
            Exit::GateFailed
        }
        _ => Exit::Success,
    }
}
