//! The configuration: every flag checked and every default filled in.

pub(crate) mod resolve;
mod written;

use crate::connection::ConnectionConfig;
use crate::header::UserHeader;
use crate::options::{SweepType, TrialPrompts};
use crate::plugin_choice::PluginChoice;
use crate::secret::Secret;
use crate::server::{EndpointPath, Servers};
use crate::sweep::{self, Axis};
use crate::sweepable::{Sweepable, Values};
use aiperf_model::arrival::{ArrivalPattern, RequestRate};
use aiperf_model::convergence::Convergence;
use aiperf_model::dataset::{DatasetType, Sampling, ScheduleWindow};
use aiperf_model::metrics::{ServiceLevel, StatisticSelection};
use aiperf_model::precision::Precision;
use aiperf_model::request::Header;
use aiperf_model::secret::Secrets;
use aiperf_model::server::ServerUrl;
use aiperf_model::sweep::{Order, SweepValue};
use serde::Serialize;
use serde_json::{Map, Value};
use std::path::PathBuf;
use std::time::Duration;
use written::{goodput, seconds};

/// The line that tells the user that the UI was not their choice.
pub const AUTOMATIC_UI_NOTICE: &str =
    "Parameter sweep mode: UI automatically set to 'simple' (use '--ui none' to disable UI output)";

/// Everything that a benchmark is asked to do. Serialised for the manifest, with secrets as `<redacted>`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Config {
    /// The model to ask; never empty.
    pub model: String,
    /// Who is asked, and how.
    pub server: ServerConfig,
    /// How much is asked.
    pub load: LoadConfig,
    /// What is varied.
    pub sweep: SweepConfig,
    /// How often it is repeated.
    pub trials: TrialsConfig,
    /// What is asked.
    pub workload: WorkloadConfig,
    /// What happens when a run fails.
    pub failures: FailureConfig,
    /// How sure the result must be.
    pub trust: TrustConfig,
    /// Which plugins take part.
    pub plugins: PluginConfig,
    /// What is shown and where the files go.
    pub output: OutputConfig,
}

/// Who is asked, and how.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ServerConfig {
    /// Where the servers are.
    pub servers: Servers,
    /// How they are connected to.
    pub connection: ConnectionConfig,
    /// The wire format.
    pub endpoint_type: PluginChoice,
    /// The path that replaces the wire format's own one; empty for none at all.
    pub endpoint: Option<EndpointPath>,
    /// Whether to stream, or none to stream wherever the wire format can.
    pub streaming: Option<bool>,
    /// The headers of the user, in order.
    pub headers: Vec<UserHeader>,
    /// What the variables hold that stand for settings of plugins, which may pass it on to the server.
    #[serde(skip)]
    pub setting_secrets: Vec<Secret>,
    /// The key for the server.
    pub api_key: Option<Secret>,
    /// How long a request may take.
    #[serde(rename = "request_timeout_seconds", serialize_with = "seconds")]
    pub request_timeout: Duration,
    /// How long the server may be out of reach before a run ends.
    #[serde(rename = "unreachable_timeout_seconds", serialize_with = "seconds")]
    pub unreachable_timeout: Duration,
    /// MiB that a response may have; at least 1. All responses in flight may have four times as many together.
    pub response_mib: u32,
}

impl ServerConfig {
    /// The headers for every request: those of the user, and the key as bearer token unless the user has set the
    /// authorization. They hold secrets.
    #[must_use]
    pub fn request_headers(&self) -> Vec<Header> {
        let mut headers: Vec<Header> = self.headers.iter().map(|header| header.header().clone()).collect();
        if let Some(key) = &self.api_key
            && headers.iter().all(|header| header.name != "authorization")
        {
            let value = format!("Bearer {}", key.expose());
            headers.push(Header { name: "authorization".into(), value });
        }
        headers
    }

