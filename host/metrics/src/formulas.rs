//! From one record to the metrics of one request.
//!
//! The definition of each metric stands in the catalogue; this is where it becomes arithmetic. Times come in as
//! whole nanoseconds and are subtracted as such, so that no precision is lost before the one division.

use aiperf_model::catalogue::MetricId;
use aiperf_model::metrics::{MetricValue, RecordMetrics};
use aiperf_model::record::{Answer, Record, Timing};
use aiperf_model::response::Usage;

const NANOSECONDS_PER_MILLISECOND: f64 = 1e6;
const MILLISECONDS_PER_SECOND: f64 = 1e3;

/// The metrics of one request, in the order of the catalogue; none for one that failed or was cancelled.
#[must_use]
pub fn record_metrics(record: &Record) -> RecordMetrics {
    let Ok(answer) = &record.outcome else {
        return RecordMetrics::default();
    };
    let answered = Answered {
        timing: &record.timing,
        answer,
        usage: answer.usage.unwrap_or_default(),
        requested_output_tokens: record.requested_output_tokens,
    };
    let values =
        MetricId::ALL.iter().filter_map(|metric| Some((*metric, answered.value(*metric)?))).collect();
    RecordMetrics { values }
}

/// When the answer was complete as far as the user is concerned: at its last content, or at its last byte if it
/// was not streamed. None for a streamed answer without content.
pub(crate) fn answered_at(timing: &Timing, answer: &Answer) -> Option<u64> {
    if answer.streamed { answer.content.last().copied() } else { Some(timing.end) }
}

/// A request with its answer.
struct Answered<'a> {
    timing: &'a Timing,
    answer: &'a Answer,
    usage: Usage,
    requested_output_tokens: Option<u32>,
}

