//! Requests per second, where the first token comes in time.

use aiperf_plugin::objective::{Evaluation, Objective, ObjectiveInfo};
use aiperf_plugin::schemars::{self, JsonSchema};
use aiperf_plugin::{Point, Result, register_objective};
use serde::Deserialize;

/// The settings, as in `--objective '{{name}}:{"limit_ms":100}'`.
#[derive(Deserialize, JsonSchema)]
#[serde(default)]
struct InTime {
    /// The longest time to the first token, at the 99th percentile.
    limit_ms: f64,
}

impl Default for InTime {
    fn default() -> Self {
        Self { limit_ms: 200.0 }
    }
}

impl Objective for InTime {
    fn settings_schema() -> Option<String> {
        aiperf_plugin::schema_of::<Self>()
    }

    fn info(&self) -> ObjectiveInfo {
        ObjectiveInfo::maximize("requests/sec")
    }

    fn evaluate(&self, point: &Point) -> Result<Option<Evaluation>> {
        let in_time = point.mean("ttft_p99_ms").is_some_and(|ttft| ttft <= self.limit_ms);
        Ok(point.get("request_throughput_avg").filter(|_| in_time).map(Evaluation::of))
    }
}

register_objective!(InTime);

#[cfg(test)]
mod tests {
    use super::*;
    use aiperf_plugin::testing;

    #[test]
    fn a_point_that_is_too_late_has_no_value() {
        let late = testing::point(0)
            .measured("request_throughput_avg", "requests/sec", &[50.0])
            .measured("ttft_p99_ms", "ms", &[201.0])
            .build();
        assert_eq!(InTime::default().evaluate(&late), Ok(None));
    }
}
