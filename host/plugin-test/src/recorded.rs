//! Responses of servers, recorded as bytes: a status line, headers, a blank line and the body as it came, without the
//! framing of its transfer.

use crate::contract::Subject;
use crate::fixtures::LARGEST;
use aiperf_load::replay;
use aiperf_model::response::{OwnedEvent, Response};
use aiperf_plugin_host::Case;
use serde_json::{Value, json};
use std::path::Path;

/// Of a longer body only its ends are cut at every byte.
const LONGEST_END: usize = 8 << 10;

/// The response of a server.
pub(crate) struct Recorded {
    body: Vec<u8>,
    streamed: bool,
}

impl Recorded {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let bytes = aiperf_files::read(path, LARGEST)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        Self::parse(&bytes).ok_or_else(|| {
            let path = path.display();
            format!(
                "{path} is no response; it needs a line such as HTTP/1.1 200 OK, headers and a blank line"
            )
        })
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = std::str::from_utf8(bytes.get(..end)?).ok()?;
        let body = bytes.get(end + 4..)?.to_vec();
        let mut lines = head.lines();
        lines.next().filter(|status| status.starts_with("HTTP/"))?;
        let is_stream = |line: &str| {
            let (name, value) = line.split_once(':').unwrap_or_default();
            name.eq_ignore_ascii_case("content-type") && value.trim().starts_with("text/event-stream")
        };
        let streamed = replay::is_stream(&body, lines.any(is_stream));
        Some(Self { body, streamed })
    }

    /// The input of `parse`, as a case has it.
    pub(crate) fn input(&self) -> Value {
        json!({ "events": replay::events(&self.body, self.streamed), "streamed": self.streamed })
    }

    /// Cuts the body at every byte, as a server does that dies there: no part may be taken for the whole.
    pub(crate) fn check_cuts(&self, subject: &Subject, case: &Case) -> Result<(), String> {
        let choice = format!("{}:{}", subject.plugin.name, Value::Object(case.settings.clone()));
        let endpoint = subject.host.endpoint(&choice).map_err(|error| error.to_string())?;
        let parse = |body: &[u8]| {
            let events = replay::events(body, self.streamed);
            let events: Vec<_> = events.iter().map(OwnedEvent::lend).collect();
            endpoint.parse(&events, self.streamed)
        };
        let Ok(whole) = parse(&self.body) else { return Ok(()) };
        let length = self.body.len();
        let cuts = (0..length).filter(|cut| *cut < LONGEST_END || cut + LONGEST_END >= length);
        for cut in cuts {
            let part = self.body.get(..cut).unwrap_or_default();
            match parse(part) {
                Err(
                    error @ (aiperf_model::plugin::PluginError::Crashed(_)
                    | aiperf_model::plugin::PluginError::BrokeContract(_)),
                ) => {
                    return Err(format!("cut after {cut} of {length} bytes: {error}"));
                }
                Ok(answer) if answer.complete && text(&answer) != text(&whole) => {
                    let got = text(&answer);
                    return Err(format!("cut after {cut} of {length} bytes, it is complete with '{got}'"));
                }
                Ok(answer) if !text(&whole).starts_with(&text(&answer)) => {
                    let got = text(&answer);
                    return Err(format!("cut after {cut} of {length} bytes, it says '{got}'"));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// All text of an answer.
fn text(response: &Response) -> String {
    let texts = response.chunks.iter().flat_map(|chunk| [chunk.reasoning.as_deref(), chunk.text.as_deref()]);
    texts.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_is_a_head_and_a_body() {
        let streamed = Recorded::parse(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\ndata: a\n\n",
        )
        .unwrap();
        assert!(streamed.streamed);
        assert_eq!(streamed.body, b"data: a\n\n");
        let whole = Recorded::parse(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{}").unwrap();
        assert!(!whole.streamed);
        assert_eq!(whole.input(), json!({ "events": [{ "data": "{}" }], "streamed": false }));
        assert!(Recorded::parse(b"{}").is_none());
        assert!(Recorded::parse(b"HTTP/1.1 200 OK\r\n").is_none());
    }
}
