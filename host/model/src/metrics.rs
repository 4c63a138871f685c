//! The metrics of one run.

use crate::catalogue::{Metric, MetricError, MetricId, OpenMetric};
use crate::point::Interval;
use serde::{Deserialize, Serialize};

/// A statistic of a metric within one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Statistic {
    /// The mean, or the value itself of a metric that a run has once.
    Avg,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// The sum over the requests.
    Sum,
    /// The 1st percentile.
    P1,
    /// The 5th percentile.
    P5,
    /// The 10th percentile.
    P10,
    /// The 25th percentile.
    P25,
    /// The median.
    P50,
    /// The 75th percentile.
    P75,
    /// The 90th percentile.
    P90,
    /// The 95th percentile.
    P95,
    /// The 99th percentile.
    P99,
    /// The standard deviation over the requests.
    Std,
}

impl Statistic {
    /// All statistics, in the order of the sweep file.
    pub const ALL: [Self; 14] = [
        Self::Avg,
        Self::Min,
        Self::Max,
        Self::Sum,
        Self::P1,
        Self::P5,
        Self::P10,
        Self::P25,
        Self::P50,
        Self::P75,
        Self::P90,
        Self::P95,
        Self::P99,
        Self::Std,
    ];

    /// The name in keys, such as `p99`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
            Self::Sum => "sum",
            Self::P1 => "p1",
            Self::P5 => "p5",
            Self::P10 => "p10",
            Self::P25 => "p25",
            Self::P50 => "p50",
            Self::P75 => "p75",
            Self::P90 => "p90",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::Std => "std",
        }
    }
}

/// A metric's distribution over the requests of a run.
///
/// Percentiles are exact and interpolate linearly between order statistics; `std` is that of the population
/// (divided by n).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// The mean.
    pub avg: f64,
    /// The 1st percentile.
    pub p1: f64,
    /// The 5th percentile.
    pub p5: f64,
    /// The 10th percentile.
    pub p10: f64,
    /// The 25th percentile.
    pub p25: f64,
    /// The median.
    pub p50: f64,
    /// The 75th percentile.
    pub p75: f64,
    /// The 90th percentile.
    pub p90: f64,
    /// The 95th percentile.
    pub p95: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
    /// The standard deviation of the population.
    pub std: f64,
    /// How many values there are.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// How far its percentiles can be trusted; without bounds where a file of another program holds none.
    #[serde(default)]
    pub bounds: PercentileBounds,
}

/// Where the true value of some percentiles plausibly lies.
///
/// Requests that depend on each other say less than as many independent ones, which the bounds take into account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PercentileBounds {
    /// The probability with which the bounds enclose it, such as 0.95.
    pub level: f64,
    /// Those of the median.
    pub p50: Bounds,
    /// Those of the 90th percentile.
    pub p90: Bounds,
    /// Those of the 95th percentile.
    pub p95: Bounds,
    /// Those of the 99th percentile.
    pub p99: Bounds,
    /// Those of the 99.9th percentile.
    pub p999: Bounds,
}

/// The bounds of one percentile, in the unit of its metric.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    /// The lower bound, or none if there are too few values for one.
    pub low: Option<f64>,
    /// The upper bound, or none if there are too few values for one.
    pub high: Option<f64>,
    /// Whether one of them is missing.
    pub open: bool,
    /// As how many independent requests those of the run are for this percentile.
    #[serde(default)]
    pub effective: f64,
}

impl Bounds {
    /// Bounds of which one may be missing, from so many independent requests.
    #[must_use]
    pub fn new(low: Option<f64>, high: Option<f64>, effective: f64) -> Self {
        Self { low, high, open: low.is_none() || high.is_none(), effective }
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self::new(None, None, 0.0)
    }
}

impl PercentileBounds {
    /// The bounds of a statistic, or none if it is not a percentile that has some.
    #[must_use]
    pub fn of(&self, statistic: Statistic) -> Option<Bounds> {
        match statistic {
            Statistic::P50 => Some(self.p50),
            Statistic::P90 => Some(self.p90),
            Statistic::P95 => Some(self.p95),
            Statistic::P99 => Some(self.p99),
            _ => None,
        }
    }
}

/// What a run says of one metric.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a run has a few dozen, most of them distributions")]
pub enum Summary {
    /// One value per request, or several.
    Distribution(Distribution),
    /// One value for the whole run.
    Scalar(f64),
}

impl Summary {
    /// Whether a statistic is a percentile with an open bound: from so few requests that it may well be another.
    #[must_use]
    pub fn is_open(&self, statistic: Statistic) -> bool {
        match self {
            Self::Scalar(_) => false,
            Self::Distribution(distribution) => {
                distribution.bounds.of(statistic).is_some_and(|bounds| bounds.open)
            }
        }
    }

