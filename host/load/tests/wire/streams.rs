//! What well-behaved servers send, in all its forms.

use crate::endpoint::Chat;
use crate::server::Server;
use crate::{MESSAGE, TOKEN, USAGE, answer, failure, records_of, run_all, run_spec, run_with, workload_spec};
use aiperf_load::{Control, RunSpec, WorkloadSpec};
use aiperf_model::plugin::EndpointInfo;
use aiperf_model::record::{FailureKind, Record, TokenCount, TokenSource};
use std::sync::{Condvar, Mutex};

#[test]
fn a_stream_gives_the_times_of_its_content_and_the_server_s_token_counts() {
    let role = r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#;
    let server = Server::answering(move |peer| peer.stream(&[role, TOKEN, TOKEN, USAGE, "[DONE]"]));
    for record in records_of(&server, 3) {
        let answer = answer(&record);
        assert!(answer.streamed);
        assert_eq!(answer.content.len(), 2);
        assert_eq!(answer.first_output, Some(answer.content[0]));
        assert!(record.timing.first_byte.unwrap() <= answer.content[0]);
        assert!(answer.content[0] <= answer.content[1] && answer.content[1] <= record.timing.end);
        assert_eq!(answer.input_tokens, Some(TokenCount { count: 11, source: TokenSource::Server }));
        assert_eq!(answer.output_tokens, Some(TokenCount { count: 2, source: TokenSource::Server }));
        assert_eq!(record.requested_output_tokens, Some(2));
        assert_eq!(record.timing.status, Some(200));
    }
}

#[test]
fn without_usage_tokens_are_counted_here() {
    let server = Server::answering(|peer| peer.stream(&[TOKEN, TOKEN, TOKEN, "[DONE]"]));
    let records = records_of(&server, 1);
    let answer = answer(&records[0]);
    assert_eq!(answer.input_tokens, Some(TokenCount { count: 10, source: TokenSource::Synthetic }));
    // "wordwordword" is three tokens.
    assert_eq!(answer.output_tokens, Some(TokenCount { count: 3, source: TokenSource::Tokenizer }));
}

/// Sends one stream in steps, each read by the client before the next is written, and returns its record.
///
/// The other requests of the run, on the same thread and another connection, tell how far the client is: the first
/// may have been on its way when the step was written, and when the third one is there the step has been read.
fn record_in_steps(steps: &'static [&str]) -> Record {
    let control = Control::new();
    let (server_control, others) = (control.clone(), (Mutex::new(0), Condvar::new()));
    let server = Server::start(move |mut peer| {
        while peer.request().is_some() {
            let (count, arrived) = &others;
            if peer.connection == 0 {
                peer.begin_stream();
                for step in steps {
                    peer.chunk(step);
                    *count.lock().unwrap() = 0;
                    drop(arrived.wait_while(count.lock().unwrap(), |count| *count < 3).unwrap());
                }
                server_control.stop();
                peer.chunk("data: [DONE]\n\n");
                peer.end_stream();
                return;
            }
            *count.lock().unwrap() += 1;
            arrived.notify_all();
            peer.stream(&["[DONE]"]);
        }
    });
    let spec = RunSpec { concurrency: Some(2), workers: Some(1), ..run_spec(&server, 1_000_000) };
    let (_, records) = run_with(&spec, &workload_spec(2), Chat::new(), &control).unwrap();
    let stepwise = records.into_iter().find(|record| record.outcome.is_ok());
    stepwise.unwrap()
}

#[test]
fn each_event_has_the_time_of_the_read_that_completed_it() {
    const FIRST: &str =
        "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: {\"choices\":[{\"delta\":";
    let record = record_in_steps(&[FIRST, "{\"content\":\"b\"}}]}\n", "\n"]);
    let content = &answer(&record).content;
    assert_eq!(content.len(), 2);
    assert!(record.timing.first_byte.unwrap() <= content[0]);
    assert!(content[0] < content[1] && content[1] <= record.timing.end);
}

#[test]
fn pings_before_data_are_bytes_but_no_content() {
    let record =
        record_in_steps(&[": ping\n\n", "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"]);
    assert!(record.timing.first_byte.unwrap() < answer(&record).content[0]);
}

#[test]
fn reasoning_is_content_but_not_output() {
    let reasoning = r#"{"choices":[{"delta":{"reasoning_content":"hm"}}]}"#;
    let server = Server::answering(move |peer| peer.stream(&[reasoning, TOKEN, "[DONE]"]));
    let records = records_of(&server, 1);
    let answer = answer(&records[0]);
    assert_eq!(answer.content.len(), 2);
    assert_eq!(answer.first_output, Some(answer.content[1]));
}

#[test]
fn events_share_a_packet_or_are_torn_into_single_bytes() {
    let whole = format!("data: {TOKEN}\n\ndata: {TOKEN}\r\n\r\ndata:{TOKEN}\r\rdata: [DONE]\n\n");
    let torn = whole.clone();
    for server in [
        Server::answering(move |peer| {
            peer.begin_stream();
            peer.chunk(&whole);
            peer.end_stream();
        }),
        Server::answering(move |peer| {
            peer.begin_stream();
            for byte in torn.as_bytes().chunks(1) {
                peer.chunk(byte);
            }
            peer.end_stream();
        }),
    ] {
        let records = records_of(&server, 2);
        assert!(records.iter().all(|record| answer(record).content.len() == 3));
    }
}

