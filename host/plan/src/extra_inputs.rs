//! Extra fields of request bodies: JSON objects or `key:value` pairs.

use crate::error::ConfigError;
use serde_json::{Map, Value};

const FLAG: &str = "--extra-inputs";
const EXAMPLE: &str = r#"--extra-inputs '{"temperature": 0.7}' or --extra-inputs temperature:0.7"#;

/// The fields of all `--extra-inputs` flags, in the order given.
///
/// The value of a pair is JSON where it reads as JSON, else text.
pub(crate) fn parse_all(texts: &[String]) -> Result<Map<String, Value>, ConfigError> {
    let mut fields = Map::new();
    for (index, text) in texts.iter().enumerate() {
        let problem = |what: String| ConfigError::value(FLAG, format!("item {} {what}", index + 1), EXAMPLE);
        for (key, value) in parse(text.trim()).map_err(problem)? {
            if fields.contains_key(&key) {
                return Err(problem(format!("sets '{key}' a second time")));
            }
            fields.insert(key, value);
        }
    }
    Ok(fields)
}

fn parse(text: &str) -> Result<Map<String, Value>, String> {
    if text.starts_with(['{', '[', '"']) {
        return match serde_json::from_str(text) {
            Ok(Value::Object(fields)) => Ok(fields),
            Ok(_) => Err("is JSON, but not an object".into()),
            Err(error) => Err(format!("is not JSON: {error}")),
        };
    }
    match text.split_once(':') {
        Some((key, value)) if !key.trim().is_empty() => Ok(Map::from_iter([pair(key.trim(), value.trim())])),
        Some(_) | None => Err("is neither a JSON object nor a pair of key and value".into()),
    }
}

fn pair(key: &str, value: &str) -> (String, Value) {
    (key.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| Value::from(value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(texts: &[&str]) -> Result<Value, String> {
        let texts: Vec<String> = texts.iter().map(ToString::to_string).collect();
        parse_all(&texts).map(Value::Object).map_err(|error| error.to_string())
    }

    #[test]
    fn objects_and_pairs_add_up() {
        assert_eq!(parse(&[]), Ok(json!({})));
        assert_eq!(
            parse(&[r#"{"temperature": 0.7, "stop": ["a"]}"#, "ignore_eos:true", "user: me:you", "seed:7"]),
            Ok(json!({"temperature": 0.7, "stop": ["a"], "ignore_eos": true, "user": "me:you", "seed": 7}))
        );
    }

    #[test]
    fn mistakes_are_named() {
        insta::assert_snapshot!(parse(&["[1]"]).unwrap_err(), @r#"--extra-inputs: item 1 is JSON, but not an object; write for example --extra-inputs '{"temperature": 0.7}' or --extra-inputs temperature:0.7"#);
        insta::assert_snapshot!(parse(&["a:1", "{a"]).unwrap_err(), @r#"--extra-inputs: item 2 is not JSON: key must be a string at line 1 column 2; write for example --extra-inputs '{"temperature": 0.7}' or --extra-inputs temperature:0.7"#);
        insta::assert_snapshot!(parse(&["temperature"]).unwrap_err(), @r#"--extra-inputs: item 1 is neither a JSON object nor a pair of key and value; write for example --extra-inputs '{"temperature": 0.7}' or --extra-inputs temperature:0.7"#);
        insta::assert_snapshot!(parse(&[":1"]).unwrap_err(), @r#"--extra-inputs: item 1 is neither a JSON object nor a pair of key and value; write for example --extra-inputs '{"temperature": 0.7}' or --extra-inputs temperature:0.7"#);
        insta::assert_snapshot!(parse(&["a:1", r#"{"a": 2}"#]).unwrap_err(), @r#"--extra-inputs: item 2 sets 'a' a second time; write for example --extra-inputs '{"temperature": 0.7}' or --extra-inputs temperature:0.7"#);
    }
}
