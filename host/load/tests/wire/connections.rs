//! What becomes of connections between requests.

use crate::endpoint::Chat;
use crate::server::{Peer, Server};
use crate::{TOKEN, records_of, run_all, run_spec, workload_spec};
use aiperf_load::{RunSpec, Transport, answers};
use aiperf_model::arrival::{ArrivalPattern, RequestRate};
use aiperf_model::connection::ConnectionReuse;
use aiperf_model::server::ServerUrl;
use std::collections::HashSet;
use std::time::Duration;

fn streaming_server() -> Server {
    Server::answering(|peer| peer.stream(&[TOKEN, "[DONE]"]))
}

fn never() -> Transport {
    Transport { reuse: ConnectionReuse::Never, ..Transport::default() }
}

#[test]
fn only_the_first_request_of_a_connection_has_opened_it() {
    let server = streaming_server();
    let records = records_of(&server, 3);
    assert!(records[0].timing.connect.is_some_and(|nanoseconds| nanoseconds > 0));
    assert!(records[1..].iter().all(|record| record.timing.connect.is_none()));
    assert!(server.requests().iter().all(|request| request.header("connection").is_none()));
}

#[test]
fn each_request_can_have_a_connection_of_its_own() {
    let server = streaming_server();
    let spec = RunSpec { transport: never(), concurrency: Some(3), ..run_spec(&server, 30) };
    let (outcome, records) = run_all(&spec, &workload_spec(30), Chat::new()).unwrap();
    assert_eq!(outcome.counts.succeeded, 30);
    for timing in records.iter().map(|record| record.timing) {
        assert!(!timing.reused_connection && timing.retries == 0, "{timing:?}");
        // Opening it is before the send, so it is in no latency.
        assert!(timing.connect.unwrap() <= timing.send.unwrap() - timing.due, "{timing:?}");
    }
    let requests = server.requests();
    assert_eq!(requests.iter().map(|request| request.connection).collect::<HashSet<_>>().len(), 30);
    assert!(requests.iter().all(|request| request.header("connection") == Some("close")));
}

#[test]
fn a_schedule_finds_connections_that_are_open_already() {
    let server = streaming_server();
    let request_rate = Some(RequestRate { per_second: 20.0, pattern: ArrivalPattern::Constant });
    let spec = RunSpec { transport: never(), concurrency: None, request_rate, ..run_spec(&server, 6) };
    let (outcome, records) = run_all(&spec, &workload_spec(6), Chat::new()).unwrap();
    assert_eq!(outcome.counts.succeeded, 6);
    assert!(records.iter().all(|record| record.timing.connect.is_some()));
    assert!(records.iter().all(|record| !record.timing.reused_connection));
}

#[cfg(unix)]
#[test]
fn a_server_may_listen_on_a_socket_of_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server.sock");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut peer = Peer::over(stream.unwrap());
            std::thread::spawn(move || {
                while let Some(request) = peer.request() {
                    assert_eq!(request.header("host"), Some("localhost"));
                    peer.stream(&[TOKEN, "[DONE]"]);
                }
            });
        }
    });
    let url: ServerUrl = format!("unix:{}", path.display()).parse().unwrap();
    assert!(answers(&url, &Transport::default(), Duration::from_secs(5)));
    let spec = RunSpec { urls: vec![url], concurrency: Some(2), ..run_spec(&streaming_server(), 20) };
    let (outcome, records) = run_all(&spec, &workload_spec(20), Chat::new()).unwrap();
    assert_eq!(outcome.counts.succeeded, 20);
    // Slots that got nothing to send opened nothing.
    assert!((1..=2).contains(&records.iter().filter(|record| record.timing.connect.is_some()).count()));

    let gone: ServerUrl = format!("unix:{}.gone", path.display()).parse().unwrap();
    let error = run_all(&RunSpec { urls: vec![gone], ..spec }, &workload_spec(1), Chat::new()).unwrap_err();
    assert!(error.to_string().contains("server.sock.gone: No such file"), "{error}");
}
