//! What badly behaved servers do, and what becomes of it.

use crate::endpoint::Chat;
use crate::server::Server;
use crate::{TOKEN, answer, failure, records_of, run_all, run_spec, workload_spec};
use aiperf_load::{Cancellation, LoadError, RunSpec};
use aiperf_model::record::FailureKind;
use std::collections::HashSet;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

#[test]
fn a_stale_connection_is_no_error() {
    // The server ends the connection when the second request on it is there, unanswered.
    let server = Server::start(|mut peer| {
        peer.request();
        peer.stream(&[TOKEN, "[DONE]"]);
        peer.request();
        peer.close();
    });
    let records = records_of(&server, 3);
    assert!(records.iter().all(|record| answer(record).content.len() == 1));
    let retries: Vec<_> = records.iter().map(|record| record.timing.retries).collect();
    assert_eq!(retries, [0, 1, 1]);
    // What answered in the end was a fresh connection, and the time began with it.
    assert!(records.iter().all(|record| !record.timing.reused_connection));
    let bodies: Vec<_> =
        server.requests().into_iter().map(|request| (request.connection, request.body)).collect();
    assert_eq!(bodies[1].1, bodies[2].1);
}

#[test]
fn a_server_that_closes_after_each_stream_costs_no_request() {
    let server = Server::start(|mut peer| {
        peer.request();
        peer.stream(&[TOKEN, "[DONE]"]);
        peer.close();
    });
    let spec = RunSpec { concurrency: Some(4), ..run_spec(&server, 200) };
    let (outcome, records) = run_all(&spec, &workload_spec(200), Chat::new()).unwrap();
    assert_eq!(outcome.counts.succeeded, 200);
    assert!(records.iter().all(|record| !record.timing.reused_connection));
}

#[test]
fn a_fresh_connection_that_dies_before_the_response_is_an_error() {
    let answered = AtomicUsize::new(0);
    let server = Server::start(move |mut peer| {
        while peer.request().is_some() {
            if answered.fetch_add(1, Ordering::SeqCst) == 0 {
                return peer.close();
            }
            peer.stream(&[TOKEN, "[DONE]"]);
        }
    });
    let records = records_of(&server, 2);
    assert_eq!(failure(&records[0]).kind, FailureKind::Connect);
    assert_eq!(failure(&records[0]).message, "the connection closed before the response began");
    assert_eq!(records[0].timing.retries, 0);
    assert!(records[1].outcome.is_ok());
}

#[test]
fn a_stream_cut_in_the_middle_is_incomplete() {
    let server = Server::start(|mut peer| {
        peer.request();
        peer.begin_stream();
        peer.chunk(format!("data: {TOKEN}\n\n"));
        peer.close();
    });
    let records = records_of(&server, 1);
    assert_eq!(failure(&records[0]).kind, FailureKind::Incomplete);
    assert_eq!(failure(&records[0]).message, "the connection closed before the response ended");
    assert_eq!(failure(&records[0]).status, Some(200));
    assert_eq!(records[0].timing.retries, 0);
}

#[test]
fn a_clean_end_without_the_end_marker_is_incomplete() {
    let server = Server::answering(|peer| peer.stream(&[TOKEN, TOKEN]));
    let records = records_of(&server, 2);
    for record in &records {
        assert_eq!(failure(record).kind, FailureKind::Incomplete);
        assert_eq!(
            failure(record).message,
            "the response ended after 2 events without the end of its format"
        );
    }
    // HTTP was well, so the connection was too.
    assert!(records[1].timing.reused_connection);
}

#[test]
fn a_body_shorter_than_its_length_is_incomplete() {
    let server = Server::start(|mut peer| {
        peer.request();
        peer.write(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"choices\"",
        );
        peer.close();
    });
    assert_eq!(failure(&records_of(&server, 1)[0]).kind, FailureKind::Incomplete);
}

