//! Load that grows before it is measured.

use crate::endpoint::Chat;
use crate::server::Server;
use crate::{TOKEN, run_all, run_spec, workload_spec};
use aiperf_load::{RunSpec, WorkloadSpec};
use aiperf_model::arrival::{ArrivalPattern, RequestRate};
use aiperf_model::record::{Phase, Record};
use std::collections::HashSet;
use std::time::Duration;

const RAMP: Duration = Duration::from_millis(200);
const HOUR: Duration = Duration::from_hours(1);

fn streaming_server() -> Server {
    Server::answering(|peer| peer.stream(&[TOKEN, "[DONE]"]))
}

fn of_phase(records: &[Record], phase: Phase) -> impl Iterator<Item = &Record> {
    records.iter().filter(move |record| record.timing.phase == phase)
}

#[test]
fn requests_in_flight_grow_one_by_one_and_only_what_follows_is_profiling() {
    const SLOTS: u64 = 9;
    let server = streaming_server();
    let spec = RunSpec {
        concurrency: Some(SLOTS as u32),
        concurrency_ramp: RAMP,
        requests: None,
        duration: Some(RAMP * 2),
        workers: Some(2),
        ..run_spec(&server, 1)
    };
    let workload = WorkloadSpec { warmup_requests: 20, ..workload_spec(10) };
    let (outcome, records) = run_all(&spec, &workload, Chat::new()).unwrap();

    let begin = outcome.start - RAMP.as_nanos() as u64;
    let step = RAMP.as_nanos() as u64 / (SLOTS - 1);
    let ramp: Vec<_> = of_phase(&records, Phase::Ramp).collect();
    assert!(!ramp.is_empty());
    for record in &ramp {
        let at = record.timing.due;
        assert!(begin <= at && at < outcome.start);
        let in_flight =
            ramp.iter().filter(|other| other.timing.due <= at && at < other.timing.end).count() as u64;
        assert!(in_flight <= 1 + (at - begin) / step, "{in_flight} in flight after {} ns", at - begin);
    }
    assert!(of_phase(&records, Phase::Profiling).all(|record| record.timing.due >= outcome.start));
    assert_eq!(of_phase(&records, Phase::Profiling).count() as u64, outcome.counts.sent);
    assert_eq!(of_phase(&records, Phase::Warmup).count(), 20);
    let connections: HashSet<_> = server.requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections.len() as u64, SLOTS);
}

#[test]
fn a_rate_grows_from_nothing_and_is_kept_then() {
    let server = streaming_server();
    let spec = RunSpec {
        concurrency: None,
        request_rate: Some(RequestRate { per_second: 1000.0, pattern: ArrivalPattern::Constant }),
        request_rate_ramp: RAMP,
        ..run_spec(&server, 150)
    };
    let (outcome, records) = run_all(&spec, &workload_spec(150), Chat::new()).unwrap();
    let begin = outcome.start - RAMP.as_nanos() as u64;
    let mut due: Vec<_> = records.iter().map(|record| record.timing.due - begin).collect();
    due.sort_unstable();
    // Half of the 200 requests that the rate would have sent by then, then one each millisecond.
    assert_eq!(of_phase(&records, Phase::Ramp).count(), 100);
    assert_eq!(of_phase(&records, Phase::Profiling).count(), 50);
    assert_eq!(due[25], RAMP.as_nanos() as u64 / 2);
    assert!(due[100..].iter().zip(200..).all(|(due, millisecond)| *due == millisecond * 1_000_000));
}

#[test]
fn a_run_that_ends_in_its_ramp_does_not_wait_for_the_rest_of_it() {
    let server = streaming_server();
    let long =
        RunSpec { concurrency: Some(4), concurrency_ramp: HOUR, workers: Some(2), ..run_spec(&server, 20) };
    let ended_by_time = RunSpec { requests: None, duration: Some(Duration::from_millis(30)), ..long.clone() };
    for spec in [long, ended_by_time] {
        let (outcome, records) = run_all(&spec, &workload_spec(20), Chat::new()).unwrap();
        assert!(!records.is_empty());
        assert_eq!(of_phase(&records, Phase::Ramp).count(), records.len());
        assert_eq!(outcome.counts.sent, 0);
    }
}
