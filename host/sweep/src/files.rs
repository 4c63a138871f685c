//! Which files are written when: the manifest at every change of state, the aggregates after every run.

use crate::benchmark::Benchmark;
use crate::ledger::{Ending, Ledger};
use aiperf_artifacts::manifest::{Origin, RunState};
use aiperf_artifacts::value_aggregate::{self, ValueAggregate};
use aiperf_artifacts::{
    ArtifactDir, ArtifactError, Layout, Manifest, host::Host, layout, names, sweep_csv, sweep_json, time,
};
use aiperf_metrics::points;
use aiperf_model::metrics::Selection;
use aiperf_model::plugin::Identity;
use aiperf_model::sweep::{Step, SweepResult, SweepValue};
use std::path::{Path, PathBuf};

/// The directory of a benchmark while it runs.
pub(crate) struct Files {
    directory: ArtifactDir,
    layout: Layout,
    manifest: Manifest,
}

impl Files {
    /// Makes the directory, and a manifest in which every run is pending.
    pub(crate) fn create(benchmark: &Benchmark<'_>) -> Result<Self, ArtifactError> {
        let (config, plan) = (benchmark.config, benchmark.plan);
        let name = names::base_name(&config.model, &benchmark.endpoint.identity().name, plan.stimulus());
        let parent = &config.output.artifact_dir;
        let directory = if config.output.overwrite {
            ArtifactDir::overwrite(parent, &name)?
        } else {
            ArtifactDir::create(parent, &name)?
        };
        let layout = Layout::new(directory.path(), plan.shape);
        let origin = Origin {
            aiperf_version: benchmark.version.to_owned(),
            created: time::now(),
            command_line: benchmark.command_line.clone(),
            configuration: config.redacted(),
            confidence_level: config.trials.confidence_level,
            host: Host::read(),
            plugins: std::iter::once(benchmark.endpoint.identity())
                .chain(benchmark.analysis.identities())
                .cloned()
                .collect(),
        };
        let manifest = Manifest::new(origin, &layout, &plan.axes, &plan.values, &plan.steps);
        manifest.write(&layout.manifest())?;
        Ok(Self { directory, layout, manifest })
    }

    pub(crate) fn base(&self) -> &Path {
        self.layout.base()
    }

    /// The plugins that take part.
    pub(crate) fn plugins(&self) -> &[Identity] {
        &self.manifest.plugins
    }

    /// Notes that a run begins, and makes its folder.
    pub(crate) fn begin_run(&mut self, step: &Step) -> Result<PathBuf, ArtifactError> {
        let folder = self.layout.run(&step.value.parameters, step.trial);
        self.directory.prepare(&folder)?;
        self.manifest.set_state(step.index, RunState::Running);
        self.manifest.write(&self.layout.manifest())?;
        Ok(folder)
    }

    /// Notes how a run ended, and brings the aggregates up to date.
    pub(crate) fn end_run(
        &mut self,
        benchmark: &Benchmark<'_>,
        step: &Step,
        ledger: &Ledger,
        result: &SweepResult,
    ) -> Result<(), ArtifactError> {
        self.write_value_aggregate(benchmark, &step.value, ledger)?;
        if let Some(folder) = self.layout.sweep_aggregate() {
            self.directory.prepare(&folder)?;
            write_sweep(&folder, result)?;
        }
        self.manifest.set_state(step.index, ledger.last().map_or(RunState::Pending, state));
        self.manifest.write(&self.layout.manifest())
    }

    fn write_value_aggregate(
        &self,
        benchmark: &Benchmark<'_>,
        value: &SweepValue,
        ledger: &Ledger,
    ) -> Result<(), ArtifactError> {
        let Some(folder) = self.layout.value_aggregate(&value.parameters) else { return Ok(()) };
        self.directory.prepare(&folder)?;
        let trials = &benchmark.config.trials;
        let runs = ledger.successes(value.index);
        value_aggregate::write(
            &folder,
            &ValueAggregate {
                aiperf_version: benchmark.version,
                model: &benchmark.config.model,
                parameters: &value.parameters,
                order: benchmark.plan.shape.order,
                confidence_level: trials.confidence_level,
                cooldown_seconds: trials.cooldown.as_secs_f64(),
                successful_trials: &ledger.successful_trials(value.index),
                failed_trials: &ledger.failed_trials(std::slice::from_ref(value)),
                statistics: &points::trial_statistics(&runs, trials.confidence_level, Selection::All),
            },
        )
    }
}

/// Both sweep files.
pub(crate) fn write_sweep(folder: &Path, result: &SweepResult) -> Result<(), ArtifactError> {
    sweep_json::write(&folder.join(layout::SWEEP_JSON), result)?;
    sweep_csv::write(&folder.join(layout::SWEEP_CSV), result)
}

fn state(ending: &Ending) -> RunState {
    match ending {
        Ending::Succeeded(_) => RunState::Done,
        Ending::Interrupted(_) => {
            RunState::Failed { error: "interrupted by the user".into(), timestamp: time::now() }
        }
        Ending::Failed { error, timestamp } => {
            RunState::Failed { error: error.clone(), timestamp: timestamp.clone() }
        }
    }
}
