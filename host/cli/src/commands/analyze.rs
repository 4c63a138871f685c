//! `aiperf analyze`: an earlier sweep again.

use crate::args::{AnalysisArguments, AnalyzeArguments, Format};
use crate::console;
use crate::environment;
use crate::exit_code::Exit;
use crate::failure::Failure;
use crate::lines::Lines;
use crate::plugins;
use crate::ui;
use aiperf_artifacts::sweep_json;
use aiperf_model::plugin::AnalysisPlugins;
use aiperf_plan::{Options, PluginConfig};
use aiperf_sweep::{reanalyze, reanalyze_file};

pub(crate) fn analyze(arguments: &AnalyzeArguments) -> Result<Exit, Failure> {
    let plugins = plugins_of(&arguments.analysis)?;
    let result = if arguments.input.is_dir() {
        reanalyze(&arguments.input, &plugins, arguments.output.as_deref())
    } else if arguments.output.is_some() {
        let message =
            "--output goes with a directory; of a sweep file the result is only printed: use --format json";
        return Err(Failure::new(Exit::BadInput, message));
    } else {
        reanalyze_file(&arguments.input, &plugins)
    };
    let result = result?;
    match arguments.format {
        Format::Table => console::print(&ui::summary(&result))?,
        Format::Json => {
            console::print(&Lines::json(&String::from_utf8_lossy(&sweep_json::render(&result)?)))?;
        }
    }
    Ok(if result.conclusions.failures.is_empty() { Exit::Success } else { Exit::PluginFailed })
}

/// The plugins that an analysis uses.
pub(super) fn plugins_of(arguments: &AnalysisArguments) -> Result<AnalysisPlugins, Failure> {
    plugins::load_analysis(&PluginConfig::resolve(&chosen(arguments), &environment::read())?)
}

fn chosen(arguments: &AnalysisArguments) -> Options {
    let given = |choices: &[String]| (!choices.is_empty()).then(|| choices.to_vec());
    Options {
        plugin: (!arguments.plugins.plugin.is_empty()).then(|| arguments.plugins.plugin.clone()),
        plugin_dir: arguments.plugins.plugin_dir.clone(),
        locked: Some(arguments.locked),
        allow_native: Some(arguments.plugins.native.allow_native),
        plugin_timeout_seconds: arguments.plugin_timeout_seconds,
        plugin_memory_mib: arguments.plugin_memory_mib,
        plugin_output_mib: arguments.plugin_output_mib,
        plugin_log_lines: arguments.plugin_log_lines,
        plugin_findings: arguments.plugin_findings,
        plugin_instances: arguments.plugin_instances,
        plugin_compile_seconds: arguments.plugin_compile_seconds,
        plugin_compile_mib: arguments.plugin_compile_mib,
        plugin_trace: arguments.plugin_trace.clone(),
        objective: given(&arguments.objective),
        pareto: given(&arguments.pareto),
        trend: given(&arguments.trend),
        material: arguments.material.clone(),
        ..Options::default()
    }
}
