//! `aiperf plugin test`, `record` and `--plugin-trace`: what is wrong with a plugin is found and can be repeated.

use crate::support::{Server, Workplace};
use serde_json::{Value, json};
use std::fs;

/// A component that breaks the contract in the way its settings say.
const MISBEHAVING: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../plugin-host/tests/fixtures/misbehaving.wasm");
const PREBUILT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/prebuilt");

const POINT: &str = r#"{ "index": 4, "parameters": [], "trials": 1, "measurements": [] }"#;

fn fixture(place: &Workplace, name: &str, content: &str) {
    fs::create_dir_all(place.path().join("fixtures")).unwrap();
    fs::write(place.path().join("fixtures").join(name), content).unwrap();
}

#[test]
fn the_built_in_plugins_pass() {
    let place = Workplace::new();
    for entry in fs::read_dir(PREBUILT).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            let tested = place.run(&format!("plugin test {}", path.display())).expect(0);
            assert!(tested.stdout.ends_with(" passed, 0 failed\n"), "{}", tested.stdout);
        }
    }
}

#[test]
fn every_function_of_a_built_in_plugin_is_measured() {
    let place = Workplace::new();
    for (name, rows) in [
        ("chat", ["build   a prompt of 2.5 kB", "parse   a chat response, 256 events"].as_slice()),
        ("slope-change", &["detect   growth that slows down"]),
    ] {
        let measured = place.run(&format!("plugin bench {name}")).expect(0);
        for row in rows {
            assert!(measured.stdout.contains(row), "{row:?} is not in\n{}", measured.stdout);
        }
    }
    let refused = place.run("plugin bench nothing-of-this-name").expect(2);
    assert!(refused.stderr.contains("cannot read plugin 'nothing-of-this-name'"), "{}", refused.stderr);
    let refused = place.run(&format!("plugin bench {MISBEHAVING} --native nowhere.so")).expect(2);
    assert!(refused.stderr.contains("cannot read plugin 'nowhere.so'"), "{}", refused.stderr);
}

#[test]
fn what_breaks_the_contract_is_found() {
    let place = Workplace::new();
    let tested = place.run(&format!("plugin test {MISBEHAVING}")).expect(5);
    for part in [
        "FAIL  refuses a misspelt setting: {\"no_plugin_has_this_setting\":true} is accepted, so a typing error",
        "FAIL  takes a page of HTML for no answer, as a stream: it is taken for a complete answer",
        "ok    bears four points in judge\n",
    ] {
        assert!(tested.stdout.contains(part), "{part:?} is not in\n{}", tested.stdout);
    }
}

#[test]
fn what_a_plugin_keeps_between_calls_is_found() {
    let place = Workplace::new();
    fs::copy(MISBEHAVING, place.path().join("x.wasm")).unwrap();
    fixture(
        &place,
        "remember.json",
        r#"{ "call": "parse", "settings": { "do": "remember" }, "input": { "events": [{ "data": "a" }], "streamed": true } }"#,
    );
    let tested = place.run("plugin test x.wasm").expect(5);
    let told = "FAIL  answers as in remember.json: a new instance gives";
    assert!(tested.stdout.contains(told), "{}", tested.stdout);
}