    /// All that must not be shown, for texts that come back from the servers.
    #[must_use]
    pub fn secrets(&self) -> Secrets {
        let key = self.api_key.iter().map(Secret::expose);
        let headers = self.headers.iter().filter_map(UserHeader::secret);
        let urls = match &self.servers {
            Servers::Urls(urls) => urls.as_slice(),
            Servers::Simulator { .. } => &[],
        };
        let parameters = urls.iter().flat_map(ServerUrl::secrets);
        let endpoint = self.endpoint.iter().flat_map(EndpointPath::secrets);
        let settings = self.setting_secrets.iter().map(Secret::expose);
        Secrets::new(key.chain(headers).chain(parameters).chain(endpoint).chain(settings))
    }

    /// The path to append to the server's URL, where `default` is the one of the wire format.
    #[must_use]
    pub fn path<'a>(&'a self, default: &'a str) -> &'a str {
        self.endpoint.as_ref().map_or(default, EndpointPath::as_str)
    }
}

/// How much is asked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LoadConfig {
    /// Requests in flight at the same time, or with a request rate at most; at least 1. None only with a request
    /// rate, which then has no such limit.
    pub concurrency: Option<Values<u32>>,
    /// Requests per second; more than 0. None if a request follows the one before it.
    pub request_rate: Option<Values<f64>>,
    /// How the requests of a rate are spread over time.
    pub arrival_pattern: Option<ArrivalPattern>,
    /// For how long the requests in flight grow to the concurrency.
    #[serde(rename = "concurrency_ramp_duration_seconds", serialize_with = "seconds")]
    pub concurrency_ramp: Duration,
    /// For how long the request rate grows.
    #[serde(rename = "request_rate_ramp_duration_seconds", serialize_with = "seconds")]
    pub request_rate_ramp: Duration,
    /// Which timestamps of the dataset say when requests are due; none if they do not.
    pub fixed_schedule: Option<ScheduleWindow>,
    /// Conversations per run as given by the user; at least 1.
    pub conversation_num: Option<u32>,
    /// Requests per run as given by the user; at least 1. What applies to a run is in [`RunSettings::requests`].
    pub num_prompts: Option<Values<u32>>,
    /// Seconds per run; more than 0.
    #[serde(rename = "benchmark_duration_seconds")]
    pub benchmark_duration: Option<Values<f64>>,
    /// How well a run is to know its figures before it ends, unless something else ends it; none for a number of requests.
    pub precision: Option<Precision>,
    /// The longest that a run goes on for that.
    #[serde(rename = "max_run_duration_seconds", serialize_with = "seconds")]
    pub max_run_duration: Duration,
    /// How long requests in flight may go on after the end.
    #[serde(rename = "benchmark_grace_period_seconds", serialize_with = "seconds")]
    pub grace_period: Duration,
    /// Which requests are cancelled on purpose; none for none.
    pub cancellation: Option<CancellationConfig>,
    /// Requests that warm the server up.
    pub warmup_request_count: u32,
    /// The share of failed requests above which a run counts as failed, from 0 to 1.
    pub max_error_rate: f64,
    /// Threads that send requests; at least 1.
    pub workers: u32,
    /// Whether the responses of a run are read only after its load.
    pub defer_parsing: bool,
}

/// Requests that are cancelled on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CancellationConfig {
    /// The share of the requests, in percent; more than 0.
    pub rate_percent: f64,
    /// How long after its send a request is cancelled.
    #[serde(rename = "delay_seconds", serialize_with = "seconds")]
    pub delay: Duration,
}

/// What is varied. The values are those of the parameters in [`Config::axes`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SweepConfig {
    /// How several axes are combined.
    pub sweep_type: SweepType,
    /// In which order values and trials are run.
    pub mode: Order,
    /// The pause between values.
    #[serde(rename = "cooldown_seconds", serialize_with = "seconds")]
    pub cooldown: Duration,
    /// Whether all values share one seed.
    pub same_seed: bool,
    /// Which metrics stand in the sweep file.
    pub metrics: StatisticSelection,
}

