//! The metric catalogue: the one list of metrics that exports, console, documentation and plugins read.
//!
//! Every metric has a tag (the long name), a short name where the field uses one, a unit, the direction in which it
//! gets better and its definition. Everything a user types accepts both names. How a metric is computed from
//! records stands in the `metrics` crate, in a `match` over [`MetricId`] that the compiler keeps complete.

use crate::conclusion::Direction;
use crate::metrics::Statistic;
use std::fmt;

/// The unit of a metric as files and console show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Requests.
    Requests,
    /// Events of streams.
    Events,
    /// Tokens.
    Tokens,
    /// Requests per second.
    RequestsPerSecond,
    /// Tokens per second.
    TokensPerSecond,
    /// Tokens per second of one user.
    TokensPerSecondPerUser,
    /// Percent, from 0 to 100.
    Percent,
    /// A bare ratio.
    Ratio,
}

impl Unit {
    /// The text in `unit` fields.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::Seconds => "sec",
            Self::Requests => "requests",
            Self::Events => "events",
            Self::Tokens => "tokens",
            Self::RequestsPerSecond => "requests/sec",
            Self::TokensPerSecond => "tokens/sec",
            Self::TokensPerSecondPerUser => "tokens/sec/user",
            Self::Percent => "%",
            Self::Ratio => "ratio",
        }
    }

    /// Whether it measures time; keys of the sweep file end in the unit then.
    #[must_use]
    pub fn is_time(self) -> bool {
        matches!(self, Self::Milliseconds | Self::Seconds)
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a metric is a property of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Each request has one value; a run has their distribution.
    Request,
    /// Each request has several values; a run has the distribution of all.
    Gaps,
    /// A run has the distribution over all its requests, of which another metric is the part that counts.
    AllRequests,
    /// A run has one value.
    Run,
}

/// One metric.
#[derive(Debug)]
pub struct Metric {
    /// Which one it is.
    pub id: MetricId,
    /// The long name, such as `time_to_first_token`.
    pub tag: &'static str,
    /// The name in keys of the sweep file, such as `ttft`; the tag where the field has no short name.
    pub short: &'static str,
    /// The name in tables.
    pub header: &'static str,
    /// The unit of its values.
    pub unit: Unit,
    /// What it is a property of.
    pub scope: Scope,
    /// Which way it gets better, or none if neither way does.
    pub better: Option<Direction>,
    /// The statistics that stand in the sweep file by default.
    pub sweep: &'static [Statistic],
    /// Whether the console table of a run shows it.
    pub console: bool,
    /// What it is, with its formula.
    pub definition: &'static str,
}

impl Metric {
    /// The names that users may give it, as `time_to_first_token (ttft)`.
    #[must_use]
    pub fn names(&self) -> String {
        if self.short == self.tag { self.tag.to_owned() } else { format!("{} ({})", self.tag, self.short) }
    }

    /// The key of one statistic in the sweep file: `request_throughput_avg`, `ttft_p99_ms`.
    #[must_use]
    pub fn key(&self, statistic: Statistic) -> String {
        let (short, statistic) = (self.short, statistic.name());
        if self.unit.is_time() {
            format!("{short}_{statistic}_{}", self.unit)
        } else {
            format!("{short}_{statistic}")
        }
    }
}

/// The metric with this tag or short name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Metric> {
    CATALOGUE.iter().find(|metric| metric.tag == name || metric.short == name)
}

/// The metric and statistic behind a key of the sweep file. Keys with the long name, as
/// `time_to_first_token_p99`, are understood too.
#[must_use]
pub fn find_key(key: &str) -> Option<(&'static Metric, Statistic)> {
    CATALOGUE.iter().find_map(|metric| {
        let statistic = statistic_of_key(metric, key)?;
        Some((metric, statistic))
    })
}

/// The statistic, if the key is one of this metric. Nothing is allocated: sweep files hold many thousand keys.
fn statistic_of_key(metric: &Metric, key: &str) -> Option<Statistic> {
    let after = |name: &str| key.strip_prefix(name)?.strip_prefix('_');
    let named = |name: &str| Statistic::ALL.into_iter().find(|statistic| statistic.name() == name);
    let with_unit = |rest: &str| named(rest.strip_suffix(metric.unit.name())?.strip_suffix('_')?);
    let short = after(metric.short)
        .and_then(|rest| if metric.unit.is_time() { with_unit(rest) } else { named(rest) });
    short.or_else(|| after(metric.tag).and_then(named))
}

