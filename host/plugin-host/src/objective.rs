//! Objective plugins: points into one number each.

use aiperf_model::conclusion::{Direction, Evaluation};
use aiperf_model::parameter::{Parameter, ParameterValue};
use aiperf_model::plugin::{Identity, Objective, Plugin, PluginError};
use aiperf_model::point::{Measurement, Point};

use crate::bindings::{objective as wit, types};
use crate::case::Call;
use crate::interface;
use crate::pool::Pool;

/// A component behind [`Objective`].
pub(crate) struct ComponentObjective {
    identity: Identity,
    direction: Direction,
    unit: String,
    pool: Pool<interface::Objective>,
}

impl ComponentObjective {
    pub(crate) fn new(
        identity: Identity,
        info: wit::ObjectiveInfo,
        pool: Pool<interface::Objective>,
    ) -> Self {
        Self { identity, direction: info.direction.into(), unit: info.unit, pool }
    }
}

impl Plugin for ComponentObjective {
    fn identity(&self) -> &Identity {
        &self.identity
    }
}

impl Objective for ComponentObjective {
    fn direction(&self) -> Direction {
        self.direction
    }

    fn unit(&self) -> &str {
        &self.unit
    }

    fn evaluate(&self, point: &Point) -> Result<Option<Evaluation>, PluginError> {
        self.pool.traced(self.evaluated(point), || Call::Evaluate(point.clone()))
    }
}

impl ComponentObjective {
    fn evaluated(&self, point: &Point) -> Result<Option<Evaluation>, PluginError> {
        let parameters: Vec<types::Parameter<'_>> = point.parameters.iter().map(lend_parameter).collect();
        let measurements: Vec<types::Measurement<'_>> =
            point.measurements.iter().map(lend_measurement).collect();
        let lent = types::Point {
            index: point.index,
            parameters: &parameters,
            trials: point.trials,
            measurements: &measurements,
        };
        let evaluation = self.pool.call("evaluate", |guest, store| guest.call_evaluate(store, lent))?;
        evaluation.map(|evaluation| self.accept(evaluation, point)).transpose()
    }

    fn accept(&self, evaluation: wit::Evaluation, point: &Point) -> Result<Evaluation, PluginError> {
        check(&evaluation, point).map_err(|problem| {
            PluginError::BrokeContract(format!("{} returned {problem}", self.pool.speaker()))
        })?;
        Ok(Evaluation { value: evaluation.value, metric: evaluation.metric })
    }
}

fn check(evaluation: &wit::Evaluation, point: &Point) -> Result<(), String> {
    if !evaluation.value.is_finite() {
        return Err(format!("{}, which is not a finite number", evaluation.value));
    }
    match &evaluation.metric {
        Some(key) if point.measurement(key).is_none() => {
            Err(format!("a value of '{key}', which the point does not have"))
        }
        _ => Ok(()),
    }
}

fn lend_parameter(parameter: &Parameter) -> types::Parameter<'_> {
    let value = match &parameter.value {
        ParameterValue::Boolean(value) => types::ParameterValue::Boolean(*value),
        ParameterValue::Integer(value) => types::ParameterValue::Integer(*value),
        ParameterValue::Number(value) => types::ParameterValue::Number(*value),
        ParameterValue::Text(value) => types::ParameterValue::Text(value),
    };
    types::Parameter { name: &parameter.name, value }
}

fn lend_measurement(measurement: &Measurement) -> types::Measurement<'_> {
    types::Measurement {
        key: &measurement.key,
        metric: &measurement.metric,
        statistic: &measurement.statistic,
        unit: &measurement.unit,
        mean: measurement.mean,
        trials: &measurement.trials,
        std_dev: measurement.std_dev,
        confidence: measurement.confidence.map(Into::into),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_finite_and_of_known_metrics() {
        let point = Point { index: 0, parameters: Vec::new(), trials: 1, measurements: Vec::new() };
        let evaluation =
            |value, metric: Option<&str>| wit::Evaluation { value, metric: metric.map(str::to_owned) };
        assert_eq!(check(&evaluation(1.0, None), &point), Ok(()));
        for value in [f64::NAN, f64::INFINITY] {
            assert!(check(&evaluation(value, None), &point).is_err());
        }
        assert_eq!(
            check(&evaluation(1.0, Some("ttft_p99_ms")), &point),
            Err("a value of 'ttft_p99_ms', which the point does not have".to_owned())
        );
    }
}
