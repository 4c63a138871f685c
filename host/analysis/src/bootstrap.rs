//! Means that the points might have had, given how their trials spread.

use aiperf_model::point::{Extremes, Measurement, Point};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

/// The point with plausible means: a draw from the multivariate t distribution around its means, with n − 1 degrees of
/// freedom and the covariance of its trials over n, so that metrics that vary together do so in the draw. A point
/// with a single trial stays as it is, since nothing is known of its spread.
///
/// The draw is Σ (xᵢ − mean) zᵢ / √(n · χ²) over the trials xᵢ, with one standard normal zᵢ for each trial whatever the
/// metric, and one χ² with n − 1 degrees of freedom: its covariance is that of the mean (n − 1) / (n − 3) times, as that
/// of Student's t.
pub(crate) fn draw(point: &Point, random: &mut ChaCha8Rng) -> Point {
    let n = point.trials as usize;
    let mut normal = || -> f64 { StandardNormal.sample(random) };
    let normals: Vec<f64> = (0..n).map(|_| normal()).collect();
    let chi_squared: f64 = (1..n).map(|_| normal().powi(2)).sum();
    let scale = if chi_squared > 0.0 { (n as f64 * chi_squared).sqrt().recip() } else { 0.0 };
    let measurements = point.measurements.iter().map(|measurement| {
        let mean = measurement.mean;
        let deviations = measurement.trials.iter().zip(&normals).map(|(trial, z)| (trial - mean) * z);
        let drawn = mean + scale * deviations.sum::<f64>();
        let is_negative = measurement.trials.iter().any(|trial| *trial < 0.0);
        with_mean(measurement, if is_negative { drawn } else { drawn.max(0.0) })
    });
    Point {
        index: point.index,
        parameters: point.parameters.clone(),
        trials: 1,
        measurements: measurements.collect(),
    }
}

/// The point with its means alone, as a draw that happens to hit them.
pub(crate) fn means(point: &Point) -> Point {
    let measurements = point.measurements.iter().map(|measurement| with_mean(measurement, measurement.mean));
    Point {
        index: point.index,
        parameters: point.parameters.clone(),
        trials: 1,
        measurements: measurements.collect(),
    }
}

/// A measurement that was made once.
fn with_mean(measurement: &Measurement, mean: f64) -> Measurement {
    Measurement {
        key: measurement.key.clone(),
        metric: measurement.metric.clone(),
        statistic: measurement.statistic.clone(),
        unit: measurement.unit.clone(),
        better: measurement.better,
        mean,
        trials: vec![mean],
        std_dev: None,
        confidence: None,
        within_run: None,
        extremes: Extremes::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use aiperf_metrics::statistics;
    use rand_chacha::rand_core::SeedableRng as _;

    fn drawn(point: &Point, draws: u64) -> Vec<[f64; 2]> {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        (0..draws)
            .map(|_| draw(point, &mut random))
            .map(|point| [0, 1].map(|measurement: usize| point.measurements[measurement].mean))
            .collect()
    }

    #[test]
    fn means_lie_within_their_interval_as_often_as_it_says() {
        let point = testing::point(0, &[("request_throughput_avg", &[90.0, 100.0, 104.0, 94.0])]);
        let point = Point {
            measurements: vec![point.measurements[0].clone(), point.measurements[0].clone()],
            ..point
        };
        let interval = point.measurements[0].confidence.unwrap();
        let inside = drawn(&point, 20_000)
            .iter()
            .filter(|[throughput, _]| (interval.low..interval.high).contains(throughput))
            .count();
        assert!((inside as f64 / 20_000.0 - 0.95).abs() < 0.005, "{inside}");
    }

    #[test]
    fn what_varies_together_is_drawn_together() {
        let trials: [f64; 4] = [90.0, 100.0, 104.0, 94.0];
        let latencies = trials.map(|throughput| 1000.0 / throughput);
        let point = testing::point(0, &[("request_throughput_avg", &trials), ("ttft_p99_ms", &latencies)]);
        let [throughputs, latencies]: [Vec<f64>; 2] = [0, 1]
            .map(|measurement: usize| drawn(&point, 1000).iter().map(|draw| draw[measurement]).collect());
        let rising = |values: &[f64]| {
            let mean = statistics::mean(values).unwrap();
            values.iter().map(|value| *value > mean).collect::<Vec<bool>>()
        };
        let apart = rising(&throughputs).iter().zip(rising(&latencies)).filter(|(a, b)| **a != *b).count();
        assert!(apart > 950, "one rises where the other falls: {apart}");
    }

    #[test]
    fn a_single_trial_and_equal_trials_stay_as_they_are() {
        for trials in [&[90.0][..], &[90.0; 3]] {
            let point = testing::point(0, &[("request_throughput_avg", trials), ("ttft_p99_ms", trials)]);
            assert!(drawn(&point, 10).iter().all(|draw| *draw == [90.0, 90.0]));
        }
    }
}
