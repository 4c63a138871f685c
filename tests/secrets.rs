//! Keys reach the server and nothing else, whatever the server does with them.

use crate::plugin_projects::has_compiler;
use crate::scripted::{Reply, Request, serve};
use crate::support::{Finished, Silence, Workplace, aiperf};
use serde_json::json;

/// What stands in every secret of these tests.
const SECRET: &str = "hunter2";

/// Every way in which a secret can be given.
const GIVEN: &str = "--api-key sk-hunter2-key/56 -H 'X-Api-Key: hunter2-header' -H 'Cookie: session=hunter2-cookie; x=1' \
    -H 'X-Goog: hunter2-without-a-telling-name' --endpoint /v1/chat/completions?token=hunter2-query";

/// The command that runs two values against a server with all secrets.
fn profile(url: &str) -> String {
    format!("profile -m m --url {url}/?api_key=hunter2-url --concurrency 1,2 --num-prompts 4 {GIVEN}")
}

#[track_caller]
fn assert_nowhere(place: &Workplace, outputs: &[&Finished]) {
    for output in outputs {
        for text in [&output.stdout, &output.stderr] {
            assert!(!text.contains(SECRET), "{text}");
        }
    }
    for file in place.files("") {
        let text = String::from_utf8_lossy(&place.bytes(&file)).into_owned();
        let lines: Vec<_> = text.lines().filter(|line| line.contains(SECRET)).collect();
        assert!(lines.is_empty(), "{file}: {lines:#?}");
    }
}

/// Everything that the server was sent and should not have, as one text.
fn received(request: &Request) -> String {
    assert!(request.head.matches(SECRET).count() >= 6, "all secrets are sent: {}", request.head);
    format!("{} {}", request.head.replace("\r\n", " "), request.header("authorization"))
}

#[test]
fn a_server_that_sends_keys_back_in_its_errors_does_not_spread_them() {
    type Answer = fn(&Request) -> Reply;
    let replies: [(&str, Answer); 6] = [
        ("as text", |request| Reply::error(received(request))),
        ("as JSON", |request| Reply::error(json!({ "error": received(request) }).to_string())),
        ("with escaped slashes", |request| {
            Reply::error(json!({ "error": received(request) }).to_string().replace('/', "\\/"))
        }),
        ("cut off", |request| {
            let key = request.header("authorization");
            Reply::error(format!("{} {key}", "x".repeat(256 - key.len() + 5)))
        }),
        ("inside a stream", |request| {
            let event = json!({ "error": { "message": received(request), "code": 500 } });
            Reply::Http("200 OK", "text/event-stream", format!("data: {event}\n\n"))
        }),
        ("in what is no JSON", |request| {
            Reply::Http("200 OK", "text/event-stream", format!("data: {{\"{}\n\n", received(request)))
        }),
    ];
    for (how, reply) in replies {
        let place = Workplace::new();
        let ended = place.run(&format!("{} --plugin-trace traces", profile(&serve(reply))));
        let ended = ended.expect(4);
        // The server's words are told, or at least kept in a trace.
        let traces = place.files("traces").into_iter().map(|file| place.bytes(&format!("traces/{file}")));
        let told = traces.fold(ended.stderr.clone(), |told, trace| told + &String::from_utf8(trace).unwrap());
        assert!(told.contains("<redacted>"), "{how}: {told}");
        assert_nowhere(&place, &[&ended]);
    }
}

#[test]
fn a_server_that_sends_keys_back_in_its_answers_does_not_spread_them() {
    let place = Workplace::new();
    let url = serve(|request| Reply::chat(&received(request)));
    let ended = place.run(&profile(&url)).expect(0);
    let records = place.bytes("artifacts/m-openai-chat-concurrency_sweep/concurrency_1/profile_export.jsonl");
    assert!(String::from_utf8(records).unwrap().contains("<redacted>"));
    assert_nowhere(&place, &[&ended]);
}

#[test]
fn what_is_recorded_for_a_plugin_holds_no_key() {
    for status in ["200 OK", "401 Unauthorized"] {
        let place = Workplace::new();
        let url = serve(move |request| Reply::Http(status, "application/json", request.head.clone()));
        let record = format!(
            "plugin record answer --url {url}/?api_key=hunter2-url --model m --api-key sk-hunter2-key/56 -H 'X-Api-Key: hunter2-header'"
        );
        let ended = place.run(&record);
        assert_eq!(ended.code, if status.starts_with("200") { 0 } else { 4 }, "{}", ended.stderr);
        assert_nowhere(&place, &[&ended]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_list_of_processes_shows_no_key() {
    let (silence, place) = (Silence::start(), Workplace::new());
    let running = place.begin(&profile(&silence.url));
    silence.wait_for_request();
    let shown = std::fs::read(format!("/proc/{}/cmdline", running.pid())).unwrap();
    let shown = String::from_utf8(shown).unwrap().replace('\0', " ");
    assert!(shown.contains("--api-key <redacted>") && shown.contains("-m m"), "{shown}");
    assert!(!shown.contains(SECRET), "{shown}");
    running.signal("INT");
    running.signal("INT");
    let ended = running.finish().expect(130);
    assert_nowhere(&place, &[&ended]);
}

/// The objective that `plugin new` writes, with a secret setting that it logs.
fn objective_with_a_key(place: &Workplace) {
    place.run("plugin new --kind objective mine").expect(0);
    let source = place.path().join("mine/src/lib.rs");
    let edited = std::fs::read_to_string(&source)
        .unwrap()
        .replace(
            "    limit_ms: f64,\n",
            "    limit_ms: f64,\n    #[schemars(extend(\"writeOnly\" = true))]\n    key: String,\n",
        )
        .replace("limit_ms: 200.0 }", "limit_ms: 200.0, key: String::new() }")
        .replace(
            "        let in_time",
            "        aiperf_plugin::log::info(&format!(\"the key is {}\", self.key));\n        let in_time",
        );
    std::fs::write(&source, edited).unwrap();
    place.run("plugin build mine").expect(0);
}

#[test]
fn a_secret_setting_comes_from_the_environment_and_reaches_the_plugin_alone() {
    if !has_compiler() {
        return;
    }
    let place = Workplace::new();
    objective_with_a_key(&place);
    let run = |setting: &str| {
        let objective = format!("mine:{{\"limit_ms\":1e6,\"key\":\"{setting}\"}}");
        let mut command = aiperf();
        command.current_dir(place.path()).env("MY_KEY", "hunter2-setting");
        command.args(["profile", "-m", "m", "--url", "sim:?ttft-ms=1&itl-ms=0.1", "--osl", "2"]);
        command.args(["--num-prompts", "4", "--concurrency", "1,2", "--plugin", "mine/mine.wasm"]);
        Finished::from(command.args(["--objective", &objective]).output().unwrap())
    };
    let ended = run("$MY_KEY").expect(0);
    assert!(ended.stderr.contains("the key is <redacted>"), "{}", ended.stderr);
    let manifest = place.json("artifacts/m-openai-chat-concurrency_sweep/manifest.json");
    assert!(manifest.to_string().contains("$MY_KEY"), "{manifest:#}");
    assert_nowhere(&place, &[&ended]);

    for (setting, told) in [("hunter2-written", "'key' is secret"), ("$MISSING", "MISSING, which is not set")]
    {
        let refused = run(setting).expect(2);
        assert!(refused.stderr.contains(told) && !refused.stderr.contains(SECRET), "{}", refused.stderr);
    }
}
