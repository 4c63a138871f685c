//! Servers that fail: what was measured stays, and the exit code says what happened.

use crate::scripted::{self, Reply};
use crate::support::{Server, Workplace, aiperf, free_port, names_best};
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

#[test]
fn nothing_reachable_is_said_plainly() {
    let place = Workplace::new();
    for load in [
        "--concurrency 1",
        "--concurrency 1,2",
        "--concurrency 1,2 --ui none",
        "--concurrency 1 --num-profile-runs 2",
    ] {
        let failed = place.run(&format!("profile --model m --url http://127.0.0.1:9 {load}")).expect(4);
        let said = "error: no server can be reached at http://127.0.0.1:9: no connection to 127.0.0.1:9: Connection refused (os error 111); is the server started, and is this its port?\n";
        assert_eq!(failed.stderr.matches(said).count(), 1, "{load}: {}", failed.stderr);
        assert!(!failed.stderr.contains("--resume"), "{load}: {}", failed.stderr);
        assert_eq!(failed.stdout, "", "{load}");
        assert_eq!(place.files(""), Vec::<String>::new(), "{load}: nothing was sent, so nothing is kept");
    }
    let earlier = place.run("profile -m m -u sim: --osl 1 --num-prompts 1 --concurrency 1").expect(0);
    place.run("profile -m m -u http://127.0.0.1:9 --concurrency 1").expect(4);
    assert_eq!(std::fs::read_dir(place.path().join("artifacts")).unwrap().count(), 1, "{}", earlier.stdout);
}

/// A server for which each request is as wrong as the status says.
fn refusing(status: &'static str, body: &'static str) -> String {
    scripted::serve(move |_| Reply::Http(status, "text/plain", body.to_owned()))
}

#[test]
fn what_nobody_answers_is_said_with_the_whole_url_and_what_helps() {
    let cases = [
        (refusing("404 Not Found", "no such path"), "status 404: no such path", "--endpoint"),
        (refusing("404 Not Found", "The model `m` does not exist."), "status 404: The model", "--model"),
        (refusing("401 Unauthorized", "no key"), "status 401: no key", "--api-key"),
        (
            refusing("400 Bad Request", "Client sent an HTTP request to an HTTPS server."),
            "status 400",
            "https://",
        ),
    ];
    for (url, error, help) in cases {
        let place = Workplace::new();
        let failed = place.run(&format!("profile -m m -u {url} --concurrency 1 --num-prompts 4")).expect(4);
        let line = failed.stderr.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
        for part in [&format!("{url}/v1/chat/completions"), error, "(4 times)", help] {
            assert!(line.contains(part), "{part:?} is not in {}", failed.stderr);
        }
        assert!(!failed.stderr.contains("--resume"), "{}", failed.stderr);
        // Answers are data, whatever they say.
        assert!(failed.stdout.contains("Files: artifacts/"), "{}", failed.stdout);
    }
}

#[test]
fn names_and_ports_that_are_wrong_are_told_apart() {
    let plain = Server::start("");
    for (url, error) in [
        (plain.url.replace("http://", "https://"), "write http://"),
        ("http://no-such-host.invalid:8000".to_owned(), "'no-such-host.invalid' is not known"),
    ] {
        let place = Workplace::new();
        let failed = place.run(&format!("profile -m m -u {url} --concurrency 1")).expect(4);
        assert!(failed.stderr.contains(error), "{}", failed.stderr);
        assert_eq!(place.files(""), Vec::<String>::new());
    }
}

#[test]
fn requests_that_failed_are_told_with_code_message_and_count() {
    let url = scripted::serve(|request| match request.number % 4 {
        0 => Reply::Http("503 Service Unavailable", "text/plain", "overloaded".to_owned()),
        _ => Reply::chat("stop"),
    });
    let place = Workplace::new();
    let single = place.run(&format!("profile -m m -u {url} --concurrency 1 --num-prompts 16")).expect(0);
    let told = "Failed requests (excluded from latencies)\n  4 × 503 status: overloaded\n";
    assert!(single.stdout.contains(told), "{}", single.stdout);
    let swept = place.run(&format!("profile -m m -u {url} --concurrency 1,2 --num-prompts 16")).expect(0);
    let told = "  concurrency 1: 4 × 503 status: overloaded\n  concurrency 2: 4 × 503 status: overloaded\n";
    assert!(swept.stdout.contains(told), "{}", swept.stdout);
    let sweep = "artifacts/m-openai-chat-concurrency_sweep";
    let page = |place: &Workplace| String::from_utf8(place.bytes(&format!("{sweep}/report.html"))).unwrap();
    assert!(page(&place).contains("overloaded"));
    std::fs::remove_file(place.path().join(sweep).join("report.html")).unwrap();
    place.run(&format!("report {sweep}")).expect(0);
    assert!(page(&place).contains("overloaded"), "the errors are read back from the runs");
}

