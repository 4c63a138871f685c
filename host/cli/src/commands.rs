//! The subcommands.

mod analyze;
mod completions;
mod profile;
mod simulate;

pub(crate) use analyze::analyze;
pub(crate) use completions::completions;
pub(crate) use profile::profile;
pub(crate) use simulate::simulate;