#[test]
fn a_status_other_than_success_keeps_the_start_of_the_body() {
    for (status, body, message) in [
        (
            "500 Internal Server Error",
            "{\n  \"error\": \"no memory\"\n}",
            "{ \"error\": \"no memory\" }".to_owned(),
        ),
        ("429 Too Many Requests", "", String::new()),
        ("404 Not Found", &"x".repeat(5000), "x".repeat(256)),
    ] {
        let body = body.to_owned();
        let server = Server::answering(move |peer| peer.respond(status, &body));
        let records = records_of(&server, 2);
        for record in &records {
            let failure = failure(record);
            assert_eq!(failure.kind, FailureKind::Status);
            assert_eq!(failure.status, status[..3].parse().ok());
            assert_eq!(failure.message, message);
        }
        assert!(records[1].timing.reused_connection);
    }
}

#[test]
fn a_server_that_has_too_many_requests_is_not_asked_again() {
    let count = AtomicUsize::new(0);
    let server = Server::answering(move |peer| {
        if count.fetch_add(1, Ordering::SeqCst) == 0 {
            peer.refuse("3600");
        } else {
            peer.stream(&[TOKEN, "[DONE]"]);
        }
    });
    let records = records_of(&server, 2);
    assert!(failure(&records[0]).is_rate_limit());
    assert_eq!(failure(&records[0]).retry_after_seconds, Some(3600));
    assert_eq!(failure(&records[0]).to_string(), "HTTP 429: slow down");
    assert_eq!(records[0].timing.retries, 0);
    assert!(records[1].outcome.is_ok() && records[1].timing.reused_connection);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn garbage_is_malformed() {
    let server = Server::start(|mut peer| {
        peer.request();
        peer.write("this is not HTTP\r\n\r\n");
        peer.wait_for_close();
    });
    assert_eq!(failure(&records_of(&server, 1)[0]).kind, FailureKind::Malformed);
    let server = Server::answering(|peer| peer.stream(&[TOKEN, "not JSON", TOKEN, "[DONE]"]));
    let records = records_of(&server, 1);
    assert_eq!(failure(&records[0]).kind, FailureKind::Malformed);
    assert_eq!(failure(&records[0]).status, Some(200));
}

#[test]
fn a_response_without_end_is_given_up() {
    for kind in ["text/event-stream", "application/json"] {
        let server = Server::start(move |mut peer| {
            peer.request();
            peer.write(format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n\r\n"));
            let block = vec![b'x'; 1 << 20];
            // As long as somebody listens.
            while peer.writes(&block) {}
        });
        let (_, records) = run_all(&run_spec(&server, 1), &workload_spec(1), Chat::new()).unwrap();
        let failure = failure(&records[0]);
        assert_eq!((failure.kind, failure.status), (FailureKind::Malformed, Some(200)));
        assert!(failure.message.starts_with("the response is larger than 64 MiB"), "{}", failure.message);
    }
}

#[test]
fn responses_without_end_share_one_memory() {
    let server = Server::start(move |mut peer| {
        peer.request();
        peer.write("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n");
        // Less than a response may have, and then no end.
        let block = vec![b'x'; 1 << 20];
        (0..60).take_while(|_| peer.writes(&block)).for_each(drop);
        peer.wait_for_close();
    });
    let spec =
        RunSpec { concurrency: Some(6), request_timeout: Duration::from_secs(5), ..run_spec(&server, 6) };
    let (_, records) = run_all(&spec, &workload_spec(6), Chat::new()).unwrap();
    let kinds: Vec<_> = records.iter().map(|record| failure(record).kind).collect();
    let given_up = kinds.iter().filter(|kind| **kind == FailureKind::Malformed).count();
    // 6 times 60 MiB are more than 256 MiB, and 4 times are not.
    assert!((1..=2).contains(&given_up), "{kinds:?}");
    let crowded = records.iter().map(failure).find(|failure| failure.kind == FailureKind::Malformed).unwrap();
    assert!(crowded.message.contains("together larger than 256 MiB"), "{}", crowded.message);
}

#[test]
fn a_stream_of_empty_events_is_given_up_long_before_its_bytes_are_many() {
    let server = Server::start(move |mut peer| {
        peer.request();
        peer.begin_stream();
        // 14 MB in all, which would be 200 MB here and more in the plugin.
        let block = "data:\n\n".repeat(20_000);
        for _ in 0..100 {
            if !peer.writes(format!("{:x}\r\n{block}\r\n", block.len())) {
                return;
            }
        }
        peer.chunk(format!("data: {TOKEN}\n\ndata: [DONE]\n\n"));
        peer.end_stream();
    });
    let (_, records) = run_all(&run_spec(&server, 1), &workload_spec(1), Chat::new()).unwrap();
    let failure = failure(&records[0]);
    assert_eq!((failure.kind, failure.status), (FailureKind::Malformed, Some(200)));
    assert!(failure.message.contains("64 MiB, each event counted as 96 bytes"), "{}", failure.message);
}

#[test]
fn a_compressed_response_is_named_and_leaves_its_connection() {
    let server = Server::answering(|peer| {
        peer.write("HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 3\r\n\r\n\x01\x02\x03");
    });
    let records = records_of(&server, 2);
    for record in &records {
        let failure = failure(record);
        assert_eq!((failure.kind, failure.status), (FailureKind::Malformed, Some(200)));
        assert!(failure.message.starts_with("the response is encoded as 'br'"), "{}", failure.message);
    }
    assert!(records[1].timing.reused_connection);
    assert_eq!(server.requests()[0].header("accept-encoding"), Some("identity"));
}

#[test]
fn a_refusal_that_is_compressed_keeps_its_status() {
    let server = Server::answering(|peer| {
        peer.write("HTTP/1.1 503 Busy\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\n\x1f\x02\x03");
    });
    let records = records_of(&server, 1);
    let failure = failure(&records[0]);
    assert_eq!((failure.kind, failure.status), (FailureKind::Status, Some(503)));
    assert_eq!(failure.message, "a body encoded as gzip");
}

#[test]
fn a_stall_is_a_timeout() {
    for begins in [false, true] {
        let server = Server::answering(move |peer| {
            if begins {
                peer.begin_stream();
                peer.chunk(format!("data: {TOKEN}\n\n"));
            }
            peer.wait_for_close();
        });
        let spec = RunSpec { request_timeout: Duration::from_millis(50), ..run_spec(&server, 2) };
        let (outcome, records) = run_all(&spec, &workload_spec(2), Chat::new()).unwrap();
        assert_eq!(outcome.counts.failed, 2);
        for record in &records {
            assert_eq!(failure(record).kind, FailureKind::Timeout);
            assert_eq!(failure(record).message, "the response did not end within 0.05 s");
            assert_eq!(failure(record).status, begins.then_some(200));
            assert!(record.timing.end - record.timing.due >= 50_000_000);
        }
    }
}

#[test]
fn users_may_leave_before_their_answer_is_there() {
    let left = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&left);
    let server = Server::answering(move |peer| {
        peer.begin_stream();
        peer.chunk(format!("data: {TOKEN}\n\n"));
        peer.wait_for_close();
        seen.fetch_add(1, Ordering::SeqCst);
    });
    let cancellation = Some(Cancellation { share: 1.0, delay: Duration::from_millis(20) });
    let spec = RunSpec { cancellation, ..run_spec(&server, 6) };
    let (outcome, records) = run_all(&spec, &workload_spec(6), Chat::new()).unwrap();
    assert_eq!((outcome.counts.cancelled, outcome.counts.failed, outcome.cancelled), (6, 0, false));
    for record in &records {
        assert_eq!(failure(record).kind, FailureKind::Cancelled);
        assert!(failure(record).message.starts_with("cancelled 0.02 s after it was sent"));
        assert!(record.timing.end - record.timing.send.unwrap() >= 20_000_000);
    }
    // The next request of the slot came on a new connection, so the server has noticed the ones before it.
    assert!(left.load(Ordering::SeqCst) >= 1);
    assert_eq!(server.requests().iter().map(|request| request.connection).collect::<HashSet<_>>().len(), 6);
}

#[test]
fn who_would_leave_later_gets_the_answer() {
    let server = Server::answering(|peer| peer.stream(&[TOKEN, "[DONE]"]));
    let cancellation = Some(Cancellation { share: 1.0, delay: Duration::from_hours(1) });
    let spec = RunSpec { cancellation, request_timeout: Duration::from_hours(2), ..run_spec(&server, 6) };
    let (outcome, _) = run_all(&spec, &workload_spec(6), Chat::new()).unwrap();
    assert_eq!((outcome.counts.succeeded, outcome.counts.cancelled), (6, 0));
}

#[test]
fn a_server_that_is_not_there_is_told_before_the_load() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Server::answering(|_| {});
    let spec = RunSpec { urls: vec![format!("http://{address}").parse().unwrap()], ..run_spec(&server, 1) };
    let error = run_all(&spec, &workload_spec(1), Chat::new()).unwrap_err();
    assert!(matches!(error, LoadError::Unreachable { .. }));
    let message = error.to_string();
    assert!(
        message.starts_with(&format!(
            "no server can be reached at http://{address}: no connection to {address}: "
        )),
        "{message}"
    );
}

