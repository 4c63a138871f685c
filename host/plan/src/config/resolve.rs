//! From options to a configuration: defaults, grammars and cross-checks.

mod convergence;
mod dataset;
mod material;
mod ramps;
mod time_budget;

use super::{
    Calibration, CancellationConfig, Config, FailureConfig, Lengths, LoadConfig, OutputConfig, PluginConfig,
    PluginLimits, ServerConfig, SweepConfig, TrialsConfig, TrustConfig, Ui, WorkloadConfig,
};
use crate::connection::ConnectionConfig;
use crate::error::ConfigError;
use crate::later::DASHBOARD;
use crate::list::{self, ListText};
use crate::options::{ArrivalChoice, Options, SweepMetrics, SweepMode, TrialPrompts, UiChoice};
use crate::plugin_choice::{self, PluginChoice};
use crate::secret::Secret;
use crate::server::Servers;
use crate::sweepable::{Sweepable, Values};
use crate::{extra_inputs, goodput, header, sweep};
use aiperf_model::arrival::ArrivalPattern;
use aiperf_model::limits::{MOST_DIFFERENT_REQUESTS, MOST_PROMPT_TOKENS, MOST_SECONDS};
use aiperf_model::metrics::StatisticSelection;
use aiperf_model::precision::Precision;
use aiperf_model::sweep::Order;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

const DEFAULT_URL: &str = "http://localhost:8000";
const DEFAULT_ISL: u32 = 550;
const DEFAULT_SEED: u64 = 42;
/// More measuring threads than any machine has cores.
const MOST_WORKERS: u32 = 1024;
/// Far more even than any clock is.
const MOST_SMOOTHNESS: f64 = 1_000_000.0;
/// What the two criteria are that are always reported; the first one is chosen unless the user chooses.
const CRITERIA: [&str; 2] = ["dominance", "efficient"];
const OBJECTIVES: [&str; 2] = ["throughput", "latency-p99"];
const DETECTORS: [&str; 1] = ["slope-change"];

/// What a configuration depends on beside the options.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Environment {
    /// The variable `OPENAI_API_KEY`.
    pub openai_api_key: Option<Secret>,
    /// All variables: those that settings of plugins name hold secrets.
    pub variables: BTreeMap<String, Secret>,
    /// The directory of plugins unless the options name another one.
    pub plugin_dir: Option<PathBuf>,
    /// Whether the output goes to a terminal.
    pub stdout_is_terminal: bool,
    /// The cores that this process may use; 0 counts as 1.
    pub cores: u32,
}

impl Environment {
    /// What the variables hold that stand for settings of these plugins.
    fn setting_secrets<'a>(&self, choices: impl IntoIterator<Item = &'a PluginChoice>) -> Vec<Secret> {
        let names = choices.into_iter().flat_map(PluginChoice::variables);
        names.filter_map(|name| self.variables.get(name).cloned()).collect()
    }
}

impl Config {
    /// Check the options and fill in what they leave out.
    ///
    /// # Errors
    /// The first mistake, with its flag, its place and a correct example.
    #[expect(clippy::needless_pass_by_value, reason = "the options have no use once they are resolved")]
    pub fn resolve(options: Options, environment: &Environment) -> Result<Self, ConfigError> {
        options.later.refuse()?;
        let (load, workload) = (load(&options, environment)?, workload(&options)?);
        let (sweep, trials) = (sweep_config(&options)?, trials(&options)?);
        let axes = sweep::axes(&load, &workload);
        sweep::check(&axes, sweep.sweep_type, trials.num_profile_runs)?;
        if axes.is_empty() {
            refuse_sweep_flags(&options)?;
        }
        if trials.num_profile_runs == 1 {
            refuse_trial_flags(&options)?;
        }
        let is_single_run = axes.is_empty() && trials.num_profile_runs == 1;
        let plugins = PluginConfig::resolve(&options, environment)?;
        let mut server = server(&options, environment)?;
        server.setting_secrets.extend(plugins.setting_secrets.iter().cloned());
        Ok(Self {
            model: model(&options)?,
            server,
            load,
            sweep,
            trials,
            workload,
            failures: failures(&options)?,
            trust: trust(&options),
            plugins,
            output: output(&options, ui(options.ui, is_single_run, environment)?)?,
        })
    }
}

