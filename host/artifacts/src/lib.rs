//! The files of a benchmark: where they lie, how they are written and read.
//!
//! [`layout`] says where each file lies, [`names`] turns what users write into names that are safe everywhere, and
//! [`directory`] creates the folders, held by one process at a time with a [`lock`]. [`records`] takes each request down while the load goes on; [`inputs`],
//! [`run`], [`value_aggregate`], [`sweep_json`], [`sweep_csv`] and [`manifest`] write one file each, always whole:
//! a reader sees the old file or the new one. [`read_run`] and [`read_sweep`] give back what the analysis needs.
//!
//! Nothing here computes a metric or judges a result; the numbers come from the other stages and go out as they are.

pub mod digest;
pub mod directory;
pub mod durable;
pub mod error;
pub mod error_summary;
pub mod export;
pub mod host;
pub mod input_config;
pub mod inputs;
pub mod journal;
pub mod layout;
pub mod lock;
pub mod manifest;
pub mod manifest_log;
pub mod names;
pub mod read_run;
pub mod read_sweep;
pub mod records;
pub mod rows;
pub mod run;
pub mod sweep_csv;
pub mod sweep_json;
pub mod time;
pub mod value_aggregate;
mod within_run;

mod contradiction;
mod csv_tables;
#[cfg(test)]
mod fixture;
mod json;
mod open_metrics;
mod parameters;
mod steady_file;

pub use directory::ArtifactDir;
pub use error::ArtifactError;
pub use export::Exporters;
pub use layout::Layout;
pub use manifest::Manifest;
pub use manifest_log::ManifestLog;
pub use records::RecordsWriter;
