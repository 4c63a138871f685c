//! The objective `latency-p99`: the shortest time to the first token at the 99th percentile, or to the whole
//! answer where there is no first token.

use aiperf_plugin::objective::{Evaluation, Objective, ObjectiveInfo};
use aiperf_plugin::{Point, Result, register_objective};
use serde::Deserialize;

/// Milliseconds at the 99th percentile.
#[derive(Deserialize)]
struct LatencyP99 {}

impl Objective for LatencyP99 {
    fn info(&self) -> ObjectiveInfo {
        ObjectiveInfo::minimize("ms")
    }

    fn evaluate(&self, point: &Point) -> Result<Option<Evaluation>> {
        let measurement = point.get("ttft_p99_ms").or_else(|| point.get("request_latency_p99_ms"));
        Ok(measurement.map(Evaluation::of))
    }
}

register_objective!(LatencyP99, name = "latency-p99");

#[cfg(test)]
mod tests {
    use aiperf_plugin::testing::{self, PointBuilder};

    use super::*;

    fn judged(point: PointBuilder) -> Option<(f64, Option<String>)> {
        let evaluation = LatencyP99 {}.evaluate(&point.build()).unwrap();
        evaluation.map(|evaluation| (evaluation.value, evaluation.metric))
    }

    #[test]
    fn the_first_token_counts_where_there_is_one() {
        let point = testing::point(0).measured("request_latency_p99_ms", "ms", &[900.0]).measured(
            "ttft_p99_ms",
            "ms",
            &[125.4],
        );
        assert_eq!(judged(point), Some((125.4, Some("ttft_p99_ms".to_owned()))));
    }

    #[test]
    fn else_the_whole_answer_does_and_says_so() {
        let point = testing::point(0).measured("request_latency_p99_ms", "ms", &[900.0]);
        assert_eq!(judged(point), Some((900.0, Some("request_latency_p99_ms".to_owned()))));
    }

    #[test]
    fn a_point_without_latency_has_no_value() {
        assert_eq!(judged(testing::point(0)), None);
    }
}