    /// One statistic, or none if the metric has one value for the whole run and this is not its average.
    #[must_use]
    pub fn statistic(&self, statistic: Statistic) -> Option<f64> {
        let distribution = match self {
            Self::Scalar(value) => return (statistic == Statistic::Avg).then_some(*value),
            Self::Distribution(distribution) => distribution,
        };
        Some(match statistic {
            Statistic::Avg => distribution.avg,
            Statistic::Min => distribution.min,
            Statistic::Max => distribution.max,
            Statistic::Sum => distribution.sum,
            Statistic::P1 => distribution.p1,
            Statistic::P5 => distribution.p5,
            Statistic::P10 => distribution.p10,
            Statistic::P25 => distribution.p25,
            Statistic::P50 => distribution.p50,
            Statistic::P75 => distribution.p75,
            Statistic::P90 => distribution.p90,
            Statistic::P95 => distribution.p95,
            Statistic::P99 => distribution.p99,
            Statistic::Std => distribution.std,
        })
    }
}

/// All metrics of one run, in the order of the catalogue. A metric that could not be computed is absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunMetrics {
    /// The built-in metrics and what the run says of them.
    pub entries: Vec<(MetricId, Summary)>,
    /// How well the run alone knows some of these figures, in the same order.
    pub within_run: Vec<WithinRun>,
    /// The others, in the order in which they came.
    pub open: Vec<(OpenMetric, Summary)>,
}

/// How well a run alone knows one of its figures, from how it varies over parts of the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WithinRun {
    /// The metric.
    pub metric: MetricId,
    /// The statistic.
    pub statistic: Statistic,
    /// Where the figure plausibly lies in a run without end, or none where this run is too short to say.
    pub interval: Option<Interval>,
}

impl RunMetrics {
    /// Adds a metric that is not built in.
    ///
    /// # Errors
    ///
    /// The run has one of this name already.
    pub fn add(&mut self, metric: OpenMetric, summary: Summary) -> Result<(), MetricError> {
        let names = |metric: &Metric| [metric.tag.to_string(), metric.short().to_owned()];
        let taken: Vec<String> = self.open.iter().flat_map(|(known, _)| names(known.metric())).collect();
        if let Some(name) = names(metric.metric()).into_iter().find(|name| taken.contains(name)) {
            return Err(MetricError::Twice(name));
        }
        self.open.push((metric, summary));
        Ok(())
    }

    /// All metrics: those of the catalogue first.
    pub fn all(&self) -> impl Iterator<Item = (&Metric, &Summary)> {
        let built_in = self.entries.iter().map(|(id, summary)| (id.metric(), summary));
        built_in.chain(self.open.iter().map(|(open, summary)| (open.metric(), summary)))
    }

    /// What the run says of a metric that is not built in.
    #[must_use]
    pub fn get_open(&self, metric: &OpenMetric) -> Option<&Summary> {
        let is_it = |known: &OpenMetric| known.metric().tag == metric.metric().tag;
        self.open.iter().find(|(known, _)| is_it(known)).map(|(_, summary)| summary)
    }

    /// What the run says of one metric.
    #[must_use]
    pub fn get(&self, metric: MetricId) -> Option<&Summary> {
        self.entries.iter().find(|(id, _)| *id == metric).map(|(_, summary)| summary)
    }

    /// How well the run alone knows one statistic of one metric; none where that is not looked at, or the file of another
    /// version does not say.
    #[must_use]
    pub fn within_run(&self, metric: MetricId, statistic: Statistic) -> Option<&WithinRun> {
        self.within_run.iter().find(|known| (known.metric, known.statistic) == (metric, statistic))
    }

    /// One statistic of one metric.
    #[must_use]
    pub fn statistic(&self, metric: MetricId, statistic: Statistic) -> Option<f64> {
        self.get(metric)?.statistic(statistic)
    }
}

/// The metrics of these runs that are not built in, each once, as it was first described.
pub fn open_metrics<'a>(runs: impl IntoIterator<Item = &'a RunMetrics>) -> Vec<OpenMetric> {
    let mut all: Vec<OpenMetric> = Vec::new();
    for (metric, _) in runs.into_iter().flat_map(|run| &run.open) {
        if !all.iter().any(|known| known.metric().tag == metric.metric().tag) {
            all.push(metric.clone());
        }
    }
    all
}

/// What a request says of one metric.
#[derive(Clone, Debug, PartialEq)]
pub enum MetricValue {
    /// One value.
    One(f64),
    /// Several values, such as the gaps between chunks.
    Many(Vec<f64>),
}

/// All metrics of one request, in the order of the catalogue. A metric that could not be computed is absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordMetrics {
    /// The metrics and their values.
    pub values: Vec<(MetricId, MetricValue)>,
}

impl RecordMetrics {
    /// The value of a metric that the request has once.
    #[must_use]
    pub fn one(&self, metric: MetricId) -> Option<f64> {
        self.values.iter().find_map(|(id, value)| match value {
            MetricValue::One(value) if *id == metric => Some(*value),
            _ => None,
        })
    }
}

/// A service level objective: a request is good if its metric is on the right side of the limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServiceLevel {
    /// A metric that every request has once.
    pub metric: MetricId,
    /// The limit in the metric's unit; at most this where lower is better, at least this where higher is.
    pub limit: f64,
}

/// Which metrics stand in the sweep file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatisticSelection {
    /// The statistics that the catalogue marks for the sweep file.
    #[default]
    Compact,
    /// Every statistic of every metric.
    All,
}