fn model(options: &Options) -> Result<String, ConfigError> {
    let (flag, example) = ("--model", "--model llama-3-8b");
    let model = options.model.as_deref().ok_or(ConfigError::Missing { flag, example })?.trim();
    if model.is_empty() {
        Err(ConfigError::value(flag, "it is empty", example))
    } else {
        Ok(model.to_owned())
    }
}

fn server(options: &Options, environment: &Environment) -> Result<ServerConfig, ConfigError> {
    let default_url = [DEFAULT_URL.to_owned()];
    let endpoint_type = options.endpoint_type.as_deref().unwrap_or("chat");
    let servers = Servers::parse(options.url.as_deref().unwrap_or(&default_url))?;
    let endpoint_type = PluginChoice::parse("--endpoint-type", "chat", endpoint_type)?;
    Ok(ServerConfig {
        connection: ConnectionConfig::resolve(options, &servers)?,
        servers,
        setting_secrets: environment.setting_secrets([&endpoint_type]),
        endpoint_type,
        endpoint: options.endpoint.as_deref().map(|path| endpoint_path(path).into()),
        streaming: options.streams(),
        headers: header::parse_all(options.header.as_deref().unwrap_or_default())?,
        api_key: api_key(options, environment)?,
        request_timeout: request_timeout(options.request_timeout_seconds.unwrap_or(21600.0))?,
        unreachable_timeout: seconds(
            "--unreachable-timeout",
            Some(options.unreachable_timeout.unwrap_or(5.0)),
            "5",
        )?,
        response_mib: response_mib(options.response_mib.unwrap_or(64))?,
    })
}

/// Marks in a response are numbers of 32 bits, and four times as much is held by all together.
fn response_mib(mib: u32) -> Result<u32, ConfigError> {
    const MOST: u32 = 1024;
    if (1..=MOST).contains(&mib) {
        return Ok(mib);
    }
    let problem = format!("it is {mib}, but must be from 1 to {MOST}");
    Err(ConfigError::value("--response-mib", problem, "--response-mib 256"))
}

fn request_timeout(timeout: f64) -> Result<Duration, ConfigError> {
    let flag = "--request-timeout-seconds";
    if timeout == 0.0 {
        return Err(ConfigError::value(flag, "it is 0, but must be more than 0", format!("{flag} 60")));
    }
    seconds(flag, Some(timeout), "60")
}

/// With a slash at its start, unless it is empty.
fn endpoint_path(text: &str) -> String {
    let path = text.trim();
    if path.is_empty() || path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
}

fn api_key(options: &Options, environment: &Environment) -> Result<Option<Secret>, ConfigError> {
    let from_environment = environment.openai_api_key.as_ref().filter(|key| !key.expose().trim().is_empty());
    let Some(key) = options.api_key.as_ref().or(from_environment) else { return Ok(None) };
    let key = key.expose().trim();
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let problem = "it, or OPENAI_API_KEY, is empty or has characters that a header cannot hold";
        return Err(ConfigError::value("--api-key", problem, "--api-key \"$OPENAI_API_KEY\""));
    }
    Ok(Some(key.into()))
}

