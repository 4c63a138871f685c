//! From the requests of a run to the metrics of the run.
//!
//! Nothing of a record is kept but its numbers: one for each request and metric it has, one for each gap between
//! chunks, and a row of times and tokens, in memory up to a limit and beyond it on the disk.

use crate::bounds::Effective;
use crate::distribution::distribution;
use crate::formulas::answered_at;
use crate::sends::Sends;
use crate::statistics::Moments;
use crate::steady::{Done, LoadShape, PARTS, RequestRows, Window};
use crate::within_run::{self, KnownLatencies};
use aiperf_columns::{Column, Sorted, Store};
use aiperf_model::catalogue::{MetricId, Scope, Unit};
use aiperf_model::conclusion::Direction;
use aiperf_model::metrics::{MetricValue, RecordMetrics, RunMetrics, ServiceLevel, Summary, WithinRun};
use aiperf_model::record::{FailureKind, Phase, Record};
use std::collections::BTreeMap;

const NANOSECONDS_PER_SECOND: f64 = 1e9;
const MILLISECONDS_PER_SECOND: f64 = 1e3;

/// Gathers the requests of one run, in any order.
#[derive(Debug)]
pub struct Accumulator {
    levels: Vec<ServiceLevel>,
    store: Store,
    samples: BTreeMap<MetricId, Column<f64>>,
    /// What the requests say that all slots began with.
    burst: Vec<RecordMetrics>,
    requests: RequestRows,
    counts: Counts,
    span: Option<Span>,
    sends: Sends,
}

/// How many requests came to which end.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    succeeded: u64,
    failed: u64,
    /// Failed because the server had too many requests.
    rate_limited: u64,
    /// Failed because nobody knows whose answer came.
    desynchronized: u64,
    /// Failed for want of room on this machine.
    client: u64,
    /// Sent again, whatever came of it.
    retried: u64,
    /// Succeeded with token counts by the server that cannot be.
    contradicted: u64,
    /// Events of those that succeeded.
    odd_events: u64,
    cancelled: u64,
    /// Succeeded and met every service level.
    good: u64,
}

impl Counts {
    /// Succeeded and failed; a cancelled request came to no end of its own.
    fn completed(self) -> u64 {
        self.succeeded + self.failed
    }
}

/// From the first send to the last content of successful requests, in nanoseconds.
#[derive(Clone, Copy, Debug)]
struct Span {
    first_send: u64,
    last_content: u64,
}

impl Accumulator {
    /// An accumulator without requests, whose numbers lie in this store. Goodput is counted if there is at least one
    /// service level.
    #[must_use]
    pub fn new(shape: LoadShape, levels: &[ServiceLevel], store: &Store) -> Self {
        Self {
            levels: levels.to_vec(),
            store: store.clone(),
            samples: BTreeMap::new(),
            burst: Vec::new(),
            requests: RequestRows::new(shape, store),
            counts: Counts::default(),
            span: None,
            sends: Sends::new(store),
        }
    }

    /// Takes one request and what [`record_metrics`](crate::record_metrics) says of it. Warm-up requests are left
    /// out, and those of a ramp are only in service.
    pub fn add(&mut self, record: &Record, metrics: &RecordMetrics) {
        let good = self.levels.iter().all(|level| meets(metrics, *level));
        self.requests.add(record, good);
        if record.timing.phase != Phase::Profiling {
            return;
        }
        self.sends.add(record);
        let is_cancelled = record.outcome.as_ref().is_err_and(|it| it.kind == FailureKind::Cancelled);
        self.counts.retried += u64::from(record.timing.retries > 0 && !is_cancelled);
        match &record.outcome {
            Err(failure) if failure.kind == FailureKind::Cancelled => self.counts.cancelled += 1,
            Err(failure) => {
                self.counts.failed += 1;
                self.counts.rate_limited += u64::from(failure.is_rate_limit());
                self.counts.client += u64::from(failure.kind == FailureKind::Client);
                self.counts.desynchronized += u64::from(failure.kind == FailureKind::Desynchronized);
            }
            Ok(answer) => {
                self.counts.succeeded += 1;
                self.counts.contradicted += u64::from(answer.contradicts_usage());
                self.counts.odd_events += u64::from(answer.odd_events);
                self.counts.good += u64::from(good);
                if let (Some(send), Some(answered)) =
                    (record.timing.send, answered_at(&record.timing, answer))
                {
                    self.extend_span(send, answered);
                }
                if self.requests.is_in_burst(record) {
                    self.burst.push(metrics.clone());
                } else {
                    keep(&mut self.samples, metrics, &self.store);
                }
            }
        }
    }

