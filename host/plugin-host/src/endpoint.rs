//! Endpoint plugins: requests into bodies, responses into text and counts.

use aiperf_model::plugin::{Endpoint, EndpointInfo, Identity, Plugin, PluginError};
use aiperf_model::request::{Header, Payload, Request, Turn};
use aiperf_model::response::{Chunk, Event, Response, Usage};

use serde::ser::SerializeTuple as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_bytes::{ByteBuf, Bytes};

use crate::answer::{Answer, shortened};
use crate::bindings::endpoint as wit;
use crate::case::Call;
use crate::configured::Configured;
use crate::destination::{Reserved, check_headers, check_path};
use crate::interface;
use crate::limits::Limits;
use crate::native::Function;

const BUILD: Function = Function { name: "build", place: 0 };
const PARSE: Function = Function { name: "parse", place: 1 };

/// A plugin behind [`Endpoint`].
pub(crate) struct EndpointPlugin {
    plugin: Configured<interface::Endpoint>,
    info: EndpointInfo,
    reserved: Reserved,
}

impl From<wit::EndpointInfo> for EndpointInfo {
    fn from(info: wit::EndpointInfo) -> Self {
        let wit::EndpointInfo { default_path, supports_streaming, produces_tokens } = info;
        Self { default_path, supports_streaming, produces_tokens }
    }
}

impl EndpointPlugin {
    pub(crate) fn new(
        plugin: Configured<interface::Endpoint>,
        info: EndpointInfo,
        reserved: Reserved,
    ) -> Result<Self, PluginError> {
        check_path(&info.default_path, &reserved).map_err(|problem| plugin.contract_violation(&problem))?;
        Ok(Self { plugin, info, reserved })
    }
}

impl Plugin for EndpointPlugin {
    fn identity(&self) -> &Identity {
        &self.plugin.identity
    }
}

impl Endpoint for EndpointPlugin {
    fn info(&self) -> &EndpointInfo {
        &self.info
    }

    fn build(&self, request: &Request) -> Result<Payload, PluginError> {
        self.plugin.traced(self.built(request), || Call::Build(request.clone()))
    }

    fn parse(&self, events: &[Event<'_>], streamed: bool) -> Result<Response, PluginError> {
        self.plugin.traced(self.parsed(events, streamed), || Call::Parse {
            events: events.iter().copied().map(Into::into).collect(),
            streamed,
        })
    }
}

impl EndpointPlugin {
    fn built(&self, request: &Request) -> Result<Payload, PluginError> {
        let parts: Vec<Vec<wit::Part<'_>>> = request.turns.iter().map(lend_parts).collect();
        let turns: Vec<wit::Turn<'_>> = request
            .turns
            .iter()
            .zip(&parts)
            .map(|(turn, parts)| wit::Turn { role: &turn.role, parts })
            .collect();
        let lent = wit::Request {
            model: &request.model,
            turns: &turns,
            max_output_tokens: request.max_output_tokens,
            streaming: request.streaming,
            extra: request.extra.as_deref(),
        };
        let EncodedPayload(path, headers, body) =
            self.plugin.ask(BUILD, lent, &self.reserved, |guest, store, lent| {
                Ok(guest.call_build(store, lent)?.map(EncodedPayload::from))
            })?;
        Ok(Payload { path, headers, body: body.into_vec() })
    }

    fn parsed(&self, events: &[Event<'_>], streamed: bool) -> Result<Response, PluginError> {
        let lent: Vec<wit::Event<'_>> =
            events.iter().map(|event| wit::Event { name: event.name, data: event.data }).collect();
        let lent = Events { events: &lent, streamed };
        self.plugin.ask(PARSE, lent, events.len(), |guest, store, lent| {
            Ok(guest.call_parse(store, lent.events, lent.streamed)?.map(take_response))
        })
    }
}

/// The arguments of `parse`. Serde would take the bytes of an event for a list of numbers.
struct Events<'a> {
    events: &'a [wit::Event<'a>],
    streamed: bool,
}

