//! An endpoint in Rust, like that of chat completions, so that no plugin host is needed.

use aiperf_model::plugin::{Endpoint, EndpointInfo, Identity, Kind, Plugin, PluginError};
use aiperf_model::request::{Header, Payload, Request};
use aiperf_model::response::{Chunk, Event, Response, Usage};
use serde_json::{Value, json};

pub(crate) struct Chat {
    identity: Identity,
    info: EndpointInfo,
}

impl Chat {
    pub(crate) fn new() -> Self {
        Self::with_info(EndpointInfo {
            default_path: "/v1/chat/completions".into(),
            supports_streaming: true,
            produces_tokens: true,
        })
    }

    pub(crate) fn with_info(info: EndpointInfo) -> Self {
        let identity = Identity {
            kind: Kind::Endpoint,
            name: "chat".into(),
            version: "1.0.0".into(),
            sha256: String::new(),
            source: "built-in".into(),
            sandboxed: true,
            settings: "{}".into(),
        };
        Self { identity, info }
    }
}

impl Plugin for Chat {
    fn identity(&self) -> &Identity {
        &self.identity
    }
}

impl Endpoint for Chat {
    fn info(&self) -> &EndpointInfo {
        &self.info
    }

    fn build(&self, request: &Request) -> Result<Payload, PluginError> {
        if request.model == "refused" {
            return Err(PluginError::Unsupported("no such model".into()));
        }
        if request.model == "forgetful" && request.turns.len() > 1 {
            return Err(PluginError::Unsupported("one turn only".into()));
        }
        let messages: Vec<_> = request
            .turns
            .iter()
            .map(|turn| json!({"role": turn.role, "content": turn.parts[0].value}))
            .collect();
        let body = json!({
            "model": request.model,
            "messages": messages,
            "max_tokens": request.max_output_tokens,
            "stream": request.streaming,
            "stream_options": {"include_usage": true},
        });
        let header = Header { name: "x-format".into(), value: "chat".into() };
        let path = (request.model == "elsewhere").then(|| "/elsewhere".to_owned());
        Ok(Payload { path, headers: vec![header], body: serde_json::to_vec(&body).unwrap() })
    }

    fn parse(&self, events: &[Event<'_>], streamed: bool) -> Result<Response, PluginError> {
        // A body that can be read is a whole response.
        let mut response = Response { complete: !streamed, ..Response::default() };
        for (event_index, event) in (0..).zip(events) {
            if event.data == b"[DONE]" {
                response.complete = true;
                continue;
            }
            if event.data == b"crash" {
                return Err(PluginError::Crashed("it trapped".into()));
            }
            let value: Value = serde_json::from_slice(event.data)
                .map_err(|error| PluginError::Malformed(error.to_string()))?;
            if let Some(error) = value.get("error") {
                return Err(PluginError::Server(error.to_string()));
            }
            read_value(&value, event_index, &mut response);
        }
        Ok(response)
    }
}

fn read_value(value: &Value, event_index: u32, response: &mut Response) {
    let count = |name: &str| value["usage"][name].as_u64().map(|count| count as u32);
    if value["usage"].is_object() {
        response.usage = Some(Usage {
            input_tokens: count("prompt_tokens"),
            output_tokens: count("completion_tokens"),
            ..Usage::default()
        });
    }
    if let Some(reason) = value["choices"][0]["finish_reason"].as_str() {
        response.finish_reason = Some(reason.to_owned());
    }
    let choice = &value["choices"][0];
    let said = if choice["delta"].is_object() { &choice["delta"] } else { &choice["message"] };
    let text = |name: &str| said[name].as_str().map(str::to_owned);
    let chunk = Chunk { event_index, text: text("content"), reasoning: text("reasoning_content") };
    if chunk.text.is_some() || chunk.reasoning.is_some() {
        response.chunks.push(chunk);
    }
}
