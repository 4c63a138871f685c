//! What the runs of an earlier benchmark left behind.

use crate::error::SweepError;
use crate::ledger::{Blame, Ending, Ledger, Success};
use aiperf_artifacts::digest::{self, Change, Difference};
use aiperf_artifacts::manifest::{RunRecord, RunState};
use aiperf_artifacts::read_run::StoredRun;
use aiperf_artifacts::{ArtifactDir, ArtifactError, Layout, Manifest, layout, read_run, records};
use aiperf_model::sweep::SweepValue;
use std::collections::BTreeMap;

/// What the runs of the manifest left behind: those that are done, and those that failed. Others are no part of it.
pub(crate) fn read_ledger(
    manifest: &Manifest,
    values: &[SweepValue],
    folders: &Layout,
) -> Result<Ledger, ArtifactError> {
    let mut ledger = Ledger::default();
    let values: BTreeMap<u32, &SweepValue> = values.iter().map(|value| (value.index, value)).collect();
    for run in &manifest.runs {
        let Some(value) = values.get(&run.value) else { continue };
        if let Some(ending) = read_ending(run, value, folders)? {
            ledger.note(run.step, run.value, run.trial, ending);
        }
    }
    Ok(ledger)
}

fn read_ending(
    run: &RunRecord,
    value: &SweepValue,
    folders: &Layout,
) -> Result<Option<Ending>, ArtifactError> {
    Ok(match &run.state {
        RunState::Pending | RunState::Running | RunState::NotNeeded { .. } | RunState::Interrupted { .. } => {
            None
        }
        RunState::Done => {
            let StoredRun { metrics, verdict, start_unix_ns, errors } =
                read_run::read(&folders.run(&value.parameters, run.trial))?;
            Some(Ending::Succeeded(Success { metrics, verdict, start_unix_ns, errors }))
        }
        RunState::Failed { error, timestamp } => {
            // It is repeated, and then says itself what it failed by.
            Some(Ending::Failed {
                error: error.clone(),
                timestamp: timestamp.clone(),
                blame: Blame::Requests,
            })
        }
    })
}

/// How many changed files are named; one that names thousands is read by nobody.
const NAMED_CHANGES: usize = 20;

/// Lets runs that are done, but whose files were all removed, be pending again, and says so. Files that were changed, or
/// some of which are missing, are refused: what they say may not be what was measured, and they may be all there is.
pub(crate) fn check_files(manifest: &mut Manifest, folders: &Layout) -> Result<Vec<String>, SweepError> {
    let (mut changed, mut notices, mut unknown) = (Vec::new(), Vec::new(), 0);
    for (step, run) in manifest.steps().iter().zip(&mut manifest.runs) {
        if run.state != RunState::Done {
            continue;
        }
        unknown += usize::from(run.files.is_empty());
        let folder = folders.run(&step.value.parameters, step.trial);
        let differences = digest::differences(&folder, &run.files)?;
        let is_removed = differences.iter().all(|file| file.change == Change::Missing);
        if !differences.is_empty() && is_removed && differences.len() == run.files.len() {
            notices.push(format!("the files in {} were removed; the run is run again", folder.display()));
            run.state = RunState::Pending;
            run.files = Vec::new();
        } else {
            changed.extend(differences);
        }
    }
    if unknown > 0 {
        notices.push(format!(
            "{unknown} runs were done by a version that kept no digests; their files are taken as they are"
        ));
    }
    if changed.is_empty() { Ok(notices) } else { Err(changed_files(&changed)) }
}

fn changed_files(changed: &[Difference]) -> SweepError {
    SweepError::ChangedFiles { differences: told(changed).join("\n  ") }
}

/// One line each.
fn told(changed: &[Difference]) -> Vec<String> {
    let named = changed.iter().take(NAMED_CHANGES).map(ToString::to_string);
    let others = changed.len().saturating_sub(NAMED_CHANGES);
    named.chain((others > 0).then(|| format!("and {others} more"))).collect()
}

/// Which files of runs that are done are not as they were written, one line each. Files that are gone are no part of it:
/// records are large, and who analyses needs only the metrics.
pub(crate) fn edited_files(manifest: &Manifest, folders: &Layout) -> Result<Vec<String>, ArtifactError> {
    let mut changed = Vec::new();
    for (step, run) in manifest.steps().iter().zip(&manifest.runs) {
        if run.state == RunState::Done {
            changed
                .extend(digest::differences(&folders.run(&step.value.parameters, step.trial), &run.files)?);
        }
    }
    changed.retain(|file| file.change != Change::Missing);
    Ok(told(&changed))
}

/// Drops the last line of the records that a killed process was writing, and says so.
pub(crate) fn drop_torn_lines(
    manifest: &Manifest,
    folders: &Layout,
    directory: &ArtifactDir,
) -> Result<Vec<String>, ArtifactError> {
    let mut notices = Vec::new();
    for (step, run) in manifest.steps().iter().zip(&manifest.runs) {
        let folder = folders.run(&step.value.parameters, step.trial);
        let records = folder.join(layout::RECORDS);
        if run.state != RunState::Running || !(records.exists() || records.is_symlink()) {
            continue;
        }
        // Refuses a folder that is not ours.
        directory.prepare(&folder)?;
        let torn = records::drop_torn_line(&records)?;
        if torn > 0 {
            notices.push(format!("dropped {torn} bytes of a torn last line of {}", records.display()));
        }
    }
    Ok(notices)
}
