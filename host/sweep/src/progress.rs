//! How far an earlier benchmark got, for those who only want to know.

use crate::benchmark::Benchmark;
use crate::duration_estimator::DurationEstimator;
use crate::earlier;
use crate::error::SweepError;
use crate::files::Files;
use aiperf_artifacts::manifest::RunState;
use aiperf_model::sweep::Step;
use std::path::Path;

/// How far an earlier benchmark got.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The state of each run, in order of the plan.
    states: Vec<RunState>,
    /// How long the runs took that are done.
    pub durations: DurationEstimator,
}

impl Progress {
    /// Reads it from the directory of a benchmark, which must be the same one.
    pub fn read(benchmark: &Benchmark<'_>, directory: &Path) -> Result<Self, SweepError> {
        let (mut manifest, folders) = Files::look(benchmark, directory)?;
        earlier::check_files(&mut manifest, &folders)?;
        let ledger = earlier::read_ledger(&manifest, &benchmark.plan.values, &folders)?;
        let states = manifest.runs.into_iter().map(|run| run.state).collect();
        Ok(Self { states, durations: ledger.durations() })
    }

    /// Why a run is not run again, or none if it is.
    #[must_use]
    pub fn settled(&self, step: &Step) -> Option<&str> {
        match self.states.get(step.index as usize)? {
            RunState::Done => Some("done"),
            RunState::NotNeeded { .. } => Some("not needed"),
            _ => None,
        }
    }
}