/// How often it is repeated.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrialsConfig {
    /// Trials per value; at least 1.
    pub num_profile_runs: u32,
    /// The pause between trials.
    #[serde(rename = "cooldown_seconds", serialize_with = "seconds")]
    pub cooldown: Duration,
    /// The coverage of intervals, between 0 and 1.
    pub confidence_level: f64,
    /// When the trials of a value end early; none if they never do.
    pub convergence: Option<Convergence>,
    /// The time for all trials, which then go where they matter; none if each value has its trials.
    pub time_budget: Option<TimeBudgetConfig>,
    /// Whether each trial has a seed of its own.
    pub vary_seed: bool,
    /// Whether trials after the first one warm up too.
    pub warmup_every_run: bool,
}

/// The time for all trials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TimeBudgetConfig {
    /// How long the sweep may take; more than 0.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub time: Duration,
    /// The trials that each value has before they go where they matter; at least 2.
    pub min_trials: u32,
}

/// The distribution of a number of tokens: normal, with one or several means.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lengths {
    /// Tokens; at least 1.
    pub mean: Values<u32>,
    /// Tokens; at least 0.
    pub std_dev: f64,
}

/// A file of requests.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DatasetConfig {
    /// The file.
    pub file: PathBuf,
    /// What its lines are; none if the first one tells it.
    #[serde(rename = "type")]
    pub kind: Option<DatasetType>,
    /// In which order they are sent.
    pub sampling: Sampling,
}

/// Conversations that are made up: normal distributions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ConversationConfig {
    /// Turns; at least 1.
    pub turn_mean: f64,
    /// Turns; at least 0.
    pub turn_std_dev: f64,
    /// Milliseconds between an answer and the next turn; at least 0.
    pub delay_mean_ms: f64,
    /// Milliseconds; at least 0.
    pub delay_std_dev_ms: f64,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WorkloadConfig {
    /// The seed of the first value.
    pub random_seed: u64,
    /// What the words of prompts follow from beside the seed; none for what each benchmark draws for itself.
    pub prompt_salt: Option<String>,
    /// Whether trials have the same prompts.
    pub trial_prompts: TrialPrompts,
    /// The file that the requests come from; none if they are made up.
    pub dataset: Option<DatasetConfig>,
    /// Conversations that are made up; none for requests by themselves.
    pub conversation: Option<ConversationConfig>,
    /// Input tokens per request that is made up.
    pub isl: Lengths,
    /// Output tokens to ask for where a file does not say so, or none to leave them to the server.
    pub osl: Option<Lengths>,
    /// Fields that are added to every request body.
    pub extra_inputs: Map<String, Value>,
    /// The limits that a good request meets.
    #[serde(serialize_with = "goodput")]
    pub goodput: Vec<ServiceLevel>,
}

impl WorkloadConfig {
    /// The extra fields as a JSON object, or none if there are none.
    #[must_use]
    pub fn extra(&self) -> Option<String> {
        (!self.extra_inputs.is_empty()).then(|| Value::Object(self.extra_inputs.clone()).to_string())
    }
}

/// What happens when a run fails. When a run counts as failed is in [`LoadConfig::max_error_rate`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FailureConfig {
    /// How long to wait before a run until the server answers.
    #[serde(rename = "wait_for_model_timeout_seconds", serialize_with = "seconds")]
    pub wait_for_model_timeout: Duration,
    /// How often a failed run is repeated at once.
    pub retry_failed: u32,
    /// Whether the first failed run ends the benchmark.
    pub fail_fast: bool,
    /// The benchmark ends when more values than this have no successful run; none if it never does.
    pub max_failed_values: Option<u32>,
}

/// When the client's own error is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Calibration {
    /// Before long benchmarks of real servers, unless it is known from earlier.
    #[default]
    Automatic,
    /// Before every benchmark.
    Always,
    /// Never.
    Never,
}

/// How sure the result must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TrustConfig {
    /// When the client's own error is measured.
    pub calibration: Calibration,
    /// Whether a value that is not valid fails the command.
    pub require_valid: bool,
}

