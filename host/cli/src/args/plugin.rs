//! The arguments of `aiperf plugin`.

use super::Format;
use aiperf_model::plugin::Kind;
use aiperf_toolchain::Language;
use clap::builder::{PossibleValuesParser, TypedValueParser};
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
    /// Begin a plugin: a small complete project with a README, a test and fixtures
    New(NewArguments),
    /// Make a component of a project
    Build(BuildArguments),
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

#[derive(Args)]
pub(crate) struct NewArguments {
    /// The name of the plugin and of its directory: lower-case letters, digits and hyphens
    pub name: String,

    /// What it shall be
    #[arg(long, value_name = "KIND", value_parser = one_of(Kind::ALL, Kind::name))]
    pub kind: Kind,

    /// The language
    #[arg(long, value_name = "LANGUAGE", default_value = "rust", value_parser = one_of(Language::ALL, Language::name))]
    pub lang: Language,

    /// Use the SDK in this directory instead of a copy inside of the project (Rust)
    #[arg(long, value_name = "DIR")]
    pub sdk: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct BuildArguments {
    /// The directory of the project
    #[arg(default_value = ".")]
    pub directory: PathBuf,
}

/// A parser of one of these values by its name.
fn one_of<T: Copy + Send + Sync + 'static, const N: usize>(
    values: [T; N],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(values.map(name)).try_map(move |given: String| {
        values.into_iter().find(|value| name(*value) == given).ok_or("not one of the values")
    })
}
