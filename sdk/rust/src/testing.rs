//! Data for the tests of a plugin, as the host would send it.

use serde::de::DeserializeOwned;

use crate::endpoint::{Event, Part, Request, Turn};
use crate::pareto::{Axis, Candidate, Score};
use crate::trend::{Sample, Series};
use crate::{Direction, Measurement, Parameter, ParameterValue, Point, Result, settings};

/// Makes a plugin from the JSON text of its settings, as strictly as the host does.
pub fn configure<T: DeserializeOwned>(settings: &str) -> Result<T> {
    settings::read(settings)
}

/// Starts a point of a sweep.
///
/// ```
/// let point = aiperf_plugin::testing::point(0)
///     .parameter("concurrency", 10)
///     .measured("ttft_p99_ms", "ms", &[120.0, 130.8])
///     .build();
/// assert_eq!(point.mean("ttft_p99_ms"), Some(125.4));
/// ```
pub fn point(index: u32) -> PointBuilder {
    PointBuilder { point: Point { index, parameters: Vec::new(), trials: 1, measurements: Vec::new() } }
}

/// A [`Point`] under construction.
#[derive(Clone, Debug)]
pub struct PointBuilder {
    point: Point,
}

impl PointBuilder {
    /// Adds a swept parameter.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: impl Into<ParameterValue>) -> Self {
        self.point.parameters.push(Parameter { name: name.to_owned(), value: value.into() });
        self
    }

    /// Adds a measurement with the value of each trial. Metric and statistic are taken from the key, so the
    /// metric has its short name: `ttft_p99_ms` is `p99` of `ttft`.
    #[must_use]
    pub fn measured(mut self, key: &str, unit: &str, trials: &[f64]) -> Self {
        let name = key.strip_suffix(unit).and_then(|name| name.strip_suffix('_')).unwrap_or(key);
        let (metric, statistic) = name.rsplit_once('_').unwrap_or((name, ""));
        let mean = mean(trials);
        self.point.trials = trials.len() as u32;
        self.point.measurements.push(Measurement {
            key: key.to_owned(),
            metric: metric.to_owned(),
            statistic: statistic.to_owned(),
            unit: unit.to_owned(),
            mean,
            trials: trials.to_vec(),
            std_dev: standard_deviation(trials, mean),
            confidence: None,
        });
        self
    }

    /// The point.
    pub fn build(self) -> Point {
        self.point
    }
}

/// A series over `concurrency`, from pairs of parameter and mean, measured once each.
pub fn series(samples: &[(f64, f64)]) -> Series {
    let sample = |((x, y), point_index): (&(f64, f64), u32)| Sample {
        point_index,
        x: *x,
        y: *y,
        trials: vec![*y],
        confidence: None,
    };
    Series {
        parameter: "concurrency".to_owned(),
        key: "request_throughput_avg".to_owned(),
        metric: "request_throughput".to_owned(),
        statistic: "avg".to_owned(),
        unit: "requests/sec".to_owned(),
        better: Some(Direction::Maximize),
        samples: samples.iter().zip(0..).map(sample).collect(),
    }
}

/// The axes of a trade-off, from pairs of objective and direction.
pub fn axes(axes: &[(&str, Direction)]) -> Vec<Axis> {
    axes.iter()
        .map(|(objective, direction)| Axis {
            objective: (*objective).to_owned(),
            direction: *direction,
            unit: String::new(),
        })
        .collect()
}

/// Candidates with the mean on each axis, measured once each.
pub fn candidates<const AXES: usize>(means: &[[f64; AXES]]) -> Vec<Candidate> {
    let score = |mean: &f64| Score { mean: *mean, trials: vec![*mean], confidence: None };
    means
        .iter()
        .zip(0..)
        .map(|(means, point_index)| Candidate { point_index, scores: means.iter().map(score).collect() })
        .collect()
}

/// Events without names, from their data.
pub fn events(data: &[&str]) -> Vec<Event> {
    data.iter().map(|data| Event { name: None, data: data.as_bytes().to_vec() }).collect()
}

/// A streamed request with one user turn.
pub fn request(model: &str, prompt: &str) -> Request {
    Request {
        model: model.to_owned(),
        turns: vec![turn("user", prompt)],
        max_output_tokens: None,
        streaming: true,
        extra: None,
    }
}

/// A turn of text.
pub fn turn(role: &str, text: &str) -> Turn {
    Turn { role: role.to_owned(), parts: vec![Part { kind: "text".to_owned(), value: text.to_owned() }] }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// With n - 1; none for a single value.
fn standard_deviation(values: &[f64], mean: f64) -> Option<f64> {
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())
}
