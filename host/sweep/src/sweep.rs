//! The steps of a plan, one after the other.

use crate::benchmark::Benchmark;
use crate::error::SweepError;
use crate::events::{Event, Observer};
use crate::files::Files;
use crate::frame::Frame;
use crate::interrupt::{Interrupt, Urgency};
use crate::ledger::{Ending, Ledger};
use crate::one_run;
use aiperf_model::metrics::RunMetrics;
use aiperf_model::sweep::{Step, SweepResult};
use std::path::Path;

/// A benchmark whose directory exists.
pub struct Sweep<'a> {
    benchmark: &'a Benchmark<'a>,
    files: Files,
    frame: Frame<'a>,
    ledger: Ledger,
}

/// What became of a benchmark.
#[derive(Debug)]
pub struct Outcome {
    /// What the sweep files say; for a single value, its point without an analysis.
    pub result: SweepResult,
    /// How many runs succeeded.
    pub succeeded: usize,
    /// How many runs failed.
    pub failed: usize,
    /// Whether the user stopped it.
    pub interrupted: bool,
    /// The metrics of the last run, unless it failed.
    pub last_run: Option<RunMetrics>,
}

impl<'a> Sweep<'a> {
    /// Makes the directory and the manifest; sends nothing.
    pub fn begin(benchmark: &'a Benchmark<'a>) -> Result<Self, SweepError> {
        let (config, plan) = (benchmark.config, benchmark.plan);
        let files = Files::create(benchmark)?;
        let frame = Frame {
            axes: &plan.axes,
            values: plan.values_ascending().into_iter().cloned().collect(),
            trials_per_value: plan.shape.trials,
            order: plan.shape.order,
            confidence_level: config.trials.confidence_level,
            selection: config.sweep.metrics,
            plugins: files.plugins().to_vec(),
        };
        Ok(Self { benchmark, files, frame, ledger: Ledger::default() })
    }

    /// The directory that everything is written to.
    pub fn directory(&self) -> &Path {
        self.files.base()
    }

    /// Runs all steps, or those until the user stops it.
    pub fn run(mut self, observer: &mut dyn Observer, interrupt: &Interrupt) -> Result<Outcome, SweepError> {
        let mut result = self.frame.result(&self.ledger, self.benchmark.analysis);
        for step in &self.benchmark.plan.steps {
            cool_down(step, observer, interrupt);
            if interrupt.urgency() != Urgency::None {
                break;
            }
            let folder = self.files.begin_run(step)?;
            let ending = one_run::execute(self.benchmark, step, &folder, observer, interrupt)?;
            self.ledger.note(step.value.index, step.trial, ending.clone());
            result = self.frame.result(&self.ledger, self.benchmark.analysis);
            self.files.end_run(self.benchmark, step, &self.ledger, &result)?;
            observer.notify(Event::RunEnded { step, ending: &ending });
        }
        Ok(self.outcome(result, interrupt.urgency() != Urgency::None))
    }

    fn outcome(self, result: SweepResult, interrupted: bool) -> Outcome {
        let (succeeded, failed) = self.ledger.counts();
        let last_run = match self.ledger.last() {
            Some(Ending::Succeeded(metrics) | Ending::Interrupted(metrics)) => Some(metrics.clone()),
            Some(Ending::Failed { .. }) | None => None,
        };
        Outcome { result, succeeded, failed, interrupted, last_run }
    }
}

fn cool_down(step: &Step, observer: &mut dyn Observer, interrupt: &Interrupt) {
    if !step.cooldown.is_zero() {
        observer.notify(Event::CoolingDown { step });
        interrupt.wait(step.cooldown);
    }
}
