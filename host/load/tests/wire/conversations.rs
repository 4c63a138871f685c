//! Users who wait for an answer, think, and go on.

use crate::endpoint::Chat;
use crate::server::{Peer, Server};
use crate::{run_all, run_spec, workload_spec};
use aiperf_load::{ConversationSpec, Dataset, DatasetOrder, Length, RunSpec, Transport, WorkloadSpec};
use aiperf_model::arrival::{ArrivalPattern, RequestRate};
use aiperf_model::connection::ConnectionReuse;
use aiperf_model::dataset::Sampling;
use aiperf_model::record::{FailureKind, Record};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A server that says how many messages it got.
fn counting_server() -> Server {
    Server::start(|mut peer| {
        while let Some(request) = peer.request() {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            say(&mut peer, &format!("after {}", body["messages"].as_array().unwrap().len()));
        }
    })
}

fn say(peer: &mut Peer, text: &str) {
    let token = json!({"choices": [{"delta": {"content": text}}]}).to_string();
    peer.stream(&[&token, "[DONE]"]);
}

fn from_file(lines: &str) -> WorkloadSpec {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(lines.as_bytes()).unwrap();
    let dataset = Dataset::open(file.path(), None).unwrap();
    let entries = dataset.order(Sampling::Sequential, 42, None);
    let requests = entries.len() as u32;
    let order = DatasetOrder { dataset: Arc::new(dataset), entries: entries.into() };
    WorkloadSpec { dataset: Some(order), output_length: None, ..workload_spec(requests) }
}

fn made_up(conversations: u32, turns: f64, delay_ms: f64) -> WorkloadSpec {
    let exactly = |mean| Length { mean, std_dev: 0.0 };
    let conversation = ConversationSpec { turns: exactly(turns), delay_ms: exactly(delay_ms) };
    WorkloadSpec { conversation: Some(conversation), ..workload_spec(conversations) }
}

/// Turns of each conversation, in order.
fn by_conversation(records: &[Record]) -> HashMap<u32, Vec<&Record>> {
    let mut conversations: HashMap<_, Vec<_>> = HashMap::new();
    for record in records {
        conversations.entry(record.timing.request).or_default().push(record);
    }
    for turns in conversations.values_mut() {
        turns.sort_by_key(|record| record.timing.turn);
    }
    conversations
}

#[test]
fn a_turn_carries_what_was_said_before_and_waits_for_its_time() {
    let server = counting_server();
    let workload = from_file(
        r#"{"session_id": "a", "turns": [{"text": "one", "role": "system"}, {"text": "two", "delay": 30}, {"text": "three"}]}
           {"turns": [{"text": "alone"}]}"#,
    );
    let spec = RunSpec { requests: None, conversations: Some(2), ..run_spec(&server, 1) };
    let (outcome, records) = run_all(&spec, &workload, Chat::new()).unwrap();
    assert_eq!(outcome.counts.succeeded, 4);
    let messages: Vec<Value> = server
        .requests()
        .iter()
        .map(|request| serde_json::from_slice::<Value>(&request.body).unwrap()["messages"].clone())
        .collect();
    let said = |role: &str, content: &str| json!({"role": role, "content": content});
    let whole = [
        said("system", "one"),
        said("assistant", "after 1"),
        said("user", "two"),
        said("assistant", "after 3"),
        said("user", "three"),
    ];
    let expected = [json!(whole[..1]), json!(whole[..3]), json!(whole), json!([said("user", "alone")])];
    assert_eq!(messages, expected);

    let conversations = by_conversation(&records);
    let turns: Vec<_> = conversations[&0].iter().map(|record| record.timing).collect();
    assert_eq!(turns.iter().map(|turn| turn.turn).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(turns[1].due, turns[0].end + 30_000_000);
    assert_eq!(turns[2].due, turns[1].end);
    assert!(turns.iter().all(|turn| turn.due <= turn.send.unwrap() && turn.conversation == 0));
    // A user keeps the connection.
    assert!(turns[1..].iter().all(|turn| turn.reused_connection));
    // The local tokenizer counts all that was said.
    let input = |record: &Record| crate::answer(record).input_tokens.unwrap().count;
    assert!(input(conversations[&0][0]) < input(conversations[&0][1]));
    assert!(input(conversations[&0][1]) < input(conversations[&0][2]));
}

#[test]
fn a_connection_can_be_that_of_one_conversation() {
    let server = counting_server();
    let transport = Transport { reuse: ConnectionReuse::StickyUserSessions, ..Transport::default() };
    let spec = RunSpec { requests: None, conversations: Some(6), transport, ..run_spec(&server, 1) };
    let (outcome, records) = run_all(&spec, &made_up(6, 3.0, 0.0), Chat::new()).unwrap();
    assert_eq!(outcome.counts.succeeded, 18);
    for timing in records.iter().map(|record| record.timing) {
        assert_eq!(timing.reused_connection, timing.turn > 0, "{timing:?}");
    }
    let connections: HashSet<_> = server.requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections.len(), 6);
}

