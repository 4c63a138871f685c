//! What the runs say together, computed only when somebody asks: with thousands of values that is most of the work.

use crate::ledger::Ledger;
use aiperf_model::sweep::SweepResult;
use std::cell::OnceCell;
use std::collections::BTreeSet;

/// How many times the results are brought up to date while their number doubles, at least.
const UPDATES_PER_DOUBLING: usize = 8;

/// The result of the runs so far.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    result: OnceCell<SweepResult>,
    /// How many runs have ended, and how many of them are in the files.
    ended: usize,
    written: usize,
    /// The values of the others.
    changed: BTreeSet<u32>,
}

impl Findings {
    /// Those of an earlier process, whose files may lack what it measured last.
    pub(crate) fn of(ledger: &Ledger) -> Self {
        let changed: BTreeSet<u32> = ledger.values().collect();
        Self { ended: ledger.len(), changed, ..Self::default() }
    }

    /// Notes that a run of a value has ended, so that all is to be computed anew.
    pub(crate) fn outdate(&mut self, value: u32) {
        self.result.take();
        self.ended += 1;
        self.changed.insert(value);
    }

    /// The values whose files lack a run.
    pub(crate) fn changed(&self) -> impl Iterator<Item = u32> {
        self.changed.iter().copied()
    }

    /// Whether the files are to be written: always for the first few runs, then after a share of them, so that the cost of
    /// each run stays the same however many there are.
    pub(crate) fn are_due(&self) -> bool {
        (self.ended - self.written) * UPDATES_PER_DOUBLING >= self.ended
    }

    /// Notes that the files hold all there is.
    pub(crate) fn note_written(&mut self) {
        self.written = self.ended;
        self.changed.clear();
    }

    /// Whether the files lack a run.
    pub(crate) fn are_behind(&self) -> bool {
        self.written < self.ended
    }

    pub(crate) fn result(&self, compute: impl FnOnce() -> SweepResult) -> &SweepResult {
        self.result.get_or_init(compute)
    }

    pub(crate) fn into_result(self, compute: impl FnOnce() -> SweepResult) -> SweepResult {
        self.result.into_inner().unwrap_or_else(compute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_few_runs_are_always_new_and_of_many_not_written_each_time() {
        let mut findings = Findings::default();
        let mut written = Vec::new();
        for run in 1..=10_000 {
            findings.outdate(0);
            if findings.are_due() {
                findings.note_written();
                written.push(run);
            }
        }
        assert_eq!(written[..9], [1, 2, 3, 4, 5, 6, 7, 8, 10]);
        assert!(written.len() < 60, "{}", written.len());
        // Until the last run before they are written, the files lack less than an eighth.
        assert!(written.windows(2).all(|pair| (pair[1] - 1 - pair[0]) * 8 <= pair[1]), "{written:?}");
    }
}
