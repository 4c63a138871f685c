//! A streamed chunk, or a whole answer: they differ in `delta` and `message`.
//!
//! Texts are borrowed where JSON escapes nothing in them, since most of the time of a benchmark's analysis is
//! spent here.

use std::borrow::Cow;
use std::fmt;

use aiperf_plugin::endpoint::Delta;
use aiperf_plugin::openai::{ErrorReport, UsageReport};
use aiperf_plugin::{Error, Result};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
pub(crate) struct Answer<'data> {
    #[serde(borrow)]
    choices: Option<Vec<Choice<'data>>>,
    usage: Option<UsageReport>,
    error: Option<ErrorReport>,
}

#[derive(Deserialize)]
struct Choice<'data> {
    #[serde(borrow)]
    delta: Option<Message<'data>>,
    #[serde(borrow)]
    message: Option<Message<'data>>,
    #[serde(borrow)]
    finish_reason: Option<Text<'data>>,
}

#[derive(Deserialize)]
struct Message<'data> {
    #[serde(borrow)]
    content: Option<Content<'data>>,
    #[serde(borrow)]
    refusal: Option<Text<'data>>,
    #[serde(borrow)]
    reasoning_content: Option<Text<'data>>,
    #[serde(borrow)]
    reasoning: Option<Text<'data>>,
    #[serde(borrow)]
    tool_calls: Option<Vec<ToolCall<'data>>>,
    /// What came before `tool_calls`.
    #[serde(borrow)]
    function_call: Option<Function<'data>>,
}

/// A text, as OpenAI defined it, or a list of parts, as in requests.
enum Content<'data> {
    Text(Text<'data>),
    Parts(Vec<Part<'data>>),
}

#[derive(Deserialize)]
struct Part<'data> {
    #[serde(borrow)]
    text: Option<Text<'data>>,
    #[serde(borrow)]
    thinking: Option<Content<'data>>,
}

#[derive(Deserialize)]
struct ToolCall<'data> {
    #[serde(borrow)]
    function: Option<Function<'data>>,
}

#[derive(Deserialize)]
struct Function<'data> {
    #[serde(borrow)]
    name: Option<Text<'data>>,
    #[serde(borrow)]
    arguments: Option<Text<'data>>,
}

/// A text that is borrowed where it can be. Serde borrows a bare `Cow` only, not one inside of an `Option`.
#[derive(Deserialize)]
struct Text<'data>(#[serde(borrow)] Cow<'data, str>);

impl Answer<'_> {
    pub(crate) fn into_delta(self) -> Result<Delta> {
        if let Some(error) = self.error {
            return Err(error.into());
        }
        if self.choices.is_none() && self.usage.is_none() {
            return Err(Error::Malformed("neither `choices` nor `usage` nor `error`".to_owned()));
        }
        let odd = self.usage.as_ref().is_some_and(UsageReport::is_odd);
        let mut delta = Delta { usage: self.usage.map(Into::into), odd, ..Delta::default() };
        for choice in self.choices.into_iter().flatten() {
            choice.add_to(&mut delta);
        }
        Ok(delta)
    }
}

impl Choice<'_> {
    fn add_to(self, delta: &mut Delta) {
        if let Some(Text(reason)) = self.finish_reason {
            delta.finish_reason = Some(reason.into_owned());
        }
        let Some(message) = self.delta.or(self.message) else { return };
        add(&mut delta.reasoning, message.reasoning_content.or(message.reasoning));
        match message.content {
            Some(Content::Text(text)) => add(&mut delta.text, Some(text)),
            Some(Content::Parts(parts)) => {
                delta.odd = true;
                for part in parts {
                    part.add_to(delta);
                }
            }
            None => {}
        }
        add(&mut delta.text, message.refusal);
        let functions = message.tool_calls.into_iter().flatten().filter_map(|call| call.function);
        for function in functions.chain(message.function_call) {
            add(&mut delta.text, function.name);
            add(&mut delta.text, function.arguments);
        }
    }
}

impl Part<'_> {
    fn add_to(self, delta: &mut Delta) {
        add(&mut delta.text, self.text);
        match self.thinking {
            Some(Content::Text(text)) => add(&mut delta.reasoning, Some(text)),
            Some(Content::Parts(parts)) => {
                for part in parts {
                    add(&mut delta.reasoning, part.text);
                }
            }
            None => {}
        }
    }
}

impl<'de: 'data, 'data> Deserialize<'de> for Content<'data> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a text or a list of parts")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> std::result::Result<Content<'de>, E> {
        Ok(Content::Text(Text(Cow::Borrowed(text))))
    }

    fn visit_str<E>(self, text: &str) -> std::result::Result<Content<'de>, E> {
        Ok(Content::Text(Text(Cow::Owned(text.to_owned()))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, parts: A) -> std::result::Result<Content<'de>, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(parts)).map(Content::Parts)
    }
}

fn add(all: &mut Option<String>, text: Option<Text>) {
    let Some(Text(text)) = text else { return };
    match all {
        None => *all = Some(text.into_owned()),
        Some(all) => all.push_str(&text),
    }
}
