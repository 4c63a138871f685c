//! The flags of `aiperf profile`, as the user wrote them: on the command line, or as keys of the file of `--config`.
//!
//! Nothing is checked or filled in here; that is what [`Config::resolve`](crate::Config::resolve) does.

use crate::config_file::{fields_or_texts, headers, one_or_many, text_or_number};
use crate::later::LaterFlags;
use crate::list::ListText;
use crate::secret::Secret;
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How the lists of several swept parameters are combined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SweepType {
    /// Every value of one list with every value of the others.
    #[default]
    #[value(alias = "grid")]
    #[serde(alias = "grid")]
    Cartesian,
    /// The first items of all lists, then the second ones.
    Zip,
}

/// In which order values and trials are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SweepMode {
    /// All values, then all values again, once per trial.
    Repeated,
    /// All trials of a value, then the next value.
    Independent,
    /// All values in another sequence in each trial, drawn from the seed and balanced: each value stands at each place
    /// equally often, so that drift does not look like an effect of the value.
    Balanced,
}

/// Which metrics stand in the sweep file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SweepMetrics {
    /// Throughputs, error rate and the main statistics of latencies.
    Compact,
    /// Every statistic of every metric.
    All,
}

/// How the requests of a rate are spread over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArrivalChoice {
    /// At random, as from users who know nothing of each other.
    Poisson,
    /// At equal steps.
    Constant,
    /// At random with gamma-distributed gaps, smoother or burstier than Poisson.
    Gamma,
}

/// What becomes of a connection once its response has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReuseChoice {
    /// It carries the next request of its slot.
    Pooled,
    /// It is closed; each request has a connection of its own.
    Never,
    /// It carries the next turn of its conversation, and is closed after the last one.
    StickyUserSessions,
}

/// What the lines of a dataset are. The names are those of AIPerf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum DatasetChoice {
    /// One request each.
    SingleTurn,
    /// One conversation each.
    MultiTurn,
    /// One request of a trace each: its time, its lengths, and the blocks that prompts have in common.
    MooncakeTrace,
    /// One request each, drawn at random.
    RandomPool,
}

/// In which order the entries of a dataset are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum SamplingChoice {
    /// As they stand in the file.
    Sequential,
    /// In an order that follows from the seed.
    Shuffle,
    /// Drawn with replacement by the seed.
    Random,
}

/// Which prompts the trials of a value send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum TrialPrompts {
    /// Other words in each trial, of the same lengths in the same order.
    #[default]
    Fresh,
    /// The same words in each trial, which a cache of the server may know.
    Same,
}

/// What is shown while the benchmark runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UiChoice {
    /// A full screen for a single run.
    #[value(hide = true)]
    Dashboard,
    /// Progress bars and tables.
    Simple,
    /// Nothing but the result.
    None,
}