#[test]
fn a_server_that_stays_away_ends_the_run() {
    // It takes the probe and one connection, answers three requests on it, and is gone.
    let server = Server::serving_one_connection(|peer| {
        for _ in 0..3 {
            peer.request();
            peer.stream(&[TOKEN, "[DONE]"]);
        }
    });
    let (outcome, records) = run_all(&run_spec(&server, 100_000), &workload_spec(10), Chat::new()).unwrap();
    assert_eq!(outcome.counts.succeeded, 3);
    // Who finds nobody tries to connect, and sends nothing meanwhile.
    assert_eq!(outcome.counts.failed, 1);
    let absence = outcome.absence.unwrap();
    assert!(absence.seconds > 0.1, "{absence:?}");
    assert!(absence.message.contains(&server.address.to_string()), "{absence:?}");
    let refused = &records[3];
    assert_eq!(failure(refused).kind, FailureKind::Connect);
    assert_eq!(refused.timing.send, None);
}

#[test]
fn a_server_that_restarts_costs_one_request_per_user() {
    let server =
        Server::restarting_after(3, Duration::from_millis(100), |peer| peer.stream(&[TOKEN, "[DONE]"]));
    let spec = RunSpec { unreachable_timeout: Duration::from_mins(1), ..run_spec(&server, 50) };
    let (outcome, records) = run_all(&spec, &workload_spec(50), Chat::new()).unwrap();
    assert_eq!(outcome.absence, None);
    assert_eq!((outcome.counts.sent, outcome.counts.failed), (50, 1));
    assert_eq!(failure(&records[3]).kind, FailureKind::Connect);
}

