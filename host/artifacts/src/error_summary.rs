//! Which errors the requests of a run ended in, and how often.

use aiperf_model::record::{Failure, FailureKind};
use aiperf_model::request_error::RequestErrors;
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// How many different messages are kept; a server that puts a number into each message must not fill the memory.
const MOST_MESSAGES: usize = 100;
/// The message under which the others are counted.
const OTHERS: &str = "(other messages)";
/// The code of a request that the benchmark itself cut off.
const CLIENT_CLOSED: u16 = 499;

/// One error as files show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorDetails<'a> {
    /// The HTTP status, 499 for a request that the benchmark cut off, or none where no response began.
    pub code: Option<u16>,
    /// The kind of failure, such as `timeout`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// After how many seconds the server wants to be asked again, if it said so; of several, the longest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
    /// One line, or the start of the body.
    pub message: &'a str,
}

impl<'a> From<&'a Failure> for ErrorDetails<'a> {
    fn from(failure: &'a Failure) -> Self {
        Self {
            code: code(failure),
            kind: failure.kind.name(),
            retry_after_seconds: failure.retry_after_seconds,
            message: &failure.message,
        }
    }
}

fn code(failure: &Failure) -> Option<u16> {
    if failure.kind == FailureKind::Cancelled { Some(CLIENT_CLOSED) } else { failure.status }
}

/// Counts equal errors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorSummary {
    counts: BTreeMap<(Option<u16>, &'static str, String), Tally>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    count: u64,
    retry_after_seconds: Option<u64>,
}

impl ErrorSummary {
    /// Counts one failed request.
    pub fn add(&mut self, failure: &Failure) {
        let key = |message: &str| (code(failure), failure.kind.name(), message.to_owned());
        let own = key(&failure.message);
        let is_known = self.counts.contains_key(&own);
        let key = if is_known || self.counts.len() < MOST_MESSAGES { own } else { key(OTHERS) };
        let tally = self.counts.entry(key).or_default();
        tally.count += 1;
        tally.retry_after_seconds = tally.retry_after_seconds.max(failure.retry_after_seconds);
    }

    /// The same as values of their own, most frequent first.
    #[must_use]
    pub fn counts(&self) -> Vec<RequestErrors> {
        let count = |(details, count): (ErrorDetails<'_>, u64)| RequestErrors {
            code: details.code,
            kind: details.kind.to_owned(),
            message: details.message.to_owned(),
            count,
        };
        self.entries().into_iter().map(count).collect()
    }

    /// The errors and how often each came, most frequent first.
    #[must_use]
    pub fn entries(&self) -> Vec<(ErrorDetails<'_>, u64)> {
        let mut entries: Vec<_> = self
            .counts
            .iter()
            .map(|((code, kind, message), tally)| {
                let Tally { count, retry_after_seconds } = *tally;
                (ErrorDetails { code: *code, kind, retry_after_seconds, message }, count)
            })
            .collect();
        entries.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        entries
    }
}

impl Serialize for ErrorSummary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Entry<'a> {
            error_details: ErrorDetails<'a>,
            count: u64,
        }
        let entries = self.entries();
        let mut sequence = serializer.serialize_seq(Some(entries.len()))?;
        for (error_details, count) in entries {
            sequence.serialize_element(&Entry { error_details, count })?;
        }
        sequence.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(kind: FailureKind, status: Option<u16>, message: &str) -> Failure {
        Failure { kind, status, retry_after_seconds: None, message: message.to_owned() }
    }

    #[test]
    fn equal_errors_are_counted_together_most_frequent_first() {
        let mut summary = ErrorSummary::default();
        summary.add(&failure(FailureKind::Cancelled, None, "stopped"));
        summary.add(&failure(FailureKind::Status, Some(500), "oops"));
        summary.add(&failure(FailureKind::Status, Some(500), "oops"));
        assert_eq!(
            serde_json::to_string(&summary).unwrap(),
            r#"[{"error_details":{"code":500,"type":"status","message":"oops"},"count":2},{"error_details":{"code":499,"type":"cancelled","message":"stopped"},"count":1}]"#
        );
    }

    #[test]
    fn the_longest_wait_that_was_asked_for_is_kept() {
        let mut summary = ErrorSummary::default();
        for seconds in [Some(2), Some(30), None] {
            let limited = failure(FailureKind::Status, Some(429), "slow down");
            summary.add(&Failure { retry_after_seconds: seconds, ..limited });
        }
        assert_eq!(
            serde_json::to_string(&summary).unwrap(),
            r#"[{"error_details":{"code":429,"type":"status","retry_after_seconds":30,"message":"slow down"},"count":3}]"#
        );
    }

    #[test]
    fn a_server_with_ever_new_messages_does_not_fill_the_memory() {
        let mut summary = ErrorSummary::default();
        for n in 0..1000 {
            summary.add(&failure(FailureKind::Server, Some(200), &format!("request {n} failed")));
        }
        let entries = summary.entries();
        assert_eq!(entries.len(), MOST_MESSAGES + 1);
        assert_eq!((entries[0].0.message, entries[0].1), (OTHERS, 900));
    }
}
