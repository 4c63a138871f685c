//! Requests that arrive by a schedule and do not wait for each other.

use crate::endpoint::Chat;
use crate::server::{Peer, Server};
use crate::{TOKEN, failure, run_all, run_spec, run_with, workload_spec};
use aiperf_load::{Control, Counts, RunSpec, Sockets, Transport, WorkloadSpec};
use aiperf_model::arrival::{ArrivalPattern, RequestRate};
use aiperf_model::record::{FailureKind, Phase, Record};
use std::collections::HashSet;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

fn rate(per_second: f64, pattern: ArrivalPattern) -> RequestRate {
    RequestRate { per_second, pattern }
}

/// An open loop without a limit of requests in flight.
fn open_loop(server: &Server, requests: u32, per_second: f64) -> RunSpec {
    RunSpec {
        concurrency: None,
        request_rate: Some(rate(per_second, ArrivalPattern::Poisson)),
        ..run_spec(server, requests)
    }
}

fn streaming_server() -> Server {
    Server::answering(|peer| peer.stream(&[TOKEN, "[DONE]"]))
}

/// A server that answers nobody before so many requests are there.
fn server_that_waits_for(requests: usize) -> Server {
    let arrived = Arc::new((Mutex::new(0), Condvar::new()));
    Server::answering(move |peer| {
        let (count, arrived) = &*arrived;
        let mut count = count.lock().unwrap();
        *count += 1;
        arrived.notify_all();
        drop(arrived.wait_while(count, |count| *count < requests).unwrap());
        peer.stream(&[TOKEN, "[DONE]"]);
    })
}

fn due(records: &[Record]) -> Vec<u64> {
    records.iter().map(|record| record.timing.due).collect()
}

#[test]
fn what_finds_no_room_for_its_connection_says_so_at_once() {
    let server = Server::answering(Peer::wait_for_close);
    let transport = Transport { sockets: Sockets::with_room(2), ..Transport::default() };
    let request_timeout = Duration::from_millis(500);
    let spec = RunSpec { transport, request_timeout, ..open_loop(&server, 20, 2000.0) };
    let (outcome, records) = run_all(&spec, &workload_spec(20), Chat::new()).unwrap();
    assert_eq!(outcome.counts.failed, 20);
    let failures: Vec<_> = records.iter().map(failure).collect();
    let timeouts = failures.iter().filter(|failure| failure.kind == FailureKind::Timeout);
    assert!(timeouts.count() >= 2, "{failures:#?}");
    let refused = failures.iter().find(|failure| failure.kind == FailureKind::Client).unwrap();
    assert!(refused.message.contains("2 are open") && refused.message.contains("ulimit -n"), "{refused}");
}

#[test]
fn all_requests_are_sent_although_none_is_answered() {
    let server = server_that_waits_for(100);
    let spec = RunSpec { workers: Some(2), ..open_loop(&server, 100, 2000.0) };
    let (outcome, records) = run_all(&spec, &workload_spec(100), Chat::new()).unwrap();
    assert_eq!(outcome.counts, Counts { sent: 100, succeeded: 100, failed: 0, cancelled: 0 });
    let workers: HashSet<_> = records.iter().map(|record| record.timing.worker).collect();
    assert_eq!(workers, HashSet::from([0, 1]));
    for (position, record) in (0..).zip(&records) {
        assert_eq!(record.timing.request, position);
        assert!(record.timing.scheduled && record.timing.due <= record.timing.send.unwrap(), "{record:?}");
        assert!(outcome.start <= record.timing.due, "{record:?}");
    }
}

#[test]
fn due_times_follow_from_the_seed_whatever_the_workers_and_the_server() {
    let offsets = |seed, workers, server: &Server| {
        let spec = RunSpec { arrival_seed: seed, workers: Some(workers), ..open_loop(server, 50, 5000.0) };
        let (outcome, records) = run_all(&spec, &workload_spec(50), Chat::new()).unwrap();
        due(&records).into_iter().map(|due| due - outcome.start).collect::<Vec<_>>()
    };
    let expected = offsets(1, 1, &streaming_server());
    assert!(expected.is_sorted());
    assert_eq!(offsets(1, 3, &server_that_waits_for(50)), expected);
    assert_ne!(offsets(2, 1, &streaming_server()), expected);
}

#[test]
fn a_constant_rate_is_due_at_equal_steps() {
    let server = streaming_server();
    let spec =
        RunSpec { request_rate: Some(rate(1000.0, ArrivalPattern::Constant)), ..open_loop(&server, 20, 0.0) };
    let (outcome, records) = run_all(&spec, &workload_spec(20), Chat::new()).unwrap();
    let expected: Vec<_> = (0..20).map(|position| outcome.start + position * 1_000_000).collect();
    assert_eq!(due(&records), expected);
}

#[test]
fn slots_are_used_again_and_connections_with_them() {
    let server = streaming_server();
    let (_, records) = run_all(&open_loop(&server, 300, 500.0), &workload_spec(300), Chat::new()).unwrap();
    let connections: HashSet<_> = server.requests().iter().map(|request| request.connection).collect();
    assert!(connections.len() < 300, "{} connections", connections.len());
    assert!(records.iter().any(|record| record.timing.reused_connection));
    assert!(!records[0].timing.reused_connection);
}

