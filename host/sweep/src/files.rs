//! Which files are written when: every change of state at once, what the runs say together when the driver says so.

use crate::benchmark::Benchmark;
use crate::context::ascending;
use crate::earlier;
use crate::error::SweepError;
use crate::ledger::{Ending, Ledger};
use crate::prompt_salt::{self, PromptSalt};
use crate::resume;
use crate::strategy::LeftOut;
use aiperf_artifacts::journal::Change;
use aiperf_artifacts::lock::Owner;
use aiperf_artifacts::manifest::{
    ClientErrorRecord, Origin, RunRecord, RunState, TimeBudgetRecord, ValueRecord,
};
use aiperf_artifacts::value_aggregate::ValueAggregate;
use aiperf_artifacts::{
    ArtifactDir, ArtifactError, Exporters, Layout, Manifest, ManifestLog, digest, host::Host, layout, names,
    time,
};
use aiperf_metrics::points;
use aiperf_model::client_error::ClientErrorEstimate;
use aiperf_model::metrics::StatisticSelection;
use aiperf_model::plugin::Identity;
use aiperf_model::sweep::{Step, SweepResult, SweepValue};
use aiperf_plan::WorkloadConfig;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The directory of a benchmark while it runs.
pub(crate) struct Files {
    directory: ArtifactDir,
    layout: Layout,
    log: ManifestLog,
    exporters: Exporters,
}

