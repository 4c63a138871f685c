//! The plan: which values are run, how often, in which order, with which seeds and pauses.

use crate::config::Config;
use crate::sweep;
use crate::sweepable::Values;
use aiperf_model::parameter::Parameter;
use aiperf_model::sweep::{Order, Shape, Step, SweepValue};
use sha2::{Digest, Sha256};
use std::cmp::Ordering;
use std::time::Duration;

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
        let steps = steps(config, shape, &values);
        Self { shape, axes, values, steps, stimulus }
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

fn steps(config: &Config, shape: Shape, values: &[SweepValue]) -> Vec<Step> {
    let runs = (0_u32..).zip(order(shape, values));
    runs.map(|(index, (value, trial, place))| Step {
        index,
        value: SweepValue { seed: trial_seed(config, value, trial), ..value.clone() },
        trial,
        warm_up: config.load.warmup_request_count > 0 && (trial == 1 || config.trials.warmup_every_run),
        cooldown: match place {
            Place::First => Duration::ZERO,
            Place::NewTrial => config.trials.cooldown,
            Place::NewValue => config.sweep.cooldown,
        },
    })
    .collect()
}

/// What a run begins, which decides how long to wait before it.
#[derive(Clone, Copy)]
enum Place {
    /// The benchmark.
    First,
    /// In repeated order another pass over the values, in independent order another trial of the same value.
    NewTrial,
    /// The next value.
    NewValue,
}

/// Every value with every trial, from 1, in order of execution.
fn order(shape: Shape, values: &[SweepValue]) -> Vec<(&SweepValue, u32, Place)> {
    let trials = 1..=shape.trials;
    match shape.order {
        Order::Repeated => trials
            .flat_map(|trial| {
                values.iter().map(move |value| match (trial, value.index) {
                    (1, 0) => (value, trial, Place::First),
                    (_, 0) => (value, trial, Place::NewTrial),
                    _ => (value, trial, Place::NewValue),
                })
            })
            .collect(),
        Order::Independent => values
            .iter()
            .flat_map(|value| {
                trials.clone().map(move |trial| match (value.index, trial) {
                    (0, 1) => (value, trial, Place::First),
                    (_, 1) => (value, trial, Place::NewValue),
                    _ => (value, trial, Place::NewTrial),
                })
            })
            .collect(),
    }
}

/// The seed of a trial: the one of its value, or, where trials vary, the first 8 bytes (little endian) of the SHA-256
/// over the value's seed (8 bytes) and the trial (4 bytes), both little endian.
fn trial_seed(config: &Config, value: &SweepValue, trial: u32) -> u64 {
    if !config.trials.vary_seed {
        return value.seed;
    }
    let digest =
        Sha256::new().chain_update(value.seed.to_le_bytes()).chain_update(trial.to_le_bytes()).finalize();
    digest.iter().take(8).rev().fold(0, |seed, byte| (seed << 8) | u64::from(*byte))
}
