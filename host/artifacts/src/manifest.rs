//! `manifest.json`: what was to be run, with which means, and how far it got.
//!
//! Together with the records it makes a benchmark repeatable: the configuration after all defaults, the seeds, the
//! order of the runs, the digests of the plugins, and the state of every run. It is replaced as a whole after every
//! change of state.

mod agreement;

use crate::digest::FileDigest;
use crate::error::ArtifactError;
use crate::host::Host;
use crate::journal::{self, Change};
use crate::json;
use crate::layout::{self, Layout};
use crate::parameters;
use aiperf_model::client_error::ClientErrorEstimate;
use aiperf_model::convergence::Convergence;
use aiperf_model::parameter::Parameter;
use aiperf_model::plugin::Identity;
use aiperf_model::sweep::{Order, Shape, Step, SweepValue};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Duration;

/// The version of the file's shape that this program writes and reads.
pub const SCHEMA_VERSION: u32 = 1;

const FORMAT: &str = "manifest";

/// The manifest of one benchmark.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the file's shape.
    pub schema_version: u32,
    /// The version of the program that began the benchmark.
    pub aiperf_version: String,
    /// When the benchmark began; RFC 3339, UTC.
    pub created: String,
    /// When it was continued, each time; RFC 3339, UTC.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resumed: Vec<String>,
    /// The command line, without secrets.
    pub command_line: Vec<String>,
    /// The resolved configuration, without secrets.
    pub configuration: serde_json::Value,
    /// What the words of synthetic prompts follow from beside the seeds. Empty where an earlier version of the program did
    /// not say.
    #[serde(default)]
    pub prompt_salt: String,
    /// What was to be run.
    pub plan: PlanRecord,
    /// The machine that the load came from.
    pub host: Host,
    /// The plugins that take part.
    pub plugins: Vec<Identity>,
    /// The client's own error at the load of each value, where it is known.
    #[serde(default, alias = "error_budgets", skip_serializing_if = "Vec::is_empty")]
    pub client_errors: Vec<ClientErrorRecord>,
    /// The time for all trials, if there is one, and what of it is spent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_budget: Option<TimeBudgetRecord>,
    /// The runs, in order of execution.
    pub runs: Vec<RunRecord>,
}

/// What was to be run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanRecord {
    /// Whether there are several values.
    pub sweep: bool,
    /// The names of the swept parameters.
    pub axes: Vec<String>,
    /// The order of a sweep with several trials.
    pub order: Order,
    /// How many trials each value has.
    pub trials: u32,
    /// The coverage of the intervals.
    pub confidence_level: f64,
    /// When the trials of a value end early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub convergence: Option<Convergence>,
    /// The values in the order given by the user.
    pub values: Vec<ValueRecord>,
}

/// One value of the sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValueRecord {
    /// The position in the plan, from 0.
    pub index: u32,
    /// The swept parameters; empty if nothing is swept.
    #[serde(with = "parameters")]
    pub parameters: Vec<Parameter>,
    /// The seed of its workload.
    pub seed: u64,
}

impl From<&SweepValue> for ValueRecord {
    fn from(value: &SweepValue) -> Self {
        Self { index: value.index, parameters: value.parameters.clone(), seed: value.seed }
    }
}

/// The client's own error at the load of one value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClientErrorRecord {
    /// The position of the value in the plan.
    pub value: u32,
    /// The error.
    #[serde(flatten)]
    pub client_error: ClientErrorEstimate,
}

/// The time for all trials.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimeBudgetRecord {
    /// All of it.
    pub seconds: f64,
    /// What is spent.
    pub spent_seconds: f64,
}

/// One run and its state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The position in the order of execution, from 0.
    pub step: u32,
    /// The position of the value in the plan.
    pub value: u32,
    /// The trial, from 1.
    pub trial: u32,
    /// Whether it begins with the warm-up requests.
    pub warm_up: bool,
    /// How long to wait before it, in seconds.
    pub cooldown_seconds: f64,
    /// Its folder, relative to the manifest, with `/` between the parts.
    pub directory: String,
    /// How often it was begun: more than once after a failure, an interruption or a crash.
    #[serde(default)]
    pub attempts: u32,
    /// How far it got.
    #[serde(flatten)]
    pub state: RunState,
    /// Its files as they were written, once it is done. Empty where an earlier version of the program did not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileDigest>,
}

