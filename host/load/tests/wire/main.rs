//! Runs over real sockets, against servers that behave well and badly.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

mod closed_loop;
mod connections;
mod conversations;
mod datasets;
mod endpoint;
mod faults;
mod http2;
mod open_loop;
mod processing;
mod ramps;
mod server;
mod simulated;
mod streams;
mod tls;

use aiperf_load::{
    BodyMemory, Clock, Control, Length, LoadError, Processing, RunOutcome, RunSpec, Transport, Workload,
    WorkloadSpec, run,
};
use aiperf_model::plugin::Endpoint;
use aiperf_model::record::{Answer, Failure, Record};
use endpoint::Chat;
use server::Server;
use std::sync::Arc;
use std::time::Duration;

/// One token of a streamed answer.
const TOKEN: &str = r#"{"choices":[{"delta":{"content":"word"}}]}"#;
/// The end of a streamed answer that says how many tokens it had.
const USAGE: &str = r#"{"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":2}}"#;
/// A whole answer.
const MESSAGE: &str = r#"{"choices":[{"message":{"content":"two words"},"finish_reason":"stop"}]}"#;

fn workload_spec(requests: u32) -> WorkloadSpec {
    WorkloadSpec {
        model: "m".into(),
        seed: 42,
        prompt_salt: String::new(),
        requests,
        warmup_requests: 0,
        dataset: None,
        conversation: None,
        input_length: Length { mean: 10.0, std_dev: 0.0 },
        output_length: Some(Length { mean: 2.0, std_dev: 0.0 }),
        streaming: true,
        extra: None,
        body_memory: BodyMemory::in_folder(std::env::temp_dir()),
    }
}

fn run_spec(server: &Server, requests: u32) -> RunSpec {
    RunSpec {
        urls: vec![server.url().parse().unwrap()],
        endpoint_path: None,
        transport: Transport::default(),
        headers: vec![],
        concurrency: Some(1),
        request_rate: None,
        concurrency_ramp: Duration::ZERO,
        request_rate_ramp: Duration::ZERO,
        schedule: None,
        conversations: None,
        seed: 42,
        arrival_seed: 42,
        requests: Some(requests),
        duration: None,
        may_end_early: false,
        grace_period: Duration::from_secs(30),
        request_timeout: Duration::from_mins(1),
        unreachable_timeout: Duration::from_millis(100),
        cancellation: None,
        warm_up: true,
        workers: None,
        processing: Processing::default(),
    }
}

/// Runs a workload; the records come sorted by phase and position.
fn run_all(
    spec: &RunSpec,
    workload: &WorkloadSpec,
    endpoint: Chat,
) -> Result<(RunOutcome, Vec<Record>), LoadError> {
    run_with(spec, workload, endpoint, &Control::new())
}

fn run_with(
    spec: &RunSpec,
    workload: &WorkloadSpec,
    endpoint: Chat,
    control: &Control,
) -> Result<(RunOutcome, Vec<Record>), LoadError> {
    let endpoint: Arc<dyn Endpoint> = Arc::new(endpoint);
    let workload = Workload::prepare(workload, &*endpoint)?;
    let mut records = vec![];
    let outcome = run(Clock::start(), spec, &workload, &endpoint, control, &mut |record| {
        records.push(record);
        Ok(())
    })?;
    records.sort_by_key(|record| (record.timing.phase as u8, record.timing.request));
    Ok((outcome, records))
}

/// Sends so many streaming requests, one at a time.
fn records_of(server: &Server, requests: u32) -> Vec<Record> {
    let (outcome, records) =
        run_all(&run_spec(server, requests), &workload_spec(requests), Chat::new()).unwrap();
    assert_eq!(records.len() as u64, outcome.counts.sent);
    for record in &records {
        let timing = record.timing;
        assert!(timing.send.is_none_or(|send| timing.due <= send && send <= timing.end), "{timing:?}");
        assert!(
            timing.first_byte.is_none_or(|at| timing.send.unwrap() <= at && at <= timing.end),
            "{timing:?}"
        );
    }
    records
}

fn answer(record: &Record) -> &Answer {
    record.outcome.as_ref().unwrap()
}

fn failure(record: &Record) -> &Failure {
    record.outcome.as_ref().unwrap_err()
}
