//! What servers that speak a dialect of OpenAI's interface have in common: usage reports, errors inside of
//! answers, and the end of a stream.

use serde::Deserialize;
use serde_json::Value;

use crate::Error;
use crate::endpoint::{Event, Usage};

/// Whether `event` is the end of a stream.
pub fn is_end(event: &Event) -> bool {
    event.data.trim_ascii() == b"[DONE]"
}

/// The member `usage` of a chunk or an answer.
#[derive(Clone, Debug, Deserialize)]
pub struct UsageReport {
    prompt_tokens: Option<u32>,
    completion_tokens: Option<u32>,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Clone, Debug, Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u32>,
}

#[derive(Clone, Debug, Deserialize)]
struct CompletionDetails {
    reasoning_tokens: Option<u32>,
}

impl From<UsageReport> for Usage {
    fn from(report: UsageReport) -> Self {
        Self {
            input_tokens: report.prompt_tokens,
            output_tokens: report.completion_tokens,
            reasoning_tokens: report.completion_tokens_details.and_then(|details| details.reasoning_tokens),
            cached_input_tokens: report.prompt_tokens_details.and_then(|details| details.cached_tokens),
        }
    }
}

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
    fn the_end_may_have_spaces_around_it() {
        let events = testing::events(&["[DONE]", " [DONE]\n", "{}"]);
        assert_eq!(events.iter().map(is_end).collect::<Vec<_>>(), [true, true, false]);
    }
}
