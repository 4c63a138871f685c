//! Swept parameters as JSON: `{"concurrency": 10, "isl": 128}`.

use crate::json::{Entries, Position};
use aiperf_model::parameter::{Parameter, ParameterValue};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The value of a parameter as the files show it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'a>(pub(crate) &'a ParameterValue);

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            ParameterValue::Number(number) => Position(*number).serialize(serializer),
            value => value.serialize(serializer),
        }
    }
}

/// All parameters of a point as the files show them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Object<'a>(pub(crate) &'a [Parameter]);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|parameter| (&parameter.name, Value(&parameter.value))))
    }
}

/// Parameters as an object that keeps a whole number apart from an integer; for `#[serde(with)]`.
pub(crate) fn serialize<S: Serializer>(parameters: &[Parameter], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(parameters.iter().map(|parameter| (&parameter.name, &parameter.value)))
}

/// Parameters from an object; for `#[serde(with)]`.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Parameter>, D::Error> {
    let entries = Entries::<ParameterValue>::deserialize(deserializer)?;
    Ok(entries.0.into_iter().map(|(name, value)| Parameter { name, value }).collect())
}

/// `concurrency=10`, or `concurrency=10,isl=128`.
pub(crate) fn label(parameters: &[Parameter]) -> String {
    let parts: Vec<String> = parameters.iter().map(|p| format!("{}={}", p.name, p.value)).collect();
    parts.join(",")
}
