//! The endpoint `chat`: `POST /v1/chat/completions` as OpenAI defined it and most servers speak it.

mod answer;
mod body;

use aiperf_plugin::endpoint::{
    Delta, Endpoint, EndpointInfo, Event, Payload, Repeat, Request, Response, fold,
};
use aiperf_plugin::{Result, openai, register_endpoint};
use serde::Deserialize;

use crate::answer::Answer;
use crate::body::Body;

/// Chat completions.
#[derive(Debug, Default, Deserialize)]
struct Chat {
    /// Send `max_tokens`, which servers knew before `max_completion_tokens`.
    #[serde(default)]
    legacy_max_tokens: bool,
}

impl Endpoint for Chat {
    fn settings_schema() -> Option<String> {
        Some(include_str!("settings.schema.json").to_owned())
    }

    fn info(&self) -> EndpointInfo {
        EndpointInfo {
            default_path: "/v1/chat/completions".to_owned(),
            supports_streaming: true,
            produces_tokens: true,
        }
    }

    fn build(&self, request: &Request) -> Result<Payload> {
        Payload::json(&Body::new(request, self.legacy_max_tokens)?, request.extra.as_deref())
    }

    fn read(&self, event: &Event) -> Result<Delta> {
        if openai::is_end(event) {
            return Ok(Delta { end: true, ..Delta::default() });
        }
        event.read(|event| event.json::<Answer>()?.into_delta())
    }

    fn parse(&self, events: &[Event], streamed: bool) -> Result<Response> {
        if !streamed {
            return fold(events, false, |event| self.read(event));
        }
        let mut repeat =
            Repeat::new(|event: &Event| self.read(event).or_else(|error| openai::aside(event, error)));
        fold(events, true, |event| repeat.read(event))
    }
}

register_endpoint!(Chat, name = "chat");

#[cfg(test)]
mod tests;
