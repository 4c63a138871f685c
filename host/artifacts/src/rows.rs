//! Rows that several formats write, each in its own way: numbers as they are, none where there is none.

use aiperf_model::catalogue::Metric;
use aiperf_model::metrics::{Distribution, Summary};
use aiperf_model::point::{Measurement, Point, TrialStatistics};
use serde::Serialize;

/// What a run says of one metric, with its unit.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(untagged)]
pub enum MetricRow<'a> {
    /// The run has the metric once.
    Scalar {
        /// The unit.
        unit: &'a str,
        /// The value.
        avg: f64,
    },
    /// The run has its distribution.
    Distribution {
        /// The unit.
        unit: &'a str,
        /// All statistics.
        #[serde(flatten)]
        distribution: &'a Distribution,
    },
}

impl<'a> MetricRow<'a> {
    /// The row of a metric.
    #[must_use]
    pub fn new(metric: &'a Metric, summary: &'a Summary) -> Self {
        let unit = metric.unit.name();
        match summary {
            Summary::Scalar(avg) => Self::Scalar { unit, avg: *avg },
            Summary::Distribution(distribution) => Self::Distribution { unit, distribution },
        }
    }
}

/// One statistic of one metric over the trials of a value, with the numbers behind its interval.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TrialsRow<'a> {
    /// The mean over the trials.
    pub mean: f64,
    /// The sample standard deviation.
    pub std: Option<f64>,
    /// The smallest trial.
    pub min: Option<f64>,
    /// The largest trial.
    pub max: Option<f64>,
    /// The coefficient of variation.
    pub cv: Option<f64>,
    /// The standard error of the mean.
    pub se: Option<f64>,
    /// The lower bound of the mean.
    pub ci_low: Option<f64>,
    /// The upper bound of the mean.
    pub ci_high: Option<f64>,
    /// The critical value of Student's t.
    pub t_critical: Option<f64>,
    /// The unit of all but `cv` and `t_critical`.
    pub unit: &'a str,
}

impl<'a> From<&'a TrialStatistics> for TrialsRow<'a> {
    fn from(statistics: &'a TrialStatistics) -> Self {
        let measurement = &statistics.measurement;
        let trials = || measurement.trials.iter().copied();
        Self {
            mean: measurement.mean,
            std: measurement.std_dev,
            min: trials().reduce(f64::min),
            max: trials().reduce(f64::max),
            cv: measurement.cv(),
            se: statistics.standard_error,
            ci_low: measurement.confidence.map(|interval| interval.low),
            ci_high: measurement.confidence.map(|interval| interval.high),
            t_critical: statistics.t_critical,
            unit: &measurement.unit,
        }
    }
}

/// One statistic of one metric at a point of the sweep.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct MeasurementRow<'a> {
    /// The mean over the trials.
    pub mean: f64,
    /// The sample standard deviation.
    pub std: Option<f64>,
    /// The smallest trial.
    pub min: Option<f64>,
    /// The largest trial.
    pub max: Option<f64>,
    /// The coefficient of variation.
    pub cv: Option<f64>,
    /// The lower bound of the mean.
    pub ci_low: Option<f64>,
    /// The upper bound of the mean.
    pub ci_high: Option<f64>,
    /// The unit of all but `cv` and `n`.
    pub unit: &'a str,
    /// How many trials it rests on.
    pub n: u32,
    /// The values in the trials, as far as they are known.
    pub trials: Option<&'a [f64]>,
}

impl<'a> MeasurementRow<'a> {
    /// The row of a measurement of this point.
    #[must_use]
    pub fn new(point: &Point, measurement: &'a Measurement) -> Self {
        let (trials, range) = (measurement.measured_trials(), measurement.range());
        Self {
            mean: measurement.mean,
            std: measurement.std_dev,
            min: range.min,
            max: range.max,
            cv: measurement.cv(),
            ci_low: measurement.confidence.map(|interval| interval.low),
            ci_high: measurement.confidence.map(|interval| interval.high),
            unit: &measurement.unit,
            n: trials.map_or(point.trials, |trials| trials.len() as u32),
            trials,
        }
    }
}