    /// The metrics of the run, in the order of the catalogue. Without a successful request these are the counts
    /// and the error rate.
    #[must_use]
    pub fn finish(self) -> RunMetrics {
        let Self { levels, store, mut samples, burst, requests, counts, span, sends } = self;
        let requests = requests.finish();
        let steady = requests.window;
        for metrics in &burst {
            let counted = if steady.is_some() { &without_latencies(metrics) } else { metrics };
            keep(&mut samples, counted, &store);
        }
        let samples: BTreeMap<MetricId, Sorted<f64>> =
            samples.into_iter().map(|(metric, values)| (metric, values.sorted())).collect();
        let known = KnownLatencies::new(&requests, &samples, &store);
        let mut entries: BTreeMap<MetricId, Summary> = samples
            .iter()
            .filter_map(|(metric, values)| Some((*metric, of_requests(values, known.effective(*metric))?)))
            .collect();
        let late = if steady.is_some() { burst.as_slice() } else { &[] };
        entries.extend(OVERALL.iter().filter_map(|(metric, overall)| {
            let values = with_burst(*metric, samples.get(metric)?, late, &store);
            Some((*overall, of_requests(&values, known.effective(*metric))?))
        }));
        let done = steady.map(|window| (Done::in_window(requests.iter(), window), window));
        let done = done.as_ref().map(|(done, window)| (done, *window));
        let run = Run {
            counts,
            span,
            steady: done,
            gaps: sends.gaps(),
            levels_given: !levels.is_empty(),
            requests: &entries,
        };
        let scalars: Vec<(MetricId, Summary)> = MetricId::ALL
            .iter()
            .filter(|metric| metric.metric().scope == Scope::Run)
            .filter_map(|metric| Some((*metric, Summary::Scalar(run.value(*metric)?))))
            .collect();
        entries.extend(scalars);
        let mut within_run: Vec<WithinRun> = within_run::of_throughputs(done, &entries);
        within_run.extend(known.of_latencies(&entries, steady.is_some()));
        RunMetrics { entries: entries.into_iter().collect(), within_run, ..RunMetrics::default() }
    }

    fn extend_span(&mut self, send: u64, answered: u64) {
        let span = self.span.get_or_insert(Span { first_send: send, last_content: answered });
        span.first_send = span.first_send.min(send);
        span.last_content = span.last_content.max(answered);
    }
}

fn keep(samples: &mut BTreeMap<MetricId, Column<f64>>, metrics: &RecordMetrics, store: &Store) {
    for (metric, value) in &metrics.values {
        let kept = samples.entry(*metric).or_insert_with(|| Column::new(store));
        match value {
            MetricValue::One(value) => kept.push(*value),
            MetricValue::Many(values) => kept.extend(values.iter().copied()),
        }
    }
}

/// The latencies that are also given over all requests.
const OVERALL: [(MetricId, MetricId); 3] = [
    (MetricId::TimeToFirstToken, MetricId::OverallTimeToFirstToken),
    (MetricId::InterTokenLatency, MetricId::OverallInterTokenLatency),
    (MetricId::RequestLatency, MetricId::OverallRequestLatency),
];

/// What a request says that does not depend on how many others there were at the same time.
fn without_latencies(metrics: &RecordMetrics) -> RecordMetrics {
    let is_latency = |metric: MetricId| {
        let unit = &metric.metric().unit;
        // A kept connection is opened by the first request of its slot, or not at all.
        metric != MetricId::HttpConnecting && (unit.is_time() || *unit == Unit::TokensPerSecondPerUser)
    };
    let values = metrics.values.iter().filter(|(metric, _)| !is_latency(*metric));
    RecordMetrics { values: values.cloned().collect() }
}