/// A run that has begun.
pub(crate) struct BegunRun {
    /// Where its files go.
    pub(crate) folder: PathBuf,
    /// What its prompts follow from beside their seed.
    pub(crate) salt: PromptSalt,
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
        let log = ManifestLog::begin(new_manifest(benchmark, &layout), &layout)?;
        Ok(Self { directory, layout, log, exporters: benchmark.exporters.clone() })
    }

    /// Takes the directory of an earlier benchmark, if it is the same one, with the state of its runs. Says what the user
    /// should know about them.
    pub(crate) fn resume(benchmark: &Benchmark<'_>, path: &Path) -> Result<(Self, Vec<String>), SweepError> {
        // Before the directory is held, so that one that is none is not made one by a lock file.
        Self::look(benchmark, path)?;
        let directory = ArtifactDir::open(path)?;
        let (mut manifest, layout) = Self::look(benchmark, path)?;
        let notices = earlier::check_files(&mut manifest, &layout)?;
        manifest.resumed.push(time::now());
        let spent_seconds = manifest.time_budget.map_or(0.0, |budget| budget.spent_seconds);
        manifest.time_budget = time_budget(benchmark, spent_seconds);
        // What need not be run follows from what was run, again.
        manifest.forget_not_needed();
        let log = ManifestLog::begin(manifest, &layout)?;
        let exporters = benchmark.exporters.clone();
        Ok((Self { directory, layout, log, exporters }, notices))
    }

    /// Reads how far an earlier benchmark got, if it is the same one, and changes nothing.
    pub(crate) fn look(benchmark: &Benchmark<'_>, path: &Path) -> Result<(Manifest, Layout), SweepError> {
        if !path.join(layout::MANIFEST).is_file() {
            return Err(SweepError::NothingToResume { directory: path.display().to_string() });
        }
        let layout = Layout::new(path, benchmark.plan.shape);
        let manifest = Manifest::read(&layout.manifest())?;
        resume::check(path, &manifest, &new_manifest(benchmark, &layout))?;
        Ok((manifest, layout))
    }

    /// What the user should know about the directory before it is worked in; torn records are mended.
    pub(crate) fn mend(&self) -> Result<Vec<String>, ArtifactError> {
        let mut notices = earlier::drop_torn_lines(self.manifest(), &self.layout, &self.directory)?;
        if let Some(Owner { pid, since }) = self.directory.left_by() {
            notices.push(format!(
                "process {pid}, which began at {since}, ended without releasing the directory"
            ));
        }
        notices.extend(resume::other_machine(&self.manifest().host, &Host::read()));
        Ok(notices)
    }

    /// How far the benchmark got, in words.
    pub(crate) fn progress(&self) -> String {
        let runs = &self.manifest().runs;
        let count = |wanted: fn(&RunState) -> bool| runs.iter().filter(|run| wanted(&run.state)).count();
        let done = count(|state| *state == RunState::Done);
        let not_needed = count(|state| matches!(state, RunState::NotNeeded { .. }));
        let and = if not_needed == 0 { String::new() } else { format!(" and {not_needed} are not needed") };
        match runs.len() {
            all if done + not_needed == all && not_needed == 0 => format!("all {all} runs are done"),
            all if done + not_needed == all => format!("{done} of {all} runs are done{and}"),
            _ if self.manifest().time_budget.is_some() => {
                format!("{done} runs are done, more are run now while there is time")
            }
            all => format!("{done} of {all} runs are done{and}, the others are run now"),
        }
    }

    /// What the earlier runs left behind.
    pub(crate) fn ledger(&self, values: &[SweepValue]) -> Result<Ledger, ArtifactError> {
        earlier::read_ledger(self.manifest(), values, &self.layout)
    }

    /// Whether a run is done or need not be.
    pub(crate) fn is_settled(&self, step: &Step) -> bool {
        self.manifest().state(step.index).is_some_and(is_settled)
    }

    /// Whether a run was done before.
    pub(crate) fn is_done(&self, step: &Step) -> bool {
        self.manifest().state(step.index) == Some(&RunState::Done)
    }

    /// How many runs are to be done and are not.
    pub(crate) fn unfinished(&self) -> usize {
        self.manifest().runs.iter().filter(|run| !is_settled(&run.state)).count()
    }

    /// What earlier commands spent of the time for all trials.
    pub(crate) fn spent(&self) -> Duration {
        let seconds = self.manifest().time_budget.map_or(0.0, |budget| budget.spent_seconds);
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    }

    /// Notes that runs need not be run.
    pub(crate) fn leave_out(&mut self, left_out: &LeftOut) -> Result<(), ArtifactError> {
        let state = || RunState::NotNeeded { reason: left_out.reason.clone() };
        let runs =
            left_out.steps.iter().filter_map(|step| self.manifest().ended(step.index, state(), Vec::new()));
        let changes: Vec<Change> = runs.map(Change::Run).collect();
        self.log.note(&changes)
    }

    /// Takes up a run that is not of the plan; whether its value is new too.
    pub(crate) fn add(&mut self, step: &Step) -> Result<bool, ArtifactError> {
        if self.manifest().state(step.index).is_some() {
            return Ok(false);
        }
        let is_new = self.manifest().plan.values.len() <= step.value.index as usize;
        let value = is_new.then(|| Change::Value(ValueRecord::from(&step.value)));
        let run = Change::Run(RunRecord::pending(step, &self.layout));
        self.log.note(&value.into_iter().chain([run]).collect::<Vec<_>>())?;
        Ok(is_new)
    }

    /// The position of a run that is not of the plan.
    pub(crate) fn next_index(&self) -> u32 {
        self.manifest().runs.len() as u32
    }

    /// All values, by their parameters, ascending.
    pub(crate) fn values_ascending(&self) -> Vec<SweepValue> {
        let mut values = self.manifest().values();
        values.sort_by(|a, b| ascending(&a.parameters, &b.parameters));
        values
    }

    fn manifest(&self) -> &Manifest {
        self.log.manifest()
    }

    /// Removes everything, as if the benchmark had never begun. Says what was to be run.
    pub(crate) fn discard(self) -> Result<Manifest, ArtifactError> {
        let manifest = self.log.finish()?;
        self.directory.discard()?;
        Ok(manifest)
    }

    /// Whether an earlier command began the benchmark.
    pub(crate) fn is_resumed(&self) -> bool {
        !self.manifest().resumed.is_empty()
    }

    /// What was to be run, and how far it got. The directory is free from now on.
    pub(crate) fn finish(self) -> Result<Manifest, ArtifactError> {
        self.log.finish()
    }

    pub(crate) fn base(&self) -> &Path {
        self.layout.base()
    }

    /// The plugins that take part.
    pub(crate) fn plugins(&self) -> &[Identity] {
        &self.manifest().plugins
    }

    /// The machine as the manifest has it.
    pub(crate) fn host(&self) -> &Host {
        &self.manifest().host
    }

    /// Notes the client's own error at a value.
    pub(crate) fn note_client_error(
        &mut self,
        value: u32,
        client_error: ClientErrorEstimate,
    ) -> Result<(), ArtifactError> {
        self.log.note(&[Change::ClientError(ClientErrorRecord { value, client_error })])
    }

    /// Notes that a run begins, and makes its folder, without what an earlier attempt left there.
    pub(crate) fn begin_run(
        &mut self,
        step: &Step,
        workload: &WorkloadConfig,
    ) -> Result<BegunRun, ArtifactError> {
        let folder = self.layout.run(&step.value.parameters, step.trial);
        self.directory.prepare(&folder)?;
        let begun: Vec<Change> = self.manifest().begun(step.index).map(Change::Run).into_iter().collect();
        self.log.note(&begun)?;
        // Only now: until the manifest says that the run is running, its files are those of the state it names.
        self.directory.clear_run(&folder, &self.exporters)?;
        let manifest = self.manifest();
        let attempt = manifest.attempts(step.index);
        let salt = PromptSalt::new(workload, &manifest.prompt_salt, step.trial, attempt);
        Ok(BegunRun { folder, salt })
    }

    /// Notes how a run ended, and what is spent of the time for all trials.
    pub(crate) fn end_run(
        &mut self,
        step: &Step,
        ending: &Ending,
        spent: Option<Duration>,
    ) -> Result<(), ArtifactError> {
        let files = match ending {
            Ending::Succeeded(_) => {
                digest::of_run(&self.layout.run(&step.value.parameters, step.trial), &self.exporters)?
            }
            Ending::Interrupted(_) | Ending::Failed { .. } => Vec::new(),
        };
        let run = self.manifest().ended(step.index, state(ending), files).map(Change::Run);
        let spent = spent.map(|spent| Change::SpentSeconds(spent.as_secs_f64()));
        self.log.note(&run.into_iter().chain(spent).collect::<Vec<_>>())
    }

    /// Writes what the trials of these values, and what all values say together.
    pub(crate) fn write_aggregates<'v>(
        &self,
        benchmark: &Benchmark<'_>,
        values: impl Iterator<Item = &'v SweepValue>,
        ledger: &Ledger,
        result: &SweepResult,
    ) -> Result<(), ArtifactError> {
        for value in values {
            self.write_value_aggregate(benchmark, value, ledger, result)?;
        }
        let Some(folder) = self.layout.sweep_aggregate() else { return Ok(()) };
        self.directory.prepare(&folder)?;
        self.exporters.export_sweep(&folder, result)
    }

    fn write_value_aggregate(
        &self,
        benchmark: &Benchmark<'_>,
        value: &SweepValue,
        ledger: &Ledger,
        result: &SweepResult,
    ) -> Result<(), ArtifactError> {
        let Some(folder) = self.layout.value_aggregate(&value.parameters) else { return Ok(()) };
        self.directory.prepare(&folder)?;
        let trials = &benchmark.config.trials;
        let runs = ledger.successes(value.index);
        let judged = result.verdicts.iter().find(|judged| judged.index == value.index);
        self.exporters.export_value(
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
                convergence: result.convergence.as_ref().and_then(|all| {
                    let of_value = all.values.iter().find(|converged| converged.index == value.index)?;
                    Some((&all.rule, of_value))
                }),
                verdict: judged.map(|judged| &judged.verdict),
                statistics: &points::trial_statistics(
                    &runs,
                    trials.confidence_level,
                    StatisticSelection::All,
                ),
            },
        )
    }
}

