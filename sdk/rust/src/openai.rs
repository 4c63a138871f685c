//! What servers that speak a dialect of OpenAI's interface have in common: usage reports, errors inside of
//! answers, and the end of a stream.

use std::fmt;

use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::Error;
use crate::endpoint::{Delta, Event, Usage};

/// Whether `event` is the end of a stream.
pub fn is_end(event: &Event) -> bool {
    event.data.trim_ascii() == b"[DONE]"
}

/// The member `usage` of a chunk or an answer. Counts are read also where they are written as `20.0` or `"20"`.
#[derive(Clone, Debug, Deserialize)]
pub struct UsageReport {
    prompt_tokens: Option<Count>,
    completion_tokens: Option<Count>,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Clone, Debug, Deserialize)]
struct PromptDetails {
    cached_tokens: Option<Count>,
}

#[derive(Clone, Debug, Deserialize)]
struct CompletionDetails {
    reasoning_tokens: Option<Count>,
}

impl UsageReport {
    /// Whether a count is not written as one.
    pub fn is_odd(&self) -> bool {
        let counts = [
            &self.prompt_tokens,
            &self.completion_tokens,
            &self.prompt_tokens_details.as_ref().and_then(|details| details.cached_tokens),
            &self.completion_tokens_details.as_ref().and_then(|details| details.reasoning_tokens),
        ];
        counts.into_iter().flatten().any(|count| count.odd)
    }
}

impl From<UsageReport> for Usage {
    fn from(report: UsageReport) -> Self {
        let tokens = |count: Option<Count>| count.and_then(|count| count.tokens);
        let reasoning = report.completion_tokens_details.and_then(|details| details.reasoning_tokens);
        let cached = report.prompt_tokens_details.and_then(|details| details.cached_tokens);
        Self {
            input_tokens: tokens(report.prompt_tokens),
            output_tokens: tokens(report.completion_tokens),
            reasoning_tokens: tokens(reasoning),
            cached_input_tokens: tokens(cached),
        }
    }
}

/// A number of tokens, if it is one, and whether it is not written as one.
#[derive(Clone, Copy, Debug)]
struct Count {
    tokens: Option<u32>,
    odd: bool,
}

impl Count {
    /// A number that is no plain count: too large ones are the largest, negative and broken ones are none.
    fn odd(number: f64) -> Self {
        let is_count = number >= 0.0 && number.fract() == 0.0;
        Self { tokens: is_count.then_some(number as u32), odd: true }
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CountVisitor)
    }
}

struct CountVisitor;

