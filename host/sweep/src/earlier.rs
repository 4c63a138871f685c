//! What the runs of an earlier benchmark left behind.

use crate::ledger::{Blame, Ending, Ledger, Success};
use aiperf_artifacts::manifest::{RunRecord, RunState};
use aiperf_artifacts::read_run::StoredRun;
use aiperf_artifacts::{ArtifactDir, ArtifactError, Layout, Manifest, layout, read_run, records};
use aiperf_model::sweep::SweepValue;

/// What the runs of the manifest left behind: those that are done, and those that failed. Others are no part of it.
pub(crate) fn read_ledger(
    manifest: &Manifest,
    values: &[SweepValue],
    folders: &Layout,
) -> Result<Ledger, ArtifactError> {
    let mut ledger = Ledger::default();
    for run in &manifest.runs {
        let Some(value) = values.iter().find(|value| value.index == run.value) else { continue };
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
        if run.state != RunState::Running || !records.is_file() {
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
