//! The subcommands.

mod analyze;
mod completions;
mod profile;
mod simulate;

pub use analyze::analyze;
pub use completions::completions;
pub use profile::profile;
pub use simulate::simulate;
