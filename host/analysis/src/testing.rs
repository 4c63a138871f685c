//! Points and plugins for tests.

use aiperf_metrics::statistics;
use aiperf_model::catalogue;
use aiperf_model::conclusion::{
    Axis, Candidate, Derived, Direction, Evaluation, Finding, Judgement, Report, Series, Standing,
};
use aiperf_model::parameter::{Parameter, ParameterValue};
use aiperf_model::plugin::{Identity, Kind, Objective, ParetoCriterion, Plugin, PluginError, TrendDetector};
use aiperf_model::point::{Extremes, Measurement, Point};

const LEVEL: f64 = 0.95;

fn measurement(key: &str, mean: f64, trials: Vec<f64>, n: usize, std_dev: Option<f64>) -> Measurement {
    let (id, statistic) = catalogue::find_key(key).unwrap();
    let metric = id.metric();
    Measurement {
        key: key.into(),
        metric: metric.tag.to_string(),
        statistic: statistic.name().into(),
        unit: metric.unit.name().into(),
        better: metric.better,
        mean,
        trials,
        std_dev,
        confidence: std_dev.and_then(|std_dev| statistics::interval_from_moments(n, mean, std_dev, LEVEL)),
        within_run: None,
        extremes: Extremes::default(),
    }
}

/// A point at concurrency 10, 20 … by its index, with these trials of these keys.
pub(crate) fn point(index: u32, trials: &[(&str, &[f64])]) -> Point {
    Point {
        index,
        parameters: vec![Parameter::new("concurrency", ParameterValue::Integer(10 * (i64::from(index) + 1)))],
        trials: trials.first().map_or(1, |(_, trials)| trials.len() as u32),
        measurements: trials
            .iter()
            .map(|(key, trials)| {
                let mean = statistics::mean(trials).unwrap();
                measurement(key, mean, trials.to_vec(), trials.len(), statistics::sample_std_dev(trials))
            })
            .collect(),
    }
}

/// The four points of the specification's example, of which only means and deviations over five trials are known.
pub(crate) fn specification() -> Vec<Point> {
    [
        ((95.2, 3.1), (125.4, 8.2)),
        ((175.8, 5.4), (145.2, 10.1)),
        ((245.3, 8.2), (180.5, 12.4)),
        ((255.1, 12.3), (285.7, 18.5)),
    ]
    .into_iter()
    .enumerate()
    .map(|(index, (throughput, latency))| Point {
        trials: 5,
        measurements: [("request_throughput_avg", throughput), ("ttft_p99_ms", latency)]
            .into_iter()
            .map(|(key, (mean, std_dev))| measurement(key, mean, vec![mean], 5, Some(std_dev)))
            .collect(),
        ..point(index as u32, &[])
    })
    .collect()
}

pub(crate) fn identity(kind: Kind, name: &str) -> Identity {
    Identity {
        kind,
        name: name.into(),
        version: "1.0.0".into(),
        sha256: String::new(),
        source: "built-in".into(),
        sandboxed: true,
        settings: "{}".into(),
    }
}

/// An inflection between these samples.
pub(crate) fn finding(first: u32, last: u32) -> Finding {
    Finding {
        kind: "inflection".into(),
        message: "the curve bends".into(),
        first,
        last,
        location: None,
        certainty: 1.0,
    }
}

/// An objective that reads one measurement and names it.
pub(crate) struct Reader {
    identity: Identity,
    direction: Direction,
    key: &'static str,
    factor: f64,
    unit: &'static str,
}

impl Reader {
    pub(crate) fn new(name: &str, direction: Direction, key: &'static str) -> Self {
        Self { identity: identity(Kind::Objective, name), direction, key, factor: 1.0, unit: "" }
    }

    /// The same times a factor.
    pub(crate) fn scaled(self, factor: f64, unit: &'static str) -> Self {
        Self { factor, unit, ..self }
    }
}

impl Objective for Reader {
    fn direction(&self) -> Direction {
        self.direction
    }

    fn unit(&self) -> &str {
        self.unit
    }

    fn evaluate(&self, point: &Point) -> Result<Option<Evaluation>, PluginError> {
        Ok(point.measurement(self.key).map(|measurement| Evaluation {
            value: measurement.mean * self.factor,
            metric: Some(self.key.into()),
        }))
    }
}

/// An objective that computes its value from two measurements: throughput for each millisecond of latency.
pub(crate) struct PerMillisecond(Identity);

impl PerMillisecond {
    pub(crate) fn new() -> Self {
        Self(identity(Kind::Objective, "per-millisecond"))
    }
}

impl Objective for PerMillisecond {
    fn direction(&self) -> Direction {
        Direction::Maximize
    }

    fn unit(&self) -> &'static str {
        "requests/sec/ms"
    }

    fn evaluate(&self, point: &Point) -> Result<Option<Evaluation>, PluginError> {
        let mean = |key| point.measurement(key).map(|measurement| measurement.mean);
        let values = mean("request_throughput_avg").zip(mean("ttft_p99_ms"));
        Ok(values.map(|(throughput, latency)| Evaluation { value: throughput / latency, metric: None }))
    }
}

