//! The subcommands.

mod analyze;
mod completions;
mod plugin;
mod profile;
mod report;
mod simulate;

pub(crate) use analyze::analyze;
pub(crate) use completions::completions;
pub(crate) use plugin::plugin;
pub(crate) use profile::profile;
pub(crate) use report::report;
pub(crate) use simulate::simulate;
