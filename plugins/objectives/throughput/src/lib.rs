//! The objective `throughput`: the most requests per second.

use aiperf_plugin::objective::{Evaluation, Objective, ObjectiveInfo};
use aiperf_plugin::{Point, Result, register_objective};
use serde::Deserialize;

/// Requests per second.
#[derive(Deserialize)]
struct Throughput {}

impl Objective for Throughput {
    fn info(&self) -> ObjectiveInfo {
        ObjectiveInfo::maximize("requests/sec")
    }

    fn evaluate(&self, point: &Point) -> Result<Option<Evaluation>> {
        Ok(point.get("request_throughput_avg").map(Evaluation::of))
    }
}

register_objective!(Throughput, name = "throughput");

#[cfg(test)]
mod tests {
    use aiperf_plugin::testing;

    use super::*;

    #[test]
    fn the_value_is_the_mean_and_names_its_metric() {
        let point =
            testing::point(0).measured("request_throughput_avg", "requests/sec", &[250.0, 260.2]).build();
        let metric = Some("request_throughput_avg".to_owned());
        assert_eq!(Throughput {}.evaluate(&point), Ok(Some(Evaluation { value: 255.1, metric })));
    }

    #[test]
    fn a_point_without_throughput_has_no_value() {
        assert_eq!(Throughput {}.evaluate(&testing::point(0).build()), Ok(None));
    }
}
