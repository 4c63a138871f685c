//! The manifest of a benchmark that runs, kept on the disk at a cost that does not grow with the number of its runs.

use crate::error::ArtifactError;
use crate::journal::{Change, Journal};
use crate::layout::Layout;
use crate::manifest::Manifest;
use std::path::PathBuf;

/// The manifest is written as a whole after so large a share of its runs has changed; of few runs, after each change.
const CHANGES_PER_WRITE: usize = 16;

/// A manifest and its files.
#[derive(Debug)]
pub struct ManifestLog {
    manifest: Manifest,
    path: PathBuf,
    journal: Journal,
    /// How many changes the manifest's own file lacks.
    changes: usize,
}

impl ManifestLog {
    /// Writes a manifest.
    pub fn begin(manifest: Manifest, layout: &Layout) -> Result<Self, ArtifactError> {
        let mut log = Self::of(manifest, layout);
        log.write()?;
        Ok(log)
    }

    /// Goes on with a manifest that was read; nothing is written until something changes.
    #[must_use]
    pub fn of(manifest: Manifest, layout: &Layout) -> Self {
        Self { manifest, path: layout.manifest(), journal: Journal::at(layout.journal()), changes: 0 }
    }

    /// What was to be run, and how far it got.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Makes changes and brings them to the disk.
    pub fn note(&mut self, changes: &[Change]) -> Result<(), ArtifactError> {
        for change in changes {
            self.manifest.apply(change.clone());
        }
        self.changes += changes.len();
        let is_due = self.changes * CHANGES_PER_WRITE >= self.manifest.runs.len();
        // A journal must not end before the manifest does that takes its place.
        if self.journal.is_begun() || !is_due {
            self.journal.append(changes)?;
        }
        if is_due { self.write() } else { Ok(()) }
    }

    /// Brings the manifest's own file up to date.
    pub fn finish(mut self) -> Result<Manifest, ArtifactError> {
        if self.changes > 0 {
            self.write()?;
        }
        Ok(self.manifest)
    }

    fn write(&mut self) -> Result<(), ArtifactError> {
        self.manifest.write(&self.path)?;
        self.changes = 0;
        self.journal.clear()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::RunState;
    use crate::manifest::tests::manifest;

    /// The manifest with so many runs in all.
    fn large(runs: u32) -> Manifest {
        let mut manifest = manifest();
        let first = manifest.runs[0].clone();
        let value = manifest.values().remove(0);
        manifest.plan.trials = runs;
        let layout = Layout::new("", manifest.shape());
        let run = |step| crate::manifest::RunRecord {
            step,
            trial: step + 1,
            directory: layout.relative(&layout.run(&value.parameters, step + 1)),
            ..first.clone()
        };
        manifest.runs = (0..runs).map(run).collect();
        manifest
    }

    fn done(manifest: &Manifest, step: u32) -> Change {
        let run = &manifest.runs[step as usize];
        Change::Run(crate::manifest::RunRecord { state: RunState::Done, attempts: 1, ..run.clone() })
    }

    #[test]
    fn whoever_reads_the_manifest_reads_every_change() {
        for runs in [4, 40, 400] {
            let folder = tempfile::tempdir().unwrap();
            let layout = Layout::new(folder.path(), manifest().shape());
            let mut log = ManifestLog::begin(large(runs), &layout).unwrap();
            for step in 0..runs / 2 {
                log.note(&[done(log.manifest(), step)]).unwrap();
                assert_eq!(&Manifest::read(&layout.manifest()).unwrap(), log.manifest(), "{runs} {step}");
            }
            let finished = log.finish().unwrap();
            assert!(!layout.journal().exists());
            assert_eq!(Manifest::read(&layout.manifest()).unwrap(), finished);
        }
    }

    #[test]
    fn a_journal_that_a_manifest_has_overtaken_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path(), manifest().shape());
        let mut log = ManifestLog::begin(large(400), &layout).unwrap();
        log.note(&[done(log.manifest(), 0)]).unwrap();
        log.note(&[done(log.manifest(), 1)]).unwrap();
        let journal = std::fs::read(layout.journal()).unwrap();
        let finished = log.finish().unwrap();
        // As if the process had been killed before it removed the journal.
        std::fs::write(layout.journal(), journal).unwrap();
        assert_eq!(Manifest::read(&layout.manifest()).unwrap(), finished);
    }
}
