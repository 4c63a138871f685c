//! Objective plugins: points into one number each.

use aiperf_model::conclusion::{Direction, Evaluation};
use aiperf_model::parameter::{Parameter, ParameterValue};
use aiperf_model::plugin::{Identity, Objective, Plugin, PluginError};
use aiperf_model::point::{Measurement, Point};
use serde::Deserialize;

use crate::answer::{Answer, LONGEST_NAME, is_label, quoted};
use crate::bindings::{objective as wit, types};
use crate::case::Call;
use crate::configured::Configured;
use crate::interface;
use crate::limits::Limits;
use crate::native::Function;

const EVALUATE: Function = Function { name: "evaluate", place: 0 };

/// A plugin behind [`Objective`].
pub(crate) struct ObjectivePlugin {
    plugin: Configured<interface::Objective>,
    info: ObjectiveInfo,
}

/// What an objective says of its values under its settings.
#[derive(Deserialize)]
pub(crate) struct ObjectiveInfo {
    direction: Direction,
    unit: String,
}

impl From<wit::ObjectiveInfo> for ObjectiveInfo {
    fn from(info: wit::ObjectiveInfo) -> Self {
        Self { direction: info.direction.into(), unit: info.unit }
    }
}

impl ObjectivePlugin {
    /// # Errors
    ///
    /// [`PluginError::BrokeContract`] if the unit is none.
    pub(crate) fn new(
        plugin: Configured<interface::Objective>,
        info: ObjectiveInfo,
    ) -> Result<Self, PluginError> {
        check_unit(&info.unit).map_err(|problem| plugin.contract_violation(&problem))?;
        Ok(Self { plugin, info })
    }
}

impl Plugin for ObjectivePlugin {
    fn identity(&self) -> &Identity {
        &self.plugin.identity
    }
}

impl Objective for ObjectivePlugin {
    fn direction(&self) -> Direction {
        self.info.direction
    }

    fn unit(&self) -> &str {
        &self.info.unit
    }

    fn evaluate(&self, point: &Point) -> Result<Option<Evaluation>, PluginError> {
        self.plugin.traced(self.evaluated(point), || Call::Evaluate(point.clone()))
    }
}

impl ObjectivePlugin {
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
        self.plugin.ask_reproducibly(EVALUATE, lent, point, |guest, store, lent| {
            Ok(guest.call_evaluate(store, lent)?.map(|evaluation| evaluation.map(take_evaluation)))
        })
    }
}

fn take_evaluation(evaluation: wit::Evaluation) -> Evaluation {
    Evaluation { value: evaluation.value, metric: evaluation.metric }
}

fn check_unit(unit: &str) -> Result<(), String> {
    if is_label(unit) {
        Ok(())
    } else {
        Err(format!("the unit {}, which must be one line of at most {LONGEST_NAME} bytes", quoted(unit)))
    }
}

impl Answer<&Point> for Option<Evaluation> {
    fn shorten(self, _limits: &Limits) -> Self {
        self
    }

    fn check(&self, point: &Point) -> Result<(), String> {
        let Some(Evaluation { value, metric }) = self else { return Ok(()) };
        if !value.is_finite() {
            return Err(format!("{value}, which is not a finite number"));
        }
        match metric {
            Some(key) if point.measurement(key).is_none() => {
                Err(format!("a value of {}, which the point does not have", quoted(key)))
            }
            _ => Ok(()),
        }
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
            |value, metric: Option<&str>| Some(Evaluation { value, metric: metric.map(str::to_owned) });
        assert_eq!(None.check(&point), Ok(()));
        assert_eq!(evaluation(1.0, None).check(&point), Ok(()));
        for value in [f64::NAN, f64::INFINITY] {
            assert!(evaluation(value, None).check(&point).is_err());
        }
        assert_eq!(
            evaluation(1.0, Some("ttft_p99_ms")).check(&point),
            Err("a value of 'ttft_p99_ms', which the point does not have".to_owned())
        );
    }
}
