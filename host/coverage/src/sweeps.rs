//! Sweeps that might have been measured.

use aiperf_analysis::{Subject, analyze};
use aiperf_metrics::statistics;
use aiperf_model::conclusion::Conclusions;
use aiperf_model::parameter::{Parameter, ParameterValue};
use aiperf_model::point::{Extremes, Measurement, Point};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

const LEVEL: f64 = 0.95;

/// A metric with a known law.
pub(crate) struct Metric<'a> {
    pub(crate) key: String,
    /// The true value at a concurrency.
    pub(crate) law: &'a dyn Fn(f64) -> f64,
    /// The coefficient of variation of a trial at a concurrency.
    pub(crate) variation: &'a dyn Fn(f64) -> f64,
}

/// What `trials` trials of each concurrency might have given.
pub(crate) fn measure(
    concurrencies: &[f64],
    metrics: &[Metric<'_>],
    trials: usize,
    random: &mut ChaCha8Rng,
) -> Vec<Point> {
    let mut point = |(index, concurrency): (u32, &f64)| Point {
        index,
        parameters: vec![Parameter::new("concurrency", ParameterValue::Number(*concurrency))],
        trials: trials as u32,
        measurements: metrics
            .iter()
            .map(|metric| measurement(metric, *concurrency, trials, random))
            .collect(),
    };
    (0..).zip(concurrencies).map(&mut point).collect()
}

fn measurement(metric: &Metric<'_>, at: f64, trials: usize, random: &mut ChaCha8Rng) -> Measurement {
    let (truth, variation) = ((metric.law)(at), (metric.variation)(at));
    let mut trial = || {
        let normal: f64 = StandardNormal.sample(random);
        truth * (1.0 + variation * normal)
    };
    let trials: Vec<f64> = (0..trials).map(|_| trial()).collect();
    Measurement {
        key: metric.key.clone(),
        metric: metric.key.clone(),
        statistic: String::new(),
        unit: String::new(),
        better: aiperf_model::catalogue::find_key(&metric.key).and_then(|(id, _)| id.metric().better),
        mean: statistics::mean(&trials).unwrap_or(truth),
        std_dev: statistics::sample_std_dev(&trials),
        confidence: statistics::interval(&trials, LEVEL),
        within_run: None,
        extremes: Extremes::default(),
        trials,
    }
}

/// What the analysis says of these points.
pub(crate) fn conclude(points: &[Point]) -> Conclusions {
    let axes = ["concurrency".to_owned()];
    let subject = Subject { axes: &axes, points, verdicts: &[], confidence_level: LEVEL };
    analyze(subject, &crate::plugins::plugins())
}
