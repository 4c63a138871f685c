//! `aiperf analyze`: an earlier sweep again.

use crate::args::{AnalyzeArguments, Format};
use crate::console;
use crate::environment;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::failure::Failure;
use crate::lines::Lines;
use crate::plugins;
use crate::ui;
use aiperf_artifacts::Exporters;
use aiperf_artifacts::export::Exporter as _;
use aiperf_artifacts::sweep_json::SweepJson;
use aiperf_model::plugin::AnalysisPlugins;
use aiperf_plan::{AnalysisOptions, Options, PluginConfig, SourceOptions};
use aiperf_sweep::{reanalyze, reanalyze_file};

pub(crate) fn analyze(arguments: &AnalyzeArguments) -> Result<Exit, Failure> {
    let plugins = plugins_of(&arguments.sources, &arguments.analysis)?;
    let result = if arguments.input.is_dir() {
        reanalyze(&arguments.input, &plugins, &Exporters::built_in(), arguments.output.as_deref())
    } else if arguments.output.is_some() {
        return Err(CommandError::OutputOfFile.into());
    } else {
        reanalyze_file(&arguments.input, &plugins)
    };
    let result = result?;
    match arguments.format {
        Format::Table => console::print(&ui::summary(&result))?,
        Format::Json => {
            console::print(&Lines::json(&String::from_utf8_lossy(&SweepJson.encode(&result)?)))?;
        }
    }
    Ok(if result.conclusions.failures.is_empty() { Exit::Success } else { Exit::PluginFailed })
}

/// The plugins that an analysis uses.
pub(super) fn plugins_of(
    sources: &SourceOptions,
    analysis: &AnalysisOptions,
) -> Result<AnalysisPlugins, Failure> {
    let options = Options::from(sources.clone()).over(Options::from(analysis.clone()));
    plugins::load_analysis(&PluginConfig::resolve(&options, &environment::read())?)
}
