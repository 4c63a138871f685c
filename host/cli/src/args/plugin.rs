//! The arguments of `aiperf plugin`.

use super::Format;
use aiperf_model::plugin::Kind;
use aiperf_plan::{Secret, SourceOptions};
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
    Lock(SourceOptions),
    /// Begin a plugin: a small complete project with a README, a test and fixtures
    New(NewArguments),
    /// Make a component of a project, or a native library
    Build(BuildArguments),
    /// Hold a plugin against the contract and replay its fixtures, or repeat a call that failed
    Test(TestArguments),
    /// Measure what a call of a plugin costs, and how much of that is the sandbox
    Bench(BenchArguments),
    /// Record the response of a live server as a fixture for an endpoint
    Record(Box<RecordArguments>),
}

/// Whether code may run outside of the sandbox.
#[derive(Args)]
pub(crate) struct NativeArguments {
    /// Take native libraries too; they run outside of the sandbox, with all your rights and no limits
    #[arg(long)]
    pub allow_native: bool,
}

#[derive(Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    pub sources: SourceOptions,

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

    #[command(flatten)]
    pub native: NativeArguments,

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

    /// Make a native library instead, for --allow-native (Rust)
    #[arg(long)]
    pub native: bool,
}

#[derive(Args)]
pub(crate) struct TestArguments {
    /// The directory of a project, which is built first, or a component or native library
    #[arg(default_value = ".")]
    pub plugin: PathBuf,

    /// Directory with inputs and expected answers [default: fixtures beside the component]
    #[arg(long, value_name = "DIR")]
    pub fixtures: Option<PathBuf>,

    /// Only repeat the call in this file, which --plugin-trace of another command kept
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,

    #[command(flatten)]
    pub native: NativeArguments,
}

#[derive(Args)]
pub(crate) struct BenchArguments {
    /// The directory of a project, which is built first, a component, or the name of a built-in plugin
    pub plugin: PathBuf,

    /// Compare with the native library of the same source, as `aiperf plugin build --native` makes it; it runs outside
    /// of the sandbox, with all your rights
    #[arg(long, value_name = "LIBRARY")]
    pub native: Option<PathBuf>,

    /// Directory with the calls to measure [default: fixtures beside the component, else typical calls]
    #[arg(long, value_name = "DIR")]
    pub fixtures: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct RecordArguments {
    /// The name of the fixture
    pub name: String,

    /// Base URL or full endpoint URL, or sim: for the simulator [default: `http://localhost:8000`]
    #[arg(long, short, value_name = "URL")]
    pub url: Option<String>,

    /// The model to ask
    #[arg(long, short, value_name = "NAME")]
    pub model: String,

    /// Wire format, by the name of its plugin [default: chat]
    #[arg(long, value_name = "PLUGIN")]
    pub endpoint_type: Option<String>,

    /// Path that is appended to the URL instead of the one of the endpoint type
    #[arg(long, value_name = "PATH")]
    pub endpoint: Option<String>,

    /// Header for the request, as name:value; repeatable
    #[arg(long, short = 'H', value_name = "HEADER")]
    pub header: Vec<Secret>,

    /// Key that is sent as bearer token; the variable `OPENAI_API_KEY` does the same
    #[arg(long, value_name = "KEY")]
    pub api_key: Option<Secret>,

    /// What to ask
    #[arg(long, value_name = "TEXT", default_value = "Once upon a time")]
    pub prompt: String,

    /// The most output tokens to ask for
    #[arg(long, value_name = "TOKENS", default_value = "8")]
    pub osl: u32,

    /// Ask for a whole answer instead of a stream
    #[arg(long)]
    pub no_streaming: bool,

    /// Fields that are added to the request body, as a JSON object or key:value; repeatable
    #[arg(long, value_name = "FIELDS")]
    pub extra_inputs: Vec<String>,

    /// Directory to write to
    #[arg(long, value_name = "DIR", default_value = "fixtures")]
    pub fixtures: PathBuf,

    #[command(flatten)]
    pub sources: SourceOptions,
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
