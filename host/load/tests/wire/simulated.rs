//! Runs against the simulator, which says exactly what a client can have seen.

use crate::endpoint::Chat;
use crate::{answer, run_all, workload_spec};
use aiperf_load::{Length, Processing, RunSpec, Transport, WorkloadSpec};
use aiperf_model::record::{TokenCount, TokenSource};
use aiperf_simulator::{Settings, Simulator};
use std::time::Duration;

const TTFT_MS: u64 = 20;
const ITL_MS: u64 = 4;

fn spec(simulator: &Simulator) -> RunSpec {
    RunSpec {
        urls: vec![simulator.base_url().parse().unwrap()],
        endpoint_path: None,
        transport: Transport::default(),
        headers: vec![],
        concurrency: Some(4),
        request_rate: None,
        concurrency_ramp: Duration::ZERO,
        request_rate_ramp: Duration::ZERO,
        schedule: None,
        conversations: None,
        seed: 42,
        arrival_seed: 42,
        requests: Some(16),
        duration: None,
        may_end_early: false,
        grace_period: Duration::from_secs(5),
        request_timeout: Duration::from_mins(1),
        unreachable_timeout: Duration::from_secs(5),
        cancellation: None,
        warm_up: true,
        workers: Some(2),
        processing: Processing::default(),
    }
}

fn start(faults: &str) -> Simulator {
    let query = format!("ttft-ms={TTFT_MS}&itl-ms={ITL_MS}&itl-slope-ms=0&prefill-rate=1000000000{faults}");
    Simulator::start(Settings::from_query(&query).unwrap(), ([127, 0, 0, 1], 0).into()).unwrap()
}

#[test]
fn no_token_is_seen_before_its_time_and_none_is_lost() {
    for faults in ["", "&close-after-stream=true"] {
        let simulator = start(faults);
        let lengths = Length { mean: 30.0, std_dev: 8.0 };
        let workload =
            WorkloadSpec { input_length: lengths, output_length: Some(lengths), ..workload_spec(16) };
        let (outcome, records) = run_all(&spec(&simulator), &workload, Chat::new()).unwrap();
        assert_eq!(outcome.counts.succeeded, 16, "{records:?}");
        for record in &records {
            let (answer, asked) = (answer(record), record.requested_output_tokens.unwrap());
            assert_eq!(answer.output_tokens, Some(TokenCount { count: asked, source: TokenSource::Server }));
            assert_eq!(answer.content.len(), asked as usize);
            for (token, at) in (0..).zip(&answer.content) {
                let earliest = record.timing.send.unwrap() + (TTFT_MS + ITL_MS * token) * 1_000_000;
                assert!(*at >= earliest, "token {token} at {at}, {record:?}");
            }
        }
    }
}

#[test]
fn the_server_counts_as_many_prompt_tokens_as_were_asked_for() {
    let simulator = start("");
    let (_, records) = run_all(&spec(&simulator), &workload_spec(16), Chat::new()).unwrap();
    let ten = TokenCount { count: 10, source: TokenSource::Server };
    assert!(records.iter().all(|record| answer(record).input_tokens == Some(ten)), "{records:?}");
}
