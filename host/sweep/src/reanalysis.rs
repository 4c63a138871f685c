//! The analysis of an earlier sweep again, with any plugins and no server.

use crate::asking::Asking;
use crate::context::{SweepContext, ascending};
use crate::earlier::{edited_files, read_ledger};
use crate::error::SweepError;
use aiperf_analysis::{Subject, analyze};
use aiperf_artifacts::{ArtifactDir, ArtifactError, Exporters, Layout, Manifest, layout, read_sweep};
use aiperf_metrics::statistics;
use aiperf_model::metrics::StatisticSelection;
use aiperf_model::plugin::{AnalysisPlugins, Identity, Kind};
use aiperf_model::point::Measurement;
use aiperf_model::sweep::SweepResult;
use std::path::Path;

/// Analyses the runs below a directory again and writes the sweep files, into `output` or else where they were.
/// The same directory and plugins give the same bytes.
pub fn reanalyze(
    directory: &Path,
    analysis: &AnalysisPlugins,
    exporters: &Exporters,
    output: Option<&Path>,
) -> Result<SweepResult, SweepError> {
    let manifest = read_manifest(directory)?;
    // Only who writes into a directory must be alone in it.
    let held = output.is_none().then(|| ArtifactDir::open(directory)).transpose()?;
    let folders = Layout::new(directory, manifest.shape());
    let Some(sweep_aggregate) = folders.sweep_aggregate() else {
        let found = if manifest.plan.trials > 1 { "trials of one value" } else { "a single run" };
        return Err(SweepError::NoSweep { directory: directory.display().to_string(), found });
    };
    let result = analyzed(&manifest, &folders, analysis)?;
    match &held {
        Some(held) => held.prepare(&sweep_aggregate)?,
        None => prepare_empty(output.unwrap_or(&sweep_aggregate), exporters)?,
    }
    exporters.export_sweep(output.unwrap_or(&sweep_aggregate), &result)?;
    Ok(result)
}

/// A folder of the user's choice, without an earlier result.
fn prepare_empty(folder: &Path, exporters: &Exporters) -> Result<(), ArtifactError> {
    let mut earlier = exporters.sweep_files().map(|name| folder.join(name));
    if let Some(path) = earlier.find(|path| path.exists() || path.is_symlink()) {
        return Err(ArtifactError::Exists(path));
    }
    std::fs::create_dir_all(folder).map_err(|source| ArtifactError::Io {
        action: "create",
        path: folder.to_path_buf(),
        source,
    })
}

/// What the runs below a directory say, by these plugins, and the manifest; nothing is written. There need be no sweep.
pub fn review(directory: &Path, analysis: &AnalysisPlugins) -> Result<(SweepResult, Manifest), SweepError> {
    let manifest = read_manifest(directory)?;
    let folders = Layout::new(directory, manifest.shape());
    Ok((analyzed(&manifest, &folders, analysis)?, manifest))
}

fn read_manifest(directory: &Path) -> Result<Manifest, SweepError> {
    let manifest = directory.join(layout::MANIFEST);
    if !manifest.exists() {
        return Err(SweepError::NoManifest(directory.display().to_string()));
    }
    Ok(Manifest::read(&manifest)?)
}

fn analyzed(
    manifest: &Manifest,
    folders: &Layout,
    analysis: &AnalysisPlugins,
) -> Result<SweepResult, SweepError> {
    let mut values = manifest.values();
    values.sort_by(|a, b| ascending(&a.parameters, &b.parameters));
    let context = SweepContext {
        axes: &manifest.plan.axes,
        trials_per_value: manifest.plan.trials,
        order: manifest.plan.order,
        confidence_level: manifest.plan.confidence_level,
        convergence: manifest.plan.convergence.clone(),
        time_budget: manifest.time_budget.map(|budget| budget.seconds),
        selection: selection(manifest),
        plugins: with_analysis(&manifest.plugins, analysis),
        values,
    };
    let ledger = read_ledger(manifest, &context.values, folders)?;
    let result = context.result(&ledger, analysis, &Asking::without_limit());
    Ok(SweepResult { edited_files: edited_files(manifest, folders)?, ..result })
}

/// Analyses one sweep file again; nothing is written. Intervals are computed anew from the deviations.
pub fn reanalyze_file(file: &Path, analysis: &AnalysisPlugins) -> Result<SweepResult, SweepError> {
    let mut result = read_sweep::read(file)?;
    for point in &mut result.points {
        for measurement in &mut point.measurements {
            measurement.confidence = confidence(measurement, point.trials, result.confidence_level);
        }
    }
    let subject = Subject {
        axes: &result.axes,
        points: &result.points,
        verdicts: &result.verdicts,
        confidence_level: result.confidence_level,
    };
    result.conclusions = analyze(subject, analysis);
    result.plugins = with_analysis(&result.plugins, analysis);
    Ok(result)
}

/// Which metrics the sweep file had.
fn selection(manifest: &Manifest) -> StatisticSelection {
    let written = manifest.configuration.pointer("/sweep/metrics").cloned().unwrap_or_default();
    serde_json::from_value(written).unwrap_or_default()
}

/// The plugins that measured, and those that analyse now.
fn with_analysis(before: &[Identity], analysis: &AnalysisPlugins) -> Vec<Identity> {
    let measured = before.iter().filter(|plugin| plugin.kind == Kind::Endpoint);
    measured.chain(analysis.identities()).cloned().collect()
}

/// A file may hold the mean and deviation over `trials` trials without their values.
fn confidence(measurement: &Measurement, trials: u32, level: f64) -> Option<aiperf_model::point::Interval> {
    let n = if measurement.trials.len() == 1 { trials as usize } else { measurement.trials.len() };
    let interval = statistics::interval_from_moments(n, measurement.mean, measurement.std_dev?, level)?;
    let is_negative = measurement.mean < 0.0 || measurement.trials.iter().any(|trial| *trial < 0.0);
    Some(if is_negative { interval } else { statistics::clip_at_zero(interval) })
}
