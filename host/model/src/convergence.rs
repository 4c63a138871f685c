//! When the trials of a value say enough.

use crate::parameter::Parameter;
use serde::{Deserialize, Serialize};

/// The rule by which the trials of a value end early.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Convergence {
    /// The key in the sweep file, such as `ttft_p99_ms`.
    pub metric: String,
    /// How wide half of the confidence interval may be, relative to the mean; more than 0.
    pub threshold: f64,
    /// The least number of successful trials; at least 2.
    pub min_trials: u32,
}

/// How far the trials of one value have come.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueConvergence {
    /// The position of the value in the plan.
    pub index: u32,
    /// The swept parameters.
    pub parameters: Vec<Parameter>,
    /// How many successful trials have the metric.
    pub trials: u32,
    /// Half of the interval relative to the mean, or none where there is no interval or the mean is 0.
    pub relative_half_width: Option<f64>,
    /// Whether that is enough.
    pub converged: bool,
}

/// The rule and what it says of each value that has a successful trial, ascending.
#[derive(Clone, Debug, PartialEq)]
pub struct Convergences {
    /// The rule.
    pub rule: Convergence,
    /// The values.
    pub values: Vec<ValueConvergence>,
}
