//! The JSON of answers that are not streams, and the parts they share with streams.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::engine::Work;
use crate::request::{Api, Embedding, Generation};
use crate::words;

/// The model that `/v1/models` and the metrics name. Requests may name any.
pub(crate) const MODEL: &str = "simulator";

/// Numbers in an embedding.
const DIMENSION: usize = 8;

/// What every object of one answer repeats.
#[derive(Debug)]
pub(crate) struct Identity {
    id: String,
    created: u64,
    model: String,
}

impl Identity {
    /// The identity of the answer to the generation request with this number.
    pub(crate) fn new(request: &Generation, number: u64) -> Self {
        let prefix = match request.api {
            Api::Chat => "chatcmpl",
            Api::Completions => "cmpl",
        };
        Self { id: format!("{prefix}-{number}"), created: unix_seconds(), model: request.model.clone() }
    }

    /// The fields before the choices.
    pub(crate) fn fields(&self, object: &str) -> Value {
        json!({ "id": self.id, "object": object, "created": self.created, "model": self.model })
    }
}

/// A whole answer to a generation request.
pub(crate) fn generation(request: &Generation, number: u64) -> Value {
    let text = words::text(request.work.output_tokens);
    let (object, name, content) = match request.api {
        Api::Chat => {
            ("chat.completion", "message", json!({ "role": "assistant", "content": text, "tool_calls": [] }))
        }
        Api::Completions => ("text_completion", "text", json!(text)),
    };
    let mut reply = Identity::new(request, number).fields(object);
    let choice = json!({ "index": 0, name: content, "logprobs": null, "finish_reason": "length" });
    if let Some(fields) = reply.as_object_mut() {
        fields.insert("choices".to_owned(), json!([choice]));
        fields.insert("usage".to_owned(), usage(request.work));
    }
    reply
}

/// Vectors for an embedding request: the same for the same position.
pub(crate) fn embedding(request: &Embedding, number: u64) -> Value {
    let vector = |index: usize| -> Vec<f64> {
        (1..=DIMENSION).map(|place| ((index + 1) * place) as f64 / 1024.0).collect()
    };
    let data: Vec<Value> = (0..request.inputs)
        .map(|index| json!({ "object": "embedding", "index": index, "embedding": vector(index) }))
        .collect();
    let mut usage = usage(request.work);
    if let Some(fields) = usage.as_object_mut() {
        fields.shift_remove("completion_tokens");
    }
    json!({
        "id": format!("embd-{number}"),
        "object": "list",
        "created": unix_seconds(),
        "model": request.model,
        "data": data,
        "usage": usage,
    })
}

/// The list of models.
pub(crate) fn models() -> Value {
    let model = json!({ "id": MODEL, "object": "model", "created": unix_seconds(), "owned_by": "aiperf" });
    json!({ "object": "list", "data": [model] })
}

/// An error in the shape clients of these APIs expect.
pub(crate) fn error(code: u16, kind: &str, message: &str) -> Value {
    json!({ "error": { "message": message, "type": kind, "param": null, "code": code } })
}

/// Token counts. Nothing is ever cached, so no cached tokens are named.
pub(crate) fn usage(work: Work) -> Value {
    json!({
        "prompt_tokens": work.prompt_tokens,
        "completion_tokens": work.output_tokens,
        "total_tokens": work.prompt_tokens + work.output_tokens,
    })
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
