//! Recorded responses, split into events as those on the wire are.

use crate::framing::{EventStream, Framing, Received};
use crate::reading;
use aiperf_model::response::OwnedEvent;

/// Whether a response with this body is a stream of events, as its first bytes say; where they say nothing, as its head
/// `declared` it.
#[must_use]
pub fn is_stream(body: &[u8], declared: bool) -> bool {
    let mut framing = Framing::told_by_content(declared);
    let mut received = Received::default();
    framing.push(body, 0, &mut received);
    framing.finish(0, &mut received);
    received.streamed
}

/// The events of a response whose body, as far as it came, is this: those of an event stream if it was `streamed`, else
/// the one event that is the body.
#[must_use]
pub fn events(body: &[u8], streamed: bool) -> Vec<OwnedEvent> {
    let mut framing = if streamed { Framing::Events(EventStream::default()) } else { Framing::Whole };
    let mut received = Received::default();
    framing.push(body, 0, &mut received);
    framing.finish(0, &mut received);
    received.events.iter().map(|mark| reading::event(&received.buffer, mark).into()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_split_as_it_was_sent() {
        let data = |body: &str, streamed| -> Vec<String> {
            let events = events(body.as_bytes(), streamed);
            events.into_iter().map(|event| String::from_utf8(event.data).unwrap()).collect()
        };
        assert_eq!(data("event: e\ndata: a\n\n: ping\n\ndata: b\ndata: c", true), ["a", "b\nc"]);
        assert_eq!(data("data: a\n\n", false), ["data: a\n\n"]);
        assert!(is_stream(b"data: a\n\n", false) && !is_stream(b"{}", true));
        assert_eq!(events(b"event: e\ndata: a\n\n", true)[0].name.as_deref(), Some("e"));
    }
}
