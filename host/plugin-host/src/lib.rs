//! WebAssembly components, and native libraries that the user allowed, behind the plugin traits of the model.
//!
//! A [`PluginHost`] knows plugins by kind and name: the built-in ones and those of files. Choosing one compiles its
//! component (or finds the code in the cache), configures an instance, and gives an implementation of
//! [`Endpoint`](aiperf_model::plugin::Endpoint), [`Objective`](aiperf_model::plugin::Objective),
//! [`ParetoCriterion`](aiperf_model::plugin::ParetoCriterion) or
//! [`TrendDetector`](aiperf_model::plugin::TrendDetector).
//!
//! A plugin gets its arguments and nothing else: no files, sockets, environment, clocks or randomness. It cannot
//! harm the host, unless it is one of the libraries (`native.rs`): what it imports is checked before it runs, what it uses is limited, what it returns is checked,
//! and an instance that crashes is thrown away. Read on in `host.rs`, then
//! `component.rs`, `instance.rs` and `pool.rs`, then the adapters of the four kinds.
//!
//! Not here: what plugins compute (`plugins/`), how they are written (`sdk/`), and what the program does when one
//! fails (the stages that call it).

mod answer;
mod binary;
mod bindings;
mod builtin;
mod call_time;
mod case;
mod choice;
mod code_cache;
mod compiler;
mod component;
mod configured;
mod crash;
mod description;
mod destination;
mod endpoint;
mod error;
mod function_size;
mod host;
mod inspection;
mod instance;
mod interface;
mod limits;
mod lock;
mod log;
mod native;
mod objective;
mod outline;
mod pareto;
mod pool;
mod sandbox;
mod secret_settings;
mod trace;
mod trend;
mod unsaid;
mod user_dirs;

pub use answer::Names;
pub use case::{Call, Callee, Case};
pub use compiler::run_as_compiler;
pub use description::Description;
pub use destination::Reserved;
pub use error::{HostError, Source};
pub use host::{HostConfig, PluginHost};
pub use inspection::Inspection;
pub use limits::Limits;
pub use lock::PluginLock;
pub use log::{Level, LogLine, LogSink};
pub use unsaid::hide_in_body;
pub use user_dirs::{user_cache_dir, user_plugin_dir};
