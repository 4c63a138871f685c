//! An endpoint that reads nothing, so that what is left is the cost of measuring.

use crate::endpoint::Chat;
use aiperf_model::plugin::{Endpoint, EndpointInfo, Identity, Plugin, PluginError};
use aiperf_model::request::{Payload, Request};
use aiperf_model::response::{Event, Response, Usage};

pub(crate) struct Idle(Chat);

impl Idle {
    pub(crate) fn new() -> Self {
        Self(Chat::new())
    }
}

impl Plugin for Idle {
    fn identity(&self) -> &Identity {
        self.0.identity()
    }
}

impl Endpoint for Idle {
    fn info(&self) -> &EndpointInfo {
        self.0.info()
    }

    fn build(&self, request: &Request) -> Result<Payload, PluginError> {
        self.0.build(request)
    }

    fn parse(&self, events: &[Event<'_>], _streamed: bool) -> Result<Response, PluginError> {
        let usage = Usage { output_tokens: Some(events.len() as u32), ..Usage::default() };
        Ok(Response { usage: Some(usage), complete: true, ..Response::default() })
    }
}