fn load(options: &Options, environment: &Environment) -> Result<LoadConfig, ConfigError> {
    let max_error_rate = options.max_error_rate.unwrap_or(0.5);
    if !(0.0..=1.0).contains(&max_error_rate) {
        let problem = format!("it is {max_error_rate}, but must be from 0 to 1");
        return Err(ConfigError::value("--max-error-rate", problem, "--max-error-rate 0.5"));
    }
    if let Some(workers) = options.workers.filter(|workers| !(1..=MOST_WORKERS).contains(workers)) {
        let problem = format!("it is {workers}, but must be from 1 to {MOST_WORKERS}");
        return Err(ConfigError::value("--workers", problem, "--workers 2"));
    }
    let warmup_request_count = options.warmup_request_count.unwrap_or(0);
    if warmup_request_count > MOST_DIFFERENT_REQUESTS {
        let flag = "--warmup-request-count";
        let problem = format!("it is {warmup_request_count}, but must be at most {MOST_DIFFERENT_REQUESTS}");
        return Err(ConfigError::value(flag, problem, format!("{flag} 100")));
    }
    let grace_period = options.benchmark_grace_period.or(Some(30.0));
    let request_rate = quantities(Sweepable::RequestRate, options.request_rate.as_ref())?;
    // A rate or a schedule alone has no limit of requests in flight; without one there is nothing but the concurrency.
    let fixed_schedule = dataset::schedule(options)?;
    let is_closed = request_rate.is_none() && fixed_schedule.is_none();
    let concurrency = counts(Sweepable::Concurrency, options.concurrency.as_ref())?
        .or_else(|| is_closed.then(|| Values::one(1)));
    let benchmark_duration = quantities(Sweepable::BenchmarkDuration, options.benchmark_duration.as_ref())?;
    let ramps = ramps::resolve(options, benchmark_duration.as_ref())?;
    Ok(LoadConfig {
        concurrency,
        arrival_pattern: arrival_pattern(options)?,
        request_rate,
        concurrency_ramp: ramps.concurrency,
        request_rate_ramp: ramps.request_rate,
        fixed_schedule,
        conversation_num: dataset::conversation_num(options)?,
        num_prompts: counts(Sweepable::NumPrompts, options.num_prompts.as_ref())?,
        benchmark_duration,
        precision: precision(options.precision.as_deref(), environment)?,
        max_run_duration: max_run_duration(options.max_run_duration)?,
        grace_period: seconds("--benchmark-grace-period", grace_period, "30")?,
        cancellation: cancellation(options)?,
        warmup_request_count,
        max_error_rate,
        workers: options.workers.unwrap_or(environment.cores.max(1)),
        defer_parsing: options.defer_parsing.unwrap_or(false),
    })
}

/// How well a run is to know its figures; none for a number of requests.
fn precision(option: Option<&str>, environment: &Environment) -> Result<Option<Precision>, ConfigError> {
    const VARIABLE: &str = "AIPERF_PRECISION";
    let of_environment =
        environment.variables.get(VARIABLE).map(Secret::expose).filter(|text| !text.is_empty());
    let Some(text) = option.or(of_environment) else { return Ok(Some(Precision::DEFAULT)) };
    if text == "none" {
        return Ok(None);
    }
    let percent = text.parse::<f64>().ok().filter(|percent| *percent >= 0.1 && *percent <= 50.0);
    let throughput = percent.map(|percent| percent / 100.0).ok_or_else(|| {
        let problem = format!("it is {text}, but must be from 0.1 to 50 percent, or none");
        ConfigError::value("--precision", problem, "--precision 2".to_owned())
    })?;
    Ok(Some(Precision { throughput }))
}

fn max_run_duration(option: Option<f64>) -> Result<Duration, ConfigError> {
    const FLAG: &str = "--max-run-duration";
    let duration = seconds(FLAG, option.or(Some(60.0)), "60")?;
    if duration < Duration::from_secs(1) {
        let problem = "a run needs a second at least".to_owned();
        return Err(ConfigError::value(FLAG, problem, format!("{FLAG} 60")));
    }
    Ok(duration)
}

/// Which requests are to be cancelled.
fn cancellation(options: &Options) -> Result<Option<CancellationConfig>, ConfigError> {
    let (flag, delay_flag) = ("--request-cancellation-rate", "--request-cancellation-delay");
    let Some(rate_percent) = options.request_cancellation_rate else {
        let needs = ConfigError::NeedsFlag { flag: delay_flag, example: "--request-cancellation-rate 10" };
        return if options.request_cancellation_delay.is_some() { Err(needs) } else { Ok(None) };
    };
    if !(0.0..=100.0).contains(&rate_percent) {
        let problem = format!("it is {rate_percent}, but must be from 0 to 100 percent");
        return Err(ConfigError::value(flag, problem, format!("{flag} 10")));
    }
    let delay = seconds(delay_flag, options.request_cancellation_delay, "2")?;
    Ok((rate_percent > 0.0).then_some(CancellationConfig { rate_percent, delay }))
}

