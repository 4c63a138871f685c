//! The driver: takes a plan through load, metrics, analysis and files, one run after the other.
//!
//! [`Sweep::begin`] makes the directory and the manifest, [`Sweep::run`] does the rest. After every run the records
//! are on disk before anything is computed from them, and the aggregates are written anew, so that the directory is
//! a valid result of what is done so far, whatever happens next. [`Sweep::resume`] goes on in the directory of a
//! benchmark that ended early, if it is the same one. [`reanalyze`] does the last part again for a
//! directory of earlier.
//!
//! The driver decides nothing that the plan decides, shows nothing, and knows plugins by their traits only.

mod agenda;
mod allocation;
mod asking;
mod benchmark;
mod calibration;
mod connections;
mod context;
mod duration_estimator;
mod earlier;
mod environment;
mod error;
mod events;
mod executor;
mod failure;
mod figures;
mod files;
mod findings;
mod hint;
mod history;
mod interrupt;
mod judging;
mod ledger;
mod one_run;
mod order;
mod policy;
mod progress;
mod prompt_salt;
mod readiness;
mod reanalysis;
mod report;
mod resume;
mod run_requests;
mod sinks;
mod spending;
mod strategy;
mod sweep;

pub use benchmark::Benchmark;
pub use calibration::{CalibrationBackend, Known, Lateness, ReferenceServer};
pub use duration_estimator::DurationEstimator;
pub use error::SweepError;
pub use events::{Event, Observer};
pub use executor::{Bodies, Executor, Local, Prepared};
pub use figures::{Latencies, LiveFigures};
pub use history::History;
pub use interrupt::{Interrupt, Urgency};
pub use ledger::{Ending, Success};
pub use policy::Stop;
pub use progress::Progress;
pub use reanalysis::{reanalyze, reanalyze_file, review};
pub use sinks::{NoOthers, RecordSink, RecordSinks};
pub use strategy::{Left, LeftOut, Next, Strategy};
pub use sweep::{Outcome, Sweep};