/// The values of the requests that count, and of those that all slots began with.
fn with_burst(metric: MetricId, values: &Sorted<f64>, burst: &[RecordMetrics], store: &Store) -> Sorted<f64> {
    let mut all = Column::new(store);
    all.extend(values.iter());
    all.extend(burst.iter().filter_map(|metrics| metrics.one(metric)));
    all.sorted()
}

fn of_requests(values: &Sorted<f64>, effective: Effective) -> Option<Summary> {
    Some(Summary::Distribution(distribution(values, effective)?))
}

/// Whether a request meets a service level. A request without the metric does not.
fn meets(metrics: &RecordMetrics, level: ServiceLevel) -> bool {
    metrics.one(level.metric).is_some_and(|value| match level.metric.metric().better {
        Some(Direction::Minimize) => value <= level.limit,
        Some(Direction::Maximize) | None => value >= level.limit,
    })
}

/// What the metrics of a run are computed from.
struct Run<'a> {
    counts: Counts,
    span: Option<Span>,
    /// What was done in the steady part, where there is one.
    steady: Option<(&'a Done, Window)>,
    /// Between neighbouring sends, in seconds; none where no schedule set the load.
    gaps: Option<Moments>,
    levels_given: bool,
    /// The distributions over the requests.
    requests: &'a BTreeMap<MetricId, Summary>,
}