/// The pattern of the request rate, or none without a rate.
fn arrival_pattern(options: &Options) -> Result<Option<ArrivalPattern>, ConfigError> {
    let needs = |flag, example| Err(ConfigError::NeedsFlag { flag, example });
    if options.request_rate.is_none() {
        return match (options.arrival_pattern, options.arrival_smoothness) {
            (Some(_), _) => needs("--arrival-pattern", "--request-rate 10"),
            (_, Some(_)) => needs("--arrival-smoothness", "--request-rate 10 --arrival-pattern gamma"),
            (None, None) => Ok(None),
        };
    }
    let pattern = match options.arrival_pattern {
        Some(ArrivalChoice::Gamma) => {
            let smoothness = options.arrival_smoothness.unwrap_or(1.0);
            if !(smoothness > 0.0 && smoothness <= MOST_SMOOTHNESS) {
                let flag = "--arrival-smoothness";
                let problem =
                    format!("it is {smoothness}, but must be more than 0 and at most {MOST_SMOOTHNESS}");
                return Err(ConfigError::value(flag, problem, format!("{flag} 2")));
            }
            ArrivalPattern::Gamma { smoothness }
        }
        _ if options.arrival_smoothness.is_some() => {
            return needs("--arrival-smoothness", "--arrival-pattern gamma");
        }
        Some(ArrivalChoice::Constant) => ArrivalPattern::Constant,
        Some(ArrivalChoice::Poisson) | None => ArrivalPattern::Poisson,
    };
    Ok(Some(pattern))
}

fn sweep_config(options: &Options) -> Result<SweepConfig, ConfigError> {
    Ok(SweepConfig {
        sweep_type: options.sweep_type.unwrap_or_default(),
        mode: match options.parameter_sweep_mode {
            None | Some(SweepMode::Repeated) => Order::Repeated,
            Some(SweepMode::Independent) => Order::Independent,
            Some(SweepMode::Balanced) => Order::Balanced,
        },
        cooldown: seconds(
            "--parameter-sweep-cooldown-seconds",
            options.parameter_sweep_cooldown_seconds,
            "30",
        )?,
        same_seed: options.parameter_sweep_same_seed.unwrap_or(false),
        metrics: match options.sweep_metrics {
            None | Some(SweepMetrics::Compact) => StatisticSelection::Compact,
            Some(SweepMetrics::All) => StatisticSelection::All,
        },
    })
}

fn trials(options: &Options) -> Result<TrialsConfig, ConfigError> {
    let by_default = if options.budget.is_some() { time_budget::MOST_TRIALS } else { 1 };
    let num_profile_runs = options.num_profile_runs.unwrap_or(by_default);
    if num_profile_runs == 0 {
        let problem = "it is 0, but must be at least 1";
        return Err(ConfigError::value("--num-profile-runs", problem, "--num-profile-runs 5"));
    }
    let confidence_level = options.confidence_level.unwrap_or(0.95);
    if !(confidence_level > 0.0 && confidence_level < 1.0) {
        let problem = format!("it is {confidence_level}, but must lie between 0 and 1");
        return Err(ConfigError::value("--confidence-level", problem, "--confidence-level 0.95"));
    }
    if options.warmup_every_run == Some(true) && options.warmup_request_count.unwrap_or(0) == 0 {
        return Err(ConfigError::NeedsFlag {
            flag: "--warmup-every-run",
            example: "--warmup-request-count 100",
        });
    }
    Ok(TrialsConfig {
        num_profile_runs,
        cooldown: seconds("--profile-run-cooldown-seconds", options.profile_run_cooldown_seconds, "10")?,
        confidence_level,
        convergence: convergence::resolve(options)?,
        time_budget: time_budget::resolve(options)?,
        vary_seed: options.vary_seed_per_trial.unwrap_or(false),
        warmup_every_run: options.warmup_every_run.unwrap_or(false),
    })
}

