//! Requests of a file, and their timestamps.

use crate::endpoint::Chat;
use crate::server::Server;
use crate::{TOKEN, failure, run_all, run_spec, run_with, workload_spec};
use aiperf_load::{Control, Counts, Dataset, DatasetOrder, RunSpec, WorkloadSpec};
use aiperf_model::dataset::{DatasetType, Sampling, ScheduleWindow};
use aiperf_model::record::{FailureKind, Phase, TokenSource};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

fn streaming_server() -> Server {
    Server::answering(|peer| peer.stream(&[TOKEN, "[DONE]"]))
}

fn open(lines: &str) -> Dataset {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(lines.as_bytes()).unwrap();
    // What is open can be read after its name is gone.
    Dataset::open(file.path(), None).unwrap()
}

fn workload_of(dataset: Dataset, sampling: Sampling, most: Option<u32>) -> WorkloadSpec {
    let entries = dataset.order(sampling, 42, most);
    let requests = entries.len() as u32;
    let order = DatasetOrder { dataset: Arc::new(dataset), entries: entries.into() };
    WorkloadSpec { dataset: Some(order), output_length: None, ..workload_spec(requests) }
}

fn bodies(server: &Server) -> Vec<Value> {
    server.requests().iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect()
}

#[test]
fn the_requests_of_a_file_are_sent_in_their_order_and_again_from_the_first() {
    let server = streaming_server();
    let lines = r#"{"text": "one", "output_length": 7}
        {"texts": ["two", "and a half"], "role": "system"}

        {"text": "three", "image": "https://somewhere/cat.png"}"#;
    let workload = workload_of(open(lines), Sampling::Sequential, None);
    let (_, records) = run_all(&run_spec(&server, 4), &workload, Chat::new()).unwrap();
    let said: Vec<_> = bodies(&server).iter().map(|body| body["messages"][0]["content"].clone()).collect();
    assert_eq!(said, ["one", "two", "three", "one"]);
    let first = &bodies(&server)[0];
    assert_eq!((&first["max_tokens"], &first["messages"][0]["role"]), (&json!(7), &json!("user")));
    assert_eq!(bodies(&server)[1]["messages"][0]["role"], "system");
    assert_eq!(records[0].requested_output_tokens, Some(7));
    let places: Vec<_> =
        records.iter().map(|record| (record.timing.request, record.timing.conversation)).collect();
    assert_eq!(places, [(0, 0), (1, 1), (2, 2), (3, 0)]);
    // The server counts nothing, so the local tokenizer does.
    let input = crate::answer(&records[0]).input_tokens.unwrap();
    assert_eq!((input.count, input.source), (1, TokenSource::Tokenizer));
}

