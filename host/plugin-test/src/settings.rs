//! What a settings schema promises, held against what the plugin accepts.
//!
//! Only what a reader of the schema relies on is looked at; whether it is valid in every corner of JSON Schema is the
//! business of editors.

use crate::contract::Subject;
use crate::outcome::Outcome;
use serde_json::{Map, Value};

/// A key that no plugin has.
const MISSPELT: &str = "no_plugin_has_this_setting";

/// The types of JSON Schema.
const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

/// All that can be said of the settings.
pub(crate) fn check(subject: &Subject) -> Vec<Outcome> {
    let mut outcomes = vec![Outcome::new("refuses a misspelt setting", misspelt(subject))];
    if let Some(text) = &subject.plugin.settings_schema {
        let schema = read(text);
        outcomes.push(Outcome::new(
            "has a JSON Schema of an object for its settings",
            schema.as_ref().map(drop).map_err(Clone::clone),
        ));
        if let Ok(schema) = schema {
            outcomes.push(Outcome::new(
                "accepts {} exactly if its schema requires nothing",
                agree(subject, &schema),
            ));
            outcomes.push(Outcome::new("accepts the defaults of its schema", defaults(subject, &schema)));
        }
    }
    outcomes
}

fn misspelt(subject: &Subject) -> Result<(), String> {
    let Some(mut settings) = subject.settings.clone() else { return Ok(()) };
    settings.insert(MISSPELT.to_owned(), Value::Bool(true));
    match subject.configure(&settings) {
        Ok(()) => Err(format!(
            "{} is accepted, so a typing error would silently become a default",
            Value::Object(settings)
        )),
        Err(refusal) if refusal.contains("panicked in configure") => Err(refusal),
        Err(_) => Ok(()),
    }
}

fn read(text: &str) -> Result<Map<String, Value>, String> {
    let schema: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let Value::Object(schema) = schema else { return Err(format!("it is {schema}, not an object")) };
    if schema.get("type") != Some(&Value::from("object")) {
        return Err("it lacks \"type\": \"object\"".to_owned());
    }
    for (key, property) in properties(&schema) {
        let types = match property.get("type") {
            Some(Value::Array(types)) => types.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        if let Some(unknown) = types.iter().find(|name| !TYPES.iter().any(|known| *name == known)) {
            return Err(format!("the type of '{key}' is {unknown}, but must be one of {}", TYPES.join(", ")));
        }
    }
    let is_property = |key: &str| properties(&schema).any(|(property, _)| property == key);
    if let Some(key) = required(&schema).find(|key| !is_property(key)) {
        return Err(format!("it requires '{key}', which is none of its properties"));
    }
    Ok(schema)
}

fn properties(schema: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

fn required(schema: &Map<String, Value>) -> impl Iterator<Item = &str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// Whether the plugin needs settings exactly if the schema says so.
fn agree(subject: &Subject, schema: &Map<String, Value>) -> Result<(), String> {
    match (required(schema).next(), subject.configure(&Map::new())) {
        (None, Err(refusal)) => Err(format!("it requires nothing, but the plugin says {refusal}")),
        (Some(key), Ok(())) => Err(format!("it requires '{key}', but the plugin accepts {{}}")),
        _ => Ok(()),
    }
}

/// Whether the plugin accepts the defaults that the schema names, beside what it requires.
fn defaults(subject: &Subject, schema: &Map<String, Value>) -> Result<(), String> {
    let default = |(key, property): (&String, &Value)| Some((key.clone(), property.get("default")?.clone()));
    let mut settings = subject.settings.clone().unwrap_or_default();
    settings.extend(properties(schema).filter_map(default));
    subject.configure(&settings).map_err(|refusal| format!("{}: {refusal}", Value::Object(settings)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_one_of_an_object_that_fits_together() {
        let good =
            r#"{"type":"object","properties":{"a":{"type":["number","null"]},"b":{}},"required":["a"]}"#;
        assert!(read(good).is_ok());
        for (bad, told) in [
            ("", "EOF"),
            ("true", "it is true, not an object"),
            ("{}", "it lacks \"type\": \"object\""),
            (r#"{"type":"object","properties":{"a":{"type":"float"}}}"#, "the type of 'a' is \"float\""),
            (r#"{"type":"object","required":["a"]}"#, "it requires 'a', which is none of its properties"),
        ] {
            let problem = read(bad).unwrap_err();
            assert!(problem.contains(told), "{bad}: {problem}");
        }
    }
}
