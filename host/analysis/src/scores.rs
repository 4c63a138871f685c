//! What an objective says of every point, at its means and in each of its trials.

use crate::comparison::Estimate;
use crate::excluded;
use crate::fault::{self, Fault};
use aiperf_metrics::statistics;
use aiperf_model::conclusion::{Evaluation, ExcludedValue, Score};
use aiperf_model::plugin::Objective;
use aiperf_model::point::{Extremes, Measurement, Point};

/// Two numbers that differ by less than this share are the same: a mean that was added up in another order.
const SAME: f64 = 1e-9;

/// One objective and its value at each point.
#[derive(Clone)]
pub(crate) struct Scores<'a> {
    pub(crate) objective: &'a dyn Objective,
    /// One entry for each point; none where the point has no value, or one that does not count.
    pub(crate) points: Vec<Option<PointScore>>,
    /// Whether any point has a value, so that the objective spans a trade-off.
    pub(crate) has_value: bool,
}

impl Scores<'_> {
    /// The same without the values of excluded points. The objective was asked about them, and what it said is known.
    pub(crate) fn without(mut self, excluded: &[ExcludedValue], points: &[Point]) -> Self {
        for (score, point) in self.points.iter_mut().zip(points) {
            if excluded::contains(excluded, point.index) {
                *score = None;
            }
        }
        self
    }
}

/// The value of an objective at one point.
#[derive(Clone)]
pub(crate) struct PointScore {
    pub(crate) score: Score,
    /// The mean of the score, with what is known of how far it can be off.
    pub(crate) estimate: Estimate,
    pub(crate) unit: String,
    /// The key of the measurement that the value was read from, if it was read from one.
    pub(crate) metric: Option<String>,
    /// The key of a measurement that the objective names although the value is not its mean.
    pub(crate) misnamed: Option<String>,
}

/// Asks the objective about every point.
pub(crate) fn score<'a>(objective: &'a dyn Objective, points: &[Point]) -> Result<Scores<'a>, Fault> {
    let points: Vec<Option<PointScore>> =
        points.iter().map(|point| score_point(objective, point)).collect::<Result<_, _>>()?;
    let has_value = points.iter().any(Option::is_some);
    Ok(Scores { objective, points, has_value })
}

/// Asks the objective about one point.
pub(crate) fn score_point(objective: &dyn Objective, point: &Point) -> Result<Option<PointScore>, Fault> {
    let Some(evaluation) = evaluate(objective, point)? else { return Ok(None) };
    Ok(Some(match source(&evaluation, point) {
        Some(measurement) => read(measurement, point.trials),
        None => compute(objective, point, evaluation)?,
    }))
}

fn evaluate(objective: &dyn Objective, point: &Point) -> Result<Option<Evaluation>, Fault> {
    objective.evaluate(point).map_err(|error| Fault::failed(fault::name(point), error))
}

/// The measurement that the value is, or none if the value was computed, whatever it claims to be.
fn source<'a>(evaluation: &Evaluation, point: &'a Point) -> Option<&'a Measurement> {
    let named = point.measurement(evaluation.metric.as_deref()?)?;
    let difference = (evaluation.value - named.mean).abs();
    (difference <= SAME * named.mean.abs()).then_some(named)
}

/// The score of a value that is a measurement: trials, unit and interval are those of the measurement.
fn read(measurement: &Measurement, trials: u32) -> PointScore {
    let score = Score {
        mean: measurement.mean,
        trials: measurement.trials.clone(),
        confidence: measurement.confidence,
    };
    PointScore {
        score,
        estimate: Estimate::measured(measurement, trials),
        unit: measurement.unit.clone(),
        metric: Some(measurement.key.clone()),
        misnamed: None,
    }
}

/// The score of a value that was computed: the objective is asked about each trial by itself. Where that cannot
/// be answered the value at the means stands alone, without an interval.
fn compute(objective: &dyn Objective, point: &Point, evaluation: Evaluation) -> Result<PointScore, Fault> {
    let trials = evaluate_trials(objective, point)?.unwrap_or_else(|| vec![evaluation.value]);
    let confidence = confidence_level(point).and_then(|level| statistics::interval(&trials, level));
    let estimate = match statistics::sample_std_dev(&trials) {
        Some(std_dev) => Estimate::over_trials(evaluation.value, trials.len() as f64, std_dev),
        None => Estimate::exact(evaluation.value),
    };
    let score = Score { mean: evaluation.value, trials, confidence };
    Ok(PointScore {
        score,
        estimate,
        unit: objective.unit().into(),
        metric: None,
        misnamed: evaluation.metric,
    })
}

/// The value in each trial, or none if there is a trial without one.
fn evaluate_trials(objective: &dyn Objective, point: &Point) -> Result<Option<Vec<f64>>, Fault> {
    if point.trials < 2 {
        return Ok(None);
    }
    let Some(trials) = trial_points(point) else { return Ok(None) };
    trials.iter().map(|trial| Ok(evaluate(objective, trial)?.map(|evaluation| evaluation.value))).collect()
}

/// A point for each trial, or none if a measurement does not have all trials: without it an objective might fall
/// back to another metric and mix the two.
fn trial_points(point: &Point) -> Option<Vec<Point>> {
    (0..point.trials as usize)
        .map(|trial| {
            let measurements =
                point.measurements.iter().map(|measurement| measurement_of_trial(measurement, trial));
            Some(Point {
                trials: 1,
                measurements: measurements.collect::<Option<_>>()?,
                ..without_measurements(point)
            })
        })
        .collect()
}