#[test]
fn the_concurrency_is_the_number_of_users_who_think_meanwhile() {
    let (most, now) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let server = Server::start(move |mut peer| {
        while let Some(request) = peer.request() {
            seen.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            now.fetch_sub(1, Ordering::SeqCst);
            say(&mut peer, &format!("after {}", body["messages"].as_array().unwrap().len()));
        }
    });
    let spec = RunSpec {
        requests: None,
        conversations: Some(12),
        concurrency: Some(4),
        workers: Some(2),
        ..run_spec(&server, 1)
    };
    let (outcome, records) = run_all(&spec, &made_up(12, 3.0, 5.0), Chat::new()).unwrap();
    assert_eq!(outcome.counts.succeeded, 36);
    assert!(most.load(Ordering::SeqCst) <= 4);
    let conversations = by_conversation(&records);
    assert_eq!(conversations.len(), 12);
    for turns in conversations.values() {
        assert_eq!(turns.len(), 3);
        assert!(turns.windows(2).all(|pair| pair[1].timing.due == pair[0].timing.end + 5_000_000));
    }
    // At any time at most four conversations have begun and not ended.
    let spans: Vec<_> =
        conversations.values().map(|turns| (turns[0].timing.due, turns[2].timing.end)).collect();
    for (at, _) in &spans {
        assert!(spans.iter().filter(|(begin, end)| begin <= at && at < end).count() <= 4);
    }
}

#[test]
fn a_conversation_of_a_repetition_goes_on_from_what_was_sent() {
    let server = counting_server();
    let spec = RunSpec { requests: None, conversations: Some(6), ..run_spec(&server, 1) };
    run_all(&spec, &made_up(2, 2.0, 0.0), Chat::new()).unwrap();
    let messages = |body: &[u8]| -> Vec<Value> {
        let body: Value = serde_json::from_slice(body).unwrap();
        body["messages"].as_array().unwrap().clone()
    };
    let said: Vec<Vec<Value>> = server.requests().iter().map(|request| messages(&request.body)).collect();
    let (first, second): (Vec<_>, Vec<_>) = said.into_iter().partition(|said| said.len() == 1);
    assert_eq!((first.len(), second.len()), (6, 6));
    assert!(first.iter().zip(&second).all(|(first, second)| first[0] == second[0]), "{first:?} {second:?}");
    let different: HashSet<_> = first.iter().map(|said| said[0].to_string()).collect();
    assert_eq!(different.len(), 6);
}

#[test]
fn later_turns_of_the_same_seed_are_the_same_and_of_their_own_length() {
    let prompts = |workers| {
        let server = counting_server();
        let spec = RunSpec {
            requests: None,
            conversations: Some(6),
            concurrency: Some(3),
            workers: Some(workers),
            ..run_spec(&server, 1)
        };
        run_all(&spec, &made_up(6, 2.0, 0.0), Chat::new()).unwrap();
        let mut bodies: Vec<_> = server.requests().into_iter().map(|request| request.body).collect();
        bodies.sort();
        bodies
    };
    let bodies = prompts(1);
    assert_eq!(bodies.len(), 12);
    assert_eq!(bodies, prompts(2));
}

#[test]
fn conversations_that_arrive_at_a_rate_do_not_wait_for_each_other() {
    let server = counting_server();
    let rate = RequestRate { per_second: 200.0, pattern: ArrivalPattern::Constant };
    let spec = RunSpec {
        requests: None,
        conversations: Some(20),
        concurrency: None,
        request_rate: Some(rate),
        workers: Some(2),
        ..run_spec(&server, 1)
    };
    let (outcome, records) = run_all(&spec, &made_up(20, 2.0, 150.0), Chat::new()).unwrap();
    assert_eq!(outcome.counts.succeeded, 40);
    for (conversation, turns) in by_conversation(&records) {
        let (first, second) = (turns[0].timing, turns[1].timing);
        assert_eq!(first.due - outcome.start, u64::from(conversation) * 5_000_000);
        assert_eq!(second.due, first.end + 150_000_000);
        // The time between turns is the server's too; only arrivals have a schedule.
        assert!(first.scheduled && !second.scheduled);
    }
}

#[test]
fn a_number_of_requests_ends_a_run_within_a_conversation() {
    let server = counting_server();
    let spec = RunSpec { requests: Some(7), concurrency: Some(2), ..run_spec(&server, 7) };
    let (outcome, records) = run_all(&spec, &made_up(10, 5.0, 1.0), Chat::new()).unwrap();
    assert_eq!((outcome.counts.sent, records.len()), (7, 7));
}