#[test]
fn a_server_that_dies_costs_its_value_and_no_other() {
    let place = Workplace::new();
    let mut server = Server::start("--prefill-rate 1000000 --itl-ms 1 --itl-slope-ms 0");
    let url = server.chat_url();
    // The third value is endless in comparison, so that the server dies in the middle of it.
    let mut running = aiperf()
        .args([
            "profile",
            "--model",
            "m",
            "--url",
            &url,
            "--concurrency",
            "2,4,8",
            "--osl",
            "20",
            "--num-prompts",
            "2000",
        ])
        .args(["--benchmark-duration", "1"])
        .current_dir(place.path())
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(running.stderr.take().unwrap());
    let mut seen = String::new();
    while !seen.contains("concurrency 4") {
        assert_ne!(stderr.read_line(&mut seen).unwrap(), 0, "{seen}");
    }
    server.kill();
    stderr.read_to_string(&mut seen).unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(3), "{seen}");
    let sweep = place
        .json("artifacts/m-openai-chat-concurrency_sweep/sweep_aggregate/profile_export_aiperf_sweep.json");
    let failed = &sweep["metadata"]["failed_values"];
    assert_eq!(failed.as_array().unwrap().len(), 1);
    assert_eq!(failed[0]["value"], 8);
    assert!(!failed[0]["error"].as_str().unwrap().is_empty());
    let timestamp = failed[0]["timestamp"].as_str().unwrap();
    assert!(timestamp.ends_with('Z') && timestamp.len() == "2025-01-15T10:30:45Z".len(), "{timestamp}");
    let analysed: Vec<_> = sweep["per_value_metrics"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(analysed, ["2", "4"]);
    assert_eq!(sweep["metadata"]["num_successful_values"], 2);
    assert_eq!(sweep["trends"]["request_throughput_avg"]["rate_of_change"].as_array().unwrap().len(), 1);
}

#[test]
fn a_share_of_errors_is_counted_and_too_large_a_share_fails_the_run() {
    for (rate, code) in [("0.25", 0), ("0.75", 4)] {
        let place = Workplace::new();
        let arguments = format!(
            "profile --model m --url sim:?error-rate={rate}&prefill-rate=1000000&itl-ms=0.1 --osl 2 --concurrency 2 --num-prompts 40"
        );
        place.run(&arguments).expect(code);
        let run = place.json("artifacts/m-openai-chat-concurrency2/profile_export_aiperf.json");
        let share = run["request_error_rate"]["avg"].as_f64().unwrap() / 100.0;
        assert!((share - rate.parse::<f64>().unwrap()).abs() < 0.05, "{share}");
    }
}

#[test]
fn a_stream_without_its_end_is_a_failure() {
    for fault in ["cut-after-tokens=2", "no-done=true"] {
        let place = Workplace::new();
        let arguments = format!(
            "profile --model m --url sim:?{fault}&prefill-rate=1000000&itl-ms=0.1 --osl 5 --concurrency 1 --num-prompts 4"
        );
        place.run(&arguments).expect(4);
        let records =
            String::from_utf8(place.bytes("artifacts/m-openai-chat-concurrency1/profile_export.jsonl"))
                .unwrap();
        assert_eq!(records.lines().count(), 4, "{fault}");
        assert!(records.lines().all(|line| line.contains("incomplete")), "{fault}: {records}");
    }
}

#[test]
fn a_server_that_closes_after_each_stream_causes_no_failure() {
    let place = Workplace::new();
    let arguments = "profile --model m --url sim:?close-after-stream=true&prefill-rate=1000000&itl-ms=0.1 --osl 2 --concurrency 4 --num-prompts 60";
    place.run(arguments).expect(0);
    let run = place.json("artifacts/m-openai-chat-concurrency4/profile_export_aiperf.json");
    assert_eq!(run["request_count"]["avg"], 60.0);
    assert_eq!(run["request_error_rate"]["avg"], 0.0);
}

/// A component that breaks the contract in the way its settings say; its source lies beside it.
const MISBEHAVING: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../plugin-host/tests/fixtures/misbehaving.wasm");

