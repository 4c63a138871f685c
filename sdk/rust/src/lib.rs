//! Write a plugin for aiperf: an endpoint, an objective, a Pareto criterion or a trend detector.
//!
//! A plugin is a struct, a trait and one line that registers it:
//!
//! ```
//! use aiperf_plugin::objective::{Evaluation, Objective, ObjectiveInfo};
//! use aiperf_plugin::{Point, Result, register_objective};
//!
//! /// Requests per second, where the first token comes in time.
//! #[derive(serde::Deserialize)]
//! struct InTime {
//!     limit_ms: f64,
//! }
//!
//! impl Objective for InTime {
//!     fn info(&self) -> ObjectiveInfo {
//!         ObjectiveInfo::maximize("requests/sec")
//!     }
//!
//!     fn evaluate(&self, point: &Point) -> Result<Option<Evaluation>> {
//!         let in_time = point.mean("ttft_p99_ms").is_some_and(|ttft| ttft <= self.limit_ms);
//!         Ok(point.get("request_throughput_avg").filter(|_| in_time).map(Evaluation::of))
//!     }
//! }
//!
//! register_objective!(InTime);
//! # fn main() {}
//! ```
//!
//! The **struct is the settings**: `--objective 'in-time:{"limit_ms":200}'` becomes `InTime { limit_ms: 200.0 }`
//! through serde. A key that the struct does not have is refused by its name. A plugin without settings is a
//! struct with empty braces.
//!
//! **The schema of the settings** that `aiperf plugin inspect` shows is made from the struct by the feature `schema`: derive
//! `schemars::JsonSchema` and answer `settings_schema` with `schema_of::<Self>()`. Doc comments become descriptions, and
//! defaults are named. It adds some 30 kB to a component.
//!
//! **Name, version and summary** come from `name`, `version` and `description` of the author's `Cargo.toml`;
//! `register_objective!(InTime, name = "in-time")` gives another name. The crate is a `cdylib`.
//!
//! A plugin **can compute and log, nothing else**: it has no files, sockets, clock or randomness. A panic ends
//! the call, and its message reaches the user through [`log`]; an [`Error`] is the better answer.
//!
//! Everything compiles and runs on the author's machine as it does in WebAssembly, so `cargo test` is enough
//! to test a plugin; [`testing`] builds the data. What the host does with the answers is said with each type,
//! in the words of the contract (`wit/`).

extern crate self as aiperf_plugin;

pub mod endpoint;
mod error;
#[doc(hidden)]
pub mod generated;
pub mod log;
#[doc(hidden)]
#[cfg(not(target_arch = "wasm32"))]
pub mod native;
pub mod objective;
pub mod openai;
pub mod pareto;
mod point;
mod register;
#[cfg(any(feature = "schema", test))]
mod schema;
mod settings;
pub mod testing;
pub mod trend;

#[cfg(any(feature = "schema", test))]
pub use schema::schema_of;
#[cfg(any(feature = "schema", test))]
pub use schemars;

pub use generated::base::aiperf::plugin::types::{
    Direction, Error, Interval, Measurement, Parameter, ParameterValue, PluginInfo, Point,
};

/// What a plugin answers, or why it cannot.
pub type Result<T> = core::result::Result<T, Error>;

/// What the macros and the generated code name; not for authors, and free to change.
#[doc(hidden)]
pub mod __private {
    pub use std::sync::OnceLock;
    pub use wit_bindgen::rt as wit;

    pub use crate::generated as bindings;
    #[cfg(not(target_arch = "wasm32"))]
    pub use crate::native::abi::Table;
    pub use crate::register::{Manifest, Registered};
}
