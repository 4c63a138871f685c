//! Flags, file and environment become a configuration, and a configuration a plan.
//!
//! The way through: [`Options`] holds what the user wrote, each flag optional; [`Config::resolve`] checks it and
//! fills in the defaults; [`Plan::new`] lists the runs in the order in which they are executed. The same input gives
//! the same plan: there is no clock and no random source here, and the only file ever read is the one of `--config`,
//! in [`Options::load_file`].
//!
//! ```
//! use aiperf_plan::{Config, Environment, Options, Plan};
//!
//! let options = Options {
//!     model: Some("llama-3-8b".into()),
//!     concurrency: Some("10,20".into()),
//!     num_profile_runs: Some(2),
//!     ..Options::default()
//! };
//! let config = Config::resolve(options, &Environment::default())?;
//! let plan = Plan::new(&config);
//!
//! let order: Vec<String> = plan.steps.iter().map(|step| step.value.parameters[0].value.to_string()).collect();
//! assert_eq!(order, ["10", "20", "10", "20"]);
//! assert_eq!(plan.stimulus(), "concurrency_sweep");
//! # Ok::<(), aiperf_plan::ConfigError>(())
//! ```

mod config;
mod config_file;
mod connection;
mod error;
mod extra_inputs;
mod goodput;
mod header;
mod later;
mod list;
mod options;
mod plan;
mod plugin_choice;
mod secret;
mod server;
mod sweep;
mod sweepable;

pub use config::resolve::Environment;
pub use config::{
    AUTOMATIC_UI_NOTICE, Calibration, CancellationConfig, Config, ConversationConfig, DatasetConfig,
    FailureConfig, Length, Lengths, LoadConfig, OutputConfig, PluginConfig, PluginLimits, RunSettings,
    ServerConfig, SweepConfig, TimeBudgetConfig, TrialsConfig, TrustConfig, Ui, WorkloadConfig,
};
pub use connection::ConnectionConfig;
pub use error::ConfigError;
pub use header::UserHeader;
pub use later::{LATER, Later, LaterFlags};
pub use list::ListText;
pub use options::{
    AnalysisOptions, ArrivalChoice, DatasetChoice, Options, ReuseChoice, SamplingChoice, SourceOptions,
    SweepMetrics, SweepMode, SweepType, TrialPrompts, UiChoice,
};
pub use plan::{Expected, Plan, arrival_seed};
pub use plugin_choice::PluginChoice;
pub use secret::Secret;
pub use server::{EndpointPath, Servers};
pub use sweep::Axis;
pub use sweepable::{Sweepable, Values};