fn workload(options: &Options) -> Result<WorkloadConfig, ConfigError> {
    let isl = counts(Sweepable::Isl, options.isl.as_ref())?.unwrap_or(Values::one(DEFAULT_ISL));
    let osl = counts(Sweepable::Osl, options.osl.as_ref())?;
    if osl.is_none() && options.osl_stddev.is_some() {
        return Err(ConfigError::NeedsFlag { flag: "--osl-stddev", example: "--osl 128" });
    }
    let osl_std_dev = std_dev("--osl-stddev", options.osl_stddev)?;
    Ok(WorkloadConfig {
        random_seed: options.random_seed.unwrap_or(DEFAULT_SEED),
        prompt_salt: prompt_salt(options)?,
        trial_prompts: options.trial_prompts.unwrap_or_default(),
        dataset: dataset::dataset(options)?,
        conversation: dataset::conversation(options)?,
        isl: Lengths { mean: isl, std_dev: std_dev("--isl-stddev", options.isl_stddev)? },
        osl: osl.map(|mean| Lengths { mean, std_dev: osl_std_dev }),
        extra_inputs: extra_inputs::parse_all(options.extra_inputs.as_deref().unwrap_or_default())?,
        goodput: options.goodput.as_deref().map(goodput::parse).transpose()?.unwrap_or_default(),
    })
}

fn prompt_salt(options: &Options) -> Result<Option<String>, ConfigError> {
    let is_same = options.trial_prompts == Some(TrialPrompts::Same);
    if is_same && options.vary_seed_per_trial == Some(true) {
        let (flag, other) = ("--trial-prompts same", "--vary-seed-per-trial");
        return Err(ConfigError::Exclusive { flag, other });
    }
    if options.prompt_salt.as_deref() == Some("") {
        let problem = "it is empty, but must be a text";
        return Err(ConfigError::value("--prompt-salt", problem, "--prompt-salt monday"));
    }
    Ok(options.prompt_salt.clone())
}

fn failures(options: &Options) -> Result<FailureConfig, ConfigError> {
    Ok(FailureConfig {
        wait_for_model_timeout: seconds("--wait-for-model-timeout", options.wait_for_model_timeout, "300")?,
        retry_failed: options.retry_failed.unwrap_or(0),
        fail_fast: options.fail_fast.unwrap_or(false),
        max_failed_values: options.max_failed_values,
    })
}

impl PluginConfig {
    /// The plugins that the options name, and the defaults.
    ///
    /// The two default criteria and objectives always take part, since the files always tell of them. Two or more
    /// objectives of the user span the trade-off; with one or none it lies between the defaults.
    ///
    /// # Errors
    /// A choice that is no `name` or `name:{json}`, or one that is made twice; no share as the least difference.
    pub fn resolve(options: &Options, environment: &Environment) -> Result<Self, ConfigError> {
        let given = chosen("--objective", options.objective.as_deref(), &OBJECTIVES)?;
        let trade_off = given.len().max(OBJECTIVES.len());
        let objectives = if given.len() > 1 { with(given, &OBJECTIVES) } else { before(given, &OBJECTIVES) };
        let criteria = with(chosen("--pareto", options.pareto.as_deref(), &CRITERIA)?, &CRITERIA);
        let detectors = chosen("--trend", options.trend.as_deref(), &DETECTORS)?;
        let setting_secrets =
            environment.setting_secrets(objectives.iter().chain(&criteria).chain(&detectors));
        Ok(Self {
            files: options.plugin.clone().unwrap_or_default(),
            directory: options.plugin_dir.clone().or_else(|| environment.plugin_dir.clone()),
            locked: options.locked.unwrap_or(false),
            allow_native: options.allow_native.unwrap_or(false),
            limits: plugin_limits(options)?,
            trace: options.plugin_trace.clone(),
            objectives,
            trade_off,
            criteria,
            detectors,
            material: material::resolve(options)?,
            setting_secrets,
        })
    }
}