#[test]
fn fixtures_are_held_against_the_answers() {
    let place = Workplace::new();
    fs::copy(MISBEHAVING, place.path().join("x.wasm")).unwrap();
    let case = |settings: &str, rest: &str| {
        format!(r#"{{ "call": "evaluate", "settings": {settings}, "input": {POINT}, {rest} }}"#)
    };
    fixture(&place, "a-right.json", &case("{}", r#""answer": { "value": 4 }"#));
    fixture(&place, "b-wrong.json", &case("{}", r#""answer": { "value": 5 }"#));
    fixture(&place, "c-none.json", &case(r#"{"do":"none"}"#, r#""answer": null"#));
    fixture(&place, "d-crash.json", &case(r#"{"do":"panic"}"#, r#""answer": null"#));
    fixture(&place, "e-error.json", &case(r#"{"do":"malformed"}"#, r#""error": "malformed""#));
    fixture(&place, "f-broken.json", "{");
    let tested = place.run("plugin test x.wasm").expect(5);
    for part in [
        "ok    answers as in a-right.json\n",
        "FAIL  answers as in b-wrong.json: value: 5 is expected, but the answer is 4.0\n",
        "ok    answers as in c-none.json\n",
        "FAIL  answers as in d-crash.json: objective 'misbehaving' panicked in evaluate",
        "ok    answers as in e-error.json\n",
        "FAIL  can read f-broken.json: EOF",
    ] {
        assert!(tested.stdout.contains(part), "{part:?} is not in\n{}", tested.stdout);
    }
    let refused = place.run("plugin test x.wasm --fixtures nowhere").expect(2);
    assert_eq!(refused.stderr, "error: --fixtures: 'nowhere' is no directory\n");
}

#[test]
fn a_response_that_is_cut_must_not_pass_for_a_whole_one() {
    let place = Workplace::new();
    // This plugin takes whatever there is for the whole answer.
    fs::copy(MISBEHAVING, place.path().join("x.wasm")).unwrap();
    fixture(
        &place,
        "stream.http",
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: a\n\ndata: bc\n\n",
    );
    fixture(
        &place,
        "stream.json",
        r#"{ "call": "parse", "response": "stream.http", "answer": { "complete": true } }"#,
    );
    let tested = place.run("plugin test x.wasm").expect(5);
    let told =
        "FAIL  takes no part for the whole of stream.json: cut after 0 of 19 bytes, it is complete with ''\n";
    assert!(tested.stdout.contains(told), "{}", tested.stdout);
    assert!(tested.stdout.contains("ok    answers as in stream.json\n"), "{}", tested.stdout);
}

#[test]
fn a_failed_call_is_kept_and_can_be_repeated() {
    let place = Workplace::new();
    fs::copy(MISBEHAVING, place.path().join("x.wasm")).unwrap();
    let finished = place
        .run(
            "profile --model m --url sim:?prefill-rate=1000000&itl-ms=0.1 --osl 2 --concurrency 1,2 --num-prompts 4 --ui none \
             --plugin x.wasm --objective 'misbehaving:{\"do\":\"panic\"}' --plugin-trace traces",
        )
        .expect(5);
    let file = "traces/objective-misbehaving-evaluate-1.json";
    let told = format!("the failed call is kept; repeat it with `aiperf plugin test --trace {file}`");
    assert!(finished.stderr.contains(&told), "{}", finished.stderr);
    let trace = place.json(file);
    assert_eq!(trace["call"], "evaluate");
    assert_eq!(trace["settings"], json!({ "do": "panic" }));
    assert!(trace["input"]["measurements"].as_array().unwrap().len() > 5);

    let repeated = place.run(&format!("plugin test x.wasm --trace {file}")).expect(5);
    assert!(
        repeated.stdout.starts_with(
            "  FAIL  objective 'misbehaving' answers evaluate: objective 'misbehaving' panicked"
        ),
        "{}",
        repeated.stdout
    );
    let mut healed = trace;
    healed["settings"] = json!({});
    fs::write(place.path().join("healed.json"), healed.to_string()).unwrap();
    let repeated = place.run("plugin test x.wasm --trace healed.json").expect(0);
    assert_eq!(repeated.stdout, "  ok    objective 'misbehaving' answers evaluate\n1 passed, 0 failed\n");
    let refused = place.run("plugin test x.wasm --trace x.wasm").expect(2);
    assert!(refused.stderr.starts_with("error: x.wasm is no trace: "), "{}", refused.stderr);
}

#[test]
fn an_analysis_keeps_failed_calls_too_and_few_of_them() {
    let place = Workplace::new();
    place
        .run("profile --model m --url sim:?prefill-rate=1000000&itl-ms=0.1 --osl 2 --concurrency 1..30+1 --num-prompts 2 --ui none")
        .expect(0);
    let failing = "--objective 'misbehaving:{\"do\":\"nan\"}' --trend 'misbehaving:{\"do\":\"index\"}'";
    place
        .run(&format!(
            "analyze artifacts/m-openai-chat-concurrency_sweep --plugin {MISBEHAVING} {failing} --plugin-trace traces"
        ))
        .expect(5);
    let kept = place.files("traces");
    assert!(
        kept.len() <= 20 && kept.iter().any(|file| file.starts_with("trend-misbehaving-detect")),
        "{kept:?}"
    );
}

#[test]
fn a_response_of_a_live_server_becomes_a_fixture() {
    let place = Workplace::new();
    let server = Server::start("--prefill-rate 1000000 --itl-ms 0.1");
    fs::copy(format!("{PREBUILT}/endpoint-chat.wasm"), place.path().join("chat.wasm")).unwrap();
    for (name, flag) in [("stream", ""), ("whole", "--no-streaming")] {
        let recorded = place
            .run(&format!(
                "plugin record {name} --url {} --model m --endpoint-type chat --osl 3 --prompt 'Once upon' {flag}",
                server.url
            ))
            .expect(0);
        assert!(recorded.stdout.contains(&format!("fixtures/{name}.http")), "{}", recorded.stdout);
        let fixture = place.json(&format!("fixtures/{name}.json"));
        assert_eq!(fixture["call"], "parse");
        assert_eq!(fixture["answer"]["complete"], true);
        assert_eq!(fixture["answer"]["usage"]["output_tokens"], 3);
        let response = String::from_utf8(place.bytes(&format!("fixtures/{name}.http"))).unwrap();
        assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
        assert_eq!(response.contains("data: [DONE]"), name == "stream", "{response}");
    }
    let tested = place.run("plugin test chat.wasm").expect(0);
    for name in ["stream", "whole"] {
        assert!(tested.stdout.contains(&format!("ok    takes no part for the whole of {name}.json\n")));
    }
    let again = format!("plugin record stream --url {} --model m", server.url);
    let refused = place.run(&again).expect(2);
    assert!(refused.stderr.contains("fixtures/stream.http exists already"), "{}", refused.stderr);
}

#[test]
fn a_server_that_refuses_is_told_with_its_words() {
    let place = Workplace::new();
    let server = Server::start("--error-rate 1");
    let refused = place.run(&format!("plugin record x --url {} --model m", server.url)).expect(4);
    assert!(refused.stderr.contains("the server answered 500"), "{}", refused.stderr);
    let refused = place.run("plugin record x --url http://127.0.0.1:9 --model m").expect(4);
    assert!(refused.stderr.contains("127.0.0.1:9"), "{}", refused.stderr);
    assert_eq!(place.files(""), Vec::<String>::new());
}

/// Unused numbers would make a fixture hard to read, and it is read by people.
#[test]
fn a_recorded_fixture_is_written_for_people() {
    let place = Workplace::new();
    let server = Server::start("--prefill-rate 1000000 --itl-ms 0.1");
    place.run(&format!("plugin record x --url {} --model m --osl 1", server.url)).expect(0);
    let text = String::from_utf8(place.bytes("fixtures/x.json")).unwrap();
    assert!(text.contains("\n  \"response\": \"x.http\""), "{text}");
    let value: Value = serde_json::from_str(&text).unwrap();
    assert!(value.get("input").is_none());
}
