//! Whether a measurement can be believed: from what a run says, and what the client says of itself, to a verdict.
//!
//! Each rule stands in [`rules`], with its thresholds and texts; the modules below only find the figures. What
//! cannot be known, such as a percentile that does not exist, speaks neither for nor against.

mod arrivals;
mod client;
mod drift;
mod load;
pub mod rules;
mod sample;
mod trials;

use crate::timeline::ConcurrencyTimeline;
use aiperf_model::arrival::RequestRate;
use aiperf_model::client::ClientHealth;
use aiperf_model::client_error::ClientErrorEstimate;
use aiperf_model::metrics::RunMetrics;
use aiperf_model::verdict::Verdict;

pub use drift::drift;
pub use trials::{Trial, judge_values};

/// What was asked of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RequestedLoad {
    /// Requests in flight, or with a rate at most.
    pub concurrency: Option<u32>,
    /// How requests arrive, in an open loop.
    pub rate: Option<RequestRate>,
    /// Whether the concurrency counts users who read and think between two requests.
    pub users_think: bool,
    /// The share of failed requests from which on a run has failed, from 0 to 1.
    pub max_error_rate: f64,
    /// For how many seconds a server may be away before a run ends.
    pub unreachable_timeout: f64,
    /// Whether the server may have seen prompts before.
    pub repetition: Repetition,
}

/// Whether a server may have seen the prompts of a run before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Repetition {
    /// They are repeated on purpose, so that a cache may answer.
    Wanted,
    /// They are the user's, and nobody else knows.
    Unknown,
    /// They are new, and have so many tokens on average as they were made.
    Never {
        /// The mean number of tokens.
        tokens: f64,
    },
}

/// Everything that a verdict on a run follows from.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// What was asked.
    pub asked: RequestedLoad,
    /// What the requests say.
    pub metrics: &'a RunMetrics,
    /// When they were sent and answered; sorted.
    pub timeline: &'a ConcurrencyTimeline,
    /// What the client says of itself.
    pub client: &'a ClientHealth,
    /// What a calibration says of the client at such a load, if there was one.
    pub client_error: Option<&'a ClientErrorEstimate>,
    /// How many requests were begun of which there is no record.
    pub lost_records: u64,
    /// For how many seconds the server could not be reached when the run ended early because of that.
    pub server_lost: Option<f64>,
}

/// The verdict on one run.
#[must_use]
pub fn judge_run(evidence: &Evidence<'_>) -> Verdict {
    let Evidence { asked, metrics, timeline, client, client_error, lost_records, server_lost } = *evidence;
    let reasons = [
        rules::RECORD_LOSS.judge(None, lost_records as f64).into_iter().collect(),
        server_lost
            .and_then(|seconds| {
                rules::SERVER_LOST.judge_with(None, seconds, Some(asked.unreachable_timeout), None)
            })
            .into_iter()
            .collect(),
        client::reasons(metrics, client, client_error),
        load::reasons(asked, metrics, timeline, client.missed_arrivals),
        arrivals::reasons(asked.rate, timeline),
        sample::reasons(metrics),
    ];
    Verdict::new(reasons.concat(), load::notes(timeline))
}

#[cfg(test)]
mod tests;
