//! The arguments of `aiperf plugin`.

use super::Format;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Subcommand)]
pub(crate) enum PluginCommand {
    /// List the plugins that can be chosen: the built-in ones, those of files and those of the plugin directory
    List(ListArguments),
    /// Show what a plugin is, wants and takes as settings; nothing of it runs if it cannot be used
    Inspect(InspectArguments),
    /// Write aiperf-plugins.lock: with --locked, only the plugins that can be chosen now may be used
    Lock(PluginSources),
}

/// Where plugins come from beside the built-in ones.
#[derive(Args)]
pub(crate) struct PluginSources {
    /// File with plugins; repeatable
    #[arg(long, value_name = "FILE")]
    pub plugin: Vec<PathBuf>,

    /// Directory whose .wasm files can be chosen too [env: `AIPERF_PLUGIN_DIR`] [default: aiperf/plugins in the user's
    /// directory for configuration]
    #[arg(long, value_name = "DIR")]
    pub plugin_dir: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    pub sources: PluginSources,

    /// What to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

#[derive(Args)]
pub(crate) struct InspectArguments {
    /// A file, or the name of a plugin that can be chosen
    pub plugin: PathBuf,

    /// Directory whose .wasm files can be named too [env: `AIPERF_PLUGIN_DIR`] [default: aiperf/plugins in the user's
    /// directory for configuration]
    #[arg(long, value_name = "DIR")]
    pub plugin_dir: Option<PathBuf>,

    /// What to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}
