//! How values become JSON, and how JSON becomes values with errors that name the place.

mod readable;

use crate::durable;
use crate::error::ArtifactError;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::marker::PhantomData;
use std::path::Path;

/// Integers beyond this are not exact as floating-point numbers, so they are not written as integers.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

/// Replaces a file by a value as indented JSON with a final line break.
pub(crate) fn write(path: &Path, what: &'static str, value: &impl Serialize) -> Result<(), ArtifactError> {
    durable::write(path, &pretty(what, value)?)
}

/// A value as indented JSON with a final line break. Numbers that are not finite become null.
pub(crate) fn pretty(what: &'static str, value: &impl Serialize) -> Result<Vec<u8>, ArtifactError> {
    let encode = || {
        let mut bytes = Vec::new();
        readable::append(&mut bytes, &serde_json::to_value(value)?, 0)?;
        bytes.push(b'\n');
        Ok(bytes)
    };
    encode().map_err(|error: serde_json::Error| ArtifactError::Encode { what, source: error.into() })
}

/// The most bytes of a file.
const LARGEST: u64 = 1 << 30;

/// Reads a file as a value.
pub(crate) fn read<T: DeserializeOwned>(path: &Path, format: &'static str) -> Result<T, ArtifactError> {
    parse(path, format, &read_bytes(path)?)
}

/// The bytes of a file that a user may have named.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, ArtifactError> {
    aiperf_files::read(path, LARGEST).map_err(|error| ArtifactError::unreadable(path)(error.into()))
}

/// Reads bytes as a value; the path only serves the error.
pub(crate) fn parse<T: DeserializeOwned>(
    path: &Path,
    format: &'static str,
    bytes: &[u8],
) -> Result<T, ArtifactError> {
    let malformed = |at: String, error: serde_json::Error| ArtifactError::Malformed {
        path: path.to_path_buf(),
        format,
        at,
        problem: error.to_string(),
    };
    if bytes.trim_ascii().is_empty() {
        return Err(ArtifactError::Empty { path: path.to_path_buf(), format });
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| malformed(error.path().to_string(), error.into_inner()))?;
    deserializer.end().map_err(|error| malformed(".".to_owned(), error))?;
    Ok(value)
}

/// A number that is an integer in the file if it is one in value: a position on an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Position(pub(crate) f64);

impl Serialize for Position {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.fract() == 0.0 && self.0.abs() <= LARGEST_EXACT {
            serializer.serialize_i64(self.0 as i64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

/// The entries of a JSON object in the order of the file.
#[derive(Clone, Debug)]
pub(crate) struct Entries<T>(pub(crate) Vec<(String, T)>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

struct EntriesVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for EntriesVisitor<T> {
    type Value = Entries<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Entries(entries))
    }
}

impl<T: Serialize> Serialize for Entries<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_integers_where_they_can_be() {
        let text = serde_json::to_string(&[30.0, 2.5, 1e300, f64::NAN].map(Position)).unwrap();
        assert_eq!(text, "[30,2.5,1e+300,null]");
    }

    #[test]
    fn errors_name_file_place_and_expectation() {
        let bytes = br#"{"a": {"b": "x"}}"#;
        let error = parse::<Entries<Entries<f64>>>(Path::new("f.json"), "test file", bytes).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("f.json") && text.contains("`a.b`") && text.contains("expected f64"), "{text}");
    }

    #[test]
    fn an_empty_file_says_so() {
        for bytes in [b"".as_slice(), b" \n"] {
            let error = parse::<u32>(Path::new("f.json"), "test file", bytes).unwrap_err().to_string();
            assert!(error.contains("f.json is empty") && error.contains("test file"), "{error}");
        }
    }

    #[test]
    fn text_after_the_value_is_an_error() {
        assert!(parse::<u32>(Path::new("f.json"), "test file", b"1 2").is_err());
    }
}
