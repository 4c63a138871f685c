//! What is to be run, and what became of it: the shape of a benchmark, its values, steps and failures.

use crate::catalogue::OpenMetric;
use crate::conclusion::{Conclusions, OpenAnswer};
use crate::convergence::Convergences;
use crate::parameter::Parameter;
use crate::plugin::Identity;
use crate::point::Point;
use crate::request_error::ValueErrors;
use crate::verdict::{Drift, ValueVerdict};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// In which order values and trials are run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// All values, then all values again, once per trial.
    #[default]
    Repeated,
    /// All trials of a value, then the next value.
    Independent,
    /// All values in another sequence in each trial, so that each value stands at each place equally often.
    Balanced,
}

impl Order {
    /// The name in flags and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Repeated => "repeated",
            Self::Independent => "independent",
            Self::Balanced => "balanced",
        }
    }

    /// Whether a trial of all values ends before the next one begins, rather than all trials of a value.
    #[must_use]
    pub fn is_by_trial(self) -> bool {
        match self {
            Self::Repeated | Self::Balanced => true,
            Self::Independent => false,
        }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which kinds of runs a benchmark consists of; decides where its files lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Whether there are several values.
    pub sweep: bool,
    /// How many trials each value has; at least 1.
    pub trials: u32,
    /// The order of a sweep with several trials.
    pub order: Order,
}

/// One value of the sweep: the parameters that differ from the other values, and its seed.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepValue {
    /// The position in the plan, in the order given by the user, from 0.
    pub index: u32,
    /// The swept parameters; empty if nothing is swept.
    pub parameters: Vec<Parameter>,
    /// The seed of its workload.
    pub seed: u64,
}

/// One run of the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The position in the plan, in order of execution, from 0.
    pub index: u32,
    /// The value to run.
    pub value: SweepValue,
    /// The trial, from 1.
    pub trial: u32,
    /// Whether it begins with the warm-up requests.
    pub warm_up: bool,
    /// How long to wait before it.
    pub cooldown: Duration,
}

/// A value all of whose trials failed.
#[derive(Clone, Debug, PartialEq)]
pub struct FailedValue {
    /// The position of the value in the plan.
    pub index: u32,
    /// The swept parameters.
    pub parameters: Vec<Parameter>,
    /// Why its last trial failed.
    pub error: String,
    /// When, in RFC 3339 with second precision, UTC.
    pub timestamp: String,
}

/// A trial that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct FailedTrial {
    /// The position of the value in the plan.
    pub index: u32,
    /// The swept parameters.
    pub parameters: Vec<Parameter>,
    /// The trial, from 1.
    pub trial: u32,
    /// Why it failed.
    pub error: String,
    /// When, in RFC 3339 with second precision, UTC.
    pub timestamp: String,
}

/// A time for all trials, and what they leave open.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeBudget {
    /// The time, in seconds.
    pub seconds: f64,
    /// Values with fewer than two successful trials, of whose spread nothing is known, unless all their trials failed.
    pub too_few: Vec<TooFew>,
    /// What the trials of the others do not answer yet; empty until each value was run twice. None if the plugins take too
    /// long to be asked about it within the time.
    pub open: Option<Vec<OpenAnswer>>,
}

/// A value that cannot be compared with others yet.
#[derive(Clone, Debug, PartialEq)]
pub struct TooFew {
    /// The swept parameters.
    pub parameters: Vec<Parameter>,
    /// How many successful trials it has: none or one.
    pub trials: u32,
}

/// Everything that the sweep files say.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepResult {
    /// The names of the swept parameters, in the order of the configuration.
    pub axes: Vec<String>,
    /// All values of the plan, ascending.
    pub values: Vec<SweepValue>,
    /// How many trials each value was to have.
    pub trials_per_value: u32,
    /// The order of the runs.
    pub order: Order,
    /// The coverage of the intervals.
    pub confidence_level: f64,
    /// The points of the values with at least one successful trial, ascending.
    pub points: Vec<Point>,
    /// Values without a successful trial, ascending.
    pub failed_values: Vec<FailedValue>,
    /// Trials that failed, in order of value and trial.
    pub failed_trials: Vec<FailedTrial>,
    /// What requests of the points failed with, in the order of the points and without those without errors; a sweep
    /// file does not have it.
    pub request_errors: Vec<ValueErrors>,
    /// How far each of the points can be believed, in the order of the points; a file of another program says
    /// nothing of it.
    pub verdicts: Vec<ValueVerdict>,
    /// How far the trials of each value have come, if they may end early.
    pub convergence: Option<Convergences>,
    /// What is spent on the trials and what they leave open, if a time was given for them.
    pub time_budget: Option<TimeBudget>,
    /// What changes with time over the whole sweep, in the order of the catalogue; empty without enough trials.
    pub drift: Vec<Drift>,
    /// The metrics of the points that are not built in.
    pub open_metrics: Vec<OpenMetric>,
    /// Files of runs that are not as they were written, one line each: the result is of what they say now.
    pub edited_files: Vec<String>,
    /// The plugins that took part.
    pub plugins: Vec<Identity>,
    /// What the analysis says.
    pub conclusions: Conclusions,
}
