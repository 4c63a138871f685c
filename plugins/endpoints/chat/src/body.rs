//! The body of a request.

use aiperf_plugin::endpoint::{Part, Request, Turn};
use aiperf_plugin::{Error, Result};
use serde::Serialize;

/// The roles of a conversation.
const ROLES: [&str; 5] = ["system", "developer", "user", "assistant", "tool"];

#[derive(Serialize)]
pub(crate) struct Body<'request> {
    messages: Vec<Message<'request>>,
    model: &'request str,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
struct Message<'request> {
    role: &'request str,
    content: Content<'request>,
}

/// One text goes as a string, which every server understands; anything else as a list.
#[derive(Serialize)]
#[serde(untagged)]
enum Content<'request> {
    Text(&'request str),
    Parts(Vec<ContentPart<'request>>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ContentPart<'request> {
    Text { text: &'request str },
    ImageUrl { image_url: Url<'request> },
    VideoUrl { video_url: Url<'request> },
    InputAudio { input_audio: Audio<'request> },
}

#[derive(Serialize)]
struct Url<'request> {
    url: &'request str,
}

#[derive(Serialize)]
struct Audio<'request> {
    data: &'request str,
    format: &'request str,
}

impl<'request> Body<'request> {
    pub(crate) fn new(request: &'request Request, legacy_max_tokens: bool) -> Result<Self> {
        let limit = request.max_output_tokens;
        Ok(Self {
            messages: request.turns.iter().map(Message::new).collect::<Result<_>>()?,
            model: &request.model,
            stream: request.streaming,
            stream_options: request.streaming.then_some(StreamOptions { include_usage: true }),
            max_completion_tokens: limit.filter(|_| !legacy_max_tokens),
            max_tokens: limit.filter(|_| legacy_max_tokens),
        })
    }
}

impl<'request> Message<'request> {
    fn new(turn: &'request Turn) -> Result<Self> {
        if !ROLES.contains(&turn.role.as_str()) {
            return Err(Error::Unsupported(format!(
                "a chat has no turn of the role '{}', only {}",
                turn.role,
                ROLES.join(", ")
            )));
        }
        let content = match turn.parts.as_slice() {
            [part] if part.kind == "text" => Content::Text(&part.value),
            parts => Content::Parts(parts.iter().map(ContentPart::new).collect::<Result<_>>()?),
        };
        Ok(Self { role: &turn.role, content })
    }
}

impl<'request> ContentPart<'request> {
    fn new(part: &'request Part) -> Result<Self> {
        let value = part.value.as_str();
        match part.kind.as_str() {
            "text" => Ok(Self::Text { text: value }),
            "image" => Ok(Self::ImageUrl { image_url: Url { url: value } }),
            "video" => Ok(Self::VideoUrl { video_url: Url { url: value } }),
            "audio" => Ok(Self::InputAudio { input_audio: Audio::new(value)? }),
            kind => Err(Error::Unsupported(format!("a chat has no part of the kind '{kind}'"))),
        }
    }
}

impl<'request> Audio<'request> {
    /// Takes a `data:audio/FORMAT;base64,DATA` URL apart: audio is sent inline, unlike images.
    fn new(url: &'request str) -> Result<Self> {
        url.strip_prefix("data:audio/")
            .and_then(|rest| rest.split_once(";base64,"))
            .map(|(format, data)| Self { data, format })
            .ok_or_else(|| Error::Unsupported("audio must be a data:audio/…;base64,… URL".to_owned()))
    }
}