#[test]
fn a_warm_up_takes_nothing_from_the_file() {
    let server = streaming_server();
    let workload = WorkloadSpec {
        warmup_requests: 3,
        ..workload_of(open(r#"{"text": "one"}"#), Sampling::Sequential, None)
    };
    let (_, records) = run_all(&run_spec(&server, 1), &workload, Chat::new()).unwrap();
    assert_eq!(records.iter().filter(|record| record.timing.phase == Phase::Warmup).count(), 3);
    let said = bodies(&server).iter().filter(|body| body["messages"][0]["content"] == "one").count();
    assert_eq!(said, 1);
}

#[test]
fn requests_are_due_at_the_timestamps_of_the_file_whatever_the_server_does() {
    // Nobody is answered before all are there.
    let arrived = Arc::new((std::sync::Mutex::new(0), std::sync::Condvar::new()));
    let server = Server::answering(move |peer| {
        let (count, all_here) = &*arrived;
        let mut count = count.lock().unwrap();
        *count += 1;
        all_here.notify_all();
        drop(all_here.wait_while(count, |count| *count < 3).unwrap());
        peer.stream(&[TOKEN, "[DONE]"]);
    });
    let lines = r#"{"timestamp": 1030.5, "input_length": 3}
        {"timestamp": 1000, "input_length": 2}
        {"timestamp": 1020, "input_length": 1}
        {"timestamp": 9000, "input_length": 9}"#;
    let dataset = open(lines);
    let window = ScheduleWindow { auto_offset: true, start_ms: None, end_ms: Some(2000.0) };
    let schedule = dataset.schedule(window).unwrap();
    let order = DatasetOrder { dataset: Arc::new(dataset), entries: schedule.entries.into() };
    let workload = WorkloadSpec { dataset: Some(order), warmup_requests: 0, ..workload_spec(3) };
    for workers in [1, 2] {
        let spec = RunSpec {
            concurrency: None,
            schedule: Some(schedule.due.clone().into()),
            requests: None,
            workers: Some(workers),
            ..run_spec(&server, 1)
        };
        let (outcome, records) = run_all(&spec, &workload, Chat::new()).unwrap();
        assert_eq!(outcome.counts.succeeded, 3);
        let due: Vec<_> = records.iter().map(|record| record.timing.due - outcome.start).collect();
        assert_eq!(due, [0, 20_000_000, 30_500_000]);
        assert!(
            records
                .iter()
                .all(|record| record.timing.scheduled && record.timing.due <= record.timing.send.unwrap())
        );
        let tokens: Vec<_> =
            records.iter().map(|record| crate::answer(record).input_tokens.unwrap().count).collect();
        assert_eq!(tokens, [2, 1, 3]);
    }
}

/// So many requests, one each millisecond, and a spec that sends them.
fn trace(server: &Server, requests: u32) -> (WorkloadSpec, RunSpec) {
    let lines: Vec<_> = (0..requests)
        .map(|at| format!("{{\"timestamp\": {at}, \"input_length\": 2, \"output_length\": 2}}"))
        .collect();
    let dataset = open(&lines.join("\n"));
    let due = dataset.schedule(ScheduleWindow::default()).unwrap().due;
    let spec =
        RunSpec { concurrency: None, schedule: Some(due.into()), requests: None, ..run_spec(server, 1) };
    (workload_of(dataset, Sampling::Sequential, None), spec)
}

#[test]
fn a_schedule_ends_by_its_last_request_a_number_a_duration_or_both() {
    let server = streaming_server();
    let (workload, whole) = trace(&server, 60);
    let duration = Some(Duration::from_millis(40));
    for (spec, expected) in [
        (whole.clone(), 60),
        (RunSpec { requests: Some(20), ..whole.clone() }, 20),
        (RunSpec { duration, ..whole.clone() }, 40),
        (RunSpec { duration, requests: Some(20), ..whole.clone() }, 20),
        (RunSpec { duration, requests: Some(50), ..whole }, 40),
    ] {
        let (outcome, records) = run_all(&spec, &workload, Chat::new()).unwrap();
        let due: Vec<_> = records.iter().map(|record| record.timing.due - outcome.start).collect();
        // Where the machine is slow, a request that is due may find the end passed; none is sent that is not due.
        assert!(records.len() <= expected, "{} of {expected}", records.len());
        assert!(spec.duration.is_some() || records.len() == expected, "{} of {expected}", records.len());
        assert!(due.iter().zip(0..).all(|(due, position)| *due == position * 1_000_000), "{due:?}");
        assert_eq!(outcome.counts.sent, records.len() as u64);
    }
}

#[test]
fn a_schedule_that_is_stopped_leaves_the_rest_and_cancels_after_the_grace_period() {
    let control = Control::new();
    let order = control.clone();
    let server = Server::answering(move |peer| {
        peer.begin_stream();
        order.stop();
        peer.wait_for_close();
    });
    let lines = "{\"timestamp\": 0, \"text\": \"a\"}\n{\"timestamp\": 3600000, \"text\": \"b\"}";
    let dataset = open(lines);
    let due = dataset.schedule(ScheduleWindow::default()).unwrap().due;
    let spec = RunSpec {
        concurrency: None,
        schedule: Some(due.into()),
        requests: None,
        grace_period: Duration::from_millis(20),
        ..run_spec(&server, 1)
    };
    let workload = workload_of(dataset, Sampling::Sequential, None);
    let (outcome, records) = run_with(&spec, &workload, Chat::new(), &control).unwrap();
    assert!(outcome.cancelled);
    assert_eq!(outcome.counts, Counts { sent: 1, succeeded: 0, failed: 0, cancelled: 1 });
    assert_eq!(failure(&records[0]).kind, FailureKind::Cancelled);
    assert_eq!(control.progress().total, Some(2));
}

#[test]
fn blocks_of_a_trace_are_the_same_words_in_all_its_prompts() {
    let server = streaming_server();
    let lines = r#"{"input_length": 1030, "hash_ids": [5, 6, 7]}
        {"input_length": 520, "hash_ids": [5, 8]}
        {"input_length": 100}"#;
    let workload = workload_of(open(lines), Sampling::Sequential, None);
    run_all(&run_spec(&server, 3), &workload, Chat::new()).unwrap();
    let prompts: Vec<Vec<String>> = bodies(&server)
        .iter()
        .map(|body| body["messages"][0]["content"].as_str().unwrap().split(' ').map(str::to_owned).collect())
        .collect();
    assert_eq!(prompts.iter().map(Vec::len).collect::<Vec<_>>(), [1030, 520, 100]);
    assert_eq!(prompts[0][..512], prompts[1][..512]);
    assert_ne!(prompts[0][512..520], prompts[1][512..520]);
    assert_ne!(prompts[0][..50], prompts[2][..50]);
}

#[test]
fn an_order_by_chance_follows_from_the_seed() {
    let lines: Vec<_> = (0..50).map(|number| format!("{{\"text\": \"{number}\"}}")).collect();
    let dataset = open(&lines.join("\n"));
    let shuffled = dataset.order(Sampling::Shuffle, 1, None);
    assert_eq!(shuffled, dataset.order(Sampling::Shuffle, 1, None));
    assert_ne!(shuffled, dataset.order(Sampling::Shuffle, 2, None));
    let mut sorted = shuffled.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..50).collect::<Vec<_>>());
    assert_eq!(dataset.order(Sampling::Sequential, 1, Some(3)), [0, 1, 2]);
    let drawn = dataset.order(Sampling::Random, 1, Some(500));
    assert_eq!(drawn.len(), 500);
    assert!(drawn.iter().any(|entry| *entry > 40) && drawn.iter().all(|entry| *entry < 50));
}

