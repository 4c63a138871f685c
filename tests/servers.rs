//! Servers that fail in every way: what is in the files, in the exit code and on the console.

use crate::scripted::{Reply, serve};
use crate::support::{Finished, Server, Workplace, aiperf, free_port, wait_until};
use serde_json::{Value, json};
use std::process::{Command, Stdio};

const BASE: &str = "artifacts/m-openai-chat-concurrency_sweep";

fn profile(url: &str, more: &str) -> String {
    format!("profile -m m --url {url} --concurrency 1,2 --num-prompts 20 --osl 2 --isl 8 {more}")
}

fn sweep(place: &Workplace) -> Value {
    place.json(&format!("{BASE}/sweep_aggregate/profile_export_aiperf_sweep.json"))
}

fn run(place: &Workplace, value: u32) -> Value {
    place.json(&format!("{BASE}/concurrency_{value}/profile_export_aiperf.json"))
}

fn records(place: &Workplace, value: u32) -> Vec<Value> {
    let records = place.bytes(&format!("{BASE}/concurrency_{value}/profile_export.jsonl"));
    String::from_utf8(records).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The requests of a value that failed, as pairs of kind and status.
fn failures(place: &Workplace, value: u32) -> Vec<(String, Value)> {
    let all = records(place, value);
    assert_eq!(all.len(), 20, "no request is lost");
    for record in &all {
        let metadata = &record["metadata"];
        assert!(metadata["request_end_ns"].as_u64() >= metadata["request_start_ns"].as_u64(), "{record}");
    }
    let failed = all.iter().map(|record| &record["error"]).filter(|error| !error.is_null());
    failed.map(|error| (error["type"].as_str().unwrap().to_owned(), error["code"].clone())).collect()
}

/// Both values failed with this reason, which stands in every place where a reader looks for it.
#[track_caller]
fn assert_all_failed(place: &Workplace, ended: &Finished, reason: &str) {
    let sweep = sweep(place);
    let failed = sweep["metadata"]["failed_values"].as_array().unwrap();
    assert_eq!(failed.iter().map(|failed| &failed["value"]).collect::<Vec<_>>(), [1, 2]);
    for failed in failed {
        let error = failed["error"].as_str().unwrap();
        assert!(error.contains(reason), "{error}");
        assert!(ended.stderr.contains(error), "{}", ended.stderr);
    }
    assert_eq!(ended.stderr.matches("failed: ").count(), 2, "{}", ended.stderr);
    assert_eq!(sweep["per_value_metrics"], json!({}));
}

#[test]
fn a_third_of_errors_is_counted_and_suspect() {
    let place = Workplace::new();
    let url = serve(|request| match request.number % 10 {
        0..3 => Reply::error("{\"error\": \"out of memory\"}"),
        _ => Reply::chat("stop"),
    });
    place.run(&profile(&url, "")).expect(0);
    for value in [1, 2] {
        assert_eq!(failures(&place, value), vec![("status".to_owned(), json!(500)); 6]);
        let run = run(&place, value);
        assert_eq!(
            (&run["request_error_rate"]["avg"], &run["request_count"]["avg"]),
            (&json!(30.0), &json!(14.0))
        );
        let summary = run["error_summary"].to_string();
        assert!(summary.contains("out of memory"), "{summary}");
        let reasons = run["verdict"]["reasons"].to_string();
        assert!(reasons.contains("\"errors\""), "{reasons}");
    }
    assert_eq!(sweep(&place)["per_value_metrics"]["1"]["request_error_rate_avg"]["mean"], 30.0);
    // What is too much is for the user to say.
    let ended = place.run(&profile(&url, "--max-error-rate 0.2 --overwrite")).expect(4);
    assert_all_failed(
        &place,
        &ended,
        "/v1/chat/completions failed, more than --max-error-rate 0.2; most frequent error: status 500",
    );
}

#[test]
fn a_server_that_always_fails_fails_the_value() {
    let place = Workplace::new();
    let url = serve(|_| Reply::error("no GPU"));
    let ended = place.run(&profile(&url, "")).expect(4);
    assert_eq!(failures(&place, 1), vec![("status".to_owned(), json!(500)); 20]);
    assert_all_failed(
        &place,
        &ended,
        "/v1/chat/completions succeeded; most frequent error: status 500: no GPU (20 times)",
    );
}

#[test]
fn a_server_that_stalls_is_waited_for_as_long_as_the_user_wants() {
    let place = Workplace::new();
    let url = serve(|request| if request.number % 5 == 0 { Reply::Stall } else { Reply::chat("stop") });
    place.run(&profile(&url, "--request-timeout-seconds 0.2")).expect(0);
    for value in [1, 2] {
        assert_eq!(failures(&place, value), vec![("timeout".to_owned(), Value::Null); 4]);
    }
    let url = serve(|_| Reply::Stall);
    let ended = place.run(&profile(&url, "--request-timeout-seconds 0.02 --overwrite")).expect(4);
    assert_all_failed(&place, &ended, "timeout: the response did not end within 0.02 s (20 times)");
}

#[test]
fn a_server_that_resets_connections_costs_these_requests() {
    let place = Workplace::new();
    // The odd ones, so that a request that is sent again is answered.
    let url = serve(|request| if request.number % 4 == 3 { Reply::Reset } else { Reply::chat("stop") });
    place.run(&profile(&url, "--connection-reuse-strategy never")).expect(0);
    assert_eq!(failures(&place, 1), vec![("connect".to_owned(), Value::Null); 5]);
    let url = serve(|_| Reply::Reset);
    let ended = place.run(&profile(&url, "--unreachable-timeout 0.05 --overwrite")).expect(4);
    assert_all_failed(&place, &ended, "s: the connection broke before the response began");
}

#[test]
fn garbage_is_malformed_and_half_an_answer_is_incomplete() {
    let half =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 1000\r\n\r\ndata: {\"cho";
    let cases: [(&[u8], &str, &str); 4] = [
        (b"\x16\x03\x01\xff\xfe garbage \x00\x00\r\n\r\n", "malformed", "the response is not HTTP"),
        (half.as_bytes(), "incomplete", "before the response ended"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n\xff\xfe\xfd\xfc", "malformed", "event 0"),
        (b"HTTP/1.1 999 \xff\xff\r\ncontent-length: 0\r\n\r\n", "status", "status 999"),
    ];
    for (bytes, kind, reason) in cases {
        let place = Workplace::new();
        let url = serve(move |_| Reply::Raw(bytes.to_vec()));
        let ended = place.run(&profile(&url, "")).expect(4);
        let failed = failures(&place, 2);
        assert!(failed.len() == 20 && failed.iter().all(|failed| failed.0 == kind), "{failed:?}");
        assert_all_failed(&place, &ended, reason);
    }
}

/// A simulator that answers at once.
const FAST: &str = "--ttft-ms 1 --prefill-rate 1000000 --itl-ms 0.2 --itl-slope-ms 0";

#[test]
fn a_server_that_dies_and_comes_back_costs_one_value_which_resume_repeats() {
    let (place, port) = (Workplace::new(), free_port());
    let mut server = Server::start_at(port, FAST);
    let mut running = place.begin(&format!(
        "profile -m m --url {} --concurrency 1,2,3,4 --osl 2 --isl 8 --num-prompts 1000000 --benchmark-duration 0.3 --wait-for-model-timeout 3600 --max-error-rate 0",
        server.chat_url()
    ));
    // The third value has begun once its records have.
    let third = place.path().join(BASE).join("concurrency_3/profile_export.jsonl");
    wait_until(|| third.is_file());
    server.kill();
    running.wait_for("failed: ");
    running.wait_for("waiting up to 3600 s for the server");
    let _server = Server::start_at(port, FAST);
    let ended = running.finish().expect(3);
    assert!(ended.stderr.contains("continue with: aiperf profile --resume"), "{}", ended.stderr);
    assert_eq!(place.states(BASE), ["done", "done", "failed", "done"]);
    let metadata = &sweep(&place)["metadata"];
    assert_eq!(metadata["failed_values"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&metadata["failed_values"][0]["value"], &metadata["num_successful_values"]),
        (&json!(3), &json!(3))
    );
    let analysed =
        sweep(&place)["per_value_metrics"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(analysed, ["1", "2", "4"]);
    place.run(&format!("profile --resume {BASE}")).expect(0);
    assert_eq!(place.states(BASE), ["done"; 4]);
    assert_eq!(sweep(&place)["metadata"]["failed_values"], json!([]));
}

#[test]
fn a_server_that_goes_away_leaves_what_it_has_answered() {
    let place = Workplace::new();
    let mut server = Server::start(FAST);
    let running = place.begin(&format!(
        "profile -m m --url {} --concurrency 1,2 --osl 2 --isl 8 --num-prompts 1000000 --benchmark-duration 600 --unreachable-timeout 0.2 --fail-fast",
        server.chat_url()
    ));
    let first = place.path().join(BASE).join("concurrency_1/profile_export.jsonl");
    wait_until(|| first.metadata().is_ok_and(|file| file.len() > 0));
    server.kill();
    // The second value finds nobody.
    running.finish().expect(3);
    assert_eq!(place.states(BASE), ["done", "failed"]);
    let run = run(&place, 1);
    assert!(run["request_count"]["avg"].as_f64() >= Some(1.0), "{run}");
    // The request that was under way, if one was, and the one that found nobody.
    let failed = run["error_request_count"]["avg"].as_f64().unwrap();
    assert!((1.0..=2.0).contains(&failed), "{run}");
    let reasons = run["verdict"]["reasons"].as_array().unwrap();
    let lost = reasons.iter().find(|reason| reason["reason"] == "server_lost").unwrap();
    assert_eq!((&lost["threshold"], &lost["verdict"]), (&json!(0.2), &json!("SUSPECT")));
}

/// Runs it with limits on open files, as `ulimit` takes them.
fn with_files(place: &Workplace, limit: &str, arguments: &str) -> Finished {
    // One that finds no room and waits is to fail the test instead of hanging.
    let script = format!("ulimit {limit}; exec \"$0\" \"$@\" --request-timeout-seconds 20");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).arg(aiperf().get_program()).args(arguments.split(' '));
    shell.current_dir(place.path()).stdin(Stdio::null()).output().unwrap().into()
}

#[test]
fn a_load_that_needs_more_connections_than_there_may_be_is_refused() {
    let place = Workplace::new();
    let refused =
        with_files(&place, "-n 200", "profile -m m --url sim: --concurrency 4,100 --num-prompts 90");
    let refused = refused.expect(2);
    assert!(refused.stderr.contains("ulimit -n 244"), "{}", refused.stderr);
    // So is the limit of an open loop.
    let open =
        "profile -m m --url http://127.0.0.1:9 --request-rate 3000 --concurrency 500 --num-prompts 600";
    let refused = with_files(&place, "-n 256", open).expect(2);
    assert!(refused.stderr.contains("ulimit -n 564"), "{}", refused.stderr);
    assert_eq!(place.files(""), Vec::<String>::new());
}

#[test]
fn a_soft_limit_of_open_files_is_raised() {
    let place = Workplace::new();
    let fast = "sim:?ttft-ms=1&prefill-rate=1000000&max-batch=200";
    let arguments = format!("profile -m m --url {fast} --concurrency 150 --num-prompts 300 --osl 1 --isl 8");
    with_files(&place, "-S -n 128", &arguments).expect(0);
}

#[test]
fn an_open_loop_that_finds_no_room_for_connections_is_no_record_of_the_server() {
    let place = Workplace::new();
    let arguments = "profile -m m --url sim:?ttft-ms=20&max-batch=4 --request-rate 5000 --num-prompts 1000 --osl 1 --isl 8 --max-error-rate 1";
    let ended = with_files(&place, "-n 128", arguments).expect(0);
    assert!(ended.stdout.contains("INVALID") && ended.stdout.contains("ulimit -n"), "{}", ended.stdout);
    let run = place.json("artifacts/m-openai-chat-request_rate5000/profile_export_aiperf.json");
    let error = &run["error_summary"][0]["error_details"];
    assert_eq!(error["type"], "client");
    assert!(error["message"].as_str().unwrap().contains("32 are open"), "{error}");
    let reasons = run["verdict"]["reasons"].to_string();
    assert!(reasons.contains("client_errors"), "{reasons}");
}
