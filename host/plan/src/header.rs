//! Headers that the user adds to every request.

use crate::error::ConfigError;
use crate::secret::Secret;
use aiperf_model::request::Header;
use aiperf_model::secret::{REDACTED, is_secret_header};
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue, TRANSFER_ENCODING};
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};
use std::fmt;

const FLAG: &str = "--header";
const EXAMPLE: &str = "--header 'X-Team: search'";

/// A header of the user. Its value shows itself as `<redacted>`, since no name tells for sure that it is none to keep.
#[derive(Clone, PartialEq, Eq)]
pub struct UserHeader(Header);

impl UserHeader {
    /// The header as it is sent, with the name in lower case.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.0
    }

    /// The value, if it looks like a secret.
    pub(crate) fn secret(&self) -> Option<&str> {
        let Header { name, value } = &self.0;
        is_secret_header(name, value).then_some(value)
    }
}

impl fmt::Debug for UserHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {REDACTED}", self.0.name)
    }
}

impl Serialize for UserHeader {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Header", 2)?;
        fields.serialize_field("name", &self.0.name)?;
        fields.serialize_field("value", REDACTED)?;
        fields.end()
    }
}

/// The headers of all `--header` flags, in order. Errors name the item and never its value.
pub(crate) fn parse_all(texts: &[Secret]) -> Result<Vec<UserHeader>, ConfigError> {
    let numbered = texts.iter().enumerate();
    numbered.map(|(index, text)| parse(text.expose()).map_err(|problem| at(index, &problem))).collect()
}

fn at(index: usize, problem: &str) -> ConfigError {
    ConfigError::value(FLAG, format!("item {} {problem}", index + 1), EXAMPLE)
}

fn parse(text: &str) -> Result<UserHeader, String> {
    let (name, value) = text.split_once(':').ok_or("has no colon between name and value")?;
    let (name, value) = (name.trim(), value.trim());
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| "has a name that HTTP does not allow")?;
    HeaderValue::from_str(value).map_err(|_| format!("has a value for '{name}' that HTTP does not allow"))?;
    // Servers do not agree on what other bytes mean.
    if !value.is_ascii() {
        return Err(format!(
            "has a value for '{name}' with characters that are not ASCII; encode them, such as %C3%A9 for é"
        ));
    }
    if [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING].contains(&name) {
        return Err("names a header that is set for each request by itself".into());
    }
    Ok(UserHeader(Header { name: name.as_str().to_owned(), value: value.to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_one(text: &str) -> Result<UserHeader, String> {
        let mut headers = parse_all(&[Secret::from(text)]).map_err(|error| error.to_string())?;
        Ok(headers.remove(0))
    }

    #[test]
    fn names_are_lower_case_and_values_keep_their_colons() {
        let header = parse_one(" X-Trace : a:b ").unwrap();
        assert_eq!(header.header(), &Header { name: "x-trace".into(), value: "a:b".into() });
    }

    #[test]
    fn errors_name_the_item_and_not_the_value() {
        for text in [
            "Bearer hunter2",
            "two words: hunter2",
            ": hunter2",
            "x: hunter2\nb",
            "x: hunter2é",
            "Content-Length: hunter2",
        ] {
            let message = parse_one(text).unwrap_err();
            assert!(message.starts_with("--header: item 1 "), "{message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
    }

    #[test]
    fn a_value_that_cannot_be_sent_is_told_by_its_name() {
        for text in ["X-Team: Größe", "X-Team: a\nb"] {
            let message = parse_one(text).unwrap_err();
            assert!(message.contains("'x-team'"), "{message}");
        }
    }

    #[test]
    fn values_are_not_shown() {
        for (name, value) in [("authorization", "Bearer hunter2"), ("x-team", "a1")] {
            let header = parse_one(&format!("{name}: {value}")).unwrap();
            assert_eq!(format!("{header:?}"), format!("{name}: <redacted>"));
            let written = serde_json::to_value(&header).unwrap();
            assert_eq!(written, serde_json::json!({ "name": name, "value": REDACTED }));
        }
    }
}
