//! The plan: which values are run, how often, in which order, with which seeds and pauses.

mod balanced;
mod expected;
mod order;

use crate::config::Config;
use crate::sweep;
use crate::sweepable::Values;
use aiperf_model::parameter::Parameter;
use aiperf_model::sweep::{Order, Shape, Step, SweepValue};
use sha2::{Digest, Sha256};
use std::cmp::Ordering;
use std::time::Duration;

pub use expected::Expected;

/// All runs of a benchmark, in the order in which they are executed.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Which kinds of runs there are.
    pub shape: Shape,
    /// The names of the swept parameters, in the order of the configuration; empty if nothing is swept.
    pub axes: Vec<String>,
    /// The values, in the order given; at least one.
    pub values: Vec<SweepValue>,
    /// The runs, in order of execution. The seed of a step's value is the one of that trial.
    pub steps: Vec<Step>,
    stimulus: String,
    pauses: Pauses,
}

impl Plan {
    /// The plan of a configuration.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let axes: Vec<String> = config.axes().iter().map(|axis| axis.parameter.name().to_owned()).collect();
        let values = values(config);
        let shape = Shape {
            sweep: !axes.is_empty(),
            trials: config.trials.num_profile_runs,
            order: config.sweep.mode,
        };
        let stimulus =
            if axes.is_empty() { single_stimulus(config) } else { format!("{}_sweep", axes.join("_")) };
        let pauses = Pauses {
            order: shape.order,
            between_trials: config.trials.cooldown,
            between_values: config.sweep.cooldown,
        };
        let steps = steps(config, shape, &pauses, &values);
        Self { shape, axes, values, steps, stimulus, pauses }
    }

    /// What the load is, as the last part of the result directory's name: `concurrency_sweep`,
    /// `concurrency_isl_sweep`, or `concurrency10`, `request_rate2.5` or `fixed_schedule` if nothing is swept.
    #[must_use]
    pub fn stimulus(&self) -> &str {
        &self.stimulus
    }

    /// The values by their parameters, ascending; the first axis counts most.
    #[must_use]
    pub fn values_ascending(&self) -> Vec<&SweepValue> {
        let mut values: Vec<&SweepValue> = self.values.iter().collect();
        values.sort_by(|a, b| compare(&a.parameters, &b.parameters));
        values
    }

    /// How long to wait between two runs that follow each other, be it that runs between them are left out.
    #[must_use]
    pub fn pause(&self, before: &Step, step: &Step) -> Duration {
        self.pauses.between(before, step)
    }

    /// The sum of all pauses.
    #[must_use]
    pub fn total_cooldown(&self) -> Duration {
        self.steps.iter().map(|step| step.cooldown).sum()
    }
}

fn single_stimulus(config: &Config) -> String {
    if config.load.fixed_schedule.is_some() {
        return "fixed_schedule".into();
    }
    match (&config.load.request_rate, &config.load.concurrency) {
        (Some(rate), _) => format!("request_rate{}", rate.first()),
        (None, concurrency) => {
            format!("concurrency{}", concurrency.as_ref().map_or(1, Values::<u32>::first))
        }
    }
}

fn compare(a: &[Parameter], b: &[Parameter]) -> Ordering {
    let numbers = |parameters: &[Parameter]| -> Vec<f64> {
        parameters.iter().filter_map(|parameter| parameter.value.as_number()).collect()
    };
    numbers(a)
        .iter()
        .zip(&numbers(b))
        .map(|(a, b)| a.total_cmp(b))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// Each value with the seed that follows from its position.
fn values(config: &Config) -> Vec<SweepValue> {
    let combinations = sweep::combine(&config.axes(), config.sweep.sweep_type);
    let numbered = (0_u32..).zip(combinations);
    let base = config.workload.random_seed;
    let seed = |index: u32| if config.sweep.same_seed { base } else { base.wrapping_add(index.into()) };
    numbered.map(|(index, parameters)| SweepValue { index, parameters, seed: seed(index) }).collect()
}

/// Every run in order, each with the pause after the one before it.
fn steps(config: &Config, shape: Shape, pauses: &Pauses, values: &[SweepValue]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (value, trial) in order::runs(shape, config.workload.random_seed, values) {
        let mut step = Step {
            index: steps.len() as u32,
            value: SweepValue { seed: trial_seed(config, value, trial), ..value.clone() },
            trial,
            warm_up: config.load.warmup_request_count > 0 && (trial == 1 || config.trials.warmup_every_run),
            cooldown: Duration::ZERO,
        };
        step.cooldown = steps.last().map_or(Duration::ZERO, |before| pauses.between(before, &step));
        steps.push(step);
    }
    steps
}

/// How long to wait between two runs.
#[derive(Clone, Debug, PartialEq)]
struct Pauses {
    order: Order,
    between_trials: Duration,
    between_values: Duration,
}

impl Pauses {
    /// By trial, another trial is another pass over the values; else it is another run of the same value.
    fn between(&self, before: &Step, step: &Step) -> Duration {
        let is_next_trial = if self.order.is_by_trial() {
            before.trial != step.trial
        } else {
            before.value.index == step.value.index
        };
        if is_next_trial { self.between_trials } else { self.between_values }
    }
}

/// The seed of a trial: the one of its value, unless trials vary.
fn trial_seed(config: &Config, value: &SweepValue, trial: u32) -> u64 {
    if config.trials.vary_seed { of_trial(value.seed, trial) } else { value.seed }
}

/// The seed of the arrivals of a trial, the same for all values: at each rate the same users come, only closer together,
/// so that the difference between two rates is none of their luck. Trials differ, since the luck of one schedule would
/// be in all of them and in no interval else.
#[must_use]
pub fn arrival_seed(random_seed: u64, trial: u32) -> u64 {
    of_trial(random_seed, trial)
}

/// The first 8 bytes (little endian) of the SHA-256 over a seed (8 bytes) and a trial (4 bytes), both little endian.
fn of_trial(seed: u64, trial: u32) -> u64 {
    let digest = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(trial.to_le_bytes()).finalize();
    digest.iter().take(8).rev().fold(0, |seed, byte| (seed << 8) | u64::from(*byte))
}
