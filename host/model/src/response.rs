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

/// What one event contributed to the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The position of the event it comes from; the host uses that event's arrival time.
    pub event_index: u32,
    /// Text of the answer, if any.
    pub text: Option<String>,
    /// Text of the model's reasoning, if any.
    pub reasoning: Option<String>,
}

/// What a whole response says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