#[test]
fn a_duration_ends_a_run_while_users_think() {
    let server = counting_server();
    let spec = RunSpec {
        requests: None,
        duration: Some(Duration::from_millis(500)),
        concurrency: Some(3),
        ..run_spec(&server, 1)
    };
    let (outcome, records) = run_all(&spec, &made_up(10, 5.0, 3_600_000.0), Chat::new()).unwrap();
    assert_eq!((outcome.counts.sent, records.len()), (3, 3));
    let timed = RunSpec { duration: Some(Duration::from_millis(300)), ..spec };
    let (outcome, records) = run_all(&timed, &made_up(1000, 5.0, 1.0), Chat::new()).unwrap();
    assert!(records.iter().all(|record| record.timing.due < outcome.start + 300_000_000));
    assert!(records.iter().any(|record| record.timing.turn > 0));
}

#[test]
fn a_conversation_ends_with_a_turn_that_fails() {
    let server = Server::start(|mut peer| {
        while let Some(request) = peer.request() {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            match body["messages"].as_array().unwrap().len() {
                1 => say(&mut peer, "go on"),
                _ => peer.respond("500 Internal Server Error", "no more"),
            }
        }
    });
    let spec =
        RunSpec { requests: None, conversations: Some(4), concurrency: Some(2), ..run_spec(&server, 1) };
    let (outcome, records) = run_all(&spec, &made_up(4, 3.0, 0.0), Chat::new()).unwrap();
    assert_eq!((outcome.counts.succeeded, outcome.counts.failed), (4, 4));
    let failed = records.iter().filter_map(|record| record.outcome.as_ref().err());
    assert!(failed.clone().count() == 4 && failed.clone().all(|failure| failure.kind == FailureKind::Status));
}

#[test]
fn a_turn_that_cannot_be_built_ends_the_run_with_what_the_plugin_said() {
    let server = counting_server();
    let workload = WorkloadSpec { model: "forgetful".into(), ..made_up(3, 2.0, 0.0) };
    let spec = RunSpec { requests: None, conversations: Some(3), ..run_spec(&server, 1) };
    let error = run_all(&spec, &workload, Chat::new()).unwrap_err();
    assert_eq!(error.to_string(), "endpoint 'chat' could not build request 0: one turn only");
}

#[test]
fn lines_of_a_session_follow_each_other_and_stand_alone_unless_a_trace_goes_on() {
    let server = counting_server();
    let messages = |server: &Server| -> Vec<usize> {
        let count = |body: &[u8]| {
            serde_json::from_slice::<Value>(body).unwrap()["messages"].as_array().unwrap().len()
        };
        server.requests().iter().map(|request| count(&request.body)).collect()
    };
    let spec = |conversations| RunSpec {
        requests: None,
        conversations: Some(conversations),
        ..run_spec(&server, 1)
    };
    let single = from_file(
        r#"{"text": "one", "session_id": "a"}
           {"text": "other"}
           {"text": "two", "session_id": "a", "delay": 10}"#,
    );
    let (_, records) = run_all(&spec(2), &single, Chat::new()).unwrap();
    let turns = &by_conversation(&records)[&0];
    assert_eq!(turns[1].timing.due, turns[0].timing.end + 10_000_000);
    assert_eq!(messages(&server), [1, 1, 1]);
    let trace = from_file(
        r#"{"text_input": "one", "session_id": 7}
           {"input_length": 5, "session_id": 7}"#,
    );
    run_all(&spec(1), &trace, Chat::new()).unwrap();
    assert_eq!(messages(&server)[3..], [1, 3]);
}

#[test]
fn a_stop_while_users_think_ends_the_run_at_once() {
    let control = aiperf_load::Control::new();
    let order = control.clone();
    let server = Server::start(move |mut peer| {
        while peer.request().is_some() {
            say(&mut peer, "think about it");
            order.stop();
        }
    });
    let spec =
        RunSpec { requests: None, conversations: Some(9), concurrency: Some(3), ..run_spec(&server, 1) };
    let (outcome, records) =
        crate::run_with(&spec, &made_up(9, 2.0, 3_600_000.0), Chat::new(), &control).unwrap();
    assert!(outcome.cancelled);
    assert!((1..=3).contains(&records.len()), "{records:?}");
    assert!(records.iter().all(|record| record.outcome.is_ok()), "{records:?}");
}

#[test]
fn what_is_in_flight_after_the_grace_period_is_cancelled_in_a_later_turn_too() {
    let server = Server::start(|mut peer| {
        while let Some(request) = peer.request() {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            if body["messages"].as_array().unwrap().len() > 1 {
                return peer.wait_for_close();
            }
            say(&mut peer, "go on");
        }
    });
    let spec = RunSpec {
        requests: None,
        duration: Some(Duration::from_millis(500)),
        grace_period: Duration::from_millis(20),
        concurrency: Some(2),
        ..run_spec(&server, 1)
    };
    let (outcome, records) = run_all(&spec, &made_up(2, 2.0, 0.0), Chat::new()).unwrap();
    assert_eq!((outcome.counts.succeeded, outcome.counts.cancelled), (2, 2));
    let cancelled = records.iter().filter(|record| record.timing.turn == 1);
    assert!(cancelled.clone().count() == 2 && cancelled.clone().all(|record| record.outcome.is_err()));
}
