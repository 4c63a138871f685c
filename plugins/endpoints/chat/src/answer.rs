//! A streamed chunk, or a whole answer: they differ in `delta` and `message`.
//!
//! Texts are borrowed where JSON escapes nothing in them, since most of the time of a benchmark's analysis is
//! spent here.

use std::borrow::Cow;

use aiperf_plugin::endpoint::Delta;
use aiperf_plugin::openai::{ErrorReport, UsageReport};
use aiperf_plugin::{Error, Result};
use serde::Deserialize;

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
    content: Option<Text<'data>>,
    #[serde(borrow)]
    reasoning_content: Option<Text<'data>>,
    #[serde(borrow)]
    reasoning: Option<Text<'data>>,
    #[serde(borrow)]
    tool_calls: Option<Vec<ToolCall<'data>>>,
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
        let mut delta = Delta { usage: self.usage.map(Into::into), ..Delta::default() };
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
        add(&mut delta.text, message.content);
        let functions = message.tool_calls.into_iter().flatten().filter_map(|call| call.function);
        for function in functions {
            add(&mut delta.text, function.name);
            add(&mut delta.text, function.arguments);
        }
    }
}

fn add(all: &mut Option<String>, text: Option<Text>) {
    let Some(Text(text)) = text else { return };
    match all {
        None => *all = Some(text.into_owned()),
        Some(all) => all.push_str(&text),
    }
}