#[test]
fn a_limit_holds_requests_back_and_their_due_times_stay() {
    const STEP: u64 = 1_000_000;
    let most = Arc::new(Mutex::new((0, 0)));
    let seen = Arc::clone(&most);
    let server = Server::answering(move |peer| {
        {
            let (now, most) = &mut *seen.lock().unwrap();
            *now += 1;
            *most = (*most).max(*now);
        }
        peer.begin_stream();
        std::thread::sleep(Duration::from_millis(5));
        seen.lock().unwrap().0 -= 1;
        peer.chunk(format!("data: {TOKEN}\n\ndata: [DONE]\n\n"));
        peer.end_stream();
    });
    let spec = RunSpec {
        concurrency: Some(3),
        request_rate: Some(rate(1000.0, ArrivalPattern::Constant)),
        workers: Some(2),
        ..run_spec(&server, 60)
    };
    let (outcome, records) = run_all(&spec, &workload_spec(60), Chat::new()).unwrap();
    assert_eq!(outcome.counts.succeeded, 60);
    assert_eq!(most.lock().unwrap().1, 3);
    assert_eq!(due(&records), (0..60).map(|position| outcome.start + position * STEP).collect::<Vec<_>>());
    // 60 requests of 5 ms, 3 at a time, take 100 ms at least; the last one was due after 59 ms.
    let last = records.iter().map(|record| record.timing.send.unwrap() - record.timing.due).max().unwrap();
    assert!(last >= 30 * STEP, "{last}");
}

#[test]
fn a_duration_ends_an_open_loop() {
    let server = streaming_server();
    for requests in [None, Some(1_000_000)] {
        let spec = RunSpec {
            requests,
            duration: Some(Duration::from_millis(100)),
            request_rate: Some(rate(500.0, ArrivalPattern::Constant)),
            ..open_loop(&server, 1, 0.0)
        };
        let (outcome, records) = run_all(&spec, &workload_spec(5), Chat::new()).unwrap();
        let stop_at = outcome.start + 100_000_000;
        assert!(records.iter().all(|record| record.timing.due < stop_at));
        // On a machine that stands still the run may end before all are sent.
        assert!((1..=50).contains(&records.len()), "{}", records.len());
        assert!(!outcome.cancelled);
    }
}

#[test]
fn a_number_of_requests_ends_an_open_loop_before_its_duration() {
    let server = streaming_server();
    let spec = RunSpec { duration: Some(Duration::from_hours(1)), ..open_loop(&server, 10, 1000.0) };
    let (outcome, records) = run_all(&spec, &workload_spec(10), Chat::new()).unwrap();
    assert_eq!((outcome.counts.succeeded, records.len()), (10, 10));
}

#[test]
fn what_is_in_flight_after_the_grace_period_is_cancelled() {
    let server = Server::answering(|peer| {
        peer.begin_stream();
        peer.wait_for_close();
    });
    let spec = RunSpec {
        requests: None,
        duration: Some(Duration::from_millis(50)),
        grace_period: Duration::from_millis(20),
        ..open_loop(&server, 1, 200.0)
    };
    let (outcome, records) = run_all(&spec, &workload_spec(5), Chat::new()).unwrap();
    assert_eq!(outcome.counts.cancelled, outcome.counts.sent);
    assert!(outcome.counts.sent > 0);
    assert!(records.iter().all(|record| failure(record).kind == FailureKind::Cancelled));
}

#[test]
fn an_order_to_stop_ends_the_waiting_for_the_next_arrival() {
    let control = Control::new();
    let from_server = control.clone();
    let server = Server::answering(move |peer| {
        from_server.stop();
        peer.stream(&[TOKEN, "[DONE]"]);
    });
    // The second request is due in a quarter of an hour.
    let spec =
        RunSpec { request_rate: Some(rate(0.001, ArrivalPattern::Constant)), ..open_loop(&server, 10, 0.0) };
    let (outcome, records) = run_with(&spec, &workload_spec(10), Chat::new(), &control).unwrap();
    assert!(outcome.cancelled);
    assert_eq!((records.len(), outcome.counts.succeeded), (1, 1));
}

#[test]
fn the_warm_up_arrives_at_the_same_rate_and_before() {
    let server = streaming_server();
    let workload = WorkloadSpec { warmup_requests: 20, ..workload_spec(20) };
    let (outcome, records) = run_all(&open_loop(&server, 20, 1000.0), &workload, Chat::new()).unwrap();
    let (warmup, profiling): (Vec<_>, Vec<_>) =
        records.iter().map(|record| record.timing).partition(|timing| timing.phase == Phase::Warmup);
    assert_eq!((warmup.len(), profiling.len()), (20, 20));
    assert!(warmup.iter().all(|timing| timing.scheduled && timing.end < outcome.start));
    assert_ne!(
        warmup.iter().map(|timing| timing.due - warmup[0].due).collect::<Vec<_>>(),
        profiling.iter().map(|timing| timing.due - profiling[0].due).collect::<Vec<_>>()
    );
}

#[test]
fn a_closed_loop_has_no_schedule() {
    let server = streaming_server();
    let (_, records) = run_all(&run_spec(&server, 5), &workload_spec(5), Chat::new()).unwrap();
    assert!(records.iter().all(|record| !record.timing.scheduled));
}

#[test]
fn connections_that_close_after_each_answer_are_no_errors() {
    let server = Server::start(|mut peer| {
        if peer.request().is_some() {
            peer.stream(&[TOKEN, "[DONE]"]);
            peer.close();
        }
    });
    let (outcome, _) = run_all(&open_loop(&server, 40, 1000.0), &workload_spec(40), Chat::new()).unwrap();
    assert_eq!(outcome.counts.succeeded, 40);
}
