//! Lookups on sweep points.

use crate::{Direction, Measurement, ParameterValue, Point};

impl Point {
    /// The measurement with this key of the sweep file, such as `ttft_p99_ms`.
    pub fn get(&self, key: &str) -> Option<&Measurement> {
        self.measurements.iter().find(|measurement| measurement.key == key)
    }

    /// The mean over the trials of the measurement with this key, such as `ttft_p99_ms`.
    pub fn mean(&self, key: &str) -> Option<f64> {
        self.get(key).map(|measurement| measurement.mean)
    }

    /// One statistic of a metric by its name in the catalogue, such as (`time_to_first_token`, `p99`).
    pub fn statistic(&self, metric: &str, statistic: &str) -> Option<&Measurement> {
        self.measurements
            .iter()
            .find(|measurement| measurement.metric == metric && measurement.statistic == statistic)
    }

    /// The value of a swept parameter, such as `concurrency`.
    pub fn parameter(&self, name: &str) -> Option<&ParameterValue> {
        self.parameters.iter().find(|parameter| parameter.name == name).map(|parameter| &parameter.value)
    }
}

impl ParameterValue {
    /// The value as a number, if it is one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Integer(value) => Some(*value as f64),
            Self::Number(value) => Some(*value),
            Self::Boolean(_) | Self::Text(_) => None,
        }
    }
}

impl From<i64> for ParameterValue {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<f64> for ParameterValue {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<bool> for ParameterValue {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<&str> for ParameterValue {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl Direction {
    /// Whether `left` is better than `right`; equal values are not.
    pub fn prefers(self, left: f64, right: f64) -> bool {
        match self {
            Self::Minimize => left < right,
            Self::Maximize => left > right,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_point_is_looked_up_by_name() {
        let point = testing::point(0)
            .parameter("concurrency", 10)
            .parameter("model", "tiny")
            .measured("ttft_p99_ms", "ms", &[1.0, 3.0])
            .build();
        assert_eq!(point.mean("ttft_p99_ms"), Some(2.0));
        assert_eq!(point.mean("ttft_p90_ms"), None);
        assert_eq!(point.get("ttft_p99_ms").map(|found| found.unit.as_str()), Some("ms"));
        assert_eq!(point.statistic("ttft", "p99").map(|found| found.mean), Some(2.0));
        assert_eq!(point.statistic("ttft", "p90"), None);
        assert_eq!(point.parameter("concurrency").and_then(ParameterValue::as_f64), Some(10.0));
        assert_eq!(point.parameter("model").and_then(ParameterValue::as_f64), None);
        assert_eq!(point.parameter("isl"), None);
    }

    #[test]
    fn a_direction_prefers_one_side_and_no_equal() {
        assert!(Direction::Minimize.prefers(1.0, 2.0));
        assert!(!Direction::Minimize.prefers(2.0, 1.0));
        assert!(Direction::Maximize.prefers(2.0, 1.0));
        assert!(!Direction::Maximize.prefers(1.0, 1.0));
    }
}