impl Serialize for Events<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let events: Vec<(Option<&str>, &Bytes)> =
            self.events.iter().map(|event| (event.name, Bytes::new(event.data))).collect();
        let mut arguments = serializer.serialize_tuple(2)?;
        arguments.serialize_element(&events)?;
        arguments.serialize_element(&self.streamed)?;
        arguments.end()
    }
}

/// The members of a payload, the body as one piece.
#[derive(Deserialize)]
struct EncodedPayload(Option<String>, Vec<Header>, ByteBuf);

impl From<wit::Payload> for EncodedPayload {
    fn from(payload: wit::Payload) -> Self {
        let take = |wit::Header { name, value }| Header { name, value };
        Self(payload.path, payload.headers.into_iter().map(take).collect(), ByteBuf::from(payload.body))
    }
}

fn take_response(response: wit::Response) -> Response {
    let take_chunk = |chunk: wit::Chunk| Chunk {
        event_index: chunk.event_index,
        text: chunk.text,
        reasoning: chunk.reasoning,
    };
    let take_usage = |usage: wit::Usage| Usage {
        input_tokens: usage.input_tokens,
        output_tokens: usage.output_tokens,
        reasoning_tokens: usage.reasoning_tokens,
        cached_input_tokens: usage.cached_input_tokens,
    };
    Response {
        chunks: response.chunks.into_iter().map(take_chunk).collect(),
        usage: response.usage.map(take_usage),
        finish_reason: response.finish_reason,
        complete: response.complete,
    }
}

fn lend_parts(turn: &Turn) -> Vec<wit::Part<'_>> {
    turn.parts.iter().map(|part| wit::Part { kind: &part.kind, value: &part.value }).collect()
}

impl Answer<&Reserved> for EncodedPayload {
    fn shorten(self, _limits: &Limits) -> Self {
        self
    }

    fn check(&self, reserved: &Reserved) -> Result<(), String> {
        let Self(path, headers, _) = self;
        if let Some(path) = path {
            check_path(path, reserved)?;
        }
        check_headers(headers, reserved)
    }
}

/// The answer to a number of events.
impl Answer<usize> for Response {
    fn shorten(mut self, _limits: &Limits) -> Self {
        self.finish_reason = self.finish_reason.map(shortened);
        self
    }

    fn check(&self, events: usize) -> Result<(), String> {
        check_chunks(&self.chunks, events)
    }
}

fn check_chunks(chunks: &[Chunk], events: usize) -> Result<(), String> {
    let mut next = 0;
    for chunk in chunks {
        let index = chunk.event_index as usize;
        if index >= events {
            return Err(format!("a chunk of event {index}, but there are {events} events"));
        }
        if index < next {
            return Err(format!("a chunk of event {index} after one of event {}", next - 1));
        }
        // What an odd event says may follow its mark.
        next = if chunk.is_mark() { index } else { index + 1 };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_ascend_within_the_events() {
        let chunks = |indices: &[u32]| -> Vec<Chunk> {
            let chunk = |&event_index| Chunk { event_index, text: Some("a".to_owned()), reasoning: None };
            indices.iter().map(chunk).collect()
        };
        let mark = |event_index| Chunk { event_index, text: None, reasoning: None };
        assert_eq!(check_chunks(&[&[mark(1)], chunks(&[1, 2]).as_slice(), &[mark(3)]].concat(), 4), Ok(()));
        assert!(check_chunks(&[chunks(&[1]).as_slice(), &[mark(1)]].concat(), 4).is_err());
        assert_eq!(check_chunks(&chunks(&[0, 2, 3]), 4), Ok(()));
        assert_eq!(check_chunks(&[], 0), Ok(()));
        assert_eq!(
            check_chunks(&chunks(&[0, 4]), 4),
            Err("a chunk of event 4, but there are 4 events".to_owned())
        );
        assert_eq!(
            check_chunks(&chunks(&[1, 1]), 4),
            Err("a chunk of event 1 after one of event 1".to_owned())
        );
    }
}