fn is_settled(state: &RunState) -> bool {
    matches!(state, RunState::Done | RunState::NotNeeded { .. })
}

/// The manifest of the benchmark as if none of its runs had begun.
fn new_manifest(benchmark: &Benchmark<'_>, layout: &Layout) -> Manifest {
    let (config, plan) = (benchmark.config, benchmark.plan);
    let mut configuration = config.redacted();
    // The requests of a file are part of what was asked, whatever its name.
    if let Some(dataset) = &benchmark.dataset
        && let Some(serde_json::Value::Object(file)) = configuration.pointer_mut("/workload/dataset")
    {
        file.insert("sha256".into(), dataset.sha256().into());
    }
    let origin = Origin {
        aiperf_version: benchmark.version.to_owned(),
        created: time::now(),
        command_line: benchmark.command_line.clone(),
        configuration,
        prompt_salt: config.workload.prompt_salt.clone().unwrap_or_else(prompt_salt::drawn),
        confidence_level: config.trials.confidence_level,
        convergence: config.trials.convergence.clone(),
        time_budget: time_budget(benchmark, 0.0),
        host: Host::read(),
        plugins: std::iter::once(benchmark.endpoint.identity())
            .chain(benchmark.analysis.identities())
            .cloned()
            .collect(),
    };
    Manifest::new(origin, layout, &plan.axes, &plan.values, &plan.steps)
}

fn time_budget(benchmark: &Benchmark<'_>, spent_seconds: f64) -> Option<TimeBudgetRecord> {
    let budget = benchmark.config.trials.time_budget?;
    Some(TimeBudgetRecord { seconds: budget.time.as_secs_f64(), spent_seconds })
}

fn state(ending: &Ending) -> RunState {
    match ending {
        Ending::Succeeded(_) => RunState::Done,
        Ending::Interrupted(_) => RunState::Interrupted { timestamp: time::now() },
        Ending::Failed { error, timestamp, .. } => {
            RunState::Failed { error: error.clone(), timestamp: timestamp.clone() }
        }
    }
}
