//! Settings that a plugin's schema marks as secret, by `"writeOnly": true`.
//!
//! Their values come from environment variables alone: a value on the command line is in the list of processes and in
//! the history of the shell before any program can hide it. Files and messages name the variable.

use aiperf_model::plugin::PluginError;
use serde_json::Value;

/// The settings as the plugin gets them: with the value of the variable in place of each `"$NAME"` of a secret setting.
///
/// # Errors
///
/// If a secret setting is written out, or its variable is not set. No error has the value.
pub(crate) fn filled_in(
    settings: &str,
    schema: Option<&str>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<String, PluginError> {
    let parsed = (serde_json::from_str(settings), schema.map(serde_json::from_str::<Value>));
    let (Ok(mut settings), Some(Ok(schema))) = parsed else { return Ok(settings.to_owned()) };
    fill_in(&mut settings, &schema, &schema, "", variable)?;
    Ok(settings.to_string())
}

fn fill_in(
    value: &mut Value,
    schema: &Value,
    root: &Value,
    path: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<(), PluginError> {
    let described =
        schema.get("$ref").and_then(Value::as_str).and_then(|to| root.pointer(to.strip_prefix('#')?));
    if [Some(schema), described].into_iter().flatten().any(is_secret) {
        if !value.is_null() {
            *value = Value::String(secret(value, path, variable)?);
        }
        return Ok(());
    }
    let schema = described.unwrap_or(schema);
    match value {
        Value::Object(members) => {
            for (key, member) in members.iter_mut() {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                let of_member = schema.get("properties").and_then(|properties| properties.get(key));
                if let Some(schema) = of_member.or_else(|| schema.get("additionalProperties")) {
                    fill_in(member, schema, root, &path, variable)?;
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                items.iter_mut().try_for_each(|item| fill_in(item, schema, root, path, variable))?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn is_secret(schema: &Value) -> bool {
    schema.get("writeOnly").and_then(Value::as_bool) == Some(true)
}

fn secret(
    value: &Value,
    path: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<String, PluginError> {
    let name = value.as_str().and_then(aiperf_model::secret::variable_name);
    let Some(name) = name else {
        return Err(PluginError::InvalidSettings(format!(
            "the setting '{path}' is secret; put its value into an environment variable and name that in single \
             quotes, such as '{{\"{path}\": \"$PLUGIN_KEY\"}}'"
        )));
    };
    variable(name).filter(|value| !value.is_empty()).ok_or_else(|| {
        PluginError::InvalidSettings(format!(
            "the setting '{path}' is secret and comes from the environment variable {name}, which is not set"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> String {
        json!({
            "type": "object",
            "properties": {
                "limit": { "type": "number" },
                "key": { "type": "string", "writeOnly": true },
                "login": { "$ref": "#/$defs/Login" },
                "tokens": { "type": "array", "items": { "type": "string", "writeOnly": true } },
            },
            "$defs": { "Login": { "properties": { "password": { "writeOnly": true }, "user": {} } } },
        })
        .to_string()
    }

    fn filled(settings: &Value) -> Result<Value, String> {
        let variable = |name: &str| (name == "MY_KEY").then(|| "hunter2-value".to_owned());
        let filled = filled_in(&settings.to_string(), Some(&schema()), &variable);
        filled.map(|text| serde_json::from_str(&text).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn secrets_come_from_the_environment_and_nothing_else_does() {
        let settings = json!({
            "limit": 2, "other": "$MY_KEY", "key": "$MY_KEY", "tokens": ["$MY_KEY"],
            "login": { "password": "$MY_KEY", "user": "$MY_KEY" },
        });
        let expected = json!({
            "limit": 2, "other": "$MY_KEY", "key": "hunter2-value", "tokens": ["hunter2-value"],
            "login": { "password": "hunter2-value", "user": "$MY_KEY" },
        });
        assert_eq!(filled(&settings).unwrap(), expected);
        assert_eq!(filled_in("{\"key\":\"x\"}", None, &|_| None).unwrap(), "{\"key\":\"x\"}");
    }

    #[test]
    fn a_secret_that_is_written_out_is_refused_and_not_shown() {
        for (settings, told) in [
            (json!({ "key": "hunter2" }), "'key' is secret"),
            (json!({ "key": 12_345_678 }), "'key' is secret"),
            (json!({ "key": "$hunter-2" }), "'key' is secret"),
            (json!({ "login": { "password": "hunter2" } }), "'login.password' is secret"),
            (json!({ "tokens": ["$MY_KEY", "hunter2"] }), "'tokens' is secret"),
            (json!({ "key": "$OTHER" }), "environment variable OTHER, which is not set"),
        ] {
            let error = filled(&settings).unwrap_err();
            assert!(error.contains(told) && !error.contains("hunter") && !error.contains("1234"), "{error}");
        }
    }
}
