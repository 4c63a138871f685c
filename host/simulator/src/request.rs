//! Request bodies, as far as the simulator looks at them: how many tokens go in, how many come out, and how.

use serde::Deserialize;

use crate::engine::Work;

/// The two generation APIs. They differ in the names of things only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Api {
    Chat,
    Completions,
}

/// A request to generate text.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) api: Api,
    pub(crate) model: String,
    pub(crate) work: Work,
    pub(crate) stream: bool,
    pub(crate) include_usage: bool,
}

/// A request for embeddings.
#[derive(Debug)]
pub(crate) struct Embedding {
    pub(crate) model: String,
    pub(crate) work: Work,
    /// Vectors asked for.
    pub(crate) inputs: usize,
}

impl Generation {
    /// Reads a body of `api`, or says what is wrong with it.
    pub(crate) fn parse(api: Api, body: &[u8], default_output_tokens: usize) -> Result<Self, String> {
        let (options, prompt_tokens) = match api {
            Api::Chat => {
                let body: ChatBody = parse(body)?;
                (body.options, body.messages.iter().map(Message::tokens).sum())
            }
            Api::Completions => {
                let body: CompletionBody = parse(body)?;
                (body.options, body.prompt.tokens())
            }
        };
        let output_tokens =
            options.max_completion_tokens.or(options.max_tokens).unwrap_or(default_output_tokens);
        if output_tokens == 0 {
            return Err("max_tokens must be at least 1, got 0".to_owned());
        }
        Ok(Self {
            api,
            model: options.model,
            work: Work { prompt_tokens, output_tokens },
            stream: options.stream.unwrap_or(false),
            include_usage: options.streaming.is_some_and(|streaming| streaming.include_usage),
        })
    }
}

impl Embedding {
    /// Reads a body, or says what is wrong with it.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, String> {
        let body: EmbeddingBody = parse(body)?;
        Ok(Self {
            model: body.model,
            work: Work { prompt_tokens: body.input.tokens(), output_tokens: 0 },
            inputs: body.input.prompts(),
        })
    }
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

#[derive(Deserialize)]
struct ChatBody {
    messages: Vec<Message>,
    #[serde(flatten)]
    options: Options,
}

#[derive(Deserialize)]
struct CompletionBody {
    prompt: Text,
    #[serde(flatten)]
    options: Options,
}

#[derive(Deserialize)]
struct EmbeddingBody {
    model: String,
    input: Text,
}

#[derive(Deserialize)]
struct Options {
    model: String,
    max_completion_tokens: Option<usize>,
    max_tokens: Option<usize>,
    stream: Option<bool>,
    #[serde(rename = "stream_options")]
    streaming: Option<Streaming>,
}

#[derive(Deserialize)]
struct Streaming {
    #[serde(default)]
    include_usage: bool,
}

#[derive(Deserialize)]
struct Message {
    content: Option<Text>,
}

/// Text in the shapes the API takes it: a string, a token id, a content part, or a list of these.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a string, a list of strings, token ids or content parts")]
enum Text {
    Words(String),
    TokenId(#[expect(dead_code, reason = "only its shape counts")] u64),
    List(Vec<Text>),
    Part {
        #[serde(default)]
        text: String,
    },
}

impl Message {
    fn tokens(&self) -> usize {
        self.content.as_ref().map_or(0, Text::tokens)
    }
}

impl Text {
    fn tokens(&self) -> usize {
        match self {
            Self::Words(text) | Self::Part { text } => text.split_whitespace().count(),
            Self::TokenId(_) => 1,
            Self::List(parts) => parts.iter().map(Self::tokens).sum(),
        }
    }

    /// Separate prompts in it: a list of token ids is one.
    fn prompts(&self) -> usize {
        match self {
            Self::List(parts) if !parts.iter().any(|part| matches!(part, Self::TokenId(_))) => parts.len(),
            _ => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generation(api: Api, body: &str) -> Generation {
        Generation::parse(api, body.as_bytes(), 64).unwrap()
    }

    #[test]
    fn prompt_tokens_are_words_in_every_shape() {
        let table = [
            (r#"[{"role":"user","content":"one two  three\n"}]"#, 3),
            (r#"[{"role":"system","content":"a b"},{"role":"user","content":"c"}]"#, 3),
            (r#"[{"role":"user","content":[{"type":"text","text":"a b"},{"type":"image_url"}]}]"#, 2),
            (r#"[{"role":"assistant","content":null}]"#, 0),
            ("[]", 0),
        ];
        for (messages, tokens) in table {
            let body = format!(r#"{{"model":"m","messages":{messages}}}"#);
            assert_eq!(generation(Api::Chat, &body).work.prompt_tokens, tokens, "{messages}");
        }
        for (prompt, tokens) in [(r#""a b""#, 2), (r#"["a b","c"]"#, 3), ("[7,8,9]", 3), ("[[7,8],[9]]", 3)] {
            let body = format!(r#"{{"model":"m","prompt":{prompt}}}"#);
            assert_eq!(generation(Api::Completions, &body).work.prompt_tokens, tokens, "{prompt}");
        }
    }

    #[test]
    fn output_tokens_come_from_the_newer_name_first() {
        let table = [
            ("", 64),
            (r#","max_tokens":5"#, 5),
            (r#","max_completion_tokens":6,"max_tokens":5"#, 6),
            (r#","max_completion_tokens":null,"max_tokens":5,"ignore_eos":true,"temperature":0.1"#, 5),
        ];
        for (options, tokens) in table {
            let body = format!(r#"{{"model":"m","messages":[]{options}}}"#);
            assert_eq!(generation(Api::Chat, &body).work.output_tokens, tokens, "{options}");
        }
    }

    #[test]
    fn streaming_options() {
        let body = r#"{"model":"m","prompt":"a","stream":true,"stream_options":{"include_usage":true}}"#;
        let request = generation(Api::Completions, body);
        assert!(request.stream && request.include_usage);
        let request = generation(Api::Completions, r#"{"model":"m","prompt":"a","stream_options":null}"#);
        assert!(!request.stream && !request.include_usage);
    }

    #[test]
    fn embedding_inputs() {
        let table = [(r#""a b""#, 1, 2), (r#"["a b","c"]"#, 2, 3), ("[7,8]", 1, 2), ("[[7,8],[9]]", 2, 3)];
        for (input, inputs, tokens) in table {
            let body = format!(r#"{{"model":"m","input":{input}}}"#);
            let request = Embedding::parse(body.as_bytes()).unwrap();
            assert_eq!((request.inputs, request.work.prompt_tokens), (inputs, tokens), "{input}");
        }
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        let table = [
            ("{", "EOF"),
            (r#"{"model":"m"}"#, "missing field `messages`"),
            (r#"{"messages":[]}"#, "missing field `model`"),
            (r#"{"model":"m","messages":[],"max_tokens":0}"#, "at least 1"),
            (r#"{"model":"m","messages":[],"max_tokens":-1}"#, "`-1`"),
            (r#"{"model":"m","messages":[{"content":true}]}"#, "expected a string"),
        ];
        for (body, words) in table {
            let message = Generation::parse(Api::Chat, body.as_bytes(), 64).unwrap_err();
            assert!(message.contains(words), "{message}");
        }
    }
}
