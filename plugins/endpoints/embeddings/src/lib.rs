//! The endpoint `embeddings`: `POST /v1/embeddings` as OpenAI defined it.

use aiperf_plugin::endpoint::{Delta, Endpoint, EndpointInfo, Event, Payload, Request, Turn};
use aiperf_plugin::openai::{ErrorReport, UsageReport};
use aiperf_plugin::{Error, Result, register_endpoint};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

/// Embeddings of texts.
#[derive(Debug, Deserialize)]
struct Embeddings {}

#[derive(Serialize)]
struct Body<'request> {
    model: &'request str,
    input: Vec<String>,
}

#[derive(Deserialize)]
struct Answer {
    data: Option<Vec<Entry>>,
    usage: Option<UsageReport>,
    error: Option<ErrorReport>,
}

/// One embedding. Its numbers are of no interest, only that they are there.
#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "embedding")]
    _embedding: IgnoredAny,
}

impl Endpoint for Embeddings {
    fn info(&self) -> EndpointInfo {
        EndpointInfo {
            default_path: "/v1/embeddings".to_owned(),
            supports_streaming: false,
            produces_tokens: false,
        }
    }

    fn build(&self, request: &Request) -> Result<Payload> {
        let input = request.turns.iter().map(Turn::text).collect::<Result<_>>()?;
        Payload::json(&Body { model: &request.model, input }, request.extra.as_deref())
    }

    fn read(&self, event: &Event) -> Result<Delta> {
        event.read(|event| event.json::<Answer>()?.into_delta())
    }
}

impl Answer {
    fn into_delta(self) -> Result<Delta> {
        if let Some(error) = self.error {
            return Err(error.into());
        }
        if self.data.is_none_or(|entries| entries.is_empty()) {
            return Err(Error::Malformed("no embeddings in `data`".to_owned()));
        }
        let odd = self.usage.as_ref().is_some_and(UsageReport::is_odd);
        Ok(Delta { usage: self.usage.map(Into::into), odd, ..Delta::default() })
    }
}

register_endpoint!(Embeddings, name = "embeddings");

#[cfg(test)]
mod tests {
    use aiperf_plugin::endpoint::Response;
    use aiperf_plugin::testing;
    use serde_json::{Value, json};

    use super::*;

    fn parse(data: &str) -> Result<Response> {
        Embeddings {}.parse(&testing::events(&[data]), false)
    }

    #[test]
    fn the_input_is_always_a_list() {
        let request = Request { streaming: false, ..testing::request("tiny", "a text") };
        let body: Value = serde_json::from_slice(&Embeddings {}.build(&request).unwrap().body).unwrap();
        assert_eq!(body, json!({"model": "tiny", "input": ["a text"]}));
    }

    #[test]
    fn an_answer_has_usage_and_no_text() {
        let response = parse(
            r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1,-2e-3]}],
                "usage":{"prompt_tokens":3,"total_tokens":3}}"#,
        )
        .unwrap();
        assert!(response.complete);
        assert_eq!(response.chunks, []);
        assert_eq!(response.usage.and_then(|usage| usage.input_tokens), Some(3));
    }

    #[test]
    fn an_embedding_may_be_base64() {
        assert!(parse(r#"{"data":[{"embedding":"AAAA"}]}"#).unwrap().complete);
    }

    #[test]
    fn an_odd_report_is_read_and_marked() {
        let response =
            parse(r#"{"data":[{"embedding":[0.1]}],"usage":{"prompt_tokens":"3","prompt_tokens":"4"}}"#)
                .unwrap();
        assert_eq!(response.usage.and_then(|usage| usage.input_tokens), Some(4));
        assert_eq!(response.chunks.len(), 1);
        assert!(response.chunks.iter().all(|chunk| chunk.text.is_none() && chunk.reasoning.is_none()));
    }

    #[test]
    fn an_answer_without_embeddings_is_malformed() {
        for data in ["", "{}", r#"{"data":[]}"#, r#"{"data":[{"index":0}]}"#] {
            assert!(matches!(parse(data), Err(Error::Malformed(_))), "{data}");
        }
        assert_eq!(parse(r#"{"error":{"message":"busy"}}"#), Err(Error::Server("busy".to_owned())));
    }
}
