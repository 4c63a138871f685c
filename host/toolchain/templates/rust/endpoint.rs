//! The native interface of Hugging Face's Text Generation Inference: `/generate` and `/generate_stream`.

use aiperf_plugin::endpoint::{Delta, Endpoint, EndpointInfo, Event, Payload, Request, Usage};
use aiperf_plugin::{Error, Result, register_endpoint};
use serde::Deserialize;
use serde_json::json;

/// There are no settings.
#[derive(Deserialize)]
struct Generate {}

/// A streamed event, or the whole answer: that has no token and the text in `generated_text`.
#[derive(Deserialize)]
struct Answer {
    token: Option<Token>,
    generated_text: Option<String>,
    details: Option<Details>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Token {
    text: String,
}

#[derive(Deserialize)]
struct Details {
    finish_reason: String,
    generated_tokens: u32,
}

impl Endpoint for Generate {
    fn info(&self) -> EndpointInfo {
        let default_path = "/generate".to_owned();
        EndpointInfo { default_path, supports_streaming: true, produces_tokens: true }
    }

    fn build(&self, request: &Request) -> Result<Payload> {
        let [turn] = request.turns.as_slice() else {
            return Err(Error::Unsupported("the format has one prompt, not several turns".to_owned()));
        };
        let parameters = json!({ "max_new_tokens": request.max_output_tokens, "details": true });
        let body = json!({ "inputs": turn.text()?, "parameters": parameters });
        let payload = Payload::json(&body, request.extra.as_deref())?;
        Ok(Payload { path: request.streaming.then(|| "/generate_stream".to_owned()), ..payload })
    }

    fn read(&self, event: &Event) -> Result<Delta> {
        let answer: Answer = event.json()?;
        let end = answer.generated_text.is_some();
        let text = answer.token.map(|token| token.text).or(answer.generated_text);
        match (text, answer.error) {
            (_, Some(error)) => Err(Error::Server(error)),
            (None, None) => Err(Error::Malformed("neither `token` nor `generated_text`".to_owned())),
            (text, None) => {
                let output_tokens = answer.details.as_ref().map(|details| details.generated_tokens);
                let usage = output_tokens.map(|_| Usage { output_tokens, ..Usage::default() });
                let finish_reason = answer.details.map(|details| details.finish_reason);
                Ok(Delta { text, usage, finish_reason, end, ..Delta::default() })
            }
        }
    }
}

register_endpoint!(Generate);

#[cfg(test)]
mod tests {
    use super::*;
    use aiperf_plugin::testing;

    #[test]
    fn the_stream_ends_with_the_whole_text() {
        let events = testing::events(&[
            r#"{"token":{"text":"up"},"generated_text":null,"details":null}"#,
            r#"{"token":{"text":"on"},"generated_text":"upon","details":{"finish_reason":"length","generated_tokens":2}}"#,
        ]);
        let response = Generate {}.parse(&events, true).unwrap();
        assert!(response.complete);
        assert_eq!(response.chunks.len(), 2);
        assert!(!Generate {}.parse(&events[..1], true).unwrap().complete);
    }
}
