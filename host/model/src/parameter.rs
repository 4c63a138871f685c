//! What a sweep varies.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The value of a swept parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ParameterValue {
    /// A switch, such as streaming on or off.
    Boolean(bool),
    /// A count, such as the concurrency.
    Integer(i64),
    /// A quantity, such as a request rate.
    Number(f64),
    /// A name, such as a model.
    Text(String),
}

impl ParameterValue {
    /// The value as a position on an axis, or none for switches and names.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Integer(value) => Some(*value as f64),
            Self::Number(value) => Some(*value),
            Self::Boolean(_) | Self::Text(_) => None,
        }
    }
}

impl fmt::Display for ParameterValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Text(value) => f.write_str(value),
        }
    }
}

/// One swept parameter and the value it has at a point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// The name in snake case, such as `concurrency` or `request_rate`.
    pub name: String,
    /// The value at this point.
    pub value: ParameterValue,
}

impl Parameter {
    /// A parameter from its name and value.
    pub fn new(name: impl Into<String>, value: ParameterValue) -> Self {
        Self { name: name.into(), value }
    }
}

/// `concurrency 10`, or `concurrency 10, isl 128` for several axes.
#[must_use]
pub fn describe(parameters: &[Parameter]) -> String {
    let parts: Vec<String> = parameters.iter().map(|p| format!("{} {}", p.name, p.value)).collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_as_they_were_written() {
        assert_eq!(ParameterValue::Integer(10).to_string(), "10");
        assert_eq!(ParameterValue::Number(2.5).to_string(), "2.5");
        assert_eq!(ParameterValue::Text("a".into()).as_number(), None);
    }

    #[test]
    fn several_axes_are_listed_in_order() {
        let axes = [
            Parameter::new("concurrency", ParameterValue::Integer(10)),
            Parameter::new("isl", ParameterValue::Integer(128)),
        ];
        assert_eq!(describe(&axes), "concurrency 10, isl 128");
    }
}