/// What one call of a plugin may use; the host's own limits where nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PluginLimits {
    /// The longest time; more than 0.
    pub time: Option<Duration>,
    /// MiB of memory; at least 1.
    pub memory_mib: Option<u32>,
    /// MiB that are returned or logged; at least 1.
    pub output_mib: Option<u32>,
    /// Messages that are kept of a call; 0 keeps none.
    pub log_lines: Option<u32>,
    /// Findings, and lists of derived numbers, that are kept of a call of a detector; 0 keeps none.
    pub findings: Option<u32>,
    /// Core instances, tables and memories of one component; at least 1.
    pub instances: Option<u32>,
    /// Processor time of compiling one component; at least 1 s, in whole seconds.
    pub compile_time: Option<Duration>,
    /// MiB of memory of compiling one component; at least 1.
    pub compile_mib: Option<u32>,
}

/// Which plugins take part.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PluginConfig {
    /// Files with plugins, in the order given.
    pub files: Vec<PathBuf>,
    /// A directory with more of them. Not written down: the files tell each plugin that took part by its digest.
    #[serde(skip)]
    pub directory: Option<PathBuf>,
    /// Whether only plugins may take part that the lock file lists.
    #[serde(skip)]
    pub locked: bool,
    /// Whether files may be native libraries, which no sandbox holds.
    #[serde(skip)]
    pub allow_native: bool,
    /// What a call may use, where that is not the default.
    #[serde(skip)]
    pub limits: PluginLimits,
    /// Where the input of failed calls is kept.
    #[serde(skip)]
    pub trace: Option<PathBuf>,
    /// The objectives whose best configurations are reported; `throughput` and `latency-p99` are always among them.
    pub objectives: Vec<PluginChoice>,
    /// How many of the objectives, from the first, span the trade-off; at least 2.
    pub trade_off: usize,
    /// The criteria; the first one fills `pareto_optimal`. `dominance` and `efficient` are always among them.
    pub criteria: Vec<PluginChoice>,
    /// The detectors; the first one fills `inflection_points`.
    pub detectors: Vec<PluginChoice>,
    /// The least difference that matters, relative to the larger of two values.
    pub material: f64,
    /// What the variables hold that stand for settings of these plugins.
    #[serde(skip)]
    pub setting_secrets: Vec<Secret>,
}

impl PluginConfig {
    /// What must not be shown, for what these plugins say.
    #[must_use]
    pub fn secrets(&self) -> Secrets {
        Secrets::new(self.setting_secrets.iter().map(Secret::expose))
    }
}

/// What is shown while the benchmark runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ui {
    /// Nothing but the result.
    None,
    /// Progress bars and tables.
    Simple,
}

/// What is shown and where the files go.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutputConfig {
    /// The directory that result directories are made in.
    pub artifact_dir: PathBuf,
    /// Whether results of an earlier benchmark of the same name are replaced.
    pub overwrite: bool,
    /// What is shown.
    pub ui: Ui,
    /// Whether the UI was chosen because of a sweep or trials, so that [`AUTOMATIC_UI_NOTICE`] is due.
    #[serde(skip)]
    pub ui_is_automatic: bool,
    /// The directory of an earlier benchmark that is to be continued.
    #[serde(skip)]
    pub resume: Option<PathBuf>,
    /// Whether only the plan is printed.
    #[serde(skip)]
    pub dry_run: bool,
}

/// A normal distribution of a number of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Length {
    /// Tokens; at least 1.
    pub mean: u32,
    /// Tokens; at least 0.
    pub std_dev: f64,
}

/// What a run does at one value of the sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSettings {
    /// Requests in flight at the same time, or with a request rate at most; at least 1. None for no limit.
    pub concurrency: Option<u32>,
    /// How requests arrive; none if a request follows the one before it.
    pub request_rate: Option<RequestRate>,
    /// For how long the requests in flight grow to the concurrency.
    pub concurrency_ramp: Duration,
    /// For how long the request rate grows.
    pub request_rate_ramp: Duration,
    /// The run ends after this many requests; none if something else ends it.
    pub requests: Option<u32>,
    /// The run ends after this many conversations; none if something else ends it, which for a dataset may be its end.
    pub conversations: Option<u32>,
    /// The run ends after this time; none if only the requests count.
    pub duration: Option<Duration>,
    /// The run ends when it knows its figures so well; none if only the other ends count.
    pub precision: Option<Precision>,
    /// How long requests in flight may go on after the end.
    pub grace_period: Duration,
    /// Requests of a warm-up. Whether a run begins with one is in its step.
    pub warmup_requests: u32,
    /// Input tokens per request.
    pub isl: Length,
    /// Output tokens to ask for, or none to leave them to the server.
    pub osl: Option<Length>,
    /// The seed of the requests.
    pub seed: u64,
}