impl Answered<'_> {
    /// The value of one metric, or none where the metric does not apply to the request or is not one of requests.
    fn value(&self, metric: MetricId) -> Option<MetricValue> {
        let value = match metric {
            MetricId::TimeToFirstToken => self.time_to_first_token()?,
            MetricId::TimeToSecondToken => self.time_to_second_token()?,
            MetricId::TimeToFirstOutputToken => self.time_to_first_output_token()?,
            MetricId::InterTokenLatency => self.inter_token_latency()?,
            MetricId::InterChunkLatency => return self.inter_chunk_latencies(),
            MetricId::RequestLatency => self.request_latency()?,
            MetricId::EffectiveTimeToFirstToken => {
                milliseconds(self.scheduled()?, *self.streamed_content()?.first()?)?
            }
            MetricId::EffectiveLatency => {
                milliseconds(self.scheduled()?, answered_at(self.timing, self.answer)?)?
            }
            MetricId::DecodeDuration => self.decode_duration()?,
            MetricId::TimeToFirstByte | MetricId::HttpWaiting => {
                milliseconds(self.timing.send?, self.timing.first_byte?)?
            }
            MetricId::SendDelay => {
                milliseconds(self.timing.ready.saturating_add(self.timing.connect_wait), self.timing.send?)?
            }
            MetricId::LimitWait => milliseconds(self.scheduled()?, self.timing.ready)?,
            MetricId::HttpConnecting => self.timing.connect? as f64 / NANOSECONDS_PER_MILLISECOND,
            MetricId::HttpReceiving => milliseconds(self.timing.first_byte?, self.timing.end)?,
            MetricId::HttpDuration => milliseconds(self.timing.send?, self.timing.end)?,
            MetricId::OutputTokenThroughputPerUser => per_second(1.0, self.inter_token_latency()?)?,
            MetricId::EndToEndOutputTokenThroughput => {
                per_second(f64::from(self.output_tokens()?), self.request_latency()?)?
            }
            MetricId::PrefillThroughputPerUser => {
                per_second(f64::from(self.input_tokens()?), self.time_to_first_token()?)?
            }
            MetricId::OutputSequenceLength => f64::from(self.output_tokens()?),
            MetricId::InputSequenceLength => f64::from(self.input_tokens()?),
            MetricId::OutputTokenCount => f64::from(self.output_tokens_without_reasoning()?),
            MetricId::ReasoningTokenCount => f64::from(self.usage.reasoning_tokens?),
            MetricId::RequestedOutputSequenceLength => f64::from(self.requested_output_tokens?),
            MetricId::OslMismatch => self.output_length_mismatch()?,
            MetricId::UsagePromptTokens => f64::from(self.usage.input_tokens?),
            MetricId::UsageCompletionTokens => f64::from(self.usage.output_tokens?),
            MetricId::UsageTotalTokens => {
                f64::from(self.usage.input_tokens?) + f64::from(self.usage.output_tokens?)
            }
            MetricId::UsagePromptCacheReadTokens => f64::from(self.usage.cached_input_tokens?),
            // Properties of a run: `accumulator` computes them.
            MetricId::RequestThroughput
            | MetricId::OutputTokenThroughput
            | MetricId::InputTokenThroughput
            | MetricId::TotalTokenThroughput
            | MetricId::Goodput
            | MetricId::GoodRequestFraction
            | MetricId::RequestErrorRate
            | MetricId::RequestCount
            | MetricId::ErrorRequestCount
            | MetricId::RateLimitedRequestCount
            | MetricId::DesynchronizedRequestCount
            | MetricId::RetriedRequestCount
            | MetricId::ClientErrorRequestCount
            | MetricId::ContradictedUsageCount
            | MetricId::OddEventCount
            | MetricId::CancelledRequestCount
            | MetricId::CompletedRequestCount
            | MetricId::GoodRequestCount
            | MetricId::TotalInputSequenceLength
            | MetricId::TotalOutputSequenceLength
            | MetricId::TotalOutputTokens
            | MetricId::TotalUsagePromptCacheReadTokens
            | MetricId::EffectiveConcurrency
            | MetricId::AchievedRequestRate
            | MetricId::InterArrivalVariation
            | MetricId::BenchmarkDuration
            | MetricId::OverallRequestThroughput
            | MetricId::OverallOutputTokenThroughput
            | MetricId::OverallInputTokenThroughput
            | MetricId::OverallTotalTokenThroughput
            | MetricId::OverallGoodput
            | MetricId::OverallTimeToFirstToken
            | MetricId::OverallInterTokenLatency
            | MetricId::OverallRequestLatency
            | MetricId::SteadyDuration => return None,
        };
        Some(MetricValue::One(value))
    }

    fn time_to_first_token(&self) -> Option<f64> {
        milliseconds(self.timing.send?, *self.streamed_content()?.first()?)
    }

    fn time_to_second_token(&self) -> Option<f64> {
        let [first, second, ..] = self.streamed_content()? else { return None };
        milliseconds(*first, *second)
    }

    fn time_to_first_output_token(&self) -> Option<f64> {
        self.streamed_content()?;
        milliseconds(self.timing.send?, self.answer.first_output?)
    }

    fn request_latency(&self) -> Option<f64> {
        milliseconds(self.timing.send?, answered_at(self.timing, self.answer)?)
    }

    /// When a schedule wanted the request. In a closed loop nobody did: a slow server delays the next request, and the
    /// time from then on says nothing of what a user would have waited.
    fn scheduled(&self) -> Option<u64> {
        self.timing.scheduled.then_some(self.timing.due)
    }

    fn decode_duration(&self) -> Option<f64> {
        let content = self.streamed_content()?;
        milliseconds(*content.first()?, *content.last()?)
    }

    /// Request latency less time to first token is the decode duration, which loses no digits to the subtraction.
    fn inter_token_latency(&self) -> Option<f64> {
        let gaps = self.output_tokens()?.checked_sub(1).filter(|gaps| *gaps > 0)?;
        Some(self.decode_duration()? / f64::from(gaps))
    }

    fn inter_chunk_latencies(&self) -> Option<MetricValue> {
        let neighbours = self.streamed_content()?.iter().zip(self.streamed_content()?.iter().skip(1));
        let gaps: Option<Vec<f64>> =
            neighbours.map(|(before, after)| milliseconds(*before, *after)).collect();
        gaps.filter(|gaps| !gaps.is_empty()).map(MetricValue::Many)
    }

    /// If the server counts no reasoning, all output is taken as none of it, unless reasoning was seen.
    fn output_tokens_without_reasoning(&self) -> Option<u32> {
        match self.usage.reasoning_tokens {
            Some(reasoning) => self.output_tokens()?.checked_sub(reasoning),
            None if self.answer.first_output == self.answer.content.first().copied() => self.output_tokens(),
            None => None,
        }
    }

    fn output_length_mismatch(&self) -> Option<f64> {
        let requested = self.requested_output_tokens.filter(|requested| *requested > 0).map(f64::from)?;
        Some((f64::from(self.output_tokens()?) - requested) / requested * 100.0)
    }

    fn output_tokens(&self) -> Option<u32> {
        self.answer.output_tokens.map(|tokens| tokens.count)
    }

    fn input_tokens(&self) -> Option<u32> {
        self.answer.input_tokens.map(|tokens| tokens.count)
    }

    /// The arrival times of content, or none if the answer came in one piece and its parts have no times.
    fn streamed_content(&self) -> Option<&[u64]> {
        self.answer.streamed.then_some(self.answer.content.as_slice())
    }
}

