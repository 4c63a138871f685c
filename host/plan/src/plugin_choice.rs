//! A plugin as the user names it: `name`, or `name:{json}` with settings.

use crate::error::ConfigError;
use aiperf_model::secret::variable_name;
use serde::Serialize;
use serde_json::{Map, Value};
use std::fmt;

/// A plugin by name, with its settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PluginChoice {
    /// The name it is selected by.
    pub name: String,
    /// The settings; empty if none were given.
    pub settings: Map<String, Value>,
}

impl PluginChoice {
    /// A plugin with its default settings.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), settings: Map::new() }
    }

    /// Read `name` or `name:{json}`, given for `flag`.
    pub(crate) fn parse(flag: &'static str, default: &str, text: &str) -> Result<Self, ConfigError> {
        let problem = |problem: String| ConfigError::value(flag, problem, format!("{flag} {default}"));
        let (name, settings) = match text.split_once(':') {
            Some((name, settings)) => (name.trim(), Some(settings.trim())),
            None => (text.trim(), None),
        };
        if name.is_empty() {
            return Err(problem("the name of the plugin is empty".into()));
        }
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
            return Err(problem(format!(
                "'{name}' is no name of a plugin; names have letters, digits, '-', '_' and '.'"
            )));
        }
        let Some(settings) = settings else { return Ok(Self::named(name)) };
        match serde_json::from_str(settings) {
            Ok(Value::Object(settings)) => Ok(Self { name: name.to_owned(), settings }),
            Ok(_) => Err(settings_problem(flag, name, "are JSON, but not an object")),
            Err(error) => Err(settings_problem(flag, name, &format!("are not JSON ({error})"))),
        }
    }
}

fn settings_problem(flag: &'static str, name: &str, what: &str) -> ConfigError {
    let example =
        format!(r#"{flag} '{name}:{{"setting": 1}}'; aiperf plugin inspect {name} shows the settings"#);
    ConfigError::value(flag, format!("the settings of '{name}' {what}"), example)
}

impl PluginChoice {
    /// The environment variables that stand for settings.
    pub(crate) fn variables(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.settings.values().for_each(|value| collect_variables(value, &mut found));
        found
    }
}

fn collect_variables<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.extend(variable_name(text)),
        Value::Array(items) => items.iter().for_each(|item| collect_variables(item, found)),
        Value::Object(members) => members.values().for_each(|member| collect_variables(member, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl fmt::Display for PluginChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.settings.is_empty() {
            return Ok(());
        }
        write!(f, ":{}", Value::Object(self.settings.clone()))
    }
}

/// The plugins of one repeatable flag; none twice.
pub(crate) fn parse_all(
    flag: &'static str,
    default: &str,
    texts: &[String],
) -> Result<Vec<PluginChoice>, ConfigError> {
    let mut choices: Vec<PluginChoice> = Vec::new();
    for text in texts {
        let choice = PluginChoice::parse(flag, default, text)?;
        if choices.iter().any(|earlier| earlier.name == choice.name) {
            let problem = format!("'{}' is given twice and would be reported under one name", choice.name);
            return Err(ConfigError::value(flag, problem, format!("{flag} {default}")));
        }
        choices.push(choice);
    }
    Ok(choices)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<PluginChoice, String> {
        PluginChoice::parse("--objective", "throughput", text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_name_may_have_settings() {
        assert_eq!(parse("latency-p99").unwrap(), PluginChoice::named("latency-p99"));
        let choice = parse(r#"slo: {"ttft_p99_ms": 200} "#).unwrap();
        assert_eq!(choice.name, "slo");
        assert_eq!(choice.to_string(), r#"slo:{"ttft_p99_ms":200}"#);
        assert_eq!(parse(&choice.to_string()).unwrap(), choice);
    }

    #[test]
    fn mistakes_are_named() {
        insta::assert_snapshot!(parse("").unwrap_err(), @"--objective: the name of the plugin is empty; write for example --objective throughput");
        insta::assert_snapshot!(parse("../x").unwrap_err(), @"--objective: '../x' is no name of a plugin; names have letters, digits, '-', '_' and '.'; write for example --objective throughput");
        insta::assert_snapshot!(parse("slo:[1]").unwrap_err(), @r#"--objective: the settings of 'slo' are JSON, but not an object; write for example --objective 'slo:{"setting": 1}'; aiperf plugin inspect slo shows the settings"#);
        insta::assert_snapshot!(parse("slo:").unwrap_err(), @r#"--objective: the settings of 'slo' are not JSON (EOF while parsing a value at line 1 column 0); write for example --objective 'slo:{"setting": 1}'; aiperf plugin inspect slo shows the settings"#);
        let twice = ["slo".to_owned(), "slo".to_owned()];
        insta::assert_snapshot!(parse_all("--objective", "throughput", &twice).unwrap_err(), @"--objective: 'slo' is given twice and would be reported under one name; write for example --objective throughput");
    }
}
