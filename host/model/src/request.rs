//! A request before and after an endpoint plugin has put it into its wire format.

use serde::{Deserialize, Serialize};

/// One piece of a turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// `text`, `image`, `audio` or `video`.
    pub kind: String,
    /// The text itself, or a `data:` or `https:` URL.
    pub value: String,
}

/// One turn of a conversation, or one of several inputs that are sent together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// `system`, `user`, `assistant` or `tool`; `query` and `passage` for rankings; `input` for embeddings.
    pub role: String,
    /// The pieces, in order; never empty.
    pub parts: Vec<Part>,
}

impl Turn {
    /// A turn of one text.
    pub fn text(role: impl Into<String>, text: impl Into<String>) -> Self {
        Self { role: role.into(), parts: vec![Part { kind: "text".into(), value: text.into() }] }
    }
}

/// One request, before it is put into the format of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The model to ask.
    pub model: String,
    /// The conversation so far, oldest turn first, or the inputs; never empty.
    pub turns: Vec<Turn>,
    /// The most tokens the server may generate, or none for its default.
    pub max_output_tokens: Option<u32>,
    /// Whether to ask for server-sent events.
    pub streaming: bool,
    /// A JSON object of extra fields from the user, which win over those of the plugin.
    pub extra: Option<String>,
}

/// An HTTP header.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Header {
    /// The field name, in lower case.
    pub name: String,
    /// The field value.
    pub value: String,
}

/// An HTTP POST without its destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// The path, where it differs from the endpoint's default for this request.
    pub path: Option<String>,
    /// Headers beyond those of the user and the host.
    pub headers: Vec<Header>,
    /// The body, sent as it is.
    pub body: Vec<u8>,
}
