//! How many records a second the JSONL writer takes: `cargo run --release -p aiperf-artifacts --example record_rate`.
//!
//! Writes records of 33 output events, as a streamed answer of that length gives them, into a temporary folder.

use aiperf_artifacts::RecordsWriter;
use aiperf_model::catalogue::MetricId;
use aiperf_model::metrics::{MetricValue, RecordMetrics};
use aiperf_model::record::{Answer, Phase, Record, RunClock, Timing, TokenCount, TokenSource};
use std::time::Instant;

const RECORDS: u32 = 500_000;
const GAPS: u64 = 32;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("profile_export.jsonl");
    let (mut record, metrics) = (record(), metrics());
    let started = Instant::now();
    let mut writer = RecordsWriter::create(
        &path,
        RunClock { origin_unix_ns: 1_736_937_045_000_000_000 },
        &[Phase::Profiling],
    )?;
    for request in 0..RECORDS {
        record.timing.request = request;
        writer.write(&record, &metrics)?;
    }
    let written = started.elapsed();
    writer.finish()?;
    let synced = started.elapsed();
    let size = std::fs::metadata(&path)?.len();
    println!(
        "{:.0} records/s ({:.0} with the final sync), {} bytes per record, {:.0} MB/s",
        f64::from(RECORDS) / written.as_secs_f64(),
        f64::from(RECORDS) / synced.as_secs_f64(),
        size / u64::from(RECORDS),
        size as f64 / 1e6 / written.as_secs_f64(),
    );
    Ok(())
}

fn record() -> Record {
    let tokens = |count| Some(TokenCount { count, source: TokenSource::Server });
    Record {
        timing: Timing {
            request: 0,
            conversation: 0,
            turn: 0,
            phase: Phase::Profiling,
            worker: 0,
            due: 1_000_000,
            scheduled: false,
            ready: 0,
            send: Some(1_012_345),
            first_byte: Some(30_123_456),
            end: 300_234_567,
            status: Some(200),
            connect: None,
            connect_wait: 0,
            reused_connection: true,
            retries: 0,
        },
        requested_output_tokens: Some(33),
        outcome: Ok(Answer {
            content: (0..=GAPS).map(|n| 31_000_000 + n * 8_123_457).collect(),
            first_output: Some(31_000_000),
            streamed: true,
            input_tokens: tokens(550),
            output_tokens: tokens(33),
            usage: None,
            finish_reason: Some("length".to_owned()),
            odd_events: 0,
        }),
    }
}

fn metrics() -> RecordMetrics {
    let one = |id, value| (id, MetricValue::One(value));
    RecordMetrics {
        values: vec![
            one(MetricId::TimeToFirstToken, 29.987_655),
            one(MetricId::TimeToSecondToken, 8.123_457),
            one(MetricId::InterTokenLatency, 8.123_457),
            (
                MetricId::InterChunkLatency,
                MetricValue::Many((0..GAPS).map(|n| 8.0 + n as f64 * 0.012_345).collect()),
            ),
            one(MetricId::RequestLatency, 289.938_279),
            one(MetricId::SendDelay, 0.012_345),
            one(MetricId::OutputTokenThroughputPerUser, 123.100_300_523_804),
            one(MetricId::OutputSequenceLength, 33.0),
            one(MetricId::InputSequenceLength, 550.0),
        ],
    }
}