impl Run<'_> {
    /// The value of one metric, or none where the run has none or the metric is not one of runs.
    fn value(&self, metric: MetricId) -> Option<f64> {
        let counts = self.counts;
        match metric {
            MetricId::RequestThroughput => self.throughput(Done::requests, counts.succeeded as f64),
            MetricId::OutputTokenThroughput => self.throughput(Done::output_tokens, self.output_tokens()?),
            MetricId::InputTokenThroughput => self.throughput(Done::input_tokens, self.input_tokens()?),
            MetricId::TotalTokenThroughput => {
                self.throughput(Done::total_tokens, self.input_tokens()? + self.output_tokens()?)
            }
            MetricId::Goodput => self.throughput(Done::good, self.good()?),
            MetricId::OverallRequestThroughput => self.per_second(counts.succeeded as f64),
            MetricId::OverallOutputTokenThroughput => self.per_second(self.output_tokens()?),
            MetricId::OverallInputTokenThroughput => self.per_second(self.input_tokens()?),
            MetricId::OverallTotalTokenThroughput => {
                self.per_second(self.input_tokens()? + self.output_tokens()?)
            }
            MetricId::OverallGoodput => self.per_second(self.good()?),
            MetricId::GoodRequestFraction if counts.succeeded > 0 => {
                ratio(self.good()?, counts.completed() as f64)
            }
            MetricId::RequestErrorRate => ratio(100.0 * counts.failed as f64, counts.completed() as f64),
            MetricId::RequestCount => Some(counts.succeeded as f64),
            MetricId::ErrorRequestCount => Some(counts.failed as f64),
            MetricId::RateLimitedRequestCount => if_any(counts.rate_limited),
            MetricId::DesynchronizedRequestCount => if_any(counts.desynchronized),
            MetricId::ClientErrorRequestCount => if_any(counts.client),
            MetricId::RetriedRequestCount => if_any(counts.retried),
            MetricId::ContradictedUsageCount => if_any(counts.contradicted),
            MetricId::OddEventCount => if_any(counts.odd_events),
            MetricId::CancelledRequestCount => Some(counts.cancelled as f64),
            MetricId::CompletedRequestCount => Some(counts.completed() as f64),
            MetricId::GoodRequestCount => self.good(),
            MetricId::TotalInputSequenceLength => self.input_tokens(),
            MetricId::TotalOutputSequenceLength => self.output_tokens(),
            MetricId::TotalOutputTokens => self.sum(MetricId::OutputTokenCount),
            MetricId::TotalUsagePromptCacheReadTokens => self.sum(MetricId::UsagePromptCacheReadTokens),
            MetricId::EffectiveConcurrency => match self.steady {
                Some((done, window)) => ratio(done.in_service(), window.nanoseconds() as f64),
                None => self.per_second(self.sum(MetricId::RequestLatency)? / MILLISECONDS_PER_SECOND),
            },
            MetricId::SteadyDuration => {
                let (_, window) = self.steady?;
                Some(window.nanoseconds() as f64 / NANOSECONDS_PER_SECOND)
            }
            MetricId::AchievedRequestRate => ratio(1.0, self.gaps?.mean),
            MetricId::InterArrivalVariation => ratio(self.gaps?.sample_std_dev()?, self.gaps?.mean),
            MetricId::BenchmarkDuration => self.duration(),
            // Without a successful request; else properties of requests, which `formulas` computes.
            MetricId::GoodRequestFraction
            | MetricId::TimeToFirstToken
            | MetricId::TimeToSecondToken
            | MetricId::TimeToFirstOutputToken
            | MetricId::InterTokenLatency
            | MetricId::InterChunkLatency
            | MetricId::RequestLatency
            | MetricId::EffectiveTimeToFirstToken
            | MetricId::EffectiveLatency
            | MetricId::DecodeDuration
            | MetricId::TimeToFirstByte
            | MetricId::SendDelay
            | MetricId::HttpConnecting
            | MetricId::HttpWaiting
            | MetricId::HttpReceiving
            | MetricId::HttpDuration
            | MetricId::LimitWait
            | MetricId::OutputTokenThroughputPerUser
            | MetricId::EndToEndOutputTokenThroughput
            | MetricId::PrefillThroughputPerUser
            | MetricId::OutputSequenceLength
            | MetricId::InputSequenceLength
            | MetricId::OutputTokenCount
            | MetricId::ReasoningTokenCount
            | MetricId::RequestedOutputSequenceLength
            | MetricId::OslMismatch
            | MetricId::UsagePromptTokens
            | MetricId::UsageCompletionTokens
            | MetricId::UsageTotalTokens
            | MetricId::UsagePromptCacheReadTokens
            | MetricId::OverallTimeToFirstToken
            | MetricId::OverallInterTokenLatency
            | MetricId::OverallRequestLatency => None,
        }
    }

    /// What is done for each second of the steady part, or of the run as a whole where it has none.
    fn throughput(&self, done: fn(&Done) -> [f64; PARTS], overall: f64) -> Option<f64> {
        match self.steady {
            Some((all, window)) => {
                let amount: f64 = done(all).iter().sum();
                ratio(amount, window.nanoseconds() as f64 / NANOSECONDS_PER_SECOND)
            }
            None => self.per_second(overall),
        }
    }

    /// In seconds; none if no successful request took any time.
    fn duration(&self) -> Option<f64> {
        let Span { first_send, last_content } = self.span?;
        let nanoseconds = last_content.checked_sub(first_send).filter(|nanoseconds| *nanoseconds > 0)?;
        Some(nanoseconds as f64 / NANOSECONDS_PER_SECOND)
    }

    /// For each second of the whole run.
    fn per_second(&self, amount: f64) -> Option<f64> {
        ratio(amount, self.duration()?)
    }

    fn good(&self) -> Option<f64> {
        self.levels_given.then_some(self.counts.good as f64)
    }

    fn input_tokens(&self) -> Option<f64> {
        self.sum(MetricId::InputSequenceLength)
    }

    fn output_tokens(&self) -> Option<f64> {
        self.sum(MetricId::OutputSequenceLength)
    }

    /// The sum over the requests that have the metric, or none if no request has it.
    fn sum(&self, metric: MetricId) -> Option<f64> {
        match self.requests.get(&metric)? {
            Summary::Distribution(distribution) => Some(distribution.sum),
            Summary::Scalar(_) => None,
        }
    }
}

/// None where there were none.
fn if_any(count: u64) -> Option<f64> {
    (count > 0).then_some(count as f64)
}

