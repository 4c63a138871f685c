//! `aiperf plugin`: everything about plugins but their use.

mod bench;
mod build;
mod inspect;
mod list;
mod lock;
mod new;
mod record;
mod test;

use crate::args::PluginCommand;
use crate::environment;
use crate::exit_code::Exit;
use crate::failure::Failure;
use crate::plugins;
use aiperf_model::secret::Secrets;
use aiperf_plan::SourceOptions;
use aiperf_plugin_host::{HostConfig, PluginHost, Reserved};

pub(crate) fn plugin(command: &PluginCommand) -> Result<Exit, Failure> {
    match command {
        PluginCommand::List(arguments) => list::list(arguments),
        PluginCommand::Inspect(arguments) => inspect::inspect(arguments),
        PluginCommand::Lock(sources) => lock::lock(sources),
        PluginCommand::New(arguments) => new::new(arguments),
        PluginCommand::Build(arguments) => build::build(arguments),
        PluginCommand::Test(arguments) => test::test(arguments),
        PluginCommand::Bench(arguments) => bench::bench(arguments),
        PluginCommand::Record(arguments) => record::record(arguments),
    }
}

/// A host with everything that can be chosen.
fn host(sources: &SourceOptions) -> Result<PluginHost, Failure> {
    host_of_server(sources, Secrets::default(), Reserved::default())
}

/// The same, for plugins that see the answers of a server that was sent secrets, where endpoints may not replace what the
/// user sets.
fn host_of_server(
    sources: &SourceOptions,
    secrets: Secrets,
    reserved: Reserved,
) -> Result<PluginHost, Failure> {
    let directory = sources.plugin_dir.clone().or_else(environment::plugin_dir);
    let allow_native = sources.allow_native.unwrap_or_default();
    let settings = HostConfig { allow_native, secrets, reserved, ..HostConfig::default() };
    plugins::host(settings, directory.as_deref(), sources.plugin.as_deref().unwrap_or_default())
}

/// A host with the built-in plugins alone.
fn bare_host(allow_native: bool) -> Result<PluginHost, Failure> {
    plugins::host(HostConfig { allow_native, ..HostConfig::default() }, None, &[])
}
