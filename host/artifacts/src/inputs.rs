//! `inputs.json`: the exact request bodies of a run, one session per request or conversation.
//!
//! The later turns of a conversation stand without what was said before them, since the answers are not known yet.

use crate::durable;
use crate::error::ArtifactError;
use serde::Serialize;
use serde_json::value::RawValue;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

/// One body. What is JSON is written byte for byte as it was sent.
#[derive(Serialize)]
#[serde(untagged)]
enum Body<'a> {
    Json(&'a RawValue),
    Text(&'a str),
    Bytes { encoding: &'static str, data: String },
}

impl<'a> Body<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        if let Ok(json) = serde_json::from_slice(bytes) {
            return Self::Json(json);
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text),
            Err(_) => Self::Bytes { encoding: "hex", data: hexadecimal(bytes) },
        }
    }
}

/// Writes the bodies of the profiling requests: the turns of each conversation, in the order of the workload, and what the
/// words of synthetic prompts follow from beside the seed. The first one that cannot be had is the error.
pub fn write<B: AsRef<[u8]>, E: From<ArtifactError>>(
    path: &Path,
    prompt_salt: &str,
    conversations: impl IntoIterator<Item = Result<Vec<B>, E>>,
) -> Result<(), E> {
    let mut file = durable::create(path)?;
    let failed = |error| ArtifactError::io("write", path)(error);
    write_head(&mut file, prompt_salt).map_err(failed)?;
    for (index, bodies) in conversations.into_iter().enumerate() {
        write_session(&mut file, index, &bodies?).map_err(failed)?;
    }
    file.write_all(b"\n]}\n").map_err(failed)?;
    Ok(file.commit().map_err(ArtifactError::from)?)
}

fn write_head(file: &mut impl Write, prompt_salt: &str) -> io::Result<()> {
    file.write_all(br#"{"prompt_salt":"#)?;
    serde_json::to_writer(&mut *file, prompt_salt)?;
    file.write_all(br#","data":["#)
}

fn write_session(file: &mut impl Write, index: usize, bodies: &[impl AsRef<[u8]>]) -> io::Result<()> {
    let separator = if index == 0 { "\n" } else { ",\n" };
    write!(file, r#"{separator}{{"session_id":"session_{index:06}","payloads":["#)?;
    for (turn, body) in bodies.iter().enumerate() {
        if turn > 0 {
            file.write_all(b",")?;
        }
        serde_json::to_writer(&mut *file, &Body::new(body.as_ref()))?;
    }
    file.write_all(b"]}")
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn bodies_stand_as_they_were_sent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inputs.json");
        let exact = br#"{ "b":1.0,  "a":[1e2,"x\u00e9"] }"#;
        write(
            &path,
            "a \"salt\"",
            [exact.as_slice(), b"plain \"text\"", b"\xff\x00"].map(|body| Ok::<_, ArtifactError>(vec![body])),
        )
        .unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(std::str::from_utf8(exact).unwrap()), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn the_turns_of_a_conversation_stand_together() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inputs.json");
        write(&path, "", [Ok::<_, ArtifactError>(vec![b"1", b"2"]), Ok(vec![b"3"])]).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(value["data"][0]["payloads"], serde_json::json!([1, 2]));
        assert_eq!(value["data"][1]["payloads"], serde_json::json!([3]));
    }

    #[test]
    fn the_file_is_json_without_any_body_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inputs.json");
        write::<&[u8], ArtifactError>(&path, "", []).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(value, serde_json::json!({ "prompt_salt": "", "data": [] }));
    }
}