/// How far a run got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RunState {
    /// Not begun.
    Pending,
    /// Begun; after a crash, its files may be incomplete.
    Running,
    /// Its files are complete.
    Done,
    /// It is not run, since the others say enough.
    NotNeeded {
        /// Why.
        reason: String,
    },
    /// The user stopped it; its files hold what was measured until then.
    Interrupted {
        /// When; RFC 3339, UTC.
        timestamp: String,
    },
    /// It gave no result.
    Failed {
        /// Why.
        error: String,
        /// When; RFC 3339, UTC.
        timestamp: String,
    },
}

/// What the manifest of a new benchmark needs beyond its plan.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The version of the program.
    pub aiperf_version: String,
    /// When the benchmark begins; RFC 3339, UTC.
    pub created: String,
    /// The command line, without secrets.
    pub command_line: Vec<String>,
    /// The resolved configuration, without secrets.
    pub configuration: serde_json::Value,
    /// What the words of synthetic prompts follow from beside the seeds.
    pub prompt_salt: String,
    /// The coverage of the intervals.
    pub confidence_level: f64,
    /// When the trials of a value end early.
    pub convergence: Option<Convergence>,
    /// The time for all trials.
    pub time_budget: Option<TimeBudgetRecord>,
    /// The machine.
    pub host: Host,
    /// The plugins that take part.
    pub plugins: Vec<Identity>,
}

impl Manifest {
    /// The manifest of a benchmark none of whose runs has begun.
    #[must_use]
    pub fn new(
        origin: Origin,
        layout: &Layout,
        axes: &[String],
        values: &[SweepValue],
        steps: &[Step],
    ) -> Self {
        let shape = layout.shape();
        let values = values.iter().map(ValueRecord::from);
        Self {
            schema_version: SCHEMA_VERSION,
            aiperf_version: origin.aiperf_version,
            created: origin.created,
            resumed: Vec::new(),
            command_line: origin.command_line,
            configuration: origin.configuration,
            prompt_salt: origin.prompt_salt,
            plan: PlanRecord {
                sweep: shape.sweep,
                axes: axes.to_vec(),
                order: shape.order,
                trials: shape.trials,
                confidence_level: origin.confidence_level,
                convergence: origin.convergence,
                values: values.collect(),
            },
            host: origin.host,
            plugins: origin.plugins,
            client_errors: Vec::new(),
            time_budget: origin.time_budget,
            runs: steps.iter().map(|step| RunRecord::pending(step, layout)).collect(),
        }
    }

    /// Reads a manifest, and what the journal beside it says happened since. One of a later version of the program is
    /// refused, as one that contradicts itself.
    pub fn read(path: &Path) -> Result<Self, ArtifactError> {
        let mut manifest: Self = json::read(path, FORMAT)?;
        if manifest.schema_version != SCHEMA_VERSION {
            let problem = format!(
                "version {} is not known here, expected {SCHEMA_VERSION}; use the version of aiperf that wrote it ({})",
                manifest.schema_version, manifest.aiperf_version
            );
            let at = "schema_version".to_owned();
            return Err(ArtifactError::Malformed { path: path.to_path_buf(), format: FORMAT, at, problem });
        }
        let journal = path.with_file_name(layout::JOURNAL);
        for (line, change) in journal::read(&journal)? {
            agreement::check_place(&manifest, &change).map_err(|problem| {
                journal::contradiction(line, problem).in_file(&journal, journal::FORMAT)
            })?;
            manifest.apply(change);
        }
        agreement::check(&manifest).map_err(|contradiction| contradiction.in_file(path, FORMAT))?;
        Ok(manifest)
    }

