//! What the trials of one value say together.

use crate::parameter::Parameter;
use serde::{Deserialize, Serialize};

/// A two-sided confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower bound.
    pub low: f64,
    /// The upper bound; never below `low`.
    pub high: f64,
    /// The coverage, between 0 and 1, such as 0.95.
    pub level: f64,
}

/// One statistic of one metric, taken over the trials of a point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The key in the sweep file, such as `ttft_p99_ms`; unique within a point.
    pub key: String,
    /// The metric's tag in the catalogue, such as `time_to_first_token`, or the key itself for a metric that the
    /// catalogue does not know.
    #[serde(default)]
    pub metric: String,
    /// The statistic within a trial, such as `avg` or `p99`.
    #[serde(default)]
    pub statistic: String,
    /// The unit of `mean`, such as `ms` or `requests/sec`.
    pub unit: String,
    /// The mean of the statistic over the trials.
    pub mean: f64,
    /// The value in each successful trial, in order of execution; never empty. A file that only holds means gives
    /// the mean alone.
    #[serde(default)]
    pub trials: Vec<f64>,
    /// The sample standard deviation over the trials (n - 1), or none for a single trial.
    pub std_dev: Option<f64>,
    /// Where the true mean plausibly lies, or none for a single trial.
    pub confidence: Option<Interval>,
}

impl Measurement {
    /// The coefficient of variation, `std / |mean|`, or none for a single trial or a mean of 0.
    #[must_use]
    pub fn cv(&self) -> Option<f64> {
        self.std_dev.filter(|_| self.mean != 0.0).map(|std_dev| std_dev / self.mean.abs())
    }
}

/// A measurement with the two numbers behind its interval, as the aggregate file of a value shows them.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialStatistics {
    /// The statistic over the trials.
    pub measurement: Measurement,
    /// The standard error of the mean, `std / sqrt(n)`, or none for a single trial.
    pub standard_error: Option<f64>,
    /// The two-sided critical value of Student's t at n - 1 degrees of freedom, or none for a single trial.
    pub t_critical: Option<f64>,
}

/// One point of a sweep: the parameters that were set and what was measured there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The position of the value in the plan, from 0.
    pub index: u32,
    /// The swept parameters, in the order of the configuration; empty if nothing was swept.
    pub parameters: Vec<Parameter>,
    /// How many trials succeeded; at least 1.
    pub trials: u32,
    /// The measurements, in the order of the catalogue and then of the statistics.
    pub measurements: Vec<Measurement>,
}

impl Point {
    /// The measurement with this key.
    #[must_use]
    pub fn measurement(&self, key: &str) -> Option<&Measurement> {
        self.measurements.iter().find(|measurement| measurement.key == key)
    }
}