impl Visitor<'_> for CountVisitor {
    type Value = Count;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a number of tokens")
    }

    fn visit_u64<E>(self, number: u64) -> Result<Count, E> {
        let tokens = u32::try_from(number);
        Ok(Count { tokens: Some(tokens.unwrap_or(u32::MAX)), odd: tokens.is_err() })
    }

    fn visit_i64<E>(self, number: i64) -> Result<Count, E> {
        Ok(Count::odd(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Count, E> {
        Ok(Count::odd(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Count, E> {
        text.trim()
            .parse()
            .map(Count::odd)
            .map_err(|_| E::invalid_value(Unexpected::Str(text), &"a number of tokens"))
    }
}

/// What an event of a stream says that the format does not know, and that was therefore called malformed: nothing, if
/// it is beside the answer, such as a ping with data, and it is odd then. What the server names an error is one.
///
/// Beside the answer are objects with neither `choices` nor `usage` nor `error`, events without data, and events with
/// names of their own whose data is no JSON. Anything else may hold text, and stays malformed.
pub fn aside(event: &Event, error: Error) -> crate::Result<Delta> {
    let Error::Malformed(_) = error else { return Err(error) };
    let json = event.lenient_json();
    if event.name.as_deref() == Some("error") {
        let report = json.unwrap_or_else(|| String::from_utf8_lossy(&event.data).into_owned().into());
        return Err(ErrorReport(report).into());
    }
    let is_aside = match json {
        Some(Value::Object(members)) => {
            MEMBERS.iter().all(|name| members.get(*name).is_none_or(Value::is_null))
        }
        Some(_) => false,
        None => {
            let data = event.data.trim_ascii();
            let is_named = event.name.as_ref().is_some_and(|name| name != "message");
            data.is_empty() || is_named && !data.starts_with(b"{")
        }
    };
    if is_aside { Ok(Delta { odd: true, ..Delta::default() }) } else { Err(error) }
}

/// The members that make an object a part of an answer.
const MEMBERS: [&str; 3] = ["choices", "usage", "error"];

/// The member `error` of an answer that HTTP called a success. Servers write an object, with or without a
/// message and with codes of any type, or a bare text.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct ErrorReport(Value);

impl From<ErrorReport> for Error {
    fn from(ErrorReport(value): ErrorReport) -> Self {
        let message = value.get("message").unwrap_or(&value).as_str();
        Self::Server(message.map_or_else(|| value.to_string(), str::to_owned))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn error(json: &str) -> Error {
        serde_json::from_str::<ErrorReport>(json).unwrap().into()
    }

    #[test]
    fn an_error_is_its_message_or_all_there_is() {
        let table = [
            (r#"{"code":500,"message":"out of memory","type":"server_error"}"#, "out of memory"),
            (r#"{"code":500}"#, r#"{"code":500}"#),
            (r#"{"code":"busy","message":null}"#, r#"{"code":"busy","message":null}"#),
            (r#""overloaded""#, "overloaded"),
        ];
        for (json, message) in table {
            assert_eq!(error(json), Error::Server(message.to_owned()), "{json}");
        }
    }

    #[test]
    fn usage_details_may_be_absent_or_null() {
        let read = |json: &str| Usage::from(serde_json::from_str::<UsageReport>(json).unwrap());
        assert_eq!(read("{}"), Usage::default());
        assert_eq!(
            read(
                r#"{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12,"prompt_tokens_details":null,
                    "completion_tokens_details":{"reasoning_tokens":2,"audio_tokens":0}}"#
            ),
            Usage {
                input_tokens: Some(9),
                output_tokens: Some(3),
                reasoning_tokens: Some(2),
                cached_input_tokens: None
            }
        );
    }

    #[test]
    fn counts_are_read_however_they_are_written() {
        for (written, tokens, odd) in [
            ("20", Some(20), false),
            ("0", Some(0), false),
            ("4294967295", Some(u32::MAX), false),
            ("20.0", Some(20), true),
            ("2e1", Some(20), true),
            (r#""20""#, Some(20), true),
            (r#"" 20.0 ""#, Some(20), true),
            ("4294967296", Some(u32::MAX), true),
            ("1e300", Some(u32::MAX), true),
            ("-1", None, true),
            ("20.5", None, true),
            ("null", None, false),
        ] {
            let details = format!(r#"{{"completion_tokens_details":{{"reasoning_tokens":{written}}}}}"#);
            let detailed: UsageReport = serde_json::from_str(&details).unwrap();
            assert_eq!(detailed.is_odd(), odd, "{written}");
            assert_eq!(Usage::from(detailed).reasoning_tokens, tokens, "{written}");
            let report: UsageReport =
                serde_json::from_str(&format!(r#"{{"prompt_tokens":{written}}}"#)).unwrap();
            assert_eq!((report.is_odd(), Usage::from(report).input_tokens), (odd, tokens), "{written}");
        }
        for written in [r#""many""#, "true", "[20]"] {
            let report = serde_json::from_str::<UsageReport>(&format!(r#"{{"prompt_tokens":{written}}}"#));
            assert!(report.is_err(), "{written}");
        }
    }

    #[test]
    fn what_is_beside_the_answer_says_nothing_and_the_rest_is_malformed() {
        let told = |name: Option<&str>, data: &str| {
            let event = Event { name: name.map(str::to_owned), data: data.as_bytes().to_vec() };
            aside(&event, Error::Malformed("strange".to_owned()))
        };
        let odd = Delta { odd: true, ..Delta::default() };
        for (name, data) in [
            (Some("ping"), r#"{"type":"ping"}"#),
            (Some("ping"), "1700000000 alive"),
            (Some("ping"), ""),
            (None, ""),
            (None, "{}"),
            (None, r#"{"choices":null,"id":"c"}"#),
        ] {
            assert_eq!(told(name, data), Ok(odd.clone()), "{name:?} {data}");
        }
        for (name, data) in [
            (None, "alive"),
            (Some("message"), "alive"),
            (Some("chunk"), r#"{"choices":[{"del"#),
            (None, r#"{"choices":{}}"#),
            (None, r#"{"usage":[]}"#),
            (None, "[]"),
        ] {
            assert_eq!(told(name, data), Err(Error::Malformed("strange".to_owned())), "{name:?} {data}");
        }
        for data in [r#"{"message":"no memory"}"#, r#""no memory""#, "no memory"] {
            assert_eq!(told(Some("error"), data), Err(Error::Server("no memory".to_owned())), "{data}");
        }
    }

    #[test]
    fn the_end_may_have_spaces_around_it() {
        let events = testing::events(&["[DONE]", " [DONE]\n", "{}"]);
        assert_eq!(events.iter().map(is_end).collect::<Vec<_>>(), [true, true, false]);
    }
}
