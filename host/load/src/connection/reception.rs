//! What is done with a response while it arrives, in whichever version of HTTP.

use super::Broken;
use super::stamps::Stamps;
use crate::framing::{Framing, Received};
use crate::response_memory::Share;
use hyper::Response;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use std::time::SystemTime;

/// A response of which the head has arrived.
pub(super) struct Reception<'a> {
    stamps: &'a Stamps,
    framing: Framing,
    received: &'a mut Received,
    share: &'a mut Share,
    /// Bytes of the body so far.
    length: usize,
}

/// What an event takes beside its data, in bytes: here, when it is lent to the plugin, and in the plugin's memory. A
/// stream of empty events would else be a hundred times larger than its bytes.
pub(crate) const EVENT_COST: usize = 96;

impl<'a> Reception<'a> {
    /// Takes the head.
    pub(super) fn begin<B>(
        response: &Response<B>,
        stamps: &'a Stamps,
        share: &'a mut Share,
        received: &'a mut Received,
    ) -> Self {
        received.status = Some(response.status().as_u16());
        if !response.status().is_success() {
            received.retry_after = retry_after(response);
            received.location = location(response);
        }
        received.encoding = encoding(response);
        received.streamed = response.status().is_success() && is_event_stream(response);
        let framing = if response.status().is_success() && received.encoding.is_none() {
            Framing::told_by_content(received.streamed)
        } else {
            Framing::Whole
        };
        Self { stamps, framing, received, share, length: 0 }
    }

    /// Takes bytes of the body that the last read has brought.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.length = self.length.saturating_add(bytes.len());
        self.framing.push(bytes, self.stamps.last_read(), self.received);
        let held = self.received.buffer.len() + self.received.events.len() * EVENT_COST;
        self.share.grow_to(held.max(self.length)).map_err(Broken::NoRoom)
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

/// Where a redirect leads.
fn location<B>(response: &Response<B>) -> Option<String> {
    let value = response.headers().get(LOCATION).filter(|_| response.status().is_redirection())?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// How the body is encoded, such as `gzip`; none if it is sent as it is.
fn encoding<B>(response: &Response<B>) -> Option<String> {
    let value = response.headers().get(CONTENT_ENCODING)?.as_bytes();
    let is_plain = value.is_empty() || value.eq_ignore_ascii_case(b"identity");
    (!is_plain).then(|| String::from_utf8_lossy(value).into_owned())
}

/// In seconds from now, whether the server named seconds or a date; 0 for one that is over.
fn retry_after<B>(response: &Response<B>) -> Option<u64> {
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    value.parse().ok().or_else(|| {
        let date = httpdate::parse_http_date(value).ok()?;
        Some(date.duration_since(SystemTime::now()).unwrap_or_default().as_secs())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_server_names_seconds_or_a_date() {
        let asked =
            |value: &str| retry_after(&Response::builder().header("retry-after", value).body(()).unwrap());
        let date = |at| httpdate::fmt_http_date(at);
        assert_eq!(asked("30"), Some(30));
        assert_eq!(asked(" 0 "), Some(0));
        assert_eq!(asked("soon"), None);
        assert_eq!(asked("-1"), None);
        assert_eq!(asked(&date(SystemTime::UNIX_EPOCH)), Some(0));
        let in_an_hour = asked(&date(SystemTime::now() + Duration::from_secs(3605))).unwrap();
        assert!((3600..=3605).contains(&in_an_hour), "{in_an_hour}");
        assert_eq!(retry_after(&Response::new(())), None);
    }
}
