//! The text that a user wrote for a plugin becomes the plugin's struct.

use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// Reads `text` as the JSON object of the settings of `T`.
///
/// Serde alone would take a list for a struct and drop keys that no field takes; a user's typing error must
/// not silently become a default.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
    if !text.trim_ascii_start().starts_with('{') {
        return Err(Error::InvalidSettings("settings must be a JSON object such as {}".to_owned()));
    }
    let mut unknown = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let settings = serde_ignored::deserialize(&mut deserializer, |path| unknown.push(path.to_string()))
        .and_then(|settings| deserializer.end().map(|()| settings))
        .map_err(|error| Error::InvalidSettings(error.to_string()))?;
    match unknown.as_slice() {
        [] => Ok(settings),
        [key] => Err(Error::InvalidSettings(format!("unknown setting '{key}'"))),
        keys => Err(Error::InvalidSettings(format!("unknown settings '{}'", keys.join("', '")))),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Nothing {}

    #[derive(Debug, PartialEq, Deserialize)]
    struct Limit {
        limit_ms: f64,
        #[serde(default)]
        also: Option<Inner>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner {
        factor: f64,
    }

    fn refusal<T: DeserializeOwned + std::fmt::Debug>(text: &str) -> String {
        match read::<T>(text) {
            Err(Error::InvalidSettings(message)) => message,
            other => panic!("{text} gave {other:?}"),
        }
    }

    #[test]
    fn an_object_fills_the_struct() {
        assert_eq!(read::<Nothing>("{}"), Ok(Nothing {}));
        assert_eq!(read::<Nothing>(" { } "), Ok(Nothing {}));
        assert_eq!(read::<Limit>(r#"{"limit_ms": 5}"#), Ok(Limit { limit_ms: 5.0, also: None }));
    }

    #[test]
    fn a_list_is_not_a_struct() {
        assert_eq!(refusal::<Nothing>("[]"), "settings must be a JSON object such as {}");
        assert_eq!(refusal::<Limit>("[5]"), "settings must be a JSON object such as {}");
    }

    #[test]
    fn an_unknown_key_is_named() {
        assert_eq!(refusal::<Nothing>(r#"{"typo":1}"#), "unknown setting 'typo'");
        assert_eq!(refusal::<Limit>(r#"{"limit_ms":1,"a":1,"b":2}"#), "unknown settings 'a', 'b'");
        assert_eq!(
            refusal::<Limit>(r#"{"limit_ms":1,"also":{"factor":1,"x":2}}"#),
            "unknown setting 'also.?.x'"
        );
    }

    #[test]
    fn a_missing_or_mistyped_key_is_named() {
        assert!(refusal::<Limit>("{}").contains("missing field `limit_ms`"));
        assert!(refusal::<Limit>(r#"{"limit_ms":"5"}"#).contains("invalid type: string"));
    }

    #[test]
    fn text_after_the_object_is_refused() {
        assert!(refusal::<Nothing>("{} {}").contains("trailing characters"));
        assert!(!refusal::<Nothing>("{").is_empty());
    }
}