#[test]
fn an_analysis_plugin_that_fails_costs_its_own_part_only() {
    for (flag, mode, complaint) in [
        ("--objective", "panic", "panicked"),
        ("--objective", "nan", "NaN"),
        ("--pareto", "index", "99"),
        ("--trend", "unreachable", "panicked"),
    ] {
        let place = Workplace::new();
        let arguments = format!(
            "profile --model m --url sim:?ttft-ms=100&itl-ms=100 --osl 2 --concurrency 1,2 --num-prompts 4 --ui none \
             --plugin {MISBEHAVING} {flag} 'misbehaving:{{\"mode\":\"{mode}\"}}'"
        );
        let finished = place.run(&arguments).expect(5);
        assert!(finished.stdout.contains("'misbehaving'"), "{}", finished.stdout);
        let sweep = place.json(
            "artifacts/m-openai-chat-concurrency_sweep/sweep_aggregate/profile_export_aiperf_sweep.json",
        );
        let failure =
            sweep["metadata"]["plugin_failures"][0]["error"].as_str().unwrap_or_default().to_owned();
        assert!(failure.contains(complaint), "{mode}: {}", sweep["metadata"]["plugin_failures"]);
        assert_eq!(sweep["metadata"]["num_successful_values"], 2);
        assert!(names_best(&sweep, "best_throughput"), "{mode}");
    }
}

#[test]
fn an_endpoint_plugin_that_crashes_fails_its_runs_with_its_own_words() {
    let place = Workplace::new();
    let arguments = format!(
        "profile --model m --url sim: --concurrency 1,2 --ui none --plugin {MISBEHAVING} \
         --endpoint-type 'misbehaving:{{\"mode\":\"panic\"}}'"
    );
    let finished = place.run(&arguments).expect(5);
    assert!(finished.stderr.contains("no such thing: 2"), "{}", finished.stderr);
}

const FAST: &str = "--prefill-rate 1000000 --itl-ms 0.1";

fn states(place: &Workplace) -> Vec<String> {
    let manifest = place.json("artifacts/m-openai-chat-concurrency_sweep/manifest.json");
    let runs = manifest["runs"].as_array().unwrap();
    runs.iter().map(|run| run["state"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_first_failure_can_end_the_sweep() {
    let place = Workplace::new();
    let ended = place.run("profile -m m --url sim:?error-rate=1 --concurrency 1,2,3 --fail-fast").expect(4);
    assert!(ended.stderr.contains("--fail-fast"), "{}", ended.stderr);
    assert_eq!(states(&place), ["failed", "pending", "pending"]);
}

#[test]
fn a_number_of_failed_values_can_end_the_sweep() {
    let place = Workplace::new();
    let arguments = "profile -m m --url sim:?error-rate=1 --concurrency 1,2,3,4 --max-failed-values 1";
    let ended = place.run(arguments).expect(4);
    assert!(ended.stderr.contains("stopped after 2 failed values"), "{}", ended.stderr);
    assert_eq!(states(&place), ["failed", "failed", "pending", "pending"]);
}

#[test]
fn a_failed_run_is_repeated_until_the_server_is_back() {
    let (place, port) = (Workplace::new(), free_port());
    let mut running = place.begin(&format!(
        "profile -m m --url http://127.0.0.1:{port} --concurrency 1,2 --osl 2 --num-prompts 4 --retry-failed 1000000 --parameter-sweep-cooldown-seconds 0.02"
    ));
    running.wait_for("is run again");
    let _server = Server::start_at(port, FAST);
    running.finish().expect(0);
    assert_eq!(states(&place), ["done", "done"]);
    let manifest = place.json("artifacts/m-openai-chat-concurrency_sweep/manifest.json");
    assert!(manifest["runs"][0]["attempts"].as_i64() > Some(1));
    assert_eq!(manifest["runs"][1]["attempts"], 1);
}

#[test]
fn a_server_that_starts_late_is_waited_for() {
    let (place, port) = (Workplace::new(), free_port());
    let mut running = place.begin(&format!(
        "profile -m m --url http://127.0.0.1:{port} --concurrency 1,2 --osl 2 --num-prompts 4 --wait-for-model-timeout 3600"
    ));
    running.wait_for("waiting up to 3600 s for the server");
    let _server = Server::start_at(port, FAST);
    running.finish().expect(0);
    assert_eq!(states(&place), ["done", "done"]);
}

#[test]
fn a_server_that_never_starts_fails_its_runs_after_the_wait() {
    let place = Workplace::new();
    let arguments = "profile -m m --url http://127.0.0.1:9 --concurrency 1,2 --wait-for-model-timeout 0.05";
    let failed = place.run(arguments).expect(4);
    assert!(failed.stderr.contains("error: no server can be reached"), "{}", failed.stderr);
}