fn plugin_limits(options: &Options) -> Result<PluginLimits, ConfigError> {
    let flag = "--plugin-timeout-seconds";
    let time = options.plugin_timeout_seconds.map(|time| seconds(flag, Some(time), "5")).transpose()?;
    if time.is_some_and(|time| time.is_zero()) {
        return Err(ConfigError::value(flag, "it is 0, but must be more than 0", format!("{flag} 5")));
    }
    let at_least_one = |flag: &'static str, given: Option<u32>, example: &str| match given {
        Some(0) => {
            Err(ConfigError::value(flag, "it is 0, but must be at least 1", format!("{flag} {example}")))
        }
        given => Ok(given),
    };
    Ok(PluginLimits {
        time,
        memory_mib: at_least_one("--plugin-memory-mib", options.plugin_memory_mib, "64")?,
        output_mib: at_least_one("--plugin-output-mib", options.plugin_output_mib, "32")?,
        log_lines: options.plugin_log_lines,
        findings: options.plugin_findings,
        instances: at_least_one("--plugin-instances", options.plugin_instances, "128")?,
        compile_time: at_least_one("--plugin-compile-seconds", options.plugin_compile_seconds, "120")?
            .map(|seconds| Duration::from_secs(seconds.into())),
        compile_mib: at_least_one("--plugin-compile-mib", options.plugin_compile_mib, "2048")?,
    })
}

/// The choices, followed by those defaults that are not among them.
fn with(mut choices: Vec<PluginChoice>, defaults: &[&str]) -> Vec<PluginChoice> {
    let is_missing = |name: &&&str| choices.iter().all(|choice| choice.name != **name);
    let missing: Vec<PluginChoice> =
        defaults.iter().filter(is_missing).copied().map(PluginChoice::named).collect();
    choices.extend(missing);
    choices
}

/// The defaults, each as it was chosen if it was, followed by the other choices.
fn before(choices: Vec<PluginChoice>, defaults: &[&str]) -> Vec<PluginChoice> {
    let (chosen, others): (Vec<_>, Vec<_>) =
        choices.into_iter().partition(|choice| defaults.contains(&choice.name.as_str()));
    let mut all = with(chosen, defaults);
    all.sort_by_key(|choice| defaults.iter().position(|name| *name == choice.name));
    all.extend(others);
    all
}

/// What the user names, or the defaults.
fn chosen(
    flag: &'static str,
    names: Option<&[String]>,
    defaults: &[&str],
) -> Result<Vec<PluginChoice>, ConfigError> {
    let example = defaults.first().copied().unwrap_or_default();
    match names {
        Some(names) if !names.is_empty() => plugin_choice::parse_all(flag, example, names),
        Some(_) | None => Ok(defaults.iter().copied().map(PluginChoice::named).collect()),
    }
}

/// The UI, and whether it was chosen because there are several runs.
fn ui(
    choice: Option<UiChoice>,
    is_single_run: bool,
    environment: &Environment,
) -> Result<(Ui, bool), ConfigError> {
    match choice {
        Some(UiChoice::Dashboard) if is_single_run => Err((&DASHBOARD).into()),
        Some(UiChoice::Dashboard) => Err(ConfigError::DashboardInSweep),
        Some(UiChoice::Simple) => Ok((Ui::Simple, false)),
        None if !is_single_run => Ok((Ui::Simple, true)),
        None if environment.stdout_is_terminal => Ok((Ui::Simple, false)),
        Some(UiChoice::None) | None => Ok((Ui::None, false)),
    }
}

fn trust(options: &Options) -> TrustConfig {
    TrustConfig {
        calibration: match options.calibrates() {
            None => Calibration::Automatic,
            Some(true) => Calibration::Always,
            Some(false) => Calibration::Never,
        },
        require_valid: options.require_valid.unwrap_or(false),
    }
}

