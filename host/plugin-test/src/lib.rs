//! Whether a plugin keeps the contract and gives the answers that its author expects, and what its calls cost.
//!
//! [`test()`] tries everything on one component: what holds for every plugin of its kind (`contract`, with the inputs of
//! `samples`), what its settings schema promises (`settings`), and the files of the author (`fixtures`, of which
//! `recorded` are the responses of servers). [`bench()`] measures calls. Nothing here builds a component or prints.

mod bench;
mod compare;
mod contract;
mod fixtures;
mod outcome;
mod recorded;
mod samples;
mod settings;

pub use bench::{Contender, Cost, ROUNDS, Timing, bench};
pub use fixtures::replay_trace;
pub use outcome::Outcome;

use aiperf_plugin_host::{Description, HostError, PluginHost};
use std::path::Path;

/// What became of one plugin.
#[derive(Clone, Debug)]
pub struct Tested {
    /// The plugin.
    pub plugin: Description,
    /// What was checked, in order.
    pub outcomes: Vec<Outcome>,
}

/// Tries everything on each plugin of a component, with the files of `fixtures` if there is such a directory.
///
/// # Errors
///
/// If the file is no plugin.
pub fn test(
    host: &mut PluginHost,
    component: &Path,
    fixtures: Option<&Path>,
) -> Result<Vec<Tested>, HostError> {
    let plugins = host.load_file(component)?;
    let files = fixtures.map(fixtures::read).unwrap_or_default();
    let tested = |plugin: Description| {
        let subject = contract::Subject::new(host, &plugin, fixtures::settings(&files, plugin.kind));
        let outcomes = [
            contract::description(&subject),
            settings::check(&subject),
            contract::behaviour(&subject),
            fixtures::replay(&subject, &files),
        ];
        Tested { outcomes: outcomes.concat(), plugin: plugin.clone() }
    };
    Ok(plugins.into_iter().map(tested).collect())
}