#[test]
fn a_last_event_without_a_blank_line_counts() {
    let server = Server::answering(|peer| {
        peer.begin_stream();
        peer.chunk(format!("data: {TOKEN}\n\ndata: [DONE]"));
        peer.end_stream();
    });
    assert!(answer(&records_of(&server, 1)[0]).streamed);
}

#[test]
fn a_stream_under_another_content_type_is_a_stream() {
    let server = Server::answering(|peer| {
        peer.respond("200 OK", &format!("data: {TOKEN}\n\ndata: {TOKEN}\n\ndata: [DONE]\n\n"));
    });
    let records = records_of(&server, 2);
    assert!(records.iter().all(|record| answer(record).streamed && answer(record).content.len() == 2));
}

#[test]
fn json_under_the_content_type_of_a_stream_is_a_body() {
    let server = Server::answering(|peer| {
        peer.begin_stream();
        peer.chunk(MESSAGE);
        peer.end_stream();
    });
    assert!(!answer(&records_of(&server, 1)[0]).streamed);
}

#[test]
fn a_stream_that_ends_with_its_connection_is_whole() {
    let server = Server::start(|mut peer| {
        peer.request();
        peer.write("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n");
        peer.write(format!("data: {TOKEN}\n\ndata: [DONE]\n\n"));
        peer.close();
    });
    let records = records_of(&server, 3);
    assert!(records.iter().all(|record| answer(record).content.len() == 1));
    assert!(records.iter().all(|record| !record.timing.reused_connection && record.timing.retries == 0));
}

#[test]
fn a_response_that_is_no_stream_is_one_event_even_if_a_stream_was_asked_for() {
    let server = Server::answering(|peer| peer.respond("200 OK", MESSAGE));
    for record in records_of(&server, 2) {
        let answer = answer(&record);
        assert!(!answer.streamed);
        assert_eq!(answer.content, [record.timing.end]);
        assert_eq!(answer.finish_reason.as_deref(), Some("stop"));
        assert_eq!(answer.output_tokens, Some(TokenCount { count: 2, source: TokenSource::Tokenizer }));
    }
}

#[test]
fn an_endpoint_without_tokens_has_no_output_tokens() {
    let server = Server::answering(|peer| peer.respond("200 OK", r#"{"data":[{"embedding":[0.5]}]}"#));
    let workload = WorkloadSpec { streaming: false, output_length: None, ..workload_spec(1) };
    let embeddings = Chat::with_info(EndpointInfo {
        default_path: "/v1/embeddings".into(),
        supports_streaming: false,
        produces_tokens: false,
    });
    let (_, records) = run_all(&run_spec(&server, 1), &workload, embeddings).unwrap();
    let answer = answer(&records[0]);
    assert_eq!(answer.output_tokens, None);
    assert_eq!(answer.input_tokens, Some(TokenCount { count: 10, source: TokenSource::Synthetic }));
    let request = &server.requests()[0];
    assert!(request.head[0].starts_with("POST /v1/embeddings HTTP/1.1"), "{request:?}");
    assert!(String::from_utf8_lossy(&request.body).contains(r#""role":"input""#));
}

#[test]
fn an_answer_without_a_token_is_empty() {
    const NOTHING: &str = r#"{"choices":[{"message":{"content":""},"finish_reason":"content_filter"}]}"#;
    let servers = [
        Server::answering(|peer| peer.stream(&["[DONE]"])),
        Server::answering(|peer| peer.stream(&[USAGE, "[DONE]"])),
        Server::answering(|peer| peer.respond("200 OK", NOTHING)),
    ];
    let failures = servers.map(|server| failure(&records_of(&server, 1)[0]).clone());
    assert_eq!(failures.each_ref().map(|failure| failure.kind), [FailureKind::Empty; 3]);
    let lacks = "the response has no token: no text, no reasoning, no tool call";
    assert_eq!(
        failures.map(|failure| failure.message),
        [
            lacks.to_owned(),
            format!("{lacks}, though its usage counts output tokens"),
            format!("{lacks} (finish reason 'content_filter')"),
        ]
    );
}

#[test]
fn counts_that_cannot_be_are_not_believed() {
    for (prompt, completion) in [(0, 0), (u32::MAX, u32::MAX)] {
        let usage = format!(
            r#"{{"choices":[],"usage":{{"prompt_tokens":{prompt},"completion_tokens":{completion}}}}}"#
        );
        let server = Server::answering(move |peer| peer.stream(&[TOKEN, TOKEN, &usage, "[DONE]"]));
        let records = records_of(&server, 1);
        let answer = answer(&records[0]);
        assert_eq!(answer.input_tokens, Some(TokenCount { count: 10, source: TokenSource::Synthetic }));
        assert_eq!(answer.output_tokens, Some(TokenCount { count: 2, source: TokenSource::Tokenizer }));
        assert!(answer.contradicts_usage());
        assert_eq!(answer.usage.unwrap().output_tokens, Some(completion), "the report itself is kept");
    }
}

#[test]
fn an_error_inside_a_success_is_the_server_s() {
    let server = Server::answering(|peer| peer.stream(&[TOKEN, r#"{"error":{"code":500}}"#]));
    let records = records_of(&server, 1);
    assert_eq!(failure(&records[0]).kind, FailureKind::Server);
}