    /// Makes a change. A run or value is put in its place, or is added if it is the next one.
    pub(crate) fn apply(&mut self, change: Change) {
        match change {
            Change::Value(value) => put(&mut self.plan.values, value.index, value),
            Change::Run(run) => put(&mut self.runs, run.step, run),
            Change::ClientError(estimate) => {
                self.client_errors.retain(|known| known.value != estimate.value);
                self.client_errors.push(estimate);
            }
            Change::SpentSeconds(seconds) => {
                if let Some(budget) = &mut self.time_budget {
                    budget.spent_seconds = seconds;
                }
            }
        }
    }

    /// Replaces the file.
    pub fn write(&self, path: &Path) -> Result<(), ArtifactError> {
        json::write(path, FORMAT, self)
    }

    /// The kinds of runs; decides where the files lie.
    #[must_use]
    pub fn shape(&self) -> Shape {
        Shape { sweep: self.plan.sweep, trials: self.plan.trials, order: self.plan.order }
    }

    /// A run that begins, and what it wrote before forgotten; none if there is no such run.
    #[must_use]
    pub fn begun(&self, step: u32) -> Option<RunRecord> {
        let run = self.run(step)?.clone();
        let attempts = run.attempts.saturating_add(1);
        Some(RunRecord { attempts, state: RunState::Running, files: Vec::new(), ..run })
    }

    /// A run in another state, with the files that it wrote if it is done; none if there is no such run.
    #[must_use]
    pub fn ended(&self, step: u32, state: RunState, files: Vec<FileDigest>) -> Option<RunRecord> {
        Some(RunRecord { state, files, ..self.run(step)?.clone() })
    }

    /// How often a run was begun.
    #[must_use]
    pub fn attempts(&self, step: u32) -> u32 {
        self.run(step).map_or(0, |run| run.attempts)
    }

    /// How far a run got; none if the plan does not have it.
    #[must_use]
    pub fn state(&self, step: u32) -> Option<&RunState> {
        self.run(step).map(|run| &run.state)
    }

    /// Lets runs be pending that were not needed, since that is decided anew.
    pub fn forget_not_needed(&mut self) {
        for run in self.runs.iter_mut().filter(|run| matches!(run.state, RunState::NotNeeded { .. })) {
            run.state = RunState::Pending;
        }
    }

    fn run(&self, step: u32) -> Option<&RunRecord> {
        self.runs.get(step as usize).filter(|run| run.step == step)
    }

    /// The values of the plan, in the order given by the user.
    #[must_use]
    pub fn values(&self) -> Vec<SweepValue> {
        let values = self.plan.values.iter().map(|value| SweepValue {
            index: value.index,
            parameters: value.parameters.clone(),
            seed: value.seed,
        });
        values.collect()
    }

    /// The runs of the plan, in order of execution. A run whose value the plan does not have is left out.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        let values = self.values();
        let steps = self.runs.iter().filter_map(|run| {
            let value = values.get(run.value as usize).filter(|value| value.index == run.value)?.clone();
            let cooldown = Duration::try_from_secs_f64(run.cooldown_seconds).unwrap_or_default();
            Some(Step { index: run.step, value, trial: run.trial, warm_up: run.warm_up, cooldown })
        });
        steps.collect()
    }
}

/// Puts something in its place in a list, or at the end if it is the next one.
fn put<T>(list: &mut Vec<T>, index: u32, item: T) {
    let index = index as usize;
    if index == list.len() {
        list.push(item);
    } else if let Some(place) = list.get_mut(index) {
        *place = item;
    }
}