const AVG: &[Statistic] = &[Statistic::Avg];
const TAIL: &[Statistic] = &[Statistic::Avg, Statistic::P50, Statistic::P90, Statistic::P95, Statistic::P99];
const MINIMIZE: Option<Direction> = Some(Direction::Minimize);
const MAXIMIZE: Option<Direction> = Some(Direction::Maximize);

/// Declares the ids and the table in one place, in one order.
macro_rules! catalogue {
    ($($id:ident: $tag:literal, $short:literal, $header:literal, $unit:ident, $scope:ident, $better:expr, $sweep:expr, $console:literal, $definition:literal;)*) => {
        /// The metrics, in the order of files and tables.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum MetricId { $(#[doc = $definition] $id,)* }

        /// All metrics, in the order of files and tables.
        pub static CATALOGUE: &[Metric] = &[$(Metric {
            id: MetricId::$id, tag: $tag, short: $short, header: $header, unit: Unit::$unit, scope: Scope::$scope,
            better: $better, sweep: $sweep, console: $console, definition: $definition,
        },)*];

        impl MetricId {
            /// All ids, in the order of files and tables.
            pub const ALL: &[Self] = &[$(Self::$id,)*];
        }
    };
}

catalogue! {
    RequestThroughput: "request_throughput", "request_throughput", "Request Throughput", RequestsPerSecond, Run, MAXIMIZE, AVG, true,
        "Successful requests in the steady part of the run, divided by its duration; a request counts by the part of its latency inside. Over the whole run where it has no steady part.";
    OutputTokenThroughput: "output_token_throughput", "output_token_throughput", "Output Token Throughput", TokensPerSecond, Run, MAXIMIZE, AVG, true,
        "Output tokens of successful requests, counted as for the request throughput.";
    InputTokenThroughput: "input_token_throughput", "input_token_throughput", "Input Token Throughput", TokensPerSecond, Run, MAXIMIZE, &[], false,
        "Input tokens of successful requests, counted as for the request throughput.";
    TotalTokenThroughput: "total_token_throughput", "total_token_throughput", "Total Token Throughput", TokensPerSecond, Run, MAXIMIZE, AVG, false,
        "Input and output tokens of successful requests, counted as for the request throughput.";
    Goodput: "goodput", "goodput", "Goodput", RequestsPerSecond, Run, MAXIMIZE, AVG, true,
        "Successful requests that meet every service level objective, counted as for the request throughput.";
    GoodRequestFraction: "good_request_fraction", "good_request_fraction", "Good Request Fraction", Ratio, Run, MAXIMIZE, AVG, true,
        "Requests that meet every service level objective, divided by successful and failed requests.";
    RequestErrorRate: "request_error_rate", "request_error_rate", "Request Error Rate", Percent, Run, MINIMIZE, AVG, true,
        "Failed requests divided by successful and failed requests, in percent.";
    TimeToFirstToken: "time_to_first_token", "ttft", "Time to First Token", Milliseconds, Request, MINIMIZE, TAIL, true,
        "From the moment the request is sent to the first event with content or reasoning.";
    TimeToSecondToken: "time_to_second_token", "ttst", "Time to Second Token", Milliseconds, Request, MINIMIZE, &[], true,
        "From the first event with content to the second one.";
    TimeToFirstOutputToken: "time_to_first_output_token", "ttfo", "Time to First Output Token", Milliseconds, Request, MINIMIZE, &[], false,
        "From the moment the request is sent to the first event with content that is not reasoning.";
    InterTokenLatency: "inter_token_latency", "itl", "Inter Token Latency", Milliseconds, Request, MINIMIZE, TAIL, true,
        "(request latency - time to first token) / (output tokens - 1); needs at least 2 output tokens.";
    InterChunkLatency: "inter_chunk_latency", "icl", "Inter Chunk Latency", Milliseconds, Gaps, MINIMIZE, &[], false,
        "The time between neighbouring events with content.";
    RequestLatency: "request_latency", "request_latency", "Request Latency", Milliseconds, Request, MINIMIZE, TAIL, true,
        "From the moment the request is sent to the last event with content, or to the last byte of an answer that is not streamed.";
    EffectiveTimeToFirstToken: "effective_time_to_first_token", "effective_ttft", "Effective Time to First Token", Milliseconds, Request, MINIMIZE, TAIL, true,
        "From the moment the schedule wants the request to the first event with content or reasoning, whatever kept it from being sent; only where a schedule sets the load.";
    EffectiveLatency: "effective_latency", "effective_latency", "Effective Latency", Milliseconds, Request, MINIMIZE, TAIL, true,
        "From the moment the schedule wants the request to the last event with content, or to the last byte of an answer that is not streamed, whatever kept it from being sent; only where a schedule sets the load.";
    DecodeDuration: "decode_duration", "decode_duration", "Decode Duration", Milliseconds, Request, MINIMIZE, &[], false,
        "From the first event with content to the last one.";
    TimeToFirstByte: "time_to_first_byte", "ttfb", "Time to First Byte", Milliseconds, Request, MINIMIZE, &[], false,
        "From the moment the request is sent to the first byte of the response, whatever it is.";
    SendDelay: "send_delay", "send_delay", "Send Delay", Milliseconds, Request, MINIMIZE, &[], false,
        "From the moment nothing but the client keeps the request from being sent to the moment it is sent: the client's own lateness.";
    LimitWait: "concurrency_limit_wait", "limit_wait", "Concurrency Limit Wait", Milliseconds, Request, MINIMIZE, &[], false,
        "From the moment the schedule wants the request to the moment the concurrency limit has room for it; only where a schedule sets the load.";
    HttpConnecting: "http_req_connecting", "http_req_connecting", "HTTP Connecting", Milliseconds, Request, MINIMIZE, &[], false,
        "How long the connection of the request took to open, TLS handshake included; in no other latency, and only for requests that opened one.";
    HttpWaiting: "http_req_waiting", "http_req_waiting", "HTTP Waiting", Milliseconds, Request, MINIMIZE, &[], false,
        "From the moment the request is sent to the first byte of the response, as readers of the Python tool's files name it.";
    HttpReceiving: "http_req_receiving", "http_req_receiving", "HTTP Receiving", Milliseconds, Request, MINIMIZE, &[], false,
        "From the first byte of the response to its last one.";
    HttpDuration: "http_req_duration", "http_req_duration", "HTTP Duration", Milliseconds, Request, MINIMIZE, &[], false,
        "From the moment the request is sent to the last byte of the response, without opening a connection.";
    OutputTokenThroughputPerUser: "output_token_throughput_per_user", "output_token_throughput_per_user", "Output Token Throughput Per User", TokensPerSecondPerUser, Request, MAXIMIZE, &[], true,
        "1 / inter token latency.";
    EndToEndOutputTokenThroughput: "e2e_output_token_throughput", "e2e_output_token_throughput", "E2E Output Token Throughput", TokensPerSecondPerUser, Request, MAXIMIZE, &[], false,
        "Output tokens divided by the request latency.";
    PrefillThroughputPerUser: "prefill_throughput_per_user", "prefill_throughput_per_user", "Prefill Throughput Per User", TokensPerSecondPerUser, Request, MAXIMIZE, &[], false,
        "Input tokens divided by the time to first token.";
    OutputSequenceLength: "output_sequence_length", "osl", "Output Sequence Length", Tokens, Request, None, &[], true,
        "Output tokens including reasoning, as the server reports them; as the tokenizer counts them where it does not, or where the text rules its count out.";
    InputSequenceLength: "input_sequence_length", "isl", "Input Sequence Length", Tokens, Request, None, &[], true,
        "Input tokens as the server reports them; as the tokenizer counts them where it does not, or where the prompt rules its count out.";
    OutputTokenCount: "output_token_count", "output_token_count", "Output Token Count", Tokens, Request, None, &[], false,
        "Output tokens without reasoning.";
    ReasoningTokenCount: "reasoning_token_count", "reasoning_token_count", "Reasoning Token Count", Tokens, Request, None, &[], false,
        "Output tokens that are reasoning, as the server reports them.";
    RequestedOutputSequenceLength: "requested_osl", "requested_osl", "Requested OSL", Tokens, Request, None, &[], false,
        "The most output tokens that were asked for.";
    OslMismatch: "osl_mismatch_diff_pct", "osl_mismatch_diff_pct", "OSL Mismatch Diff %", Percent, Request, None, &[], false,
        "(output tokens - requested output tokens) / requested output tokens, in percent.";
    UsagePromptTokens: "usage_prompt_tokens", "usage_prompt_tokens", "Usage Prompt Tokens", Tokens, Request, None, &[], false,
        "Input tokens as the server reports them.";
    UsageCompletionTokens: "usage_completion_tokens", "usage_completion_tokens", "Usage Completion Tokens", Tokens, Request, None, &[], false,
        "Output tokens as the server reports them.";
    UsageTotalTokens: "usage_total_tokens", "usage_total_tokens", "Usage Total Tokens", Tokens, Request, None, &[], false,
        "Input and output tokens as the server reports them, where it reports both.";
    UsagePromptCacheReadTokens: "usage_prompt_cache_read_tokens", "usage_prompt_cache_read_tokens", "Usage Prompt Cache Read Tokens", Tokens, Request, None, &[], false,
        "Input tokens that the server reports to have read from its cache.";
    RequestCount: "request_count", "request_count", "Request Count", Requests, Run, None, &[], true,
        "Successful requests.";
    ErrorRequestCount: "error_request_count", "error_request_count", "Error Request Count", Requests, Run, MINIMIZE, &[], true,
        "Failed requests; cancelled ones are not among them.";
    RateLimitedRequestCount: "rate_limited_request_count", "rate_limited_request_count", "Rate Limited Request Count", Requests, Run, MINIMIZE, AVG, true,
        "Failed requests that the server refused with HTTP 429, too many requests; only where there were any.";
    DesynchronizedRequestCount: "desynchronized_request_count", "desynchronized_request_count", "Desynchronized Request Count", Requests, Run, MINIMIZE, AVG, true,
        "Failed requests on whose connection more came than was asked for, so that nobody knows whose answer it is; only where there were any.";
    RetriedRequestCount: "retried_request_count", "retried_request_count", "Retried Request Count", Requests, Run, MINIMIZE, AVG, true,
        "Successful and failed requests that were sent again, since their kept connection turned out to be closed; their latencies begin with the second time. Only where there were any.";
    ClientErrorRequestCount: "client_error_request_count", "client_error_request_count", "Client Error Request Count", Requests, Run, MINIMIZE, AVG, true,
        "Failed requests for which this machine had no room, such as one more open file; only where there were any.";
    ContradictedUsageCount: "contradicted_usage_count", "contradicted_usage_count", "Contradicted Usage Count", Requests, Run, MINIMIZE, &[], true,
        "Successful requests whose token counts by the server cannot be those of their texts, so that the tokenizer's are used; only where there were any.";
    OddEventCount: "odd_event_count", "odd_event_count", "Odd Event Count", Events, Run, MINIMIZE, &[], true,
        "Events of successful requests that are not quite what their format allows, such as half a character, and were read as far as they could be; only where there were any.";
    CancelledRequestCount: "cancelled_request_count", "cancelled_request_count", "Cancelled Request Count", Requests, Run, None, &[], false,
        "Requests that were in flight when the benchmark stopped; in no other metric.";
    CompletedRequestCount: "completed_request_count", "completed_request_count", "Completed Request Count", Requests, Run, None, &[], false,
        "Successful and failed requests.";
    GoodRequestCount: "good_request_count", "good_request_count", "Good Request Count", Requests, Run, MAXIMIZE, &[], false,
        "Successful requests that meet every service level objective.";
    TotalInputSequenceLength: "total_isl", "total_isl", "Total Input Sequence Length", Tokens, Run, None, &[], false,
        "Sum of the input tokens of successful requests.";
    TotalOutputSequenceLength: "total_osl", "total_osl", "Total Output Sequence Length", Tokens, Run, None, &[], false,
        "Sum of the output tokens of successful requests.";
    TotalOutputTokens: "total_output_tokens", "total_output_tokens", "Total Output Tokens", Tokens, Run, None, &[], false,
        "Sum of the output tokens without reasoning of successful requests.";
    TotalUsagePromptCacheReadTokens: "total_usage_prompt_cache_read_tokens", "total_usage_prompt_cache_read_tokens", "Total Usage Prompt Cache Read Tokens", Tokens, Run, None, &[], false,
        "Sum of the input tokens that the server reports to have read from its cache.";
    EffectiveConcurrency: "effective_concurrency", "effective_concurrency", "Effective Concurrency", Requests, Run, None, &[], false,
        "Mean number of successful requests in service in the steady part of the run; over the whole run where it has none.";
    AchievedRequestRate: "achieved_request_rate", "achieved_request_rate", "Achieved Request Rate", RequestsPerSecond, Run, None, &[], true,
        "(requests sent - 1) / (last send - first send), successful or not; only where a schedule sets the load.";
    InterArrivalVariation: "inter_arrival_cv", "inter_arrival_cv", "Inter Arrival CV", Ratio, Run, None, &[], false,
        "Coefficient of variation of the gaps between neighbouring sends: 1 for Poisson arrivals, 0 for a constant rate; only where a schedule sets the load.";
    BenchmarkDuration: "benchmark_duration", "benchmark_duration", "Benchmark Duration", Seconds, Run, None, &[], true,
        "From the first send to the last content of successful requests.";
    OverallRequestThroughput: "overall_request_throughput", "overall_request_throughput", "Overall Request Throughput", RequestsPerSecond, Run, MAXIMIZE, &[], false,
        "Successful requests divided by the benchmark duration, beginning and end of the run included.";
    OverallOutputTokenThroughput: "overall_output_token_throughput", "overall_output_token_throughput", "Overall Output Token Throughput", TokensPerSecond, Run, MAXIMIZE, &[], false,
        "Output tokens of successful requests divided by the benchmark duration, beginning and end of the run included.";
    OverallInputTokenThroughput: "overall_input_token_throughput", "overall_input_token_throughput", "Overall Input Token Throughput", TokensPerSecond, Run, MAXIMIZE, &[], false,
        "Input tokens of successful requests divided by the benchmark duration, beginning and end of the run included.";
    OverallTotalTokenThroughput: "overall_total_token_throughput", "overall_total_token_throughput", "Overall Total Token Throughput", TokensPerSecond, Run, MAXIMIZE, &[], false,
        "Input and output tokens of successful requests divided by the benchmark duration, beginning and end of the run included.";
    OverallGoodput: "overall_goodput", "overall_goodput", "Overall Goodput", RequestsPerSecond, Run, MAXIMIZE, &[], false,
        "Successful requests that meet every service level objective, divided by the benchmark duration, beginning and end of the run included.";
    OverallTimeToFirstToken: "overall_time_to_first_token", "overall_ttft", "Overall Time to First Token", Milliseconds, AllRequests, MINIMIZE, &[], false,
        "Time to first token of all successful requests, those that all slots began with included.";
    OverallInterTokenLatency: "overall_inter_token_latency", "overall_itl", "Overall Inter Token Latency", Milliseconds, AllRequests, MINIMIZE, &[], false,
        "Inter token latency of all successful requests, those that all slots began with included.";
    OverallRequestLatency: "overall_request_latency", "overall_request_latency", "Overall Request Latency", Milliseconds, AllRequests, MINIMIZE, &[], false,
        "Request latency of all successful requests, those that all slots began with included.";
    SteadyDuration: "steady_duration", "steady_duration", "Steady Duration", Seconds, Run, None, &[], false,
        "Closed loop: from the time at which as many requests have ended as there are slots, or from the end of the ramp, to the last send. Open loop: from the first end, or from the end of the ramp, to the last due time. Only where the run has such a part, with three requests for each slot.";
}