impl Config {
    /// The parameters with several values, in the order of [`Sweepable::ALL`].
    #[must_use]
    pub fn axes(&self) -> Vec<Axis> {
        sweep::axes(&self.load, &self.workload)
    }

    /// What a run does at `value`.
    #[must_use]
    pub fn settings(&self, value: &SweepValue) -> RunSettings {
        let swept = |parameter: Sweepable| swept_number(value, parameter);
        let count =
            |parameter, values: &Values<u32>| swept(parameter).map_or(values.first(), |number| number as u32);
        let length = |parameter, lengths: &Lengths| Length {
            mean: count(parameter, &lengths.mean),
            std_dev: lengths.std_dev,
        };
        let (load, workload) = (&self.load, &self.workload);
        let concurrency = load.concurrency.as_ref().map(|values| count(Sweepable::Concurrency, values));
        let request_rate = load.request_rate.as_ref().map(|values| RequestRate {
            per_second: swept(Sweepable::RequestRate).unwrap_or_else(|| values.first()),
            pattern: load.arrival_pattern.unwrap_or_default(),
        });
        let asked = load.num_prompts.as_ref().map(|values| count(Sweepable::NumPrompts, values));
        let duration = load.benchmark_duration.as_ref().map(|values| {
            let seconds = swept(Sweepable::BenchmarkDuration).unwrap_or_else(|| values.first());
            Duration::try_from_secs_f64(seconds).unwrap_or_default()
        });
        let has_end = duration.is_some() || load.conversation_num.is_some() || workload.dataset.is_some();
        let lasts_as_needed = !has_end && asked.is_none() && workload.conversation.is_none();
        let precision = load.precision.filter(|_| lasts_as_needed);
        let duration = duration.or(precision.map(|_| load.max_run_duration));
        let by_default =
            (!has_end && precision.is_none()).then(|| default_requests(concurrency, request_rate));
        let (requests, conversations) = match &workload.conversation {
            // Without a number of requests, conversations are not cut.
            Some(_) => (asked, load.conversation_num.or(by_default.filter(|_| asked.is_none()))),
            None => (asked.or(by_default), load.conversation_num),
        };
        RunSettings {
            concurrency,
            request_rate,
            concurrency_ramp: load.concurrency_ramp,
            request_rate_ramp: load.request_rate_ramp,
            requests,
            conversations,
            duration,
            precision,
            grace_period: load.grace_period,
            warmup_requests: load.warmup_request_count,
            isl: length(Sweepable::Isl, &workload.isl),
            osl: workload.osl.as_ref().map(|osl| length(Sweepable::Osl, osl)),
            seed: value.seed,
        }
    }

    /// The configuration as it may be written down, with secrets as `<redacted>` and keys in a fixed order.
    #[must_use]
    pub fn redacted(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

fn swept_number(value: &SweepValue, parameter: Sweepable) -> Option<f64> {
    value.parameters.iter().find(|swept| swept.name == parameter.name())?.value.as_number()
}

/// Enough requests that every slot is used twice, and that a rate has time to show.
fn default_requests(concurrency: Option<u32>, rate: Option<RequestRate>) -> u32 {
    const SECONDS_OF_A_RATE: f64 = 10.0;
    let of_rate = rate.map_or(0.0, |rate| (rate.per_second * SECONDS_OF_A_RATE).ceil());
    concurrency.unwrap_or(0).saturating_mul(2).max(of_rate as u32).max(10)
}