fn measurement_of_trial(measurement: &Measurement, trial: usize) -> Option<Measurement> {
    let value = *measurement.trials.get(trial)?;
    Some(Measurement {
        key: measurement.key.clone(),
        metric: measurement.metric.clone(),
        statistic: measurement.statistic.clone(),
        unit: measurement.unit.clone(),
        better: measurement.better,
        mean: value,
        trials: vec![value],
        std_dev: None,
        confidence: None,
        within_run: None,
        extremes: Extremes::default(),
    })
}

fn without_measurements(point: &Point) -> Point {
    Point {
        index: point.index,
        parameters: point.parameters.clone(),
        trials: point.trials,
        measurements: Vec::new(),
    }
}

/// The coverage that the intervals of the point have.
fn confidence_level(point: &Point) -> Option<f64> {
    point.measurements.iter().find_map(|measurement| measurement.confidence).map(|interval| interval.level)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, PerMillisecond, Reader, Scripted};
    use aiperf_model::conclusion::Direction;
    use aiperf_model::plugin::PluginError;

    const THROUGHPUT: [f64; 3] = [90.0, 100.0, 110.0];
    const LATENCY: [f64; 3] = [10.0, 10.0, 20.0];

    fn point() -> Point {
        testing::point(0, &[("request_throughput_avg", &THROUGHPUT), ("ttft_p99_ms", &LATENCY)])
    }

    fn only_score(objective: &dyn Objective, point: Point) -> Option<PointScore> {
        score(objective, &[point]).unwrap().points.remove(0)
    }

    #[test]
    fn a_value_that_was_read_has_the_trials_and_the_interval_of_its_measurement() {
        let objective = Reader::new("latency-p99", Direction::Minimize, "ttft_p99_ms");
        let scored = only_score(&objective, point()).unwrap();
        let point = point();
        let measurement = point.measurement("ttft_p99_ms").unwrap();
        assert_eq!(scored.score.mean, measurement.mean);
        assert_eq!(scored.score.trials, LATENCY);
        assert_eq!(scored.score.confidence, measurement.confidence);
        assert!(scored.score.confidence.is_some());
        assert_eq!((scored.unit.as_str(), scored.metric.as_deref()), ("ms", Some("ttft_p99_ms")));
    }

    #[test]
    fn a_value_that_was_computed_is_computed_again_for_each_trial() {
        let scored = only_score(&PerMillisecond::new(), point()).unwrap();
        assert_eq!(scored.score.mean, 100.0 / (40.0 / 3.0));
        assert_eq!(scored.score.trials, [9.0, 10.0, 5.5]);
        assert_eq!(scored.score.confidence, statistics::interval(&[9.0, 10.0, 5.5], 0.95));
        assert_eq!((scored.unit.as_str(), scored.metric), ("requests/sec/ms", None));
    }

    #[test]
    fn a_value_that_is_not_the_mean_it_names_is_computed_and_names_nothing() {
        let objective =
            Reader::new("latency-seconds", Direction::Minimize, "ttft_p99_ms").scaled(1e-3, "sec");
        let scored = only_score(&objective, point()).unwrap();
        assert_eq!(scored.score.trials, [0.01, 0.01, 0.02]);
        assert_eq!((scored.unit.as_str(), scored.metric), ("sec", None));
        assert_eq!(scored.misnamed.as_deref(), Some("ttft_p99_ms"));
    }

    #[test]
    fn a_mean_that_was_added_up_in_another_order_is_the_mean() {
        let objective =
            Reader::new("latency-p99", Direction::Minimize, "ttft_p99_ms").scaled(1.0 + 1e-12, "");
        let (scored, point) = (only_score(&objective, point()).unwrap(), point());
        assert_eq!(scored.score.mean, point.measurement("ttft_p99_ms").unwrap().mean);
        assert_eq!((scored.metric.as_deref(), scored.misnamed), (Some("ttft_p99_ms"), None));
    }

    #[test]
    fn a_single_trial_has_no_interval() {
        let point = testing::point(0, &[("request_throughput_avg", &[90.0]), ("ttft_p99_ms", &[10.0])]);
        let scored = only_score(&PerMillisecond::new(), point).unwrap();
        assert_eq!((scored.score.mean, scored.score.trials.as_slice()), (9.0, [9.0].as_slice()));
        assert_eq!(scored.score.confidence, None);
    }

    #[test]
    fn where_trials_cannot_be_told_apart_the_mean_stands_alone() {
        let mut point = point();
        point.measurements[1].trials.pop();
        let scored = only_score(&PerMillisecond::new(), point).unwrap();
        assert_eq!(scored.score.trials, [scored.score.mean]);
        assert_eq!(scored.score.confidence, None);
    }

    #[test]
    fn a_point_without_the_metric_has_no_score() {
        let objective = Reader::new("goodput", Direction::Maximize, "goodput_avg");
        assert!(only_score(&objective, point()).is_none());
    }

    #[test]
    fn a_point_that_the_objective_fails_on_is_named() {
        let objective = Scripted::objective(Err(PluginError::Crashed("out of fuel".into())));
        let fault = score(&objective, &[point()]).err().unwrap();
        assert_eq!(fault.to_string(), "failed on concurrency 10: out of fuel");
    }
}
