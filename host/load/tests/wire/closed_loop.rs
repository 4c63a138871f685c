//! How a run goes: order, concurrency, phases, ends, and what is sent.

use crate::endpoint::Chat;
use crate::server::Server;
use crate::{TOKEN, failure, run_all, run_spec, run_with, workload_spec};
use aiperf_load::{BodyMemory, Clock, Control, Counts, LoadError, RunSpec, Workload, WorkloadSpec, run};
use aiperf_model::plugin::Endpoint;
use aiperf_model::record::{FailureKind, Phase};
use aiperf_model::request::Header;
use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

fn streaming_server() -> Server {
    Server::answering(|peer| peer.stream(&[TOKEN, TOKEN, "[DONE]"]))
}

#[test]
fn every_request_is_sent_once_with_its_own_body() {
    let server = streaming_server();
    let spec = RunSpec { concurrency: Some(7), workers: Some(3), ..run_spec(&server, 100) };
    let workload = WorkloadSpec { warmup_requests: 20, ..workload_spec(100) };
    let (outcome, records) = run_all(&spec, &workload, Chat::new()).unwrap();
    assert_eq!(outcome.counts, Counts { sent: 100, succeeded: 100, failed: 0, cancelled: 0 });
    assert_eq!(records.len(), 120);
    let bodies: HashSet<_> = server.requests().into_iter().map(|request| request.body).collect();
    assert_eq!(bodies.len(), 120);
    let workers: HashSet<_> = records.iter().map(|record| record.timing.worker).collect();
    assert_eq!(workers, HashSet::from([0, 1, 2]));
    let connections: HashSet<_> = server.requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections.len(), 7);
}

#[test]
fn warm_up_ends_before_profiling_begins_and_can_be_left_out() {
    let server = streaming_server();
    // The slots of one worker all have a request before the first is answered; a second worker might come too late.
    let spec = RunSpec { concurrency: Some(4), workers: Some(1), ..run_spec(&server, 10) };
    let workload = WorkloadSpec { warmup_requests: 10, ..workload_spec(10) };
    let (outcome, records) = run_all(&spec, &workload, Chat::new()).unwrap();
    let (warmup, profiling): (Vec<_>, Vec<_>) =
        records.iter().map(|record| record.timing).partition(|timing| timing.phase == Phase::Warmup);
    assert_eq!((warmup.len(), profiling.len()), (10, 10));
    let last_warmup = warmup.iter().map(|timing| timing.end).max().unwrap();
    assert!(profiling.iter().all(|timing| timing.send.unwrap() > last_warmup));
    assert!(profiling.iter().all(|timing| outcome.start <= timing.due && timing.end <= outcome.end));
    // Connections stay open between the phases.
    assert!(profiling.iter().all(|timing| timing.reused_connection));

    let (_, records) = run_all(&RunSpec { warm_up: false, ..spec }, &workload, Chat::new()).unwrap();
    assert!(records.iter().all(|record| record.timing.phase == Phase::Profiling));
}

