//! From the runs of one value to a point of the sweep.
//!
//! A statistic of a run, such as the p99 of a metric, is one number per trial; a point holds the mean and the
//! spread of that number over the trials. Requests of different trials are never thrown together.

use crate::statistics;
use aiperf_model::catalogue::{self, Metric, MetricId};
use aiperf_model::metrics::{RunMetrics, Statistic, StatisticSelection, Summary, open_metrics};
use aiperf_model::parameter::Parameter;
use aiperf_model::point::{Extremes, Measurement, Point, TrialStatistics};

/// The point of a value: its parameters and the measurements over its successful runs, which come in order of
/// execution. `confidence_level` is between 0 and 1.
#[must_use]
pub fn point(
    index: u32,
    parameters: Vec<Parameter>,
    runs: &[RunMetrics],
    confidence_level: f64,
    selection: StatisticSelection,
) -> Point {
    let measurements = measurements(runs, confidence_level, selection);
    Point { index, parameters, trials: runs.len() as u32, measurements }
}

/// The measurements of [`point`] with the standard error and the critical value behind each interval.
#[must_use]
pub fn trial_statistics(
    runs: &[RunMetrics],
    confidence_level: f64,
    selection: StatisticSelection,
) -> Vec<TrialStatistics> {
    let with_error = |measurement: Measurement| {
        let n = measurement.trials.len();
        TrialStatistics {
            standard_error: measurement.std_dev.map(|std_dev| statistics::standard_error(n, std_dev)),
            t_critical: statistics::t_critical(n, confidence_level),
            measurement,
        }
    };
    measurements(runs, confidence_level, selection).into_iter().map(with_error).collect()
}

/// What is measured, in the order of the catalogue, then of the metrics that are not in it, and then of the statistics.
fn measurements(
    runs: &[RunMetrics],
    confidence_level: f64,
    selection: StatisticSelection,
) -> Vec<Measurement> {
    let of_metric = |metric: &Metric, summaries: &[&Summary]| -> Vec<Measurement> {
        let statistics = selected(metric, selection).iter();
        let of_statistic = |statistic: &Statistic| {
            let trials = summaries.iter().filter_map(|summary| summary.statistic(*statistic)).collect();
            measurement(metric, *statistic, trials, confidence_level)
        };
        statistics.filter_map(of_statistic).collect()
    };
    let built_in = MetricId::ALL.iter().flat_map(|id| {
        of_metric(id.metric(), &runs.iter().filter_map(|run| run.get(*id)).collect::<Vec<_>>())
    });
    let open = open_metrics(runs);
    let open = open.iter().flat_map(|open| {
        of_metric(open.metric(), &runs.iter().filter_map(|run| run.get_open(open)).collect::<Vec<_>>())
    });
    built_in.map(|measurement| known_within(measurement, runs)).chain(open).collect()
}

/// The same, with what the only run knows of it.
fn known_within(measurement: Measurement, runs: &[RunMetrics]) -> Measurement {
    let [run] = runs else { return measurement };
    let known = catalogue::find_key(&measurement.key);
    let known = known.and_then(|(metric, statistic)| run.within_run(metric, statistic)?.interval);
    Measurement { within_run: known, ..measurement }
}

/// One statistic in the runs that have it, or none if no run has it. The interval does not reach below 0 where the
/// number cannot.
fn measurement(
    metric: &Metric,
    statistic: Statistic,
    trials: Vec<f64>,
    confidence_level: f64,
) -> Option<Measurement> {
    let interval = statistics::interval(&trials, confidence_level);
    Some(Measurement {
        key: metric.key(statistic),
        metric: metric.tag.to_string(),
        statistic: statistic.name().into(),
        unit: metric.unit.name().into(),
        better: metric.better,
        mean: statistics::mean(&trials)?,
        std_dev: statistics::sample_std_dev(&trials),
        confidence: if can_be_negative(metric, statistic) {
            interval
        } else {
            interval.map(statistics::clip_at_zero)
        },
        trials,
        within_run: None,
        extremes: Extremes::default(),
    })
}

fn selected(metric: &Metric, selection: StatisticSelection) -> &[Statistic] {
    match selection {
        StatisticSelection::Compact => &metric.sweep,
        StatisticSelection::All => &Statistic::ALL,
    }
}

