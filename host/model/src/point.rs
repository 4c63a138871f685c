//! What the trials of one value say together.

use crate::conclusion::Direction;
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

/// The smallest and the largest value over the trials, as far as they are known without the trials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Extremes {
    /// The smallest value.
    pub min: Option<f64>,
    /// The largest value; never below `min`.
    pub max: Option<f64>,
}

impl Extremes {
    /// Those of values that are known.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let extreme = |choose: fn(f64, f64) -> f64| values.iter().copied().reduce(choose);
        Self { min: extreme(f64::min), max: extreme(f64::max) }
    }

    /// Whether neither is known.
    #[must_use]
    pub fn are_unknown(&self) -> bool {
        self.min.is_none() && self.max.is_none()
    }
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
    /// Which way the metric gets better, or none if neither way does or nothing is known of it. It does not go to
    /// objectives, which have a direction of their own.
    #[serde(skip)]
    pub better: Option<Direction>,
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
    /// Where the figure of the only trial plausibly lies, from how it varies within the run; none with several trials,
    /// or where nothing is known of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within_run: Option<Interval>,
    /// What a file says of the trials that it does not hold; unknown where `trials` holds them.
    #[serde(default, skip_serializing_if = "Extremes::are_unknown")]
    pub extremes: Extremes,
}

impl Measurement {
    /// The coefficient of variation, `std / |mean|`, or none for a single trial or a mean that is 0 or next to it.
    #[must_use]
    pub fn cv(&self) -> Option<f64> {
        self.std_dev.map(|std_dev| std_dev / self.mean.abs()).filter(|cv| cv.is_finite())
    }

    /// The values in the trials, or none if only their mean and spread are known: a measurement that was read from a
    /// file without them.
    #[must_use]
    pub fn measured_trials(&self) -> Option<&[f64]> {
        let only_the_mean =
            self.trials.len() == 1 && (self.std_dev.is_some() || !self.extremes.are_unknown());
        (!only_the_mean).then_some(self.trials.as_slice())
    }

    /// The smallest and the largest value over the trials.
    #[must_use]
    pub fn range(&self) -> Extremes {
        self.measured_trials().map_or(self.extremes, Extremes::of)
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