#[test]
fn one_server_of_two_that_goes_away_does_not_use_up_the_requests() {
    let gone = Server::serving_one_connection(|_| {});
    let there = Server::answering(|peer| peer.stream(&[TOKEN, "[DONE]"]));
    let spec = RunSpec {
        urls: vec![there.url().parse().unwrap(), gone.url().parse().unwrap()],
        concurrency: Some(2),
        ..run_spec(&there, 2000)
    };
    let (outcome, _) = run_all(&spec, &workload_spec(10), Chat::new()).unwrap();
    assert_eq!(outcome.absence, None);
    assert_eq!(outcome.counts.sent, 2000);
    assert!(outcome.counts.succeeded > 1000, "{outcome:?}");
}

#[test]
fn three_crashes_of_the_plugin_in_a_row_end_the_run() {
    let server = Server::answering(|peer| peer.stream(&["crash"]));
    let error = run_all(&run_spec(&server, 1_000_000), &workload_spec(10), Chat::new()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "endpoint 'chat' crashed on 3 responses in a row, the last time with: it trapped"
    );
}

#[test]
fn a_crash_now_and_then_is_a_failed_request() {
    let count = AtomicUsize::new(0);
    let server = Server::answering(move |peer| {
        let crash = !count.fetch_add(1, Ordering::SeqCst).is_multiple_of(3);
        peer.stream(if crash { &["crash"] } else { &[TOKEN, "[DONE]"] });
    });
    let records = records_of(&server, 9);
    let failed: Vec<_> = records.iter().filter(|record| record.outcome.is_err()).collect();
    assert_eq!(failed.len(), 6);
    assert!(failed.iter().all(|record| failure(record).kind == FailureKind::Plugin));
}
