//! The server-sent events of one stream. Everything but the word is put together once per stream.

use serde_json::{Value, json};

use crate::reply::Identity;
use crate::request::Api;

/// The event that ends a stream.
pub(crate) const DONE: &str = "data: [DONE]\n\n";

/// Writes the events of one answer.
#[derive(Debug)]
pub(crate) struct Chunks {
    api: Api,
    /// From `data: ` to just before `"choices"`.
    head: String,
    /// A token's event up to its text, and from there on.
    token: (String, String),
}

impl Chunks {
    pub(crate) fn new(api: Api, identity: &Identity) -> Self {
        let object = match api {
            Api::Chat => "chat.completion.chunk",
            Api::Completions => "text_completion",
        };
        let fields = identity.fields(object).to_string();
        let head = format!("data: {},", fields.trim_end_matches('}'));
        let (before, after) = match api {
            Api::Chat => (r#"{"content":""#, r#""}"#),
            Api::Completions => (r#"""#, r#"""#),
        };
        let name = text_name(api);
        let token = (
            format!(r#"{head}"choices":[{{"index":0,"{name}":{before}"#),
            format!("{after},\"logprobs\":null,\"finish_reason\":null}}]}}\n\n"),
        );
        Self { api, head, token }
    }

    /// The role, before the first token; only chat has one.
    pub(crate) fn role(&self, out: &mut Vec<u8>) {
        if self.api == Api::Chat {
            self.choice(out, &json!({ "role": "assistant", "content": "" }), None);
        }
    }

    /// One token. The word needs no escaping in JSON.
    pub(crate) fn token(&self, out: &mut Vec<u8>, word: &str) {
        out.extend_from_slice(self.token.0.as_bytes());
        out.extend_from_slice(word.as_bytes());
        out.extend_from_slice(self.token.1.as_bytes());
    }

    /// The reason of the end, after the last token.
    pub(crate) fn finish(&self, out: &mut Vec<u8>) {
        let nothing = match self.api {
            Api::Chat => json!({}),
            Api::Completions => json!(""),
        };
        self.choice(out, &nothing, Some("length"));
    }

    /// The token counts, in an event of their own.
    pub(crate) fn usage(&self, out: &mut Vec<u8>, usage: &Value) {
        let event = format!("{}\"choices\":[],\"usage\":{usage}}}\n\n", self.head);
        out.extend_from_slice(event.as_bytes());
    }

    fn choice(&self, out: &mut Vec<u8>, text: &Value, finish_reason: Option<&str>) {
        let choice = json!({
            "index": 0,
            text_name(self.api): text,
            "logprobs": null,
            "finish_reason": finish_reason,
        });
        out.extend_from_slice(format!("{}\"choices\":[{choice}]}}\n\n", self.head).as_bytes());
    }
}

/// Where a choice carries its text.
fn text_name(api: Api) -> &'static str {
    match api {
        Api::Chat => "delta",
        Api::Completions => "text",
    }
}
