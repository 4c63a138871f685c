//! How users choose a plugin: `NAME`, or `NAME:{"setting": value}`.

use crate::error::HostError;

/// A plugin's name and the settings for it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Choice<'a> {
    pub(crate) name: &'a str,
    /// A JSON object without white space; `{}` if there are no settings.
    pub(crate) settings: String,
}

impl<'a> Choice<'a> {
    pub(crate) fn parse(choice: &'a str) -> Result<Self, HostError> {
        let bad = |reason: String| HostError::BadChoice { choice: choice.to_owned(), reason };
        let (name, settings) = choice.split_once(':').unwrap_or((choice, "{}"));
        if name.is_empty() {
            return Err(bad("it has no name".to_owned()));
        }
        let settings: serde_json::Map<String, serde_json::Value> = serde_json::from_str(settings)
            .map_err(|error| bad(format!("its settings are not a JSON object ({error})")))?;
        Ok(Self { name, settings: serde_json::Value::Object(settings).to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_alone_has_empty_settings() {
        let choice = Choice::parse("latency-p99").unwrap();
        assert_eq!((choice.name, choice.settings.as_str()), ("latency-p99", "{}"));
    }

    #[test]
    fn settings_keep_their_order_and_lose_their_spaces() {
        let choice = Choice::parse(r#"slo:{ "z": 1.50, "a": [1, 2] }"#).unwrap();
        assert_eq!((choice.name, choice.settings.as_str()), ("slo", r#"{"z":1.5,"a":[1,2]}"#));
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        for (choice, told) in [
            ("", "it has no name"),
            (":{}", "it has no name"),
            ("slo:", "not a JSON object"),
            ("slo:5", "not a JSON object"),
            ("slo:[1]", "not a JSON object"),
            ("slo:{\"a\":}", "not a JSON object"),
        ] {
            let error = Choice::parse(choice).unwrap_err().to_string();
            assert!(error.contains(told), "{choice}: {error}");
        }
    }
}