#[test]
fn a_file_that_is_not_what_it_should_be_is_told_by_line_and_field() {
    let mistakes = [
        ("", None),
        ("{\"text\": \"a\"}\n{\"text\": 5}", None),
        ("{\"text\": \"a\"}\nnonsense", None),
        ("[1]", Some(DatasetType::SingleTurn)),
        ("{\"prompt\": \"a\"}", None),
        ("{\"text\": \"a\", \"output_lenght\": 5}", None),
        ("{\"text\": \"a\", \"output_length\": 0}", None),
        ("{\"text\": \"a\", \"texts\": [\"b\"]}", None),
        ("{\"text\": \"a\", \"image\": \"cat.png\"}", None),
        ("{\"role\": \"user\"}", Some(DatasetType::RandomPool)),
        ("{\"turns\": []}", None),
        ("{\"turns\": [{\"text\": \"a\"}, {\"text\": \"b\", \"delay\": \"soon\"}]}", None),
        ("{\"input_length\": 5, \"text_input\": \"a\"}", None),
        ("{\"timestamp\": -1, \"input_length\": 5}", None),
        ("{\"messages\": [{\"role\": \"user\"}]}", None),
    ];
    let mut folder = tempfile::Builder::new().suffix(".jsonl").tempfile().unwrap();
    let path = folder.path().to_owned();
    let mut text = String::new();
    for (lines, kind) in mistakes {
        folder.as_file_mut().set_len(0).unwrap();
        std::fs::write(&path, lines).unwrap();
        let error = Dataset::open(&path, kind).unwrap_err().to_string();
        writeln!(text, "{lines}\n  {}", error.replace(&path.display().to_string(), "FILE")).unwrap();
    }
    let untimed =
        open("{\"text\": \"a\", \"timestamp\": 5}\n{\"text\": \"b\"}").schedule(ScheduleWindow::default());
    let outside = ScheduleWindow { start_ms: Some(10.0), end_ms: Some(20.0), auto_offset: false };
    let outside = open("{\"text\": \"a\", \"timestamp\": 5}").schedule(outside);
    for error in [untimed.unwrap_err().to_string(), outside.unwrap_err().to_string()] {
        let at = error.find("line 2").or_else(|| error.find("has no")).unwrap();
        writeln!(text, "schedule\n  {}", &error[at..]).unwrap();
    }
    insta::assert_snapshot!(text);
}
