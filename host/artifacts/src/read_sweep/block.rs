//! One statistic over the trials, or a whole distribution of a single trial, as measurements.

use crate::json::Entries;
use aiperf_model::catalogue::{self, Metric, MetricId, OpenMetric, statistic_of_key};
use aiperf_model::conclusion::Direction;
use aiperf_model::metrics::Statistic;
use aiperf_model::point::{Extremes, Interval, Measurement};
use serde::Deserialize;
use std::collections::BTreeSet;

/// What may stand under the key of a metric.
///
/// The percentiles only stand there in files of the Python tool with a single trial, whose keys carry no statistic;
/// `min` and `max` are over the requests then.
#[derive(Deserialize)]
pub(super) struct Block {
    // Null where the writer knew no value, but never absent.
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) mean: Option<f64>,
    pub(super) std: Option<f64>,
    pub(super) ci_low: Option<f64>,
    pub(super) ci_high: Option<f64>,
    unit: Option<String>,
    pub(super) n: Option<u32>,
    pub(super) trials: Option<Vec<f64>>,
    avg: Option<f64>,
    pub(super) min: Option<f64>,
    pub(super) max: Option<f64>,
    sum: Option<f64>,
    p1: Option<f64>,
    p5: Option<f64>,
    p10: Option<f64>,
    p25: Option<f64>,
    p50: Option<f64>,
    p75: Option<f64>,
    p90: Option<f64>,
    p95: Option<f64>,
    p99: Option<f64>,
}

impl Block {
    /// A statistic over the requests of the only trial. What stands under `std` is the spread over the trials.
    fn statistic(&self, statistic: Statistic) -> Option<f64> {
        match statistic {
            Statistic::Avg => self.avg,
            Statistic::Min => self.min,
            Statistic::Max => self.max,
            Statistic::Sum => self.sum,
            Statistic::P1 => self.p1,
            Statistic::P5 => self.p5,
            Statistic::P10 => self.p10,
            Statistic::P25 => self.p25,
            Statistic::P50 => self.p50,
            Statistic::P75 => self.p75,
            Statistic::P90 => self.p90,
            Statistic::P95 => self.p95,
            Statistic::P99 => self.p99,
            Statistic::Std => None,
        }
    }

    /// All numbers with the field they stand in.
    pub(super) fn numbers(&self) -> impl Iterator<Item = (String, f64)> {
        let across = [
            ("mean", self.mean),
            ("std", self.std),
            ("ci_low", self.ci_low),
            ("ci_high", self.ci_high),
            ("min", self.min),
            ("max", self.max),
        ];
        let within = Statistic::ALL.map(|statistic| (statistic.name(), self.statistic(statistic)));
        let named = across.into_iter().chain(within);
        let trials = self.trials.iter().flatten().enumerate();
        named
            .filter_map(|(field, number)| Some((field.to_owned(), number?)))
            .chain(trials.map(|(index, trial)| (format!("trials[{index}]"), *trial)))
    }

    /// Whether the unit is that of the catalogue, or not said.
    fn fits(&self, metric: &Metric) -> bool {
        self.unit.as_deref().is_none_or(|unit| unit == metric.unit.name())
    }
}

/// The measurements of a point in the order of the catalogue; those it does not know come last.
pub(super) fn measurements(
    blocks: &Entries<Block>,
    open: &[OpenMetric],
    trials: u32,
    level: f64,
) -> Vec<Measurement> {
    let all = blocks.0.iter().flat_map(|(key, block)| of_block(key, block, open, trials, level));
    // The same statistic may stand under its short and its long name.
    let mut seen = BTreeSet::new();
    let mut measurements: Vec<Measurement> = all.filter(|m| seen.insert(m.key.clone())).collect();
    measurements.sort_by_cached_key(|measurement| {
        let known = catalogue::find_key(&measurement.key);
        (known.is_none(), known)
    });
    measurements
}

fn of_block(key: &str, block: &Block, open: &[OpenMetric], trials: u32, level: f64) -> Vec<Measurement> {
    let built_in = catalogue::find_key(key).map(|(id, statistic)| (id.metric(), statistic));
    let described = built_in.or_else(|| {
        open.iter().find_map(|open| Some((open.metric(), statistic_of_key(open.metric(), key)?)))
    });
    if let Some((metric, statistic)) = described.filter(|(metric, _)| block.fits(metric)) {
        return across_trials(known(metric, statistic), block, trials, level).into_iter().collect();
    }
    let whole =
        catalogue::find(key).map(MetricId::metric).filter(|metric| block.avg.is_some() && block.fits(metric));
    if let Some(metric) = whole {
        let statistics = Statistic::ALL.into_iter();
        let values = statistics.filter_map(|statistic| Some((statistic, block.statistic(statistic)?)));
        return values.map(|(statistic, value)| single(known(metric, statistic), value)).collect();
    }
    across_trials(unknown(key, block), block, trials, level).into_iter().collect()
}

/// What a measurement is of.
struct Name {
    key: String,
    metric: String,
    statistic: &'static str,
    unit: String,
    better: Option<Direction>,
}

fn known(metric: &Metric, statistic: Statistic) -> Name {
    Name {
        key: metric.key(statistic),
        metric: metric.tag.to_string(),
        statistic: statistic.name(),
        unit: metric.unit.name().to_owned(),
        better: metric.better,
    }
}

fn unknown(key: &str, block: &Block) -> Name {
    let named = Statistic::ALL.into_iter().map(Statistic::name);
    let statistic = named.into_iter().find(|name| key.rsplit('_').any(|part| part == *name));
    Name {
        key: key.to_owned(),
        metric: key.to_owned(),
        statistic: statistic.unwrap_or(Statistic::Avg.name()),
        unit: block.unit.clone().unwrap_or_default(),
        better: None,
    }
}

fn across_trials(name: Name, block: &Block, trials: u32, level: f64) -> Option<Measurement> {
    let mean = block.mean?;
    let several = block.n.unwrap_or(trials) > 1;
    let bounds = block.ci_low.zip(block.ci_high).filter(|_| several);
    let trials = block.trials.clone().filter(|trials| !trials.is_empty());
    let extremes = Extremes { min: block.min, max: block.max };
    Some(Measurement {
        extremes: if trials.is_some() || !several { Extremes::default() } else { extremes },
        trials: trials.unwrap_or_else(|| vec![mean]),
        std_dev: block.std.filter(|_| several),
        confidence: bounds.map(|(low, high)| Interval { low, high, level }),
        ..single(name, mean)
    })
}

fn single(name: Name, value: f64) -> Measurement {
    Measurement {
        key: name.key,
        metric: name.metric,
        statistic: name.statistic.to_owned(),
        unit: name.unit,
        better: name.better,
        mean: value,
        trials: vec![value],
        std_dev: None,
        confidence: None,
        within_run: None,
        extremes: Extremes::default(),
    }
}