/// A deviation cannot, whatever it is of.
fn can_be_negative(metric: &Metric, statistic: Statistic) -> bool {
    metric.signed && statistic != Statistic::Std
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounds::Effective;
    use crate::distribution::distribution;
    use aiperf_model::parameter::ParameterValue;

    /// A run with one throughput and these times to first token.
    const ALL_OPEN: Effective = Effective { p50: 0.0, p90: 0.0, p95: 0.0, p99: 0.0 };

    fn run(throughput: f64, ttft: &[f64]) -> RunMetrics {
        let mut entries = vec![(MetricId::RequestThroughput, Summary::Scalar(throughput))];
        if let Some(distribution) = distribution(&ttft.to_vec().into(), ALL_OPEN) {
            entries.push((MetricId::TimeToFirstToken, Summary::Distribution(distribution)));
        }
        RunMetrics { entries, ..RunMetrics::default() }
    }

    fn point_of(runs: &[RunMetrics], selection: StatisticSelection) -> Point {
        let parameters = vec![Parameter::new("concurrency", ParameterValue::Integer(10))];
        point(3, parameters, runs, 0.95, selection)
    }

    #[test]
    fn a_point_of_three_trials() {
        let runs = [run(9.0, &[10.0, 20.0]), run(11.0, &[20.0, 40.0]), run(10.0, &[15.0, 15.0])];
        let point = point_of(&runs, StatisticSelection::Compact);
        assert_eq!((point.index, point.trials), (3, 3));
        let keys: Vec<&str> = point.measurements.iter().map(|m| m.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "request_throughput_avg",
                "ttft_avg_ms",
                "ttft_p50_ms",
                "ttft_p90_ms",
                "ttft_p95_ms",
                "ttft_p99_ms"
            ]
        );
        let throughput = point.measurement("request_throughput_avg").unwrap();
        assert_eq!(throughput.trials, [9.0, 11.0, 10.0], "in order of execution");
        assert_eq!((throughput.mean, throughput.std_dev), (10.0, Some(1.0)));
        assert_eq!((throughput.unit.as_str(), throughput.statistic.as_str()), ("requests/sec", "avg"));
        let interval = throughput.confidence.unwrap();
        assert!((interval.high - (10.0 + 4.302_653 / 3.0_f64.sqrt())).abs() < 1e-6);
        let ttft = point.measurement("ttft_p90_ms").unwrap();
        assert_eq!(ttft.metric, "time_to_first_token");
        assert_eq!(ttft.trials, [19.0, 38.0, 15.0]);
    }

    #[test]
    fn everything_is_every_statistic_that_exists() {
        let point = point_of(&[run(9.0, &[10.0])], StatisticSelection::All);
        assert_eq!(point.measurements.len(), 1 + Statistic::ALL.len(), "a scalar has an average only");
    }

    #[test]
    fn one_trial_has_no_spread() {
        let point = point_of(&[run(9.0, &[10.0])], StatisticSelection::Compact);
        for measurement in &point.measurements {
            assert_eq!((measurement.std_dev, measurement.confidence), (None, None), "{}", measurement.key);
        }
    }

    #[test]
    fn a_metric_of_some_trials_is_taken_over_those() {
        let runs = [run(9.0, &[]), run(11.0, &[20.0]), run(11.0, &[30.0])];
        let point = point_of(&runs, StatisticSelection::Compact);
        assert_eq!(point.trials, 3);
        assert_eq!(point.measurement("ttft_p99_ms").unwrap().trials, [20.0, 30.0]);
        let point = point_of(&[run(9.0, &[]), run(11.0, &[20.0])], StatisticSelection::Compact);
        let ttft = point.measurement("ttft_p99_ms").unwrap();
        assert_eq!((ttft.mean, ttft.std_dev), (20.0, None));
        let point = point_of(&[run(9.0, &[])], StatisticSelection::Compact);
        assert!(point.measurement("ttft_p99_ms").is_none());
    }

    #[test]
    fn no_run_gives_no_measurement() {
        assert!(point_of(&[], StatisticSelection::All).measurements.is_empty());
    }

    #[test]
    fn bounds_stop_at_zero_where_the_number_does() {
        let point = point_of(&[run(1.0, &[1.0]), run(9.0, &[9.0])], StatisticSelection::Compact);
        assert_eq!(point.measurement("request_throughput_avg").unwrap().confidence.unwrap().low, 0.0);

        let mismatch = |values: [f64; 2]| RunMetrics {
            entries: vec![(
                MetricId::OslMismatch,
                Summary::Distribution(distribution(&values.to_vec().into(), ALL_OPEN).unwrap()),
            )],
            ..RunMetrics::default()
        };
        let point = point_of(&[mismatch([-20.0, -20.0]), mismatch([10.0, 20.0])], StatisticSelection::All);
        let low = |key| point.measurement(key).unwrap().confidence.unwrap().low;
        assert!(low("osl_mismatch_diff_pct_avg") < -20.0);
        assert_eq!(low("osl_mismatch_diff_pct_std"), 0.0);
    }

    #[test]
    fn trial_statistics_are_the_measurements_of_the_point_with_their_error_and_t() {
        let runs = [run(9.0, &[10.0]), run(11.0, &[20.0]), run(10.0, &[])];
        let statistics = trial_statistics(&runs, 0.95, StatisticSelection::All);
        let measurements: Vec<Measurement> = statistics.iter().map(|s| s.measurement.clone()).collect();
        assert_eq!(measurements, point_of(&runs, StatisticSelection::All).measurements);
        let throughput = &statistics[0];
        assert_eq!(throughput.standard_error, Some(1.0 / 3.0_f64.sqrt()));
        assert!((throughput.t_critical.unwrap() - 4.302_653).abs() < 1e-6);
        let ttft = &statistics[1];
        assert!((ttft.t_critical.unwrap() - 12.706_205).abs() < 1e-6, "two of the three runs have it");
    }

    #[test]
    fn one_trial_has_no_error_and_no_t() {
        let statistics = trial_statistics(&[run(9.0, &[])], 0.95, StatisticSelection::Compact);
        assert_eq!((statistics[0].standard_error, statistics[0].t_critical), (None, None));
    }
}