/// The time between two moments in nanoseconds, or none if they are in the wrong order.
pub(crate) fn milliseconds(from: u64, to: u64) -> Option<f64> {
    Some(to.checked_sub(from)? as f64 / NANOSECONDS_PER_MILLISECOND)
}

/// How many per second, or none if they took no time.
fn per_second(count: f64, milliseconds: f64) -> Option<f64> {
    (milliseconds > 0.0).then(|| count / milliseconds * MILLISECONDS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, MS};
    use aiperf_model::catalogue::Scope;
    use aiperf_model::record::FailureKind;

    fn value(record: &Record, metric: MetricId) -> Option<f64> {
        record_metrics(record).one(metric)
    }

    #[test]
    fn a_streamed_answer_has_every_time() {
        // Due at 0, sent at 1 ms; content at 31, 41, 61 and 81 ms; 5 output tokens.
        let record = testing::streamed(0, MS, &[31, 41, 61, 81], 5);
        let table = [
            (MetricId::SendDelay, 1.0),
            (MetricId::TimeToFirstByte, 20.0),
            (MetricId::TimeToFirstToken, 30.0),
            (MetricId::TimeToSecondToken, 10.0),
            (MetricId::TimeToFirstOutputToken, 30.0),
            (MetricId::RequestLatency, 80.0),
            (MetricId::DecodeDuration, 50.0),
            (MetricId::InterTokenLatency, 12.5),
            (MetricId::OutputTokenThroughputPerUser, 80.0),
            (MetricId::EndToEndOutputTokenThroughput, 62.5),
            (MetricId::PrefillThroughputPerUser, 4000.0),
            (MetricId::InputSequenceLength, 120.0),
            (MetricId::OutputSequenceLength, 5.0),
            (MetricId::OutputTokenCount, 5.0),
        ];
        for (metric, expected) in table {
            assert_eq!(value(&record, metric), Some(expected), "{metric:?}");
        }
        let metrics = record_metrics(&record);
        let gaps = metrics.values.iter().find(|(metric, _)| *metric == MetricId::InterChunkLatency);
        assert_eq!(gaps.unwrap().1, MetricValue::Many(vec![10.0, 20.0, 20.0]));
    }

    #[test]
    fn the_second_clock_runs_from_the_schedule_and_only_where_there_is_one() {
        let both = [MetricId::EffectiveTimeToFirstToken, MetricId::EffectiveLatency];
        // Due at 2 ms, sent at 10 ms.
        let mut streamed = testing::streamed(2 * MS, 10 * MS, &[31, 41], 2);
        let mut whole = testing::unary(10, 80, 5);
        for record in [&streamed, &whole] {
            assert_eq!(both.map(|metric| value(record, metric)), [None, None]);
        }
        streamed.timing.scheduled = true;
        whole.timing.scheduled = true;
        whole.timing.due = 3 * MS;
        assert_eq!(both.map(|metric| value(&streamed, metric)), [Some(29.0), Some(39.0)]);
        assert_eq!(both.map(|metric| value(&whole, metric)), [None, Some(77.0)]);
        assert_eq!(value(&streamed, MetricId::RequestLatency), Some(31.0));
        streamed.timing.ready = 7 * MS;
        assert_eq!(value(&streamed, MetricId::LimitWait), Some(5.0));
        assert_eq!(value(&streamed, MetricId::SendDelay), Some(3.0));
        streamed.timing.connect_wait = 2 * MS;
        assert_eq!(value(&streamed, MetricId::SendDelay), Some(1.0));
        assert_eq!(value(&testing::unary(10, 80, 5), MetricId::LimitWait), None);
    }

    #[test]
    fn metrics_come_in_the_order_of_the_catalogue_and_none_is_one_of_runs() {
        let metrics = record_metrics(&testing::streamed(0, 0, &[10, 20, 30], 3));
        assert!(metrics.values.iter().map(|(metric, _)| metric).is_sorted());
        assert!(metrics.values.iter().all(|(metric, _)| metric.metric().scope != Scope::Run));
    }

    #[test]
    fn an_answer_in_one_piece_ends_with_its_last_byte_and_has_no_token_times() {
        let record = testing::unary(0, 80, 5);
        assert_eq!(value(&record, MetricId::RequestLatency), Some(80.0));
        assert_eq!(value(&record, MetricId::EndToEndOutputTokenThroughput), Some(62.5));
        for metric in [
            MetricId::TimeToFirstToken,
            MetricId::TimeToSecondToken,
            MetricId::TimeToFirstOutputToken,
            MetricId::InterTokenLatency,
            MetricId::DecodeDuration,
            MetricId::OutputTokenThroughputPerUser,
            MetricId::PrefillThroughputPerUser,
        ] {
            assert_eq!(value(&record, metric), None, "{metric:?}");
        }
    }

    #[test]
    fn a_streamed_answer_without_content_has_no_latency() {
        let record = testing::streamed(0, 0, &[], 0);
        for metric in [MetricId::TimeToFirstToken, MetricId::RequestLatency, MetricId::DecodeDuration] {
            assert_eq!(value(&record, metric), None, "{metric:?}");
        }
    }

    #[test]
    fn one_output_token_has_no_inter_token_latency() {
        let record = testing::streamed(0, 0, &[10], 1);
        assert_eq!(value(&record, MetricId::TimeToFirstToken), Some(10.0));
        assert_eq!(value(&record, MetricId::InterTokenLatency), None);
        assert!(
            !record_metrics(&record).values.iter().any(|(metric, _)| *metric == MetricId::InterChunkLatency)
        );
    }

    #[test]
    fn an_answer_in_no_time_has_no_rate() {
        let record = testing::streamed(0, 0, &[0, 0], 4);
        assert_eq!(value(&record, MetricId::InterTokenLatency), Some(0.0));
        for metric in [
            MetricId::OutputTokenThroughputPerUser,
            MetricId::EndToEndOutputTokenThroughput,
            MetricId::PrefillThroughputPerUser,
        ] {
            assert_eq!(value(&record, metric), None, "{metric:?}");
        }
    }

    #[test]
    fn times_in_the_wrong_order_are_no_times() {
        assert_eq!(value(&testing::streamed(0, 20 * MS, &[10], 1), MetricId::TimeToFirstToken), None);
    }

    #[test]
    fn reasoning_is_told_from_output() {
        let mut record = testing::streamed(0, 0, &[10, 20, 30], 9);
        let answer = record.outcome.as_mut().unwrap();
        answer.first_output = Some(30 * MS);
        assert_eq!(value(&record, MetricId::TimeToFirstOutputToken), Some(30.0));
        assert_eq!(value(&record, MetricId::OutputTokenCount), None, "reasoning was seen but not counted");

        record.outcome.as_mut().unwrap().usage =
            Some(Usage { reasoning_tokens: Some(6), ..Usage::default() });
        assert_eq!(value(&record, MetricId::ReasoningTokenCount), Some(6.0));
        assert_eq!(value(&record, MetricId::OutputTokenCount), Some(3.0));
        assert_eq!(value(&record, MetricId::OutputSequenceLength), Some(9.0));
    }

    #[test]
    fn the_server_s_counts_are_there_only_where_it_reports_them() {
        let mut record = testing::streamed(0, 0, &[10], 1);
        record.outcome.as_mut().unwrap().usage = Some(Usage { input_tokens: Some(7), ..Usage::default() });
        assert_eq!(value(&record, MetricId::UsagePromptTokens), Some(7.0));
        assert_eq!(value(&record, MetricId::UsageCompletionTokens), None);
        assert_eq!(value(&record, MetricId::UsagePromptCacheReadTokens), None);
    }

    #[test]
    fn the_length_may_miss_what_was_asked_either_way() {
        let mut record = testing::streamed(0, 0, &[10, 20], 8);
        record.requested_output_tokens = Some(10);
        assert_eq!(value(&record, MetricId::RequestedOutputSequenceLength), Some(10.0));
        assert_eq!(value(&record, MetricId::OslMismatch), Some(-20.0));
        record.requested_output_tokens = Some(4);
        assert_eq!(value(&record, MetricId::OslMismatch), Some(100.0));
        record.requested_output_tokens = Some(0);
        assert_eq!(value(&record, MetricId::OslMismatch), None);
    }

    #[test]
    fn failed_and_cancelled_requests_have_no_metrics() {
        for kind in [FailureKind::Status, FailureKind::Cancelled] {
            assert_eq!(record_metrics(&testing::failed(kind)), RecordMetrics::default());
        }
    }
}
