//! What the events of an answer say one by one becomes what the answer says.

use super::{Chunk, Event, Response, Usage};
use crate::{Error, Result};

/// What one event says. An event that says nothing is `Delta::default()`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delta {
    /// Text of the answer. Empty text counts as none.
    pub text: Option<String>,
    /// Text of the model's reasoning. Empty text counts as none.
    pub reasoning: Option<String>,
    /// Token counts so far.
    pub usage: Option<Usage>,
    /// Why the server stopped.
    pub finish_reason: Option<String>,
    /// Whether a stream is complete with this event. A whole body needs no end.
    pub end: bool,
    /// Whether the event is not quite what the format allows, and was read as far as it could be. The host counts it.
    pub odd: bool,
}

/// Reads `events` one by one. The last usage and the last finish reason count; the mark of an odd event is a chunk
/// without text and reasoning.
///
/// If the answer was `streamed`, it is complete with an event that says so. Otherwise the event is the whole body,
/// and complete if it can be read.
pub fn fold(
    events: &[Event],
    streamed: bool,
    mut read: impl FnMut(&Event) -> Result<Delta>,
) -> Result<Response> {
    let mut response = Response {
        chunks: Vec::with_capacity(events.len()),
        usage: None,
        finish_reason: None,
        complete: !streamed && !events.is_empty(),
    };
    for (event, event_index) in events.iter().zip(0_u32..) {
        let delta = read(event).map_err(|error| at_event(event_index, error))?;
        if delta.odd {
            response.chunks.push(Chunk { event_index, text: None, reasoning: None });
        }
        let text = delta.text.filter(|text| !text.is_empty());
        let reasoning = delta.reasoning.filter(|text| !text.is_empty());
        if text.is_some() || reasoning.is_some() {
            response.chunks.push(Chunk { event_index, text, reasoning });
        }
        response.usage = delta.usage.or(response.usage);
        response.finish_reason = delta.finish_reason.or(response.finish_reason);
        response.complete |= delta.end;
    }
    Ok(response)
}

/// Says which event is malformed; what a server says of itself stays as it is.
fn at_event(index: u32, error: Error) -> Error {
    match error {
        Error::Malformed(message) => Error::Malformed(format!("event {index}: {message}")),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn read(event: &Event) -> Result<Delta> {
        let usage = |tokens| Usage { output_tokens: Some(tokens), ..Usage::default() };
        Ok(match event.data.as_slice() {
            b"nothing" => Delta::default(),
            b"empty" => {
                Delta { text: Some(String::new()), reasoning: Some(String::new()), ..Delta::default() }
            }
            b"one" => Delta { usage: Some(usage(1)), ..Delta::default() },
            b"two" => Delta { usage: Some(usage(2)), ..Delta::default() },
            b"stop" => Delta { finish_reason: Some("stop".to_owned()), ..Delta::default() },
            b"end" => Delta { end: true, ..Delta::default() },
            b"bad" => return Err(Error::Malformed("not JSON".to_owned())),
            b"down" => return Err(Error::Server("out of memory".to_owned())),
            text => Delta { text: Some(String::from_utf8_lossy(text).into_owned()), ..Delta::default() },
        })
    }

    #[test]
    fn events_with_text_become_chunks_that_know_their_event() {
        let response = fold(&testing::events(&["nothing", "a", "empty", "b", "end"]), true, read).unwrap();
        let chunks: Vec<_> =
            response.chunks.iter().map(|chunk| (chunk.event_index, chunk.text.as_deref())).collect();
        assert_eq!(chunks, [(1, Some("a")), (3, Some("b"))]);
        assert!(response.complete);
    }

    #[test]
    fn an_odd_event_is_marked_before_its_text() {
        let odd = |event: &Event| read(event).map(|delta| Delta { odd: true, ..delta });
        let response = fold(&testing::events(&["nothing", "a"]), true, odd).unwrap();
        let chunks: Vec<_> =
            response.chunks.iter().map(|chunk| (chunk.event_index, chunk.text.as_deref())).collect();
        assert_eq!(chunks, [(0, None), (1, None), (1, Some("a"))]);
    }

    #[test]
    fn the_last_report_counts_and_silence_takes_nothing_back() {
        let response = fold(&testing::events(&["one", "two", "stop", "nothing"]), true, read).unwrap();
        assert_eq!(response.usage.and_then(|usage| usage.output_tokens), Some(2));
        assert_eq!(response.finish_reason.as_deref(), Some("stop"));
        assert!(!response.complete);
    }

    #[test]
    fn a_body_is_complete_without_an_end_and_a_stream_is_not() {
        let complete =
            |data: &[&str], streamed| fold(&testing::events(data), streamed, read).unwrap().complete;
        assert!(complete(&["stop"], false));
        assert!(!complete(&["stop"], true));
        assert!(complete(&["stop", "end"], true));
        assert!(!complete(&[], false));
    }

    #[test]
    fn a_malformed_event_is_numbered_and_a_server_error_is_not() {
        assert_eq!(
            fold(&testing::events(&["a", "bad"]), true, read),
            Err(Error::Malformed("event 1: not JSON".to_owned()))
        );
        assert_eq!(
            fold(&testing::events(&["a", "down"]), true, read),
            Err(Error::Server("out of memory".to_owned()))
        );
    }
}