#[test]
fn as_many_requests_are_in_flight_as_asked_for() {
    const CONCURRENCY: usize = 8;
    // Nobody is answered before all are there, and the next ones again.
    let waiting = Arc::new((Mutex::new(0), std::sync::Condvar::new()));
    let most = Arc::new(AtomicUsize::new(0));
    let (server_most, in_flight) = (Arc::clone(&most), AtomicUsize::new(0));
    let server = Server::answering(move |peer| {
        server_most.fetch_max(in_flight.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let (count, arrived) = &*waiting;
        let mut count = count.lock().unwrap();
        *count += 1;
        arrived.notify_all();
        let round = (*count - 1) / CONCURRENCY + 1;
        drop(arrived.wait_while(count, |count| *count < round * CONCURRENCY).unwrap());
        in_flight.fetch_sub(1, Ordering::SeqCst);
        peer.stream(&[TOKEN, "[DONE]"]);
    });
    let spec = RunSpec { concurrency: Some(CONCURRENCY as u32), ..run_spec(&server, 32) };
    let (outcome, _) = run_all(&spec, &workload_spec(32), Chat::new()).unwrap();
    assert_eq!(outcome.counts.succeeded, 32);
    assert_eq!(most.load(Ordering::SeqCst), CONCURRENCY);
}

#[test]
fn the_next_request_is_due_when_the_last_one_has_ended() {
    let server = streaming_server();
    let (_, records) = run_all(&run_spec(&server, 20), &workload_spec(20), Chat::new()).unwrap();
    assert!(records.windows(2).all(|pair| pair[0].timing.end <= pair[1].timing.due));
    assert!(records.iter().all(|record| record.timing.send.unwrap() > record.timing.due));
    assert!(!records[0].timing.reused_connection);
    assert!(records[1..].iter().all(|record| record.timing.reused_connection));
}

#[test]
fn a_request_carries_our_headers_the_format_s_and_the_user_s() {
    let server = streaming_server();
    let header = |name: &str, value: &str| Header { name: name.into(), value: value.into() };
    let headers = vec![header("authorization", "Bearer key"), header("User-Agent", "mine")];
    let spec = RunSpec { headers, ..run_spec(&server, 1) };
    run_all(&spec, &workload_spec(1), Chat::new()).unwrap();
    let request = &server.requests()[0];
    assert_eq!(request.head[0], "POST /v1/chat/completions HTTP/1.1");
    for (name, value) in [
        ("host", server.address.to_string().as_str()),
        ("content-type", "application/json"),
        ("accept", "text/event-stream"),
        ("authorization", "Bearer key"),
        ("user-agent", "mine"),
        ("x-format", "chat"),
        ("content-length", request.body.len().to_string().as_str()),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
}

#[test]
fn the_path_is_that_of_the_user_or_of_the_format() {
    let server = streaming_server();
    let elsewhere = WorkloadSpec { model: "elsewhere".into(), ..workload_spec(1) };
    run_all(&run_spec(&server, 1), &elsewhere, Chat::new()).unwrap();
    let set = RunSpec { endpoint_path: Some("/mine".into()), ..run_spec(&server, 1) };
    run_all(&set, &elsewhere, Chat::new()).unwrap();
    let full = format!("{}/v1/chat/completions", server.url());
    run_all(
        &RunSpec { urls: vec![full.parse().unwrap()], ..run_spec(&server, 1) },
        &workload_spec(1),
        Chat::new(),
    )
    .unwrap();
    let paths: Vec<_> = server
        .requests()
        .iter()
        .map(|request| request.head[0].split(' ').nth(1).unwrap().to_owned())
        .collect();
    // The probes of the later runs are connections without a request.
    assert_eq!(paths, ["/elsewhere", "/mine", "/v1/chat/completions"]);
}

#[test]
fn slots_are_spread_over_several_servers() {
    let (one, two) = (streaming_server(), streaming_server());
    let spec = RunSpec {
        urls: vec![one.url().parse().unwrap(), two.url().parse().unwrap()],
        concurrency: Some(2),
        // Both slots have a request before the first is answered; a second worker might come too late.
        workers: Some(1),
        ..run_spec(&one, 2)
    };
    let workload = WorkloadSpec { warmup_requests: 0, ..workload_spec(2) };
    let (outcome, _) = run_all(&RunSpec { requests: Some(40), ..spec }, &workload, Chat::new()).unwrap();
    assert_eq!(outcome.counts.succeeded, 40);
    assert_eq!(one.requests().len() + two.requests().len(), 40);
    assert!(!one.requests().is_empty() && !two.requests().is_empty());
}

#[test]
fn a_duration_ends_a_run_and_no_prompt_is_sent_twice() {
    let server = streaming_server();
    let spec = RunSpec {
        requests: None,
        duration: Some(Duration::from_millis(100)),
        concurrency: Some(2),
        ..run_spec(&server, 1)
    };
    let (outcome, records) = run_all(&spec, &workload_spec(5), Chat::new()).unwrap();
    assert!(outcome.counts.succeeded > 5, "{outcome:?}");
    assert!(!outcome.cancelled);
    let stop_at = outcome.start + 100_000_000;
    assert!(records.iter().all(|record| record.timing.due < stop_at));
    let requests = server.requests();
    let prompts: HashSet<_> = requests.iter().map(|request| prompt(&request.body)).collect();
    assert_eq!(prompts.len(), requests.len());
    assert!(prompts.iter().all(|prompt| prompt.split(' ').count() == 10), "{prompts:?}");
    let rests: HashSet<_> = prompts.iter().map(|prompt| prompt.splitn(5, ' ').last()).collect();
    assert_eq!(rests.len(), 5);
}

fn prompt(body: &[u8]) -> String {
    let body: serde_json::Value = serde_json::from_slice(body).unwrap();
    body["messages"][0]["content"].as_str().unwrap().to_owned()
}

#[test]
fn what_is_in_flight_after_duration_and_grace_period_is_cancelled() {
    let server = Server::answering(|peer| {
        peer.begin_stream();
        peer.chunk(format!("data: {TOKEN}\n\n"));
        peer.wait_for_close();
    });
    let spec = RunSpec {
        requests: None,
        duration: Some(Duration::from_millis(20)),
        grace_period: Duration::from_millis(20),
        concurrency: Some(3),
        ..run_spec(&server, 1)
    };
    let (outcome, records) = run_all(&spec, &workload_spec(3), Chat::new()).unwrap();
    assert_eq!(outcome.counts, Counts { sent: 3, succeeded: 0, failed: 0, cancelled: 3 });
    for record in &records {
        assert_eq!(failure(record).kind, FailureKind::Cancelled);
        assert_eq!(failure(record).status, Some(200));
        assert!(record.timing.end >= outcome.start + 40_000_000);
    }
}

#[test]
fn stop_lets_requests_in_flight_end_and_abort_does_not() {
    for (abort, succeeded) in [(false, 2), (true, 0)] {
        let control = Control::new();
        let (server_control, order) = (control.clone(), mpsc::channel::<()>());
        let first = Mutex::new(Some(order.0));
        let server = Server::answering(move |peer| {
            peer.begin_stream();
            // The first request gives the order; no other is answered before it was given.
            if first.lock().unwrap().take().is_some() {
                if abort { server_control.abort() } else { server_control.stop() }
            }
            if abort {
                peer.wait_for_close();
            }
            peer.chunk(format!("data: {TOKEN}\n\ndata: [DONE]\n\n"));
            peer.end_stream();
        });
        let spec = RunSpec { concurrency: Some(2), workers: Some(1), ..run_spec(&server, 1_000_000) };
        let (outcome, _) = run_with(&spec, &workload_spec(2), Chat::new(), &control).unwrap();
        assert!(outcome.cancelled);
        assert!(outcome.counts.sent < 1_000_000);
        assert_eq!(outcome.counts.failed, 0);
        if abort {
            assert_eq!(outcome.counts, Counts { sent: 2, succeeded, failed: 0, cancelled: 2 });
        } else {
            assert!(outcome.counts.succeeded >= 1 && outcome.counts.cancelled == 0, "{outcome:?}");
        }
        let progress = control.progress();
        assert_eq!((progress.sent, progress.in_flight), (outcome.counts.sent, 0));
        assert_eq!(progress.completed, outcome.counts.succeeded);
        assert_eq!(progress.total, Some(1_000_000));
    }
}

#[test]
fn a_sink_that_fails_ends_the_run() {
    let server = streaming_server();
    let endpoint: Arc<dyn Endpoint> = Arc::new(Chat::new());
    let workload = Workload::prepare(&workload_spec(10), &*endpoint).unwrap();
    let error = run(
        Clock::start(),
        &run_spec(&server, 10_000_000),
        &workload,
        &endpoint,
        &Control::new(),
        &mut |_| Err(io::Error::other("disk full")),
    )
    .unwrap_err();
    assert_eq!(error.to_string(), "a record could not be written: disk full");
}

#[test]
fn a_run_without_an_end_or_a_slot_is_refused() {
    let server = streaming_server();
    for spec in [
        RunSpec { requests: None, ..run_spec(&server, 1) },
        RunSpec { concurrency: Some(0), ..run_spec(&server, 1) },
        RunSpec { urls: vec![], ..run_spec(&server, 1) },
    ] {
        let error = run_all(&spec, &workload_spec(1), Chat::new()).unwrap_err();
        assert!(matches!(error, LoadError::Empty(_)), "{error}");
    }
    let error = run_all(&run_spec(&server, 1), &workload_spec(0), Chat::new()).unwrap_err();
    assert!(matches!(error, LoadError::Empty(_)), "{error}");
}

#[test]
fn bodies_that_do_not_fit_into_memory_are_sent_all_the_same() {
    let sent = |resident| {
        let server = streaming_server();
        let body_memory = BodyMemory { resident, folder: std::env::temp_dir() };
        let workload = WorkloadSpec { warmup_requests: 50, body_memory, ..workload_spec(500) };
        let spec = RunSpec { concurrency: Some(8), ..run_spec(&server, 700) };
        let (outcome, _) = run_all(&spec, &workload, Chat::new()).unwrap();
        assert_eq!(outcome.counts.succeeded, 700);
        let mut bodies: Vec<_> = server.requests().into_iter().map(|request| request.body).collect();
        bodies.sort();
        bodies
    };
    assert_eq!(sent(0), sent(u64::MAX));
}

#[test]
fn a_workload_is_the_same_with_any_number_of_requests() {
    let endpoint = Chat::new();
    let bodies = |requests| {
        let workload = Workload::prepare(&workload_spec(requests), &endpoint).unwrap();
        workload.profiling_bodies(&endpoint, &Control::new()).take(10).collect::<Result<Vec<_>, _>>().unwrap()
    };
    assert_eq!(bodies(10), bodies(1_000));
    let refused = WorkloadSpec { model: "refused".into(), ..workload_spec(200) };
    let error = Workload::prepare(&refused, &endpoint).unwrap_err();
    assert_eq!(error.to_string(), "endpoint 'chat' could not build request 0: no such model");
}