/// Declares the flags once: the struct for the command line and the file, and the way in which the one wins over the
/// other. Each flag is optional, since either may leave it out. A group is a struct of its own too, for the commands that
/// have its flags and not all others.
macro_rules! options {
    (
        $($(#[$attribute:meta])* pub $flag:ident: Option<$value:ty>,)*
        $(group $group:ident $about:literal {
            $($(#[$group_attribute:meta])* pub $group_flag:ident: Option<$group_value:ty>,)*
        })*
        then {
            $($(#[$last_attribute:meta])* pub $last_flag:ident: Option<$last_value:ty>,)*
        }
    ) => {
        /// What the user wrote; `None` is what was not said.
        #[derive(Clone, Debug, Default, PartialEq, Args, Deserialize)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        pub struct Options {
            $($(#[$attribute])* pub $flag: Option<$value>,)*
            $($($(#[$group_attribute])* pub $group_flag: Option<$group_value>,)*)*
            $($(#[$last_attribute])* pub $last_flag: Option<$last_value>,)*

            /// The documented flags that this version refuses.
            #[command(flatten)]
            #[serde(skip)]
            pub later: LaterFlags,
        }

        impl Options {
            fn layer(self, below: Self) -> Self {
                Self {
                    $($flag: self.$flag.or(below.$flag),)*
                    $($($group_flag: self.$group_flag.or(below.$group_flag),)*)*
                    $($last_flag: self.$last_flag.or(below.$last_flag),)*
                    later: self.later,
                }
            }
        }

        $(
            #[doc = $about]
            #[derive(Clone, Debug, Default, PartialEq, Args, Deserialize)]
            #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
            pub struct $group {
                $($(#[$group_attribute])* pub $group_flag: Option<$group_value>,)*
            }

            impl From<$group> for Options {
                fn from(group: $group) -> Self {
                    Self { $($group_flag: group.$group_flag,)* ..Self::default() }
                }
            }
        )*
    };
}

impl Options {
    /// These options, with those of `file` where these say nothing. A flag that is repeated on the command line
    /// replaces the whole list of the file.
    #[must_use]
    pub fn over(self, mut file: Self) -> Self {
        if self.streams().is_some() {
            (file.streaming, file.no_streaming) = (None, None);
        }
        if self.calibrates().is_some() {
            (file.calibrate, file.no_calibrate) = (None, None);
        }
        self.layer(file)
    }

    /// What `--calibrate` and `--no-calibrate` say together.
    pub(crate) fn calibrates(&self) -> Option<bool> {
        self.calibrate.or(self.no_calibrate.map(|no| !no))
    }

    /// What `--streaming` and `--no-streaming` say together.
    pub(crate) fn streams(&self) -> Option<bool> {
        self.streaming.or(self.no_streaming.map(|no| !no))
    }
}

options! {
    /// The model to ask; also names the result directory
    #[arg(long, short, value_name = "NAME", help_heading = "Server")]
    pub model: Option<String>,

    /// Base URL or full endpoint URL [default: `http://localhost:8000`], or `unix:/path` of a socket; repeat it to spread
    /// requests over several servers in turn. `sim:` starts a simulated server inside this process, with settings as in
    /// `'sim:?ttft-ms=30&itl-ms=8&max-batch=32'` (quoted, since shells look for files by `?` and `&`)
    #[arg(long, short, value_name = "URL", help_heading = "Server")]
    #[serde(deserialize_with = "one_or_many")]
    pub url: Option<Vec<String>>,

    /// Wire format, by the name of its plugin [default: chat]
    #[arg(long, value_name = "PLUGIN", help_heading = "Server")]
    pub endpoint_type: Option<String>,

    /// Path that is appended to the URL instead of the one of the endpoint type; '' appends nothing
    #[arg(long, value_name = "PATH", help_heading = "Server")]
    pub endpoint: Option<String>,

    /// Ask for answers that arrive token by token [default: wherever the endpoint type can]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          hide_possible_values = true, overrides_with = "no_streaming", help_heading = "Server")]
    pub streaming: Option<bool>,

    /// Ask for answers in one piece
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          hide_possible_values = true, overrides_with = "streaming", help_heading = "Server")]
    pub no_streaming: Option<bool>,

    /// Header that is added to every request, as 'Name: value'; repeatable
    #[arg(long, short = 'H', value_name = "HEADER", help_heading = "Server")]
    #[serde(deserialize_with = "headers")]
    pub header: Option<Vec<Secret>>,

    /// Key that is sent as bearer token; the variable `OPENAI_API_KEY` does the same without showing it in the list
    /// of processes
    #[arg(long, value_name = "KEY", help_heading = "Server")]
    pub api_key: Option<Secret>,

    /// How long a request may take before it counts as failed [default: 21600]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, help_heading = "Server")]
    pub request_timeout_seconds: Option<f64>,

    /// How long the server may be out of reach before a run ends early: what it answered until then counts [default: 5]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, help_heading = "Server")]
    pub unreachable_timeout: Option<f64>,

    /// MiB after which a response is given up as failed, from 1 to 1024 [default: 64]; all responses in flight may have
    /// four times as many together
    #[arg(long, value_name = "MIB", allow_negative_numbers = true, help_heading = "Server")]
    pub response_mib: Option<u32>,

    /// What becomes of a connection once its response has ended [default: pooled]
    #[arg(long, value_name = "STRATEGY", help_heading = "Connections")]
    pub connection_reuse_strategy: Option<ReuseChoice>,

    /// Speak HTTP/2: over TLS by agreement, else without asking
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          hide_possible_values = true, help_heading = "Connections")]
    pub http2: Option<bool>,

    /// File with certificates in PEM form that are trusted beside those that browsers trust: of an authority, or of the
    /// server itself; repeatable
    #[arg(long, alias = "cacert", value_name = "FILE", help_heading = "Connections")]
    #[serde(alias = "cacert", deserialize_with = "one_or_many")]
    pub ca_cert: Option<Vec<PathBuf>>,

    /// Accept any certificate of a server over TLS, so that anybody on the way can read what is sent
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          hide_possible_values = true, help_heading = "Connections")]
    pub insecure: Option<bool>,

    /// Requests in flight at the same time [default: 1]: a number, or a list to sweep over, such as 10,20,30 or
    /// 10..40+10 or '1..256*2' (quoted, since shells look for files by `*`). With --request-rate it is the most that may be [default: unlimited]
    #[arg(long, value_name = "LIST", allow_hyphen_values = true, help_heading = "Load")]
    pub concurrency: Option<ListText>,

    /// Requests per second that are sent whether or not earlier ones were answered (open loop); takes a list, also
    /// with fractions, such as 2.5,5,10
    #[arg(long, value_name = "LIST", allow_hyphen_values = true, help_heading = "Load")]
    pub request_rate: Option<ListText>,

    /// How the requests of --request-rate are spread over time [default: poisson]
    #[arg(long, value_name = "PATTERN", help_heading = "Load")]
    pub arrival_pattern: Option<ArrivalChoice>,

    /// Shape of --arrival-pattern gamma: bursts below 1, like Poisson at 1, smoother above [default: 1]
    #[arg(long, value_name = "SHAPE", allow_negative_numbers = true, help_heading = "Load")]
    pub arrival_smoothness: Option<f64>,

    /// Seconds in which the requests in flight grow evenly from 1 to the concurrency [default: 0]; what is sent meanwhile
    /// is in the records and excluded from statistics
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, help_heading = "Load")]
    pub concurrency_ramp_duration: Option<f64>,

    /// Seconds in which the request rate grows evenly from 0 [default: 0]; what is sent meanwhile is in the records and
    /// excluded from statistics
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, help_heading = "Load")]
    pub request_rate_ramp_duration: Option<f64>,

    /// Requests per run [default: as many as --precision needs; of --input-file each line once]; takes a list
    #[arg(long, visible_aliases = ["request-count", "num-requests"], value_name = "LIST", allow_hyphen_values = true,
          help_heading = "Load")]
    #[serde(alias = "request-count", alias = "num-requests")]
    pub num_prompts: Option<ListText>,

    /// Seconds per run, after which no request is sent any more; takes a list
    #[arg(long, value_name = "LIST", allow_hyphen_values = true, help_heading = "Load")]
    pub benchmark_duration: Option<ListText>,

    /// How well a run is to know its throughput before it ends, as half of the 95 % interval in percent, with 2.5 times as
    /// much for the medians of TTFT and latency; none for a number of requests instead: twice the
    /// concurrency and at least 10, with --request-rate also 10 seconds of it [env: `AIPERF_PRECISION`] [default: 2]
    #[arg(long, value_name = "PERCENT|none", allow_negative_numbers = true, help_heading = "Load")]
    #[serde(deserialize_with = "text_or_number")]
    pub precision: Option<String>,

    /// The longest that a run goes on for --precision [default: 60]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, help_heading = "Load")]
    pub max_run_duration: Option<f64>,

    /// How long requests in flight may go on after the end before they are cancelled [default: 30]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, help_heading = "Load")]
    pub benchmark_grace_period: Option<f64>,

    /// Percentage of the requests that are cancelled, as by users who leave; they are excluded from latencies
    /// [default: 0]
    #[arg(long, value_name = "PERCENT", allow_negative_numbers = true, help_heading = "Load")]
    pub request_cancellation_rate: Option<f64>,

    /// How long after its send such a request is cancelled [default: 0]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, help_heading = "Load")]
    pub request_cancellation_delay: Option<f64>,

    /// Requests that warm the server up before the measurement, at most 100000 [default: 0]
    #[arg(long, alias = "num-warmup-requests", value_name = "N", allow_negative_numbers = true, help_heading = "Load")]
    #[serde(alias = "num-warmup-requests")]
    pub warmup_request_count: Option<u32>,

    /// Send each request of --input-file at its timestamp; the run ends with the last one. With --concurrency that many
    /// are in flight at most
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          hide_possible_values = true, help_heading = "Load")]
    pub fixed_schedule: Option<bool>,

    /// Let the first timestamp of --fixed-schedule be the beginning
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          hide_possible_values = true, help_heading = "Load")]
    pub fixed_schedule_auto_offset: Option<bool>,

    /// Begin --fixed-schedule at this timestamp, in milliseconds, and leave out earlier requests [default: 0]
    #[arg(long, value_name = "MILLISECONDS", allow_negative_numbers = true, help_heading = "Load")]
    pub fixed_schedule_start_offset: Option<f64>,

    /// Leave out requests of --fixed-schedule after this timestamp, in milliseconds
    #[arg(long, value_name = "MILLISECONDS", allow_negative_numbers = true, help_heading = "Load")]
    pub fixed_schedule_end_offset: Option<f64>,

    /// Share of failed requests above which a run counts as failed, from 0 to 1 [default: 0.5]
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true, help_heading = "Failures")]
    pub max_error_rate: Option<f64>,

    /// How long to wait, before each run, until the server answers; a server that loads its model does not answer yet
    /// [default: 0]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, help_heading = "Failures")]
    pub wait_for_model_timeout: Option<f64>,

    /// Repeat a run that failed up to N times at once, after the longer of the two cooldowns [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "Failures")]
    pub retry_failed: Option<u32>,

    /// Stop after the first run that failed, retries included; the rest can be done with --resume
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          hide_possible_values = true, help_heading = "Failures")]
    pub fail_fast: Option<bool>,

    /// Stop as soon as more than N values have no successful run [default: never]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "Failures")]
    pub max_failed_values: Option<u32>,

    /// Threads that send requests, at most 1024 [default: one per available core]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "Load")]
    pub workers: Option<u32>,

    /// Read the responses of a run only after its load, so that reading takes no time from sending
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          hide_possible_values = true, help_heading = "Load")]
    pub defer_parsing: Option<bool>,

    /// How several lists are combined [default: cartesian]
    #[arg(long, value_name = "TYPE", help_heading = "Sweep")]
    pub sweep_type: Option<SweepType>,

    /// Order of a sweep with several trials [default: repeated]
    #[arg(long, value_name = "MODE", help_heading = "Sweep")]
    pub parameter_sweep_mode: Option<SweepMode>,

    /// Pause between the values of a sweep [default: 0]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, help_heading = "Sweep")]
    pub parameter_sweep_cooldown_seconds: Option<f64>,

    /// Send the same requests at every value, instead of different ones
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          hide_possible_values = true, help_heading = "Sweep")]
    pub parameter_sweep_same_seed: Option<bool>,

    /// Metrics in the sweep file [default: compact]
    #[arg(long, value_name = "SET", help_heading = "Sweep")]
    pub sweep_metrics: Option<SweepMetrics>,

    /// How often each value is run [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "Trials")]
    pub num_profile_runs: Option<u32>,

    /// Time for the whole sweep, as in 30m or 1h30m: after a few trials of each value the others are spent where they can
    /// still change which values are best or Pareto optimal and where the metrics turn; what stays open is said. Then
    /// --num-profile-runs is the most trials of a value [default: 100]
    #[arg(long, value_name = "TIME", help_heading = "Trials")]
    pub budget: Option<String>,

    /// Pause between trials [default: 0]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, help_heading = "Trials")]
    pub profile_run_cooldown_seconds: Option<f64>,

    /// Coverage of confidence intervals, between 0 and 1 [default: 0.95]
    #[arg(long, value_name = "LEVEL", allow_negative_numbers = true, help_heading = "Trials")]
    pub confidence_level: Option<f64>,

    /// End the trials of a value early, once this metric is known well enough: a name as in `time_to_first_token` or
    /// `ttft`, or a key of the sweep file as in `ttft_p99_ms`. Then --num-profile-runs is the most that are run
    #[arg(long, value_name = "METRIC", help_heading = "Trials")]
    pub convergence_metric: Option<String>,

    /// Statistic of --convergence-metric within a run, such as p99 [default: avg]
    #[arg(long, value_name = "STATISTIC", help_heading = "Trials")]
    pub convergence_stat: Option<String>,

    /// How wide half of its confidence interval may be, relative to the mean [default: 0.05]
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true, help_heading = "Trials")]
    pub convergence_threshold: Option<f64>,

    /// The least number of trials of a value, with --convergence-metric or --budget [default: 3]
    #[arg(long, value_name = "N", help_heading = "Trials")]
    pub convergence_min_runs: Option<u32>,

    /// Send different requests in each trial of a value
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          hide_possible_values = true, help_heading = "Trials")]
    pub vary_seed_per_trial: Option<bool>,

    /// Warm up before every run, not only before the first trial of a value
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          hide_possible_values = true, help_heading = "Trials")]
    pub warmup_every_run: Option<bool>,

    /// Whether each trial sends synthetic prompts of its own, of the same lengths, or all the same [default: fresh]
    #[arg(long, value_name = "WHICH", help_heading = "Workload")]
    pub trial_prompts: Option<TrialPrompts>,

    /// What the words of synthetic prompts follow from beside the seed [default: another one in each benchmark]
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, help_heading = "Workload")]
    pub prompt_salt: Option<String>,

    /// Seed of the first value's requests; each further value adds 1 [default: 42]
    #[arg(long, value_name = "SEED", allow_negative_numbers = true, help_heading = "Workload")]
    pub random_seed: Option<u64>,

    /// Mean number of input tokens [default: 550]; takes a list
    #[arg(long, value_name = "LIST", allow_hyphen_values = true, help_heading = "Workload")]
    pub isl: Option<ListText>,

    /// Standard deviation of the number of input tokens [default: 0]
    #[arg(long, value_name = "TOKENS", allow_negative_numbers = true, help_heading = "Workload")]
    pub isl_stddev: Option<f64>,

    /// Mean number of output tokens that is asked for [default: left to the server]; takes a list
    #[arg(long, value_name = "LIST", allow_hyphen_values = true, help_heading = "Workload")]
    pub osl: Option<ListText>,

    /// Standard deviation of the number of output tokens [default: 0]
    #[arg(long, value_name = "TOKENS", allow_negative_numbers = true, help_heading = "Workload")]
    pub osl_stddev: Option<f64>,

    /// File with requests, one JSON object per line, instead of synthetic prompts; see docs/load-modes.md
    #[arg(long, value_name = "FILE", help_heading = "Workload")]
    pub input_file: Option<PathBuf>,

    /// What the lines of --input-file are [default: told by the first line]
    #[arg(long, value_name = "TYPE", help_heading = "Workload")]
    pub custom_dataset_type: Option<DatasetChoice>,

    /// In which order the lines of --input-file are sent [default: sequential]
    #[arg(long, value_name = "ORDER", help_heading = "Workload")]
    pub dataset_sampling_strategy: Option<SamplingChoice>,

    /// Conversations per run; the run ends with the last one [default: twice the concurrency and at least 10, or each of
    /// --input-file once]
    #[arg(long, aliases = ["num-conversations", "num-sessions"], value_name = "N", help_heading = "Conversations")]
    #[serde(alias = "num-conversations", alias = "num-sessions")]
    pub conversation_num: Option<u32>,

    /// Mean number of turns of synthetic conversations [default: 1]; each turn carries what was said before, with the
    /// answers of the server
    #[arg(long, alias = "session-turns-mean", value_name = "TURNS", allow_negative_numbers = true, help_heading = "Conversations")]
    #[serde(alias = "session-turns-mean")]
    pub conversation_turn_mean: Option<f64>,

    /// Standard deviation of the number of turns [default: 0]
    #[arg(long, alias = "session-turns-stddev", value_name = "TURNS", allow_negative_numbers = true, help_heading = "Conversations")]
    #[serde(alias = "session-turns-stddev")]
    pub conversation_turn_stddev: Option<f64>,

    /// Mean time between an answer and the next turn of synthetic conversations [default: 0]
    #[arg(long, alias = "session-turn-delay-mean", value_name = "MILLISECONDS", allow_negative_numbers = true, help_heading = "Conversations")]
    #[serde(alias = "session-turn-delay-mean")]
    pub conversation_turn_delay_mean: Option<f64>,

    /// Standard deviation of that time [default: 0]
    #[arg(long, alias = "session-turn-delay-stddev", value_name = "MILLISECONDS", allow_negative_numbers = true, help_heading = "Conversations")]
    #[serde(alias = "session-turn-delay-stddev")]
    pub conversation_turn_delay_stddev: Option<f64>,

    /// Fields that are added to every request body, as a JSON object or key:value; repeatable
    #[arg(long, value_name = "FIELDS", help_heading = "Workload")]
    #[serde(deserialize_with = "fields_or_texts")]
    pub extra_inputs: Option<Vec<String>>,

    /// Limits that a good request meets, as in `time_to_first_token:100 inter_token_latency:10` (milliseconds)
    #[arg(long, value_name = "LIMITS", help_heading = "Workload")]
    pub goodput: Option<String>,

    /// End with exit code 6 unless every value is VALID
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          hide_possible_values = true, help_heading = "Trust")]
    pub require_valid: Option<bool>,

    /// Measure this client's own error against the embedded simulator before the first run, even if it is known from
    /// earlier [default: for real servers, in benchmarks of 2000 requests or 60 seconds and more, unless known from the
    /// same load in the last 24 hours]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          hide_possible_values = true, overrides_with = "no_calibrate", help_heading = "Trust")]
    pub calibrate: Option<bool>,

    /// Never measure this client's own error
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          hide_possible_values = true, overrides_with = "calibrate", help_heading = "Trust")]
    pub no_calibrate: Option<bool>,

    group SourceOptions "Where plugins come from beside the built-in ones." {
        /// File with a WebAssembly plugin; repeatable
        #[arg(long, value_name = "FILE", help_heading = "Plugins")]
        #[serde(deserialize_with = "one_or_many")]
        pub plugin: Option<Vec<PathBuf>>,

        /// Directory whose .wasm files can be chosen too [env: `AIPERF_PLUGIN_DIR`] [default: aiperf/plugins in the user's
        /// directory for configuration]
        #[arg(long, value_name = "DIR", help_heading = "Plugins")]
        pub plugin_dir: Option<PathBuf>,

        /// Let --plugin name native libraries too; they run outside of the sandbox, with all your rights and no limits
        #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
              hide_possible_values = true, help_heading = "Plugins")]
        pub allow_native: Option<bool>,
    }

    group AnalysisOptions "With which plugins results are analysed, and what these may do." {
        /// Use only plugins that aiperf-plugins.lock in the current directory lists; `aiperf plugin lock` writes it
        #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
              hide_possible_values = true, help_heading = "Plugins")]
        pub locked: Option<bool>,

        /// The longest time of one call of a plugin [default: 1 for endpoints, 5 for all others]
        #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, help_heading = "Plugins")]
        pub plugin_timeout_seconds: Option<f64>,

        /// The most memory of one instance of a plugin, in MiB [default: 64]
        #[arg(long, value_name = "MIB", allow_negative_numbers = true, help_heading = "Plugins")]
        pub plugin_memory_mib: Option<u32>,

        /// The most that one call of a plugin returns or logs, in MiB [default: 32]
        #[arg(long, value_name = "MIB", allow_negative_numbers = true, help_heading = "Plugins")]
        pub plugin_output_mib: Option<u32>,

        /// The most messages that are kept of one call of a plugin; of all its calls, ten times as many [default: 100]
        #[arg(long, value_name = "COUNT", help_heading = "Plugins")]
        pub plugin_log_lines: Option<u32>,

        /// The most findings of a trend detector that are kept of one metric, and as many lists of derived numbers
        /// [default: 100]
        #[arg(long, value_name = "COUNT", help_heading = "Plugins")]
        pub plugin_findings: Option<u32>,

        /// The most WebAssembly instances that one plugin consists of; one in Python has more than 32 [default: 128]
        #[arg(long, value_name = "COUNT", help_heading = "Plugins")]
        pub plugin_instances: Option<u32>,

        /// The most processor time of compiling a plugin that is not kept compiled [default: 120]
        #[arg(long, value_name = "SECONDS", help_heading = "Plugins")]
        pub plugin_compile_seconds: Option<u32>,

        /// The most memory of compiling a plugin that is not kept compiled, in MiB [default: 2048]
        #[arg(long, value_name = "MIB", help_heading = "Plugins")]
        pub plugin_compile_mib: Option<u32>,

        /// Directory to keep the input of failed plugin calls in, for `aiperf plugin test --trace`
        #[arg(long, value_name = "DIR", help_heading = "Plugins")]
        pub plugin_trace: Option<PathBuf>,

        /// What is optimised, by the name of its plugin; two or more span the trade-off that the criteria judge. The
        /// default two, throughput and latency-p99, are always reported too
        #[arg(long, value_name = "PLUGIN", help_heading = "Plugins")]
        #[serde(deserialize_with = "one_or_many")]
        pub objective: Option<Vec<String>>,

        /// Criterion that decides which values are Pareto optimal; further ones are reported beside it
        /// [default: dominance, with efficient beside it]
        #[arg(long, value_name = "PLUGIN", help_heading = "Plugins")]
        #[serde(deserialize_with = "one_or_many")]
        pub pareto: Option<Vec<String>>,

        /// Detector of inflection points; repeatable, the first one fills the inflection points of the sweep file
        /// [default: slope-change]
        #[arg(long, value_name = "PLUGIN", help_heading = "Plugins")]
        #[serde(deserialize_with = "one_or_many")]
        pub trend: Option<Vec<String>>,

        /// The least difference between two values that matters, such as 0.5% or 0.005; smaller ones count for nothing in
        /// best configurations, Pareto fronts and trends [default: 1%]
        #[arg(long, value_name = "SHARE", help_heading = "Plugins")]
        #[serde(deserialize_with = "text_or_number")]
        pub material: Option<String>,
    }

    then {
        /// Directory that result directories are made in [default: artifacts]
        #[arg(long, value_name = "DIR", help_heading = "Output")]
        pub artifact_dir: Option<PathBuf>,

        /// Replace the results of an earlier benchmark of the same name, instead of making a new directory beside them
        #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
              hide_possible_values = true, help_heading = "Output")]
        pub overwrite: Option<bool>,

        /// Continue an earlier benchmark in its directory: only the runs that are not done are run. Flags that are not
        /// given are those of the earlier command, except for --api-key and --header, which are not stored
        #[arg(long, value_name = "DIR", help_heading = "Output")]
        pub resume: Option<PathBuf>,

        /// What is shown while the benchmark runs [default: simple; none for a single run without a terminal]
        #[arg(long, alias = "ui-type", value_name = "UI", help_heading = "Output")]
        #[serde(alias = "ui-type")]
        pub ui: Option<UiChoice>,

        /// File with flags as keys, in TOML, or in YAML if it ends in .yaml or .yml; the command line wins over it
        #[arg(long, value_name = "FILE", help_heading = "Output")]
        #[serde(skip)]
        pub config: Option<PathBuf>,

        /// Print the plan and send nothing
        #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
              hide_possible_values = true, help_heading = "Output")]
        pub dry_run: Option<bool>,
    }
}