fn output(options: &Options, (ui, ui_is_automatic): (Ui, bool)) -> Result<OutputConfig, ConfigError> {
    if options.resume.is_some() && options.overwrite == Some(true) {
        return Err(ConfigError::Exclusive { flag: "--resume", other: "--overwrite" });
    }
    Ok(OutputConfig {
        artifact_dir: options.artifact_dir.clone().unwrap_or_else(|| "artifacts".into()),
        overwrite: options.overwrite.unwrap_or(false),
        ui,
        ui_is_automatic,
        resume: options.resume.clone(),
        dry_run: options.dry_run.unwrap_or(false),
    })
}

fn refuse_sweep_flags(options: &Options) -> Result<(), ConfigError> {
    let given = [
        ("--sweep-type", options.sweep_type.is_some()),
        ("--parameter-sweep-mode", options.parameter_sweep_mode.is_some()),
        ("--parameter-sweep-cooldown-seconds", options.parameter_sweep_cooldown_seconds.is_some()),
        ("--parameter-sweep-same-seed", options.parameter_sweep_same_seed == Some(true)),
        ("--budget", options.budget.is_some()),
        ("--sweep-metrics", options.sweep_metrics.is_some()),
        ("--objective", options.objective.is_some()),
        ("--pareto", options.pareto.is_some()),
        ("--trend", options.trend.is_some()),
        ("--material", options.material.is_some()),
    ];
    match given.into_iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) => Err(ConfigError::NeedsSweep { flag }),
        None => Ok(()),
    }
}

fn refuse_trial_flags(options: &Options) -> Result<(), ConfigError> {
    let given = [
        ("--profile-run-cooldown-seconds", options.profile_run_cooldown_seconds.is_some()),
        ("--budget", options.budget.is_some()),
        ("--convergence-metric", options.convergence_metric.is_some()),
        ("--vary-seed-per-trial", options.vary_seed_per_trial == Some(true)),
        ("--warmup-every-run", options.warmup_every_run == Some(true)),
        ("--trial-prompts", options.trial_prompts.is_some()),
    ];
    match given.into_iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) => Err(ConfigError::NeedsTrials { flag }),
        None => Ok(()),
    }
}

fn list(parameter: Sweepable, text: Option<&ListText>) -> Result<Option<Vec<f64>>, ConfigError> {
    text.map(|text| list::parse(parameter, text)).transpose()
}

/// A list of counts. The grammar has made sure that they are whole and fit.
fn counts(parameter: Sweepable, text: Option<&ListText>) -> Result<Option<Values<u32>>, ConfigError> {
    let numbers = list(parameter, text)?;
    let counts = numbers.map(|numbers| numbers.into_iter().map(|number| number as u32).collect::<Vec<_>>());
    Ok(counts.and_then(|counts| Values::from_list(&counts)))
}

/// A list of quantities.
fn quantities(parameter: Sweepable, text: Option<&ListText>) -> Result<Option<Values<f64>>, ConfigError> {
    Ok(list(parameter, text)?.and_then(|numbers| Values::from_list(&numbers)))
}

fn seconds(flag: &'static str, seconds: Option<f64>, example: &str) -> Result<Duration, ConfigError> {
    let seconds = seconds.unwrap_or(0.0);
    if (0.0..=f64::from(MOST_SECONDS)).contains(&seconds) {
        return Ok(Duration::try_from_secs_f64(seconds).unwrap_or_default());
    }
    let problem = format!("it is {seconds}, but must be from 0 to {MOST_SECONDS} seconds");
    Err(ConfigError::value(flag, problem, format!("{flag} {example}")))
}

fn std_dev(flag: &'static str, tokens: Option<f64>) -> Result<f64, ConfigError> {
    let tokens = tokens.unwrap_or(0.0);
    if (0.0..=f64::from(MOST_PROMPT_TOKENS)).contains(&tokens) {
        return Ok(tokens);
    }
    let problem = format!("it is {tokens}, but must be a number of tokens from 0 to {MOST_PROMPT_TOKENS}");
    Err(ConfigError::value(flag, problem, format!("{flag} 50")))
}