/// A criterion: dominated if another is as good on every axis and better on one.
pub(crate) struct Dominance(Identity);

impl Dominance {
    pub(crate) fn new() -> Self {
        Self(identity(Kind::Pareto, "dominance"))
    }
}

impl ParetoCriterion for Dominance {
    fn judge(&self, axes: &[Axis], candidates: &[Candidate]) -> Result<Vec<Judgement>, PluginError> {
        let goodness = |candidate: &Candidate| -> Vec<f64> {
            let signed = axes.iter().zip(&candidate.scores).map(|(axis, score)| match axis.direction {
                Direction::Minimize => -score.mean,
                Direction::Maximize => score.mean,
            });
            signed.collect()
        };
        let dominates = |a: &[f64], b: &[f64]| a != b && a.iter().zip(b).all(|(a, b)| a >= b);
        let good: Vec<Vec<f64>> = candidates.iter().map(goodness).collect();
        let judge = |one: &Vec<f64>| match good.iter().position(|other| dominates(other, one)) {
            Some(other) => Standing::DominatedBy(other as u32),
            None => Standing::Optimal,
        };
        Ok(good.iter().map(|one| Judgement { standing: judge(one), probability: None }).collect())
    }
}

/// A detector that finds the same in every series.
pub(crate) struct Detector {
    identity: Identity,
    report: Report,
}

impl Detector {
    pub(crate) fn new(findings: Vec<Finding>) -> Self {
        Self { identity: identity(Kind::Trend, "detector"), report: Report { findings, ..Report::default() } }
    }

    pub(crate) fn finding_nothing() -> Self {
        Self::new(Vec::new())
    }

    pub(crate) fn inflection_at(sample: u32) -> Self {
        Self::new(vec![finding(sample, sample)])
    }

    /// The same with these numbers.
    pub(crate) fn deriving(mut self, derived: Vec<Derived>) -> Self {
        self.report.derived = derived;
        self
    }

    /// The same after so much was left out of each answer.
    pub(crate) fn leaving_out(mut self, left_out: usize) -> Self {
        self.report.left_out = left_out;
        self
    }
}

impl TrendDetector for Detector {
    fn detect(&self, _series: &Series) -> Result<Report, PluginError> {
        Ok(self.report.clone())
    }
}

/// A plugin that gives one answer, whatever it is asked.
pub(crate) struct Scripted<T> {
    identity: Identity,
    answer: Result<T, PluginError>,
}

impl<T> Scripted<T> {
    fn new(kind: Kind, answer: Result<T, PluginError>) -> Self {
        Self { identity: identity(kind, "scripted"), answer }
    }
}

impl Scripted<Option<Evaluation>> {
    pub(crate) fn objective(answer: Result<Option<f64>, PluginError>) -> Self {
        let evaluation = |value| Evaluation { value, metric: None };
        Self::new(Kind::Objective, answer.map(|value| value.map(evaluation)))
    }

    /// The same, said to be read from a measurement.
    pub(crate) fn naming(mut self, key: &str) -> Self {
        if let Ok(Some(evaluation)) = &mut self.answer {
            evaluation.metric = Some(key.into());
        }
        self
    }
}

impl Scripted<Vec<Judgement>> {
    pub(crate) fn criterion(judgements: Vec<Judgement>) -> Self {
        Self::new(Kind::Pareto, Ok(judgements))
    }

    pub(crate) fn refusing_criterion(error: PluginError) -> Self {
        Self::new(Kind::Pareto, Err(error))
    }
}

impl Scripted<Report> {
    pub(crate) fn refusing_detector() -> Self {
        Self::new(Kind::Trend, Err(PluginError::Crashed("out of fuel".into())))
    }
}

impl Objective for Scripted<Option<Evaluation>> {
    fn direction(&self) -> Direction {
        Direction::Maximize
    }

    fn unit(&self) -> &'static str {
        ""
    }

    fn evaluate(&self, _point: &Point) -> Result<Option<Evaluation>, PluginError> {
        self.answer.clone()
    }
}

impl ParetoCriterion for Scripted<Vec<Judgement>> {
    fn judge(&self, _axes: &[Axis], _candidates: &[Candidate]) -> Result<Vec<Judgement>, PluginError> {
        self.answer.clone()
    }
}

impl TrendDetector for Scripted<Report> {
    fn detect(&self, _series: &Series) -> Result<Report, PluginError> {
        self.answer.clone()
    }
}

macro_rules! plugin {
    ($type:ty, $identity:tt) => {
        impl Plugin for $type {
            fn identity(&self) -> &Identity {
                &self.$identity
            }
        }
    };
}

plugin!(Reader, identity);
plugin!(PerMillisecond, 0);
plugin!(Dominance, 0);
plugin!(Detector, identity);

impl<T: Send + Sync> Plugin for Scripted<T> {
    fn identity(&self) -> &Identity {
        &self.identity
    }
}
