//! `aiperf report`: the page of a benchmark.

use super::analyze::plugins_of;
use crate::args::ReportArguments;
use crate::console;
use crate::exit_code::Exit;
use crate::failure::Failure;
use crate::lines::Lines;
use crate::ui;
use aiperf_artifacts::{ArtifactError, Manifest, durable, layout};
use aiperf_model::sweep::SweepResult;
use aiperf_sweep::review;
use std::path::Path;

pub(crate) fn report(arguments: &ReportArguments) -> Result<Exit, Failure> {
    let plugins = plugins_of(&arguments.sources, &arguments.analysis)?;
    let (result, manifest) = review(&arguments.directory, &plugins)?;
    let file = match &arguments.output {
        Some(file) if file.exists() => return Err(ArtifactError::Exists(file.clone()).into()),
        Some(file) => file.clone(),
        None => arguments.directory.join(layout::REPORT),
    };
    durable::write(&file, ui::page(&result, &manifest).as_bytes())?;
    console::print(&ui::edited_files(&result))?;
    console::print(&Lines::of(format_args!("Report: {}", file.display())))?;
    Ok(if result.conclusions.failures.is_empty() { Exit::Success } else { Exit::PluginFailed })
}

/// Writes the page of a benchmark that has just ended.
pub(super) fn write(
    directory: &Path,
    result: &SweepResult,
    manifest: &Manifest,
) -> Result<(), ArtifactError> {
    durable::write(&directory.join(layout::REPORT), ui::page(result, manifest).as_bytes())
}
