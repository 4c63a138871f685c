//! What servers answer that is no plain answer: one row for each, its bytes and what becomes of it.

use crate::scripted::{Reply, serve};
use crate::support::Workplace;
use serde_json::{Value, json};

const FOLDER: &str = "artifacts/m-openai-chat-concurrency1";
const EVENT_STREAM: &str = "text/event-stream";

/// What becomes of an answer.
enum Outcome {
    /// So many output tokens, and who counted them.
    Tokens(u32, &'static str),
    /// The kind of failure, and a part of its message.
    Failure(&'static str, &'static str),
}
use Outcome::{Failure, Tokens};

/// Asks a server that answers like this once.
fn ask(content_type: &'static str, body: &str) -> Workplace {
    let (place, body) = (Workplace::new(), body.to_owned());
    let url = serve(move |_| Reply::Http("200 OK", content_type, body.clone()));
    place.run(&format!("profile -m m --url {url} --concurrency 1 --num-prompts 1 --isl 8"));
    place
}

/// How many odd events such an answer has; null where it has none.
fn odd_events(content_type: &'static str, body: &str) -> Value {
    let run = ask(content_type, body).json(&format!("{FOLDER}/profile_export_aiperf.json"));
    run["odd_event_count"]["avg"].clone()
}

#[track_caller]
fn check(name: &str, content_type: &'static str, body: &str, expected: &Outcome) {
    let records = ask(content_type, body).bytes(&format!("{FOLDER}/profile_export.jsonl"));
    let record: Value = serde_json::from_slice(&records).unwrap();
    let error = &record["error"];
    match expected {
        Tokens(count, source) => {
            assert_eq!(*error, Value::Null, "{name}");
            assert_eq!(
                record["metrics"]["output_sequence_length"]["value"],
                f64::from(*count),
                "{name}: {record}"
            );
            assert_eq!(record["metadata"]["output_token_source"], *source, "{name}: {record}");
        }
        Failure(kind, part) => {
            assert_eq!(error["type"], *kind, "{name}: {record}");
            assert!(error["message"].as_str().unwrap().contains(part), "{name}: {record}");
        }
    }
}

/// A streamed chat completion with these events, without the line that ends it.
fn events(data: &[&str]) -> String {
    data.iter().flat_map(|data| ["data: ", data, "\n\n"]).collect()
}

/// The same with its end.
fn stream(data: &[&str]) -> String {
    events(data) + "data: [DONE]\n\n"
}

const HELLO: &str = r#"{"choices":[{"delta":{"content":"hello world"}}]}"#;
const COUNTED: &str = r#"{"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":2}}"#;
const NO_TOKEN: &str = "the response has no token";

#[test]
fn an_answer_without_a_token_is_a_failure_and_what_says_something_is_none() {
    let delta = |delta: &str| stream(&[&format!(r#"{{"choices":[{{"delta":{{{delta}}}}}]}}"#), COUNTED]);
    for (name, body, expected) in [
        ("only an end", stream(&[]), Failure("empty", NO_TOKEN)),
        ("only usage", stream(&[COUNTED]), Failure("empty", "its usage counts output tokens")),
        ("empty texts", delta(r#""content":"","reasoning":null"#), Failure("empty", NO_TOKEN)),
        ("only reasoning", delta(r#""reasoning":"hm""#), Tokens(2, "server")),
        ("only a refusal", delta(r#""refusal":"no""#), Tokens(2, "server")),
        (
            "only a tool call",
            delta(r#""tool_calls":[{"function":{"name":"f","arguments":"{}"}}]"#),
            Tokens(2, "server"),
        ),
    ] {
        check(name, EVENT_STREAM, &body, &expected);
    }
    let whole = r#"{"choices":[{"message":{"content":null},"finish_reason":"content_filter"}]}"#;
    check("a whole body", "application/json", whole, &Failure("empty", "(finish reason 'content_filter')"));
}

#[test]
fn usage_that_the_text_rules_out_is_not_used() {
    for usage in ["0", "4294967295", "-1"] {
        let report =
            format!(r#"{{"choices":[],"usage":{{"prompt_tokens":{usage},"completion_tokens":{usage}}}}}"#);
        check(usage, EVENT_STREAM, &stream(&[HELLO, &report]), &Tokens(2, "tokenizer"));
    }
}

#[test]
fn an_odd_event_costs_nothing_but_a_mark() {
    let content = |content: &str| format!(r#"{{"choices":[{{"delta":{{"content":{content}}}}}]}}"#);
    for (name, odd) in [
        ("half an emoji", content(r#""\ud83d""#)),
        ("a list of parts", content(r#"[{"type":"text","text":"a"}]"#)),
        ("a member twice", content(r#""a","content":"b""#)),
        ("no choices", r#"{"id":"c"}"#.to_owned()),
        ("choices of null", r#"{"choices":null}"#.to_owned()),
        ("no data", String::new()),
        ("counts with a fraction", r#"{"choices":[],"usage":{"completion_tokens":2.0}}"#.to_owned()),
        ("counts as texts", r#"{"choices":[],"usage":{"completion_tokens":"2"}}"#.to_owned()),
    ] {
        let body = stream(&[HELLO, &odd, COUNTED]);
        check(name, EVENT_STREAM, &body, &Tokens(2, "server"));
        assert_eq!(odd_events(EVENT_STREAM, &body), 1.0, "{name}");
    }
    let ping = format!("event: ping\ndata: {{\"type\":\"ping\"}}\n\n{}", stream(&[HELLO, COUNTED]));
    assert_eq!(odd_events(EVENT_STREAM, &ping), 1.0);
    let ping = format!("event: ping\ndata: alive\n\n{}", stream(&[HELLO, COUNTED]));
    assert_eq!(odd_events(EVENT_STREAM, &ping), 1.0);
    assert_eq!(odd_events(EVENT_STREAM, &stream(&[HELLO, COUNTED])), Value::Null);
}

#[test]
fn a_stream_is_known_by_its_bytes() {
    let plain = stream(&[HELLO, COUNTED]);
    for (name, kind, body) in [
        ("declared as JSON", "application/json", plain.clone()),
        ("declared as text", "text/plain; charset=utf-8", plain.clone()),
        ("a comment first", "application/octet-stream", format!(": hello\n\n{plain}")),
        ("a byte order mark", EVENT_STREAM, format!("\u{FEFF}{plain}")),
        ("a byte order mark under another type", "text/html", format!("\u{FEFF}{plain}")),
        ("lines that end in CR LF", EVENT_STREAM, plain.replace('\n', "\r\n")),
        ("lines that end in CR", EVENT_STREAM, plain.replace('\n', "\r")),
        ("spaces around the end", EVENT_STREAM, events(&[HELLO, COUNTED, "  [DONE]  "])),
        ("no line after the end", EVENT_STREAM, events(&[HELLO, COUNTED]) + "data: [DONE]"),
    ] {
        check(name, kind, &body, &Tokens(2, "server"));
        assert_eq!(odd_events(kind, &body), Value::Null, "{name}");
    }
    let whole = r#"{"choices":[{"message":{"content":"hello world"}}]}"#;
    check("JSON declared as a stream", EVENT_STREAM, whole, &Tokens(2, "tokenizer"));
}

#[test]
fn what_hides_text_end_or_usage_is_a_failure() {
    let json = "application/json";
    for (name, kind, body, expected) in [
        ("broken JSON", EVENT_STREAM, stream(&[HELLO, r#"{"choices":[{"#]), Failure("malformed", "event 1")),
        ("no JSON", EVENT_STREAM, stream(&[HELLO, "busy"]), Failure("malformed", "event 1")),
        (
            "content of a number",
            EVENT_STREAM,
            stream(&[r#"{"choices":[{"delta":{"content":1}}]}"#]),
            Failure("malformed", "event 0"),
        ),
        (
            "usage of a list",
            EVENT_STREAM,
            stream(&[HELLO, r#"{"usage":[]}"#]),
            Failure("malformed", "event 1"),
        ),
        ("no end", EVENT_STREAM, events(&[HELLO, COUNTED]), Failure("incomplete", "without the end")),
        (
            "an error in JSON",
            EVENT_STREAM,
            r#"{"error":{"message":"no GPU"}}"#.to_owned(),
            Failure("server", "no GPU"),
        ),
        (
            "an error event",
            EVENT_STREAM,
            "event: error\ndata: no GPU\n\n".to_owned(),
            Failure("server", "no GPU"),
        ),
        (
            "an error after text",
            EVENT_STREAM,
            stream(&[HELLO, r#"{"error":"no GPU"}"#]),
            Failure("server", "no GPU"),
        ),
        ("a body without choices", json, r#"{"id":"c"}"#.to_owned(), Failure("malformed", "choices")),
        ("no body", json, String::new(), Failure("malformed", "event 0")),
    ] {
        check(name, kind, &body, &expected);
    }
}

#[test]
fn a_response_that_is_compressed_is_named() {
    let place = Workplace::new();
    let url = serve(|request| {
        assert_eq!(request.header("accept-encoding"), "identity");
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\n";
        Reply::Raw([head.as_bytes(), b"\x1f\x8b\x08"].concat())
    });
    place.run(&format!("profile -m m --url {url} --concurrency 1 --num-prompts 1 --isl 8")).expect(4);
    let records = String::from_utf8(place.bytes(&format!("{FOLDER}/profile_export.jsonl"))).unwrap();
    assert!(records.contains("\"malformed\"") && records.contains("encoded as 'gzip'"), "{records}");
}

#[test]
fn answers_without_a_token_are_in_no_figure_and_impossible_counts_are_told() {
    let place = Workplace::new();
    let bodies = [
        stream(&[]),
        stream(&[HELLO, r#"{"choices":[],"usage":{"completion_tokens":4294967295}}"#]),
        stream(&[HELLO, r#"{"choices":[],"usage":{"completion_tokens":2}}"#]),
        stream(&[HELLO, r#"{"type":"ping"}"#]),
    ];
    let url = serve(move |request| Reply::Http("200 OK", EVENT_STREAM, bodies[request.number % 4].clone()));
    let arguments = "--concurrency 1 --num-prompts 40 --isl 8 --require-valid";
    place.run(&format!("profile -m m --url {url} {arguments}")).expect(6);
    let run = place.json(&format!("{FOLDER}/profile_export_aiperf.json"));
    for (metric, expected) in [
        ("request_count", 30.0),
        ("error_request_count", 10.0),
        ("contradicted_usage_count", 10.0),
        ("odd_event_count", 10.0),
        ("total_osl", 60.0),
    ] {
        assert_eq!(run[metric]["avg"], json!(expected), "{metric}");
    }
    assert_eq!(run["request_latency"]["count"], json!(30), "one population: {run}");
    assert!(run["output_token_throughput_per_user"]["max"].as_f64().is_none_or(|most| most < 1e9), "{run}");
    let reasons = run["verdict"]["reasons"].to_string();
    assert!(reasons.contains("usage_contradicted") && reasons.contains(", 2 used"), "{reasons}");
}
