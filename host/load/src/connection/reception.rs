//! What is done with a response while it arrives, in whichever version of HTTP.

use super::stamps::Stamps;
use crate::framing::{EventStream, Framing, Received};
use hyper::Response;
use hyper::header::CONTENT_TYPE;

/// A response of which the head has arrived.
pub(super) struct Reception<'a> {
    stamps: &'a Stamps,
    framing: Framing,
    received: &'a mut Received,
}

impl<'a> Reception<'a> {
    /// Takes the head.
    pub(super) fn begin<B>(response: &Response<B>, stamps: &'a Stamps, received: &'a mut Received) -> Self {
        received.status = Some(response.status().as_u16());
        received.streamed = response.status().is_success() && is_event_stream(response);
        let framing =
            if received.streamed { Framing::Events(EventStream::default()) } else { Framing::Whole };
        Self { stamps, framing, received }
    }

    /// Takes bytes of the body that the last read has brought.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.framing.push(bytes, self.stamps.last_read(), self.received);
    }

    /// The response has ended, well or not.
    pub(super) fn end(self) {
        self.framing.finish(self.stamps.last_read(), self.received);
    }
}

fn is_event_stream<B>(response: &Response<B>) -> bool {
    const EVENT_STREAM: &[u8] = b"text/event-stream";
    response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.as_bytes().get(..EVENT_STREAM.len()))
        .is_some_and(|start| start.eq_ignore_ascii_case(EVENT_STREAM))
}
