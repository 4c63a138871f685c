//! A response as events from the wire, and as an endpoint plugin reads it.

use serde::{Deserialize, Serialize};

/// One piece of a response: a server-sent event, or the whole body if the response was not streamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The event name, if the server gave one.
    pub name: Option<&'a str>,
    /// The data, with `data:` prefixes removed and lines joined.
    pub data: &'a [u8],
}

/// An event with bytes of its own, for files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnedEvent {
    /// The event name, if the server gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The data; in files a text, or a list of bytes if they are none.
    #[serde(with = "text_or_bytes")]
    pub data: Vec<u8>,
}

impl OwnedEvent {
    /// The event as plugins are given it.
    #[must_use]
    pub fn lend(&self) -> Event<'_> {
        Event { name: self.name.as_deref(), data: &self.data }
    }
}

impl From<Event<'_>> for OwnedEvent {
    fn from(event: Event<'_>) -> Self {
        Self { name: event.name.map(str::to_owned), data: event.data.to_vec() }
    }
}

mod text_or_bytes {
    use serde::{Deserialize, Deserializer, Serialize as _, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum TextOrBytes {
        Text(String),
        Bytes(Vec<u8>),
    }

    pub(super) fn serialize<S: Serializer>(data: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(data) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => data.serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        TextOrBytes::deserialize(deserializer).map(|data| match data {
            TextOrBytes::Text(text) => text.into_bytes(),
            TextOrBytes::Bytes(bytes) => bytes,
        })
    }
}

/// Token counts reported by the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens in the prompt.
    pub input_tokens: Option<u32>,
    /// Tokens generated, including reasoning.
    pub output_tokens: Option<u32>,
    /// Tokens generated as reasoning.
    pub reasoning_tokens: Option<u32>,
    /// Prompt tokens served from a cache.
    pub cached_input_tokens: Option<u32>,
}

/// What one event contributed to the answer; a mark, with neither text nor reasoning, says that the event is not quite
/// what the format allows and was read as far as it could be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// The position of the event it comes from; the host uses that event's arrival time.
    pub event_index: u32,
    /// Text of the answer, if any.
    pub text: Option<String>,
    /// Text of the model's reasoning, if any.
    pub reasoning: Option<String>,
}

impl Chunk {
    /// Whether it says that its event is odd, and nothing else.
    #[must_use]
    pub fn is_mark(&self) -> bool {
        self.text.is_none() && self.reasoning.is_none()
    }
}

/// What a whole response says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// The content, in order of arrival.
    pub chunks: Vec<Chunk>,
    /// Token counts reported by the server, if any.
    pub usage: Option<Usage>,
    /// Why the server stopped, in its own words, such as `stop` or `length`.
    pub finish_reason: Option<String>,
    /// Whether the response reached the end that the format defines.
    pub complete: bool,
}
