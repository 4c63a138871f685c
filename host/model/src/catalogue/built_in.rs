//! The entries: one for each built-in metric, one for each column. To add one, write it here, with its formula in the
//! `metrics` crate.
//!
//! What an entry does not say is as in [`BASE`].

use super::{Column, Metric, Scope, Unit};
use crate::conclusion::Direction;
use crate::metrics::Statistic;
use std::borrow::Cow;

/// What most metrics have in common.
const BASE: Metric = Metric {
    tag: Cow::Borrowed(""),
    short: None,
    header: Cow::Borrowed(""),
    unit: Unit::Ratio,
    scope: Scope::Run,
    better: None,
    sweep: Cow::Borrowed(&[]),
    console: false,
    signed: false,
    definition: Cow::Borrowed(""),
};

const AVG: Cow<'static, [Statistic]> = Cow::Borrowed(&[Statistic::Avg]);
const TAIL: Cow<'static, [Statistic]> =
    Cow::Borrowed(&[Statistic::Avg, Statistic::P50, Statistic::P90, Statistic::P95, Statistic::P99]);
const MINIMIZE: Option<Direction> = Some(Direction::Minimize);
const MAXIMIZE: Option<Direction> = Some(Direction::Maximize);

/// A text of an entry.
const fn text(text: &'static str) -> Cow<'static, str> {
    Cow::Borrowed(text)
}

/// Declares the ids and the table in one place, in one order.
macro_rules! catalogue {
    ($($id:ident { definition: $definition:literal, $($field:ident: $value:expr,)* })*) => {
        /// The built-in metrics, in the order of files and tables.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum MetricId { $(#[doc = $definition] $id,)* }

        /// All built-in metrics, in the order of files and tables.
        pub static CATALOGUE: &[Metric] = &[$(Metric {
            definition: text($definition), $($field: $value,)* ..BASE
        },)*];

        impl MetricId {
            /// All ids, in the order of files and tables.
            pub const ALL: &[Self] = &[$(Self::$id,)*];
        }
    };
}

catalogue! {
    RequestThroughput {
        definition: "Successful requests in the steady part of the run, divided by its duration; a request counts by the part of its latency inside. Over the whole run where it has no steady part.",
        tag: text("request_throughput"), header: text("Request Throughput"), unit: Unit::RequestsPerSecond, scope: Scope::Run,
        better: MAXIMIZE, sweep: AVG, console: true,
    }
    OutputTokenThroughput {
        definition: "Output tokens of successful requests, counted as for the request throughput.",
        tag: text("output_token_throughput"), header: text("Output Token Throughput"), unit: Unit::TokensPerSecond, scope: Scope::Run,
        better: MAXIMIZE, sweep: AVG, console: true,
    }
    InputTokenThroughput {
        definition: "Input tokens of successful requests, counted as for the request throughput.",
        tag: text("input_token_throughput"), header: text("Input Token Throughput"), unit: Unit::TokensPerSecond, scope: Scope::Run,
        better: MAXIMIZE,
    }
    TotalTokenThroughput {
        definition: "Input and output tokens of successful requests, counted as for the request throughput.",
        tag: text("total_token_throughput"), header: text("Total Token Throughput"), unit: Unit::TokensPerSecond, scope: Scope::Run,
        better: MAXIMIZE, sweep: AVG,
    }
    Goodput {
        definition: "Successful requests that meet every service level objective, counted as for the request throughput.",
        tag: text("goodput"), header: text("Goodput"), unit: Unit::RequestsPerSecond, scope: Scope::Run,
        better: MAXIMIZE, sweep: AVG, console: true,
    }
    GoodRequestFraction {
        definition: "Requests that meet every service level objective, divided by successful and failed requests.",
        tag: text("good_request_fraction"), header: text("Good Request Fraction"), unit: Unit::Ratio, scope: Scope::Run,
        better: MAXIMIZE, sweep: AVG, console: true,
    }
    RequestErrorRate {
        definition: "Failed requests divided by successful and failed requests, in percent.",
        tag: text("request_error_rate"), header: text("Request Error Rate"), unit: Unit::Percent, scope: Scope::Run,
        better: MINIMIZE, sweep: AVG, console: true,
    }
    TimeToFirstToken {
        definition: "From the moment the request is sent to the first event with content or reasoning.",
        tag: text("time_to_first_token"), short: Some(text("ttft")), header: text("Time to First Token"), unit: Unit::Milliseconds, scope: Scope::Request,
        better: MINIMIZE, sweep: TAIL, console: true,
    }
    TimeToSecondToken {
        definition: "From the first event with content to the second one.",
        tag: text("time_to_second_token"), short: Some(text("ttst")), header: text("Time to Second Token"), unit: Unit::Milliseconds, scope: Scope::Request,
        better: MINIMIZE, console: true,
    }
    TimeToFirstOutputToken {
        definition: "From the moment the request is sent to the first event with content that is not reasoning.",
        tag: text("time_to_first_output_token"), short: Some(text("ttfo")), header: text("Time to First Output Token"), unit: Unit::Milliseconds, scope: Scope::Request,
        better: MINIMIZE,
    }
    InterTokenLatency {
        definition: "(request latency - time to first token) / (output tokens - 1); needs at least 2 output tokens.",
        tag: text("inter_token_latency"), short: Some(text("itl")), header: text("Inter Token Latency"), unit: Unit::Milliseconds, scope: Scope::Request,
        better: MINIMIZE, sweep: TAIL, console: true,
    }
    InterChunkLatency {
        definition: "The time between neighbouring events with content.",
        tag: text("inter_chunk_latency"), short: Some(text("icl")), header: text("Inter Chunk Latency"), unit: Unit::Milliseconds, scope: Scope::Gaps,
        better: MINIMIZE,
    }
    RequestLatency {
        definition: "From the moment the request is sent to the last event with content, or to the last byte of an answer that is not streamed.",
        tag: text("request_latency"), header: text("Request Latency"), unit: Unit::Milliseconds, scope: Scope::Request,
        better: MINIMIZE, sweep: TAIL, console: true,
    }
    EffectiveTimeToFirstToken {
        definition: "From the moment the schedule wants the request to the first event with content or reasoning, whatever kept it from being sent; only where a schedule sets the load.",
        tag: text("effective_time_to_first_token"), short: Some(text("effective_ttft")), header: text("Effective Time to First Token"), unit: Unit::Milliseconds, scope: Scope::Request,
        better: MINIMIZE, sweep: TAIL, console: true,
    }
    EffectiveLatency {
        definition: "From the moment the schedule wants the request to the last event with content, or to the last byte of an answer that is not streamed, whatever kept it from being sent; only where a schedule sets the load.",
        tag: text("effective_latency"), header: text("Effective Latency"), unit: Unit::Milliseconds, scope: Scope::Request,
        better: MINIMIZE, sweep: TAIL, console: true,
    }
    DecodeDuration {
        definition: "From the first event with content to the last one.",
        tag: text("decode_duration"), header: text("Decode Duration"), unit: Unit::Milliseconds, scope: Scope::Request,
        better: MINIMIZE,
    }
    TimeToFirstByte {
        definition: "From the moment the request is sent to the first byte of the response, whatever it is.",
        tag: text("time_to_first_byte"), short: Some(text("ttfb")), header: text("Time to First Byte"), unit: Unit::Milliseconds, scope: Scope::Request,
        better: MINIMIZE,
    }
    SendDelay {
        definition: "From the moment nothing but the client keeps the request from being sent to the moment it is sent: the client's own lateness.",
        tag: text("send_delay"), header: text("Send Delay"), unit: Unit::Milliseconds, scope: Scope::Request,
        better: MINIMIZE,
    }
    LimitWait {
        definition: "From the moment the schedule wants the request to the moment the concurrency limit has room for it; only where a schedule sets the load.",
        tag: text("concurrency_limit_wait"), short: Some(text("limit_wait")), header: text("Concurrency Limit Wait"), unit: Unit::Milliseconds, scope: Scope::Request,
        better: MINIMIZE,
    }
    HttpConnecting {
        definition: "How long the connection of the request took to open, TLS handshake included; in no other latency, and only for requests that opened one.",
        tag: text("http_req_connecting"), header: text("HTTP Connecting"), unit: Unit::Milliseconds, scope: Scope::Request,
        better: MINIMIZE,
    }
    HttpWaiting {
        definition: "From the moment the request is sent to the first byte of the response, as readers of the Python tool's files name it.",
        tag: text("http_req_waiting"), header: text("HTTP Waiting"), unit: Unit::Milliseconds, scope: Scope::Request,
        better: MINIMIZE,
    }
    HttpReceiving {
        definition: "From the first byte of the response to its last one.",
        tag: text("http_req_receiving"), header: text("HTTP Receiving"), unit: Unit::Milliseconds, scope: Scope::Request,
        better: MINIMIZE,
    }
    HttpDuration {
        definition: "From the moment the request is sent to the last byte of the response, without opening a connection.",
        tag: text("http_req_duration"), header: text("HTTP Duration"), unit: Unit::Milliseconds, scope: Scope::Request,
        better: MINIMIZE,
    }
    OutputTokenThroughputPerUser {
        definition: "1 / inter token latency.",
        tag: text("output_token_throughput_per_user"), header: text("Output Token Throughput Per User"), unit: Unit::TokensPerSecondPerUser, scope: Scope::Request,
        better: MAXIMIZE, console: true,
    }
    EndToEndOutputTokenThroughput {
        definition: "Output tokens divided by the request latency.",
        tag: text("e2e_output_token_throughput"), header: text("E2E Output Token Throughput"), unit: Unit::TokensPerSecondPerUser, scope: Scope::Request,
        better: MAXIMIZE,
    }
    PrefillThroughputPerUser {
        definition: "Input tokens divided by the time to first token.",
        tag: text("prefill_throughput_per_user"), header: text("Prefill Throughput Per User"), unit: Unit::TokensPerSecondPerUser, scope: Scope::Request,
        better: MAXIMIZE,
    }
    OutputSequenceLength {
        definition: "Output tokens including reasoning, as the server reports them; as the tokenizer counts them where it does not, or where the text rules its count out.",
        tag: text("output_sequence_length"), short: Some(text("osl")), header: text("Output Sequence Length"), unit: Unit::Tokens, scope: Scope::Request,
        console: true,
    }
    InputSequenceLength {
        definition: "Input tokens as the server reports them; as the tokenizer counts them where it does not, or where the prompt rules its count out.",
        tag: text("input_sequence_length"), short: Some(text("isl")), header: text("Input Sequence Length"), unit: Unit::Tokens, scope: Scope::Request,
        console: true,
    }
    OutputTokenCount {
        definition: "Output tokens without reasoning.",
        tag: text("output_token_count"), header: text("Output Token Count"), unit: Unit::Tokens, scope: Scope::Request,
    }
    ReasoningTokenCount {
        definition: "Output tokens that are reasoning, as the server reports them.",
        tag: text("reasoning_token_count"), header: text("Reasoning Token Count"), unit: Unit::Tokens, scope: Scope::Request,
    }
    RequestedOutputSequenceLength {
        definition: "The most output tokens that were asked for.",
        tag: text("requested_osl"), header: text("Requested OSL"), unit: Unit::Tokens, scope: Scope::Request,
    }
    OslMismatch {
        definition: "(output tokens - requested output tokens) / requested output tokens, in percent.",
        tag: text("osl_mismatch_diff_pct"), header: text("OSL Mismatch Diff %"), unit: Unit::Percent, scope: Scope::Request,
        signed: true,
    }
    UsagePromptTokens {
        definition: "Input tokens as the server reports them.",
        tag: text("usage_prompt_tokens"), header: text("Usage Prompt Tokens"), unit: Unit::Tokens, scope: Scope::Request,
    }
    UsageCompletionTokens {
        definition: "Output tokens as the server reports them.",
        tag: text("usage_completion_tokens"), header: text("Usage Completion Tokens"), unit: Unit::Tokens, scope: Scope::Request,
    }
    UsageTotalTokens {
        definition: "Input and output tokens as the server reports them, where it reports both.",
        tag: text("usage_total_tokens"), header: text("Usage Total Tokens"), unit: Unit::Tokens, scope: Scope::Request,
    }
    UsagePromptCacheReadTokens {
        definition: "Input tokens that the server reports to have read from its cache.",
        tag: text("usage_prompt_cache_read_tokens"), header: text("Usage Prompt Cache Read Tokens"), unit: Unit::Tokens, scope: Scope::Request,
    }
    RequestCount {
        definition: "Successful requests.",
        tag: text("request_count"), header: text("Request Count"), unit: Unit::Requests, scope: Scope::Run,
        console: true,
    }
    ErrorRequestCount {
        definition: "Failed requests; cancelled ones are not among them.",
        tag: text("error_request_count"), header: text("Error Request Count"), unit: Unit::Requests, scope: Scope::Run,
        better: MINIMIZE, console: true,
    }
    RateLimitedRequestCount {
        definition: "Failed requests that the server refused with HTTP 429, too many requests; only where there were any.",
        tag: text("rate_limited_request_count"), header: text("Rate Limited Request Count"), unit: Unit::Requests, scope: Scope::Run,
        better: MINIMIZE, sweep: AVG, console: true,
    }
    DesynchronizedRequestCount {
        definition: "Failed requests on whose connection more came than was asked for, so that nobody knows whose answer it is; only where there were any.",
        tag: text("desynchronized_request_count"), header: text("Desynchronized Request Count"), unit: Unit::Requests, scope: Scope::Run,
        better: MINIMIZE, sweep: AVG, console: true,
    }
    RetriedRequestCount {
        definition: "Successful and failed requests that were sent again, since their kept connection turned out to be closed; their latencies begin with the second time. Only where there were any.",
        tag: text("retried_request_count"), header: text("Retried Request Count"), unit: Unit::Requests, scope: Scope::Run,
        better: MINIMIZE, sweep: AVG, console: true,
    }
    ClientErrorRequestCount {
        definition: "Failed requests for which this machine had no room, such as one more open file; only where there were any.",
        tag: text("client_error_request_count"), header: text("Client Error Request Count"), unit: Unit::Requests, scope: Scope::Run,
        better: MINIMIZE, sweep: AVG, console: true,
    }
    ContradictedUsageCount {
        definition: "Successful requests whose token counts by the server cannot be those of their texts, so that the tokenizer's are used; only where there were any.",
        tag: text("contradicted_usage_count"), header: text("Contradicted Usage Count"), unit: Unit::Requests, scope: Scope::Run,
        better: MINIMIZE, console: true,
    }
    OddEventCount {
        definition: "Events of successful requests that are not quite what their format allows, such as half a character, and were read as far as they could be; only where there were any.",
        tag: text("odd_event_count"), header: text("Odd Event Count"), unit: Unit::Events, scope: Scope::Run,
        better: MINIMIZE, console: true,
    }
    CancelledRequestCount {
        definition: "Requests that were in flight when the benchmark stopped; in no other metric.",
        tag: text("cancelled_request_count"), header: text("Cancelled Request Count"), unit: Unit::Requests, scope: Scope::Run,
    }
    CompletedRequestCount {
        definition: "Successful and failed requests.",
        tag: text("completed_request_count"), header: text("Completed Request Count"), unit: Unit::Requests, scope: Scope::Run,
    }
    GoodRequestCount {
        definition: "Successful requests that meet every service level objective.",
        tag: text("good_request_count"), header: text("Good Request Count"), unit: Unit::Requests, scope: Scope::Run,
        better: MAXIMIZE,
    }
    TotalInputSequenceLength {
        definition: "Sum of the input tokens of successful requests.",
        tag: text("total_isl"), header: text("Total Input Sequence Length"), unit: Unit::Tokens, scope: Scope::Run,
    }
    TotalOutputSequenceLength {
        definition: "Sum of the output tokens of successful requests.",
        tag: text("total_osl"), header: text("Total Output Sequence Length"), unit: Unit::Tokens, scope: Scope::Run,
    }
    TotalOutputTokens {
        definition: "Sum of the output tokens without reasoning of successful requests.",
        tag: text("total_output_tokens"), header: text("Total Output Tokens"), unit: Unit::Tokens, scope: Scope::Run,
    }
    TotalUsagePromptCacheReadTokens {
        definition: "Sum of the input tokens that the server reports to have read from its cache.",
        tag: text("total_usage_prompt_cache_read_tokens"), header: text("Total Usage Prompt Cache Read Tokens"), unit: Unit::Tokens, scope: Scope::Run,
    }
    EffectiveConcurrency {
        definition: "Mean number of successful requests in service in the steady part of the run; over the whole run where it has none.",
        tag: text("effective_concurrency"), header: text("Effective Concurrency"), unit: Unit::Requests, scope: Scope::Run,
    }
    AchievedRequestRate {
        definition: "(requests sent - 1) / (last send - first send), successful or not; only where a schedule sets the load.",
        tag: text("achieved_request_rate"), header: text("Achieved Request Rate"), unit: Unit::RequestsPerSecond, scope: Scope::Run,
        console: true,
    }
    InterArrivalVariation {
        definition: "Coefficient of variation of the gaps between neighbouring sends: 1 for Poisson arrivals, 0 for a constant rate; only where a schedule sets the load.",
        tag: text("inter_arrival_cv"), header: text("Inter Arrival CV"), unit: Unit::Ratio, scope: Scope::Run,
    }
    BenchmarkDuration {
        definition: "From the first send to the last content of successful requests.",
        tag: text("benchmark_duration"), header: text("Benchmark Duration"), unit: Unit::Seconds, scope: Scope::Run,
        console: true,
    }
    OverallRequestThroughput {
        definition: "Successful requests divided by the benchmark duration, beginning and end of the run included.",
        tag: text("overall_request_throughput"), header: text("Overall Request Throughput"), unit: Unit::RequestsPerSecond, scope: Scope::Run,
        better: MAXIMIZE,
    }
    OverallOutputTokenThroughput {
        definition: "Output tokens of successful requests divided by the benchmark duration, beginning and end of the run included.",
        tag: text("overall_output_token_throughput"), header: text("Overall Output Token Throughput"), unit: Unit::TokensPerSecond, scope: Scope::Run,
        better: MAXIMIZE,
    }
    OverallInputTokenThroughput {
        definition: "Input tokens of successful requests divided by the benchmark duration, beginning and end of the run included.",
        tag: text("overall_input_token_throughput"), header: text("Overall Input Token Throughput"), unit: Unit::TokensPerSecond, scope: Scope::Run,
        better: MAXIMIZE,
    }
    OverallTotalTokenThroughput {
        definition: "Input and output tokens of successful requests divided by the benchmark duration, beginning and end of the run included.",
        tag: text("overall_total_token_throughput"), header: text("Overall Total Token Throughput"), unit: Unit::TokensPerSecond, scope: Scope::Run,
        better: MAXIMIZE,
    }
    OverallGoodput {
        definition: "Successful requests that meet every service level objective, divided by the benchmark duration, beginning and end of the run included.",
        tag: text("overall_goodput"), header: text("Overall Goodput"), unit: Unit::RequestsPerSecond, scope: Scope::Run,
        better: MAXIMIZE,
    }
    OverallTimeToFirstToken {
        definition: "Time to first token of all successful requests, those that all slots began with included.",
        tag: text("overall_time_to_first_token"), short: Some(text("overall_ttft")), header: text("Overall Time to First Token"), unit: Unit::Milliseconds, scope: Scope::AllRequests,
        better: MINIMIZE,
    }
    OverallInterTokenLatency {
        definition: "Inter token latency of all successful requests, those that all slots began with included.",
        tag: text("overall_inter_token_latency"), short: Some(text("overall_itl")), header: text("Overall Inter Token Latency"), unit: Unit::Milliseconds, scope: Scope::AllRequests,
        better: MINIMIZE,
    }
    OverallRequestLatency {
        definition: "Request latency of all successful requests, those that all slots began with included.",
        tag: text("overall_request_latency"), header: text("Overall Request Latency"), unit: Unit::Milliseconds, scope: Scope::AllRequests,
        better: MINIMIZE,
    }
    SteadyDuration {
        definition: "Closed loop: from the time at which as many requests have ended as there are slots, or from the end of the ramp, to the last send. Open loop: from the first end, or from the end of the ramp, to the last due time. Only where the run has such a part, with three requests for each slot.",
        tag: text("steady_duration"), header: text("Steady Duration"), unit: Unit::Seconds, scope: Scope::Run,
    }
}

/// What a column does not say.
const COLUMN: Column = Column {
    metric: MetricId::RequestThroughput,
    statistic: Statistic::Avg,
    name: "",
    live: true,
    judged: true,
    trend: true,
};

/// The columns, in the order of tables and charts.
pub static COLUMNS: &[Column] = &[
    Column { metric: MetricId::RequestThroughput, name: "req/s", ..COLUMN },
    Column { metric: MetricId::OutputTokenThroughput, name: "tokens/s", ..COLUMN },
    Column {
        metric: MetricId::Goodput,
        name: "goodput req/s",
        live: false,
        judged: false,
        trend: false,
        ..COLUMN
    },
    Column {
        metric: MetricId::TimeToFirstToken,
        statistic: Statistic::P50,
        name: "TTFT p50",
        trend: false,
        ..COLUMN
    },
    Column { metric: MetricId::TimeToFirstToken, statistic: Statistic::P99, name: "TTFT p99", ..COLUMN },
    Column { metric: MetricId::InterTokenLatency, name: "ITL avg", ..COLUMN },
    Column { metric: MetricId::RequestLatency, statistic: Statistic::P99, name: "latency p99", ..COLUMN },
    Column { metric: MetricId::RequestErrorRate, name: "errors %", judged: false, trend: false, ..COLUMN },
];