/// None if there is nothing to divide by.
fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record_metrics;
    use crate::testing::{self, MS};
    use aiperf_model::metrics::Statistic;
    use aiperf_model::record::{TokenCount, TokenSource};
    use aiperf_model::response::Usage;
    use proptest::prelude::*;

    fn run(records: &[Record], levels: &[ServiceLevel]) -> RunMetrics {
        let mut accumulator =
            Accumulator::new(LoadShape::Closed { slots: 2, ramped: false }, levels, &Store::default());
        for record in records {
            accumulator.add(record, &record_metrics(record));
        }
        accumulator.finish()
    }

    fn scalar(metrics: &RunMetrics, metric: MetricId) -> Option<f64> {
        metrics.statistic(metric, Statistic::Avg)
    }

    /// Two requests side by side and one after them: 100 ms, 200 ms, and 100 ms; in all 400 ms with pauses.
    fn three_requests() -> Vec<Record> {
        vec![
            testing::streamed(0, 0, &[50, 100], 10),
            testing::streamed(0, 0, &[100, 200], 20),
            testing::streamed(300 * MS, 300 * MS, &[350, 400], 30),
        ]
    }

    #[test]
    fn a_run_of_three_requests() {
        let metrics = run(&three_requests(), &[]);
        let table = [
            (MetricId::BenchmarkDuration, 0.4),
            (MetricId::RequestThroughput, 7.5),
            (MetricId::OutputTokenThroughput, 150.0),
            (MetricId::InputTokenThroughput, 900.0),
            (MetricId::TotalTokenThroughput, 1050.0),
            (MetricId::TotalInputSequenceLength, 360.0),
            (MetricId::TotalOutputSequenceLength, 60.0),
            (MetricId::EffectiveConcurrency, 1.0),
            (MetricId::RequestCount, 3.0),
            (MetricId::ErrorRequestCount, 0.0),
            (MetricId::CancelledRequestCount, 0.0),
            (MetricId::CompletedRequestCount, 3.0),
            (MetricId::RequestErrorRate, 0.0),
        ];
        for (metric, expected) in table {
            assert_eq!(scalar(&metrics, metric), Some(expected), "{metric:?}");
        }
        let latency = metrics.statistic(MetricId::RequestLatency, Statistic::Max);
        assert_eq!(latency, Some(200.0));
        assert_eq!(metrics.statistic(MetricId::TimeToFirstToken, Statistic::P50), Some(50.0));
    }

    #[test]
    fn what_was_rate_limited_is_counted_where_there_was_any() {
        let limited = |status| {
            let mut record = testing::failed(FailureKind::Status);
            record.outcome.as_mut().unwrap_err().status = Some(status);
            record
        };
        let metrics = run(&[limited(429), limited(503), limited(429)], &[]);
        assert_eq!(scalar(&metrics, MetricId::ErrorRequestCount), Some(3.0));
        assert_eq!(scalar(&metrics, MetricId::RateLimitedRequestCount), Some(2.0));
        assert_eq!(run(&[limited(503)], &[]).get(MetricId::RateLimitedRequestCount), None);
    }

    #[test]
    fn what_was_sent_again_is_counted_whatever_came_of_it() {
        let again = |mut record: Record| {
            record.timing.retries = 1;
            record
        };
        let records = [
            again(testing::unary(0, 10, 1)),
            again(testing::failed(FailureKind::Connect)),
            again(testing::failed(FailureKind::Cancelled)),
            testing::unary(0, 10, 1),
        ];
        assert_eq!(scalar(&run(&records, &[]), MetricId::RetriedRequestCount), Some(2.0));
        assert_eq!(run(&records[3..], &[]).get(MetricId::RetriedRequestCount), None);
    }

    #[test]
    fn odd_events_are_counted_where_there_were_any() {
        let mut odd = testing::streamed(0, 0, &[10], 5);
        odd.outcome.as_mut().unwrap().odd_events = 3;
        let plain = testing::streamed(0, 0, &[10], 5);
        let metrics = run(&[odd.clone(), plain.clone(), odd], &[]);
        assert_eq!(scalar(&metrics, MetricId::OddEventCount), Some(6.0));
        assert_eq!(run(&[plain], &[]).get(MetricId::OddEventCount), None);
    }

    #[test]
    fn contradicted_usage_is_counted_where_there_was_any() {
        let reporting = |source, reported| {
            let mut record = testing::streamed(0, 0, &[10], 5);
            let answer = record.outcome.as_mut().unwrap();
            answer.output_tokens = Some(TokenCount { count: 5, source });
            answer.usage = Some(Usage { output_tokens: Some(reported), ..Usage::default() });
            record
        };
        let (plain, contradicted) =
            (reporting(TokenSource::Server, 5), reporting(TokenSource::Tokenizer, u32::MAX));
        let metrics = run(&[plain.clone(), contradicted.clone(), contradicted], &[]);
        assert_eq!(scalar(&metrics, MetricId::ContradictedUsageCount), Some(2.0));
        assert_eq!(scalar(&metrics, MetricId::TotalOutputSequenceLength), Some(15.0));
        assert_eq!(run(&[plain], &[]).get(MetricId::ContradictedUsageCount), None);
    }

    #[test]
    fn entries_follow_the_catalogue_without_repetition() {
        let metrics = run(&three_requests(), &[]);
        assert!(metrics.entries.is_sorted_by(|(a, _), (b, _)| a < b));
    }

    #[test]
    fn what_does_not_apply_is_absent() {
        let metrics = run(&[testing::unary(0, 80, 5)], &[]);
        for metric in [
            MetricId::TimeToFirstToken,
            MetricId::InterTokenLatency,
            MetricId::InterChunkLatency,
            MetricId::Goodput,
            MetricId::GoodRequestCount,
            MetricId::GoodRequestFraction,
            MetricId::UsagePromptCacheReadTokens,
            MetricId::TotalUsagePromptCacheReadTokens,
        ] {
            assert_eq!(metrics.get(metric), None, "{metric:?}");
        }
    }

    #[test]
    fn without_tokens_there_is_no_token_throughput() {
        let mut record = testing::unary(0, 80, 5);
        record.outcome.as_mut().unwrap().output_tokens = None;
        let metrics = run(&[record], &[]);
        assert_eq!(scalar(&metrics, MetricId::OutputTokenThroughput), None);
        assert_eq!(scalar(&metrics, MetricId::TotalTokenThroughput), None);
        assert_eq!(scalar(&metrics, MetricId::InputTokenThroughput), Some(1500.0));
    }

    #[test]
    fn failed_requests_count_as_errors_and_cancelled_ones_do_not() {
        let mut records = three_requests();
        records.push(testing::failed(FailureKind::Timeout));
        records.push(testing::failed(FailureKind::Cancelled));
        let metrics = run(&records, &[]);
        assert_eq!(scalar(&metrics, MetricId::RequestErrorRate), Some(25.0));
        assert_eq!(scalar(&metrics, MetricId::CancelledRequestCount), Some(1.0));
        assert_eq!(scalar(&metrics, MetricId::CompletedRequestCount), Some(4.0));
        assert_eq!(scalar(&metrics, MetricId::BenchmarkDuration), Some(0.4));
    }

    #[test]
    fn warm_up_requests_are_in_no_metric() {
        let mut warm_up = testing::streamed(0, 0, &[5000], 1);
        warm_up.timing.phase = Phase::Warmup;
        let mut failed = testing::failed(FailureKind::Status);
        failed.timing.phase = Phase::Warmup;
        let mut records = three_requests();
        records.extend([warm_up, failed]);
        assert_eq!(run(&records, &[]), run(&three_requests(), &[]));
    }

    #[test]
    fn without_a_success_there_are_counts_and_the_error_rate() {
        let level = ServiceLevel { metric: MetricId::RequestLatency, limit: 100.0 };
        let metrics = run(&[testing::failed(FailureKind::Connect)], &[level]);
        let present: Vec<MetricId> = metrics.entries.iter().map(|(metric, _)| *metric).collect();
        assert_eq!(
            present,
            [
                MetricId::RequestErrorRate,
                MetricId::RequestCount,
                MetricId::ErrorRequestCount,
                MetricId::CancelledRequestCount,
                MetricId::CompletedRequestCount,
                MetricId::GoodRequestCount,
            ]
        );
        assert_eq!(scalar(&metrics, MetricId::RequestErrorRate), Some(100.0));
    }

    #[test]
    fn without_a_completed_request_there_is_no_error_rate() {
        let metrics = run(&[testing::failed(FailureKind::Cancelled)], &[]);
        assert_eq!(scalar(&metrics, MetricId::RequestErrorRate), None);
        assert_eq!(scalar(&metrics, MetricId::CancelledRequestCount), Some(1.0));
    }

    #[test]
    fn a_run_in_no_time_has_no_rate() {
        let metrics = run(&[testing::streamed(0, 0, &[0, 0], 2)], &[]);
        assert_eq!(scalar(&metrics, MetricId::BenchmarkDuration), None);
        assert_eq!(scalar(&metrics, MetricId::RequestThroughput), None);
        assert_eq!(scalar(&metrics, MetricId::EffectiveConcurrency), None);
        assert_eq!(scalar(&metrics, MetricId::RequestCount), Some(1.0));
    }

    #[test]
    fn goodput_counts_requests_that_meet_every_level() {
        let mut records = three_requests();
        records.push(testing::failed(FailureKind::Timeout));
        let latency = ServiceLevel { metric: MetricId::RequestLatency, limit: 100.0 };
        let metrics = run(&records, &[latency]);
        assert_eq!(scalar(&metrics, MetricId::GoodRequestCount), Some(2.0), "the limit itself is good");
        assert_eq!(scalar(&metrics, MetricId::Goodput), Some(5.0));
        assert_eq!(scalar(&metrics, MetricId::GoodRequestFraction), Some(0.5));

        let rate = ServiceLevel { metric: MetricId::EndToEndOutputTokenThroughput, limit: 300.0 };
        let metrics = run(&records, &[latency, rate]);
        assert_eq!(scalar(&metrics, MetricId::GoodRequestCount), Some(1.0), "higher rates are better");
    }

    #[test]
    fn a_request_without_the_metric_is_not_good() {
        let level = ServiceLevel { metric: MetricId::TimeToFirstToken, limit: 1e9 };
        let metrics = run(&[testing::unary(0, 80, 5)], &[level]);
        assert_eq!(scalar(&metrics, MetricId::GoodRequestCount), Some(0.0));
        assert_eq!(scalar(&metrics, MetricId::Goodput), Some(0.0));
    }

    #[test]
    fn cached_tokens_are_summed_where_the_server_reports_them() {
        let mut records = three_requests();
        for (record, cached) in records.iter_mut().zip([Some(3), None, Some(4)]) {
            let usage = Usage { cached_input_tokens: cached, ..Usage::default() };
            record.outcome.as_mut().unwrap().usage = Some(usage);
        }
        let metrics = run(&records, &[]);
        assert_eq!(scalar(&metrics, MetricId::TotalUsagePromptCacheReadTokens), Some(7.0));
        assert_eq!(scalar(&metrics, MetricId::UsagePromptCacheReadTokens), Some(3.5));
    }

    #[test]
    fn the_load_that_a_schedule_made_is_measured_at_the_sends() {
        let records: Vec<Record> =
            [0, 100, 300, 400].into_iter().map(|send| testing::unary(send, 1000, 1)).collect();
        assert_eq!(run(&records, &[]).get(MetricId::AchievedRequestRate), None, "no schedule");
        let records: Vec<Record> = records.into_iter().map(testing::scheduled).collect();
        let metrics = run(&records, &[]);
        // 3 gaps of 100, 200 and 100 ms.
        assert_eq!(scalar(&metrics, MetricId::AchievedRequestRate), Some(7.5));
        let cv = scalar(&metrics, MetricId::InterArrivalVariation).unwrap();
        assert!((cv - 0.433_012_7).abs() < 1e-6, "{cv}");
        // One gap has a rate and no variation; one send has neither.
        assert_eq!(scalar(&run(&records[..2], &[]), MetricId::AchievedRequestRate), Some(10.0));
        assert_eq!(scalar(&run(&records[..2], &[]), MetricId::InterArrivalVariation), None);
        assert_eq!(scalar(&run(&records[..1], &[]), MetricId::AchievedRequestRate), None);
    }

    #[test]
    fn gaps_of_all_requests_are_one_distribution() {
        let records = [testing::streamed(0, 0, &[10, 20, 40], 3), testing::streamed(0, 0, &[10, 40], 2)];
        match run(&records, &[]).get(MetricId::InterChunkLatency) {
            Some(Summary::Distribution(gaps)) => assert_eq!((gaps.count, gaps.sum), (3, 60.0)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_metrics_of_a_run_are_exactly_those_the_catalogue_calls_so() {
        let level = ServiceLevel { metric: MetricId::RequestLatency, limit: 100.0 };
        let mut record = testing::streamed(0, 0, &[10, 20], 2);
        record.outcome.as_mut().unwrap().usage =
            Some(Usage { cached_input_tokens: Some(1), ..Usage::default() });
        record.timing.scheduled = true;
        let later = |ms: u64| {
            let mut later = record.clone();
            later.timing.send = later.timing.send.map(|send| send + ms * MS);
            later
        };
        let mut limited = testing::failed(FailureKind::Status);
        limited.outcome.as_mut().unwrap_err().status = Some(429);
        let mut again = testing::failed(FailureKind::Client);
        again.timing.retries = 1;
        let mut contradicted = later(4);
        let answer = contradicted.outcome.as_mut().unwrap();
        answer.odd_events = 1;
        answer.usage = Some(Usage { output_tokens: Some(0), ..Usage::default() });
        answer.output_tokens = Some(TokenCount { count: 2, source: TokenSource::Tokenizer });
        let failed = [limited, again, testing::failed(FailureKind::Desynchronized)];
        let succeeded = [later(0), later(1), later(60), contradicted];
        let metrics = run(&[&succeeded[..], &failed[..]].concat(), &[level]);
        for metric in MetricId::ALL {
            let summary = metrics.get(*metric);
            if metric.metric().scope == Scope::Run {
                assert!(matches!(summary, Some(Summary::Scalar(_))), "{metric:?}: {summary:?}");
            } else {
                assert!(!matches!(summary, Some(Summary::Scalar(_))), "{metric:?}: {summary:?}");
            }
        }
    }

    /// Any request: what it says need not make sense.
    fn any_record() -> impl Strategy<Value = Record> {
        let times = (0..1000_u64, proptest::collection::vec(0..1000_u64, 0..6), 0..50_u32);
        (times, 0..6_u8).prop_map(|((send, content, tokens), kind)| match kind {
            0 => testing::failed(FailureKind::Status),
            1 => testing::failed(FailureKind::Cancelled),
            2 => testing::unary(send, send + 1 + u64::from(tokens), tokens),
            _ => testing::streamed(send * MS, send * MS, &content, tokens),
        })
    }

    fn any_records() -> impl Strategy<Value = Vec<Record>> {
        proptest::collection::vec(any_record(), 0..20)
    }

    proptest! {
        #[test]
        fn the_order_of_the_records_does_not_matter(
            (records, shuffled) in any_records()
                .prop_flat_map(|records| (Just(records.clone()), Just(records).prop_shuffle())),
        ) {
            prop_assert_eq!(run(&records, &[]), run(&shuffled, &[]));
        }

        #[test]
        fn every_number_is_finite(records in any_records()) {
            let level = ServiceLevel { metric: MetricId::TimeToFirstToken, limit: 100.0 };
            for (metric, summary) in run(&records, &[level]).entries {
                for statistic in Statistic::ALL {
                    let value = summary.statistic(statistic);
                    prop_assert!(value.is_none_or(f64::is_finite), "{:?} {:?} is {:?}", metric, statistic, value);
                }
            }
        }
    }
}
