//! The endpoint `completions`: `POST /v1/completions` as OpenAI defined it.

use aiperf_plugin::endpoint::{
    Delta, Endpoint, EndpointInfo, Event, Payload, Repeat, Request, Response, Turn, fold,
};
use aiperf_plugin::openai::{self, ErrorReport, UsageReport};
use aiperf_plugin::{Error, Result, register_endpoint};
use serde::{Deserialize, Serialize};

/// Text completions.
#[derive(Debug, Deserialize)]
struct Completions {}

#[derive(Serialize)]
struct Body<'request> {
    prompt: Prompt,
    model: &'request str,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Prompt {
    One(String),
    Several(Vec<String>),
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Deserialize)]
struct Answer {
    choices: Option<Vec<Choice>>,
    usage: Option<UsageReport>,
    error: Option<ErrorReport>,
}

#[derive(Deserialize)]
struct Choice {
    text: Option<String>,
    finish_reason: Option<String>,
}

impl Prompt {
    fn new(turns: &[Turn]) -> Result<Self> {
        match turns {
            [turn] => turn.text().map(Self::One),
            turns => turns.iter().map(Turn::text).collect::<Result<_>>().map(Self::Several),
        }
    }
}

impl Endpoint for Completions {
    fn info(&self) -> EndpointInfo {
        EndpointInfo {
            default_path: "/v1/completions".to_owned(),
            supports_streaming: true,
            produces_tokens: true,
        }
    }

    fn build(&self, request: &Request) -> Result<Payload> {
        let body = Body {
            prompt: Prompt::new(&request.turns)?,
            model: &request.model,
            stream: request.streaming,
            stream_options: request.streaming.then_some(StreamOptions { include_usage: true }),
            max_tokens: request.max_output_tokens,
        };
        Payload::json(&body, request.extra.as_deref())
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

impl Answer {
    fn into_delta(self) -> Result<Delta> {
        if let Some(error) = self.error {
            return Err(error.into());
        }
        if self.choices.is_none() && self.usage.is_none() {
            return Err(Error::Malformed("neither `choices` nor `usage` nor `error`".to_owned()));
        }
        let odd = self.usage.as_ref().is_some_and(UsageReport::is_odd);
        let mut delta = Delta { usage: self.usage.map(Into::into), odd, ..Delta::default() };
        for choice in self.choices.into_iter().flatten() {
            if let Some(text) = choice.text {
                delta.text.get_or_insert_default().push_str(&text);
            }
            delta.finish_reason = choice.finish_reason.or(delta.finish_reason);
        }
        Ok(delta)
    }
}

register_endpoint!(Completions, name = "completions");

#[cfg(test)]
mod tests {
    use aiperf_plugin::testing;
    use serde_json::{Value, json};

    use super::*;

    fn build(request: &Request) -> Value {
        serde_json::from_slice(&Completions {}.build(request).unwrap().body).unwrap()
    }

    /// Reads a stream.
    fn parse(data: &[&str]) -> Result<Response> {
        Completions {}.parse(&testing::events(data), true)
    }

    #[test]
    fn one_turn_is_a_text() {
        let request = Request { max_output_tokens: Some(8), ..testing::request("tiny", "Once") };
        assert_eq!(
            build(&request),
            json!({
                "prompt": "Once",
                "model": "tiny",
                "stream": true,
                "stream_options": {"include_usage": true},
                "max_tokens": 8,
            })
        );
    }

    #[test]
    fn several_turns_are_a_list() {
        let turns = vec![testing::turn("user", "a"), testing::turn("user", "b")];
        let request = Request { turns, streaming: false, ..testing::request("tiny", "") };
        assert_eq!(build(&request), json!({"prompt": ["a", "b"], "model": "tiny", "stream": false}));
    }

    #[test]
    fn an_image_is_unsupported() {
        let mut request = testing::request("tiny", "a");
        request.turns[0].parts[0].kind = "image".to_owned();
        assert!(matches!(Completions {}.build(&request), Err(Error::Unsupported(_))));
    }

    #[test]
    fn a_stream_ends_with_its_marker() {
        let mut events = vec![
            r#"{"object":"text_completion","choices":[{"index":0,"text":"up","finish_reason":null}]}"#,
            r#"{"object":"text_completion","choices":[{"index":0,"text":"on","finish_reason":null}]}"#,
            r#"{"object":"text_completion","choices":[{"index":0,"text":"","finish_reason":"length"}]}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
            "[DONE]",
        ];
        let response = parse(&events).unwrap();
        let texts: Vec<_> = response.chunks.iter().filter_map(|chunk| chunk.text.as_deref()).collect();
        assert_eq!(texts, ["up", "on"]);
        assert_eq!(response.finish_reason.as_deref(), Some("length"));
        assert_eq!(response.usage.and_then(|usage| usage.output_tokens), Some(2));
        assert!(response.complete);
        events.pop();
        assert!(!parse(&events).unwrap().complete);
    }

    #[test]
    fn a_whole_answer_is_complete_and_a_stream_cut_after_the_same_event_is_not() {
        let events = testing::events(&[r#"{"choices":[{"text":"upon","finish_reason":"stop"}]}"#]);
        assert!(Completions {}.parse(&events, false).unwrap().complete);
        assert!(!Completions {}.parse(&events, true).unwrap().complete);
    }

    #[test]
    fn errors_are_the_servers_or_malformed() {
        assert_eq!(parse(&[r#"{"error":"overloaded"}"#]), Err(Error::Server("overloaded".to_owned())));
        for data in ["nonsense", "{", r#"{"choices":1}"#] {
            assert!(matches!(parse(&[data]), Err(Error::Malformed(_))), "{data}");
        }
        for data in ["", "{}"] {
            let whole = Completions {}.parse(&testing::events(&[data]), false);
            assert!(matches!(whole, Err(Error::Malformed(_))), "{data}");
        }
    }

    #[test]
    fn an_odd_event_is_read_as_far_as_it_can_be_and_marked() {
        let response = parse(&[
            r#"{"type":"ping"}"#,
            r#"{"choices":[{"text":"a\ud83d"}]}"#,
            r#"{"choices":[],"usage":{"completion_tokens":"2"}}"#,
            "[DONE]",
        ])
        .unwrap();
        let chunks: Vec<_> =
            response.chunks.iter().map(|chunk| (chunk.event_index, chunk.text.as_deref())).collect();
        assert_eq!(chunks, [(0, None), (1, None), (1, Some("a\u{FFFD}")), (2, None)]);
        assert_eq!(response.usage.and_then(|usage| usage.output_tokens), Some(2));
    }
}