impl MetricId {
    /// The catalogue's entry.
    #[must_use]
    pub fn metric(self) -> &'static Metric {
        // The macro writes ids and entries in one order, so the entry always exists.
        #[expect(clippy::indexing_slicing, reason = "ids and entries come from one list")]
        &CATALOGUE[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_id_leads_to_its_own_entry() {
        for id in MetricId::ALL {
            assert_eq!(id.metric().id, *id);
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = CATALOGUE
            .iter()
            .flat_map(|m| if m.tag == m.short { vec![m.tag] } else { vec![m.tag, m.short] })
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn keys_are_those_of_the_specification() {
        assert_eq!(MetricId::RequestThroughput.metric().key(Statistic::Avg), "request_throughput_avg");
        assert_eq!(MetricId::TimeToFirstToken.metric().key(Statistic::P99), "ttft_p99_ms");
    }

    #[test]
    fn every_key_leads_back_to_its_metric_and_statistic() {
        for metric in CATALOGUE {
            for statistic in Statistic::ALL {
                for key in [metric.key(statistic), format!("{}_{}", metric.tag, statistic.name())] {
                    let (found, found_statistic) = find_key(&key).unwrap();
                    assert_eq!((found.id, found_statistic), (metric.id, statistic), "{key}");
                }
            }
        }
    }

    #[test]
    fn unknown_names_are_not_found() {
        assert!(find("throughput_of_nothing").is_none());
        assert!(find_key("ttft_p98_ms").is_none());
    }
}