impl RunRecord {
    /// A run that has not begun.
    #[must_use]
    pub fn pending(step: &Step, layout: &Layout) -> Self {
        Self {
            step: step.index,
            value: step.value.index,
            trial: step.trial,
            warm_up: step.warm_up,
            cooldown_seconds: step.cooldown.as_secs_f64(),
            directory: layout.relative(&layout.run(&step.value.parameters, step.trial)),
            attempts: 0,
            state: RunState::Pending,
            files: Vec::new(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::fixture;
    use aiperf_model::parameter::ParameterValue;
    use std::fs;

    /// Two values and two trials, repeated.
    pub(crate) fn manifest() -> Manifest {
        let shape = Shape { sweep: true, trials: 2, order: Order::Repeated };
        let values: Vec<SweepValue> = [(0, ParameterValue::Integer(10)), (1, ParameterValue::Number(20.0))]
            .into_iter()
            .map(|(index, value)| SweepValue {
                index,
                parameters: vec![Parameter::new("concurrency", value)],
                seed: 42 + u64::from(index),
            })
            .collect();
        let mut steps = Vec::new();
        for trial in 1..=2 {
            for value in &values {
                let index = steps.len() as u32;
                let cooldown = Duration::from_millis(if index == 0 { 0 } else { 1500 });
                steps.push(Step { index, value: value.clone(), trial, warm_up: trial == 1, cooldown });
            }
        }
        let origin = Origin {
            aiperf_version: "0.1.0".into(),
            created: "2025-01-15T10:30:45Z".into(),
            command_line: vec!["aiperf".into(), "profile".into()],
            configuration: serde_json::json!({ "model": "demo" }),
            prompt_salt: "salt".into(),
            confidence_level: 0.95,
            convergence: None,
            time_budget: None,
            host: Host {
                os: "linux".into(),
                architecture: "x86_64".into(),
                kernel: Some("6.1.0".into()),
                cpu_model: None,
                cores: Some(2),
                memory_bytes: Some(1024),
                governor: None,
            },
            plugins: fixture::sweep(1).plugins,
        };
        Manifest::new(origin, &Layout::new("base", shape), &["concurrency".to_owned()], &values, &steps)
    }

    fn failed() -> RunState {
        RunState::Failed { error: "connection refused".into(), timestamp: "2025-01-15T10:31:00Z".into() }
    }

    #[test]
    fn the_file_says_everything() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest.json");
        let mut manifest = manifest();
        let interrupted = RunState::Interrupted { timestamp: "2025-01-15T10:32:00Z".into() };
        let runs = [
            manifest.ended(0, RunState::Done, Vec::new()),
            manifest.ended(1, failed(), Vec::new()),
            manifest.begun(2),
            manifest.ended(3, interrupted, Vec::new()),
        ];
        runs.into_iter().flatten().for_each(|run| manifest.apply(Change::Run(run)));
        manifest.write(&path).unwrap();
        insta::assert_snapshot!(fs::read_to_string(&path).unwrap());
        let read = Manifest::read(&path).unwrap();
        assert_eq!(read, manifest);
        read.write(&path).unwrap();
        assert_eq!(Manifest::read(&path).unwrap(), manifest);
    }

    #[test]
    fn the_plan_comes_back_as_it_was() {
        let manifest = manifest();
        assert_eq!(manifest.shape(), Shape { sweep: true, trials: 2, order: Order::Repeated });
        let steps = manifest.steps();
        assert_eq!(steps.len(), 4);
        assert_eq!(steps[3].value, manifest.values()[1]);
        assert_eq!((steps[3].trial, steps[3].warm_up), (2, false));
        assert_eq!(steps[3].cooldown, Duration::from_millis(1500));
    }

    #[test]
    fn errors_name_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest.json");
        let mut value = serde_json::to_value(manifest()).unwrap();
        value["plan"]["values"][1]["seed"] = "many".into();
        fs::write(&path, value.to_string()).unwrap();
        let text = Manifest::read(&path).unwrap_err().to_string();
        assert!(text.contains("manifest.json") && text.contains("plan.values[1].seed"), "{text}");
        assert!(text.contains("expected u64"), "{text}");
    }

    #[test]
    fn a_torn_file_and_a_later_version_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest.json");
        let whole = serde_json::to_string(&manifest()).unwrap();
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        assert!(matches!(Manifest::read(&path), Err(ArtifactError::Malformed { .. })));
        let later = Manifest { schema_version: 2, ..manifest() };
        later.write(&path).unwrap();
        let text = Manifest::read(&path).unwrap_err().to_string();
        assert!(text.contains("version 2 is not known"), "{text}");
    }
}
