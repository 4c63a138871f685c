//! What is believed, and what is not: the verdict over real runs.

use crate::support::{Server, Workplace, aiperf, wait_until};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A token right away: what is slow here is the client.
const FAST: &str = "ttft-ms=1&prefill-rate=100000000&itl-ms=0.1&itl-slope-ms=0";

/// The verdict in the file of a single run.
fn verdict(place: &Workplace, stimulus: &str) -> Value {
    place.json(&format!("artifacts/demo-openai-chat-{stimulus}/profile_export_aiperf.json"))["verdict"]
        .clone()
}

/// The reason of this name, or null.
fn reason(verdict: &Value, name: &str) -> Value {
    let mut reasons = verdict["reasons"].as_array().unwrap().iter();
    reasons.find(|reason| reason["reason"] == name).cloned().unwrap_or_default()
}

#[test]
fn a_slow_server_is_no_fault_of_the_client() {
    let place = Workplace::new();
    place
        .run(
            "profile --model demo --url sim:?ttft-ms=1000&max-batch=500&itl-ms=0 --osl 1 --isl 16 \
             --concurrency 200 --num-prompts 1200 --ui none",
        )
        .expect(0);
    let verdict = verdict(&place, "concurrency200");
    for rule in ["client_delay", "record_loss", "requests_per_slot", "errors"] {
        assert_eq!(reason(&verdict, rule), Value::Null, "{verdict:#}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_client_that_was_stopped_says_so_and_for_how_long() {
    const STOPPED: Duration = Duration::from_secs(3);
    let (server, place) = (Server::start("--ttft-ms 20 --itl-ms 1"), Workplace::new());
    let running = place.begin(&format!(
        "profile -m demo --url {} --osl 4 --isl 16 --concurrency 4 --benchmark-duration 3600 --ui none",
        server.url
    ));
    let records = place.path().join("artifacts/demo-openai-chat-concurrency4/profile_export.jsonl");
    let written = || records.metadata().map_or(0, |metadata| metadata.len());
    let stat = format!("/proc/{}/stat", running.pid());
    let is_stopped = || std::fs::read_to_string(&stat).unwrap().contains(") T ");
    wait_until(|| written() > 0);
    let most = Instant::now();
    running.signal("STOP");
    wait_until(is_stopped);
    let least = Instant::now();
    let before = written();
    wait_until(|| least.elapsed() >= STOPPED);
    let least = least.elapsed();
    running.signal("CONT");
    wait_until(|| !is_stopped());
    let most = most.elapsed();
    wait_until(|| written() > before);
    running.signal("INT");
    running.finish().expect(130);

    let verdict = verdict(&place, "concurrency4");
    let suspended = reason(&verdict, "suspended");
    assert_eq!(suspended["verdict"], "INVALID", "{verdict:#}");
    // The other programs may have had the cores for a while at either end.
    let (figure, ends) = (suspended["figure"].as_f64().unwrap(), 1.0);
    assert!((least.as_secs_f64() - ends..=most.as_secs_f64() + ends).contains(&figure), "{verdict:#}");
    assert!(suspended["message"].as_str().unwrap().starts_with("this process stood still for"));
    // Three seconds over 20 ms would be 15,000 %.
    let delay = reason(&verdict, "client_delay");
    assert!(delay["figure"].as_f64().is_none_or(|percent| percent < 1000.0), "{verdict:#}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_starved_client_says_so() {
    let spinning: Vec<Spinning> = (0..4).map(|_| Spinning::start()).collect();
    let place = Workplace::new();
    let server = Server::start("--ttft-ms 1 --prefill-rate 100000000 --itl-ms 1 --itl-slope-ms 0");
    let status = Command::new("taskset")
        .args(["-c", "0", env!("CARGO_BIN_EXE_aiperf"), "profile", "--model", "demo", "--ui", "none"])
        .args([
            "--url",
            &server.url,
            "--osl",
            "4",
            "--isl",
            "16",
            "--concurrency",
            "8",
            "--num-prompts",
            "400",
        ])
        .current_dir(place.path())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    drop(spinning);
    assert!(status.success());
    let verdict = verdict(&place, "concurrency8");
    assert_eq!(verdict["verdict"], "INVALID", "{verdict:#}");
    let own = ["client_delay", "client_cpu"].map(|rule| reason(&verdict, rule));
    assert!(own.iter().any(|reason| *reason != Value::Null), "{verdict:#}");
}

/// A busy loop on the first core; killed when dropped.
struct Spinning(Child);

impl Spinning {
    fn start() -> Self {
        let spin = ["-c", "0", "sh", "-c", "while :; do :; done"];
        Self(Command::new("taskset").args(spin).spawn().unwrap())
    }
}

impl Drop for Spinning {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_rate_that_the_client_cannot_reach_is_not_called_reached() {
    let place = Workplace::new();
    let server = Server::start("--ttft-ms 1 --prefill-rate 100000000 --itl-ms 0.1 --max-batch 1000");
    // 400 requests within 0.4 milliseconds.
    place
        .run(&format!(
            "profile --model demo --url {} --osl 2 --isl 16 --request-rate 1000000 --num-prompts 400 --ui none",
            server.url
        ))
        .expect(0);
    let verdict = verdict(&place, "request_rate1000000");
    let offered = reason(&verdict, "offered_load");
    assert_eq!(offered["verdict"], "INVALID", "{verdict:#}");
    assert!(offered["figure"].as_f64().unwrap() < 95.0 && offered["threshold"] == 95.0);
    assert!(
        offered["message"].as_str().unwrap().contains("of the request rate that was requested"),
        "{offered:#}"
    );
}

#[test]
fn a_limit_that_holds_requests_back_has_its_own_words() {
    let place = Workplace::new();
    // One request at a time takes 20 ms, and 200 per second are asked for.
    let finished = place
        .run(
            "profile --model demo --url sim:?ttft-ms=20&prefill-rate=100000000&itl-ms=0 --osl 1 --isl 16 \
             --request-rate 200 --arrival-pattern constant --concurrency 1 --benchmark-duration 1 --ui none",
        )
        .expect(0);
    let run = place.json("artifacts/demo-openai-chat-request_rate200/profile_export_aiperf.json");
    assert_eq!(reason(&run["verdict"], "concurrency_limit")["verdict"], "INVALID", "{run:#}");
    assert_eq!(reason(&run["verdict"], "offered_load"), Value::Null);
    // What is due is either sent or missed: one request every 5 ms for a second.
    let counted = |metric: &str| run[metric]["avg"].as_f64().unwrap() as u64;
    let sent = counted("request_count") + counted("cancelled_request_count");
    assert_eq!(sent + run["client"]["missed_arrivals"].as_u64().unwrap(), 200);
    // The wait is the limit's, and the lateness the client's: a fraction of it.
    let longest = |metric: &str| run[metric]["max"].as_f64().unwrap();
    assert!(longest("concurrency_limit_wait") > longest("send_delay"), "{run:#}");
    assert!(finished.stdout.contains("raise --concurrency or lower --request-rate"), "{}", finished.stdout);
}

#[test]
fn a_server_that_falls_behind_the_rate_is_suspect() {
    // One request after the other, each for 10 ms: 100 per second.
    for (rate, suspect) in [("20", false), ("250", true)] {
        let place = Workplace::new();
        place
            .run(&format!(
                "profile --model demo --url sim:?ttft-ms=10&prefill-rate=100000000&max-batch=1 --osl 1 --isl 16 \
                 --request-rate {rate} --arrival-pattern constant --num-prompts 250 --benchmark-duration 2 --ui none"
            ))
            .expect(0);
        let backlog = reason(&verdict(&place, &format!("request_rate{rate}")), "backlog");
        assert_eq!(!backlog.is_null(), suspect, "{backlog:#}");
    }
}

#[test]
fn a_p99_of_fifty_requests_is_marked() {
    let place = Workplace::new();
    let finished = place
        .run(&format!(
            "profile --model demo --url sim:?{FAST} --osl 2 --isl 16 --concurrency 2,4 --num-prompts 50 --ui none"
        ))
        .expect(0);
    let base = "artifacts/demo-openai-chat-concurrency_sweep";
    let run = place.json(&format!("{base}/concurrency_2/profile_export_aiperf.json"));
    let sample = reason(&run["verdict"], "sample_size");
    // The first request of each of the two slots counts in no latency, and the others may depend on each other.
    assert!(sample["figure"].as_f64().unwrap() <= 48.0, "{sample:#}");
    assert_eq!((&sample["verdict"], &sample["threshold"]), (&Value::from("SUSPECT"), &Value::from(368.0)));
    assert!(sample["subject"].as_str().unwrap().ends_with("p95, p99"), "{sample:#}");
    let bounds = &run["time_to_first_token"]["bounds"];
    assert_eq!(bounds["level"], 0.95);
    assert_eq!((&bounds["p50"]["open"], &bounds["p99"]["open"]), (&Value::from(false), &Value::from(true)));
    assert!(
        bounds["p50"]["high"].is_f64() && bounds["p50"]["low"].is_f64() && bounds["p99"]["high"].is_null()
    );
    // Told once for both values, and marked at each.
    let told = finished.stdout.matches("where 368 are needed").count();
    assert_eq!(told, 1, "{}", finished.stdout);
    let row = finished.stdout.lines().find(|line| line.trim_start().starts_with("2 ")).unwrap();
    assert_eq!(row.matches('?').count(), 2, "{row}");
}

#[test]
fn errors_above_one_percent_are_suspect() {
    let place = Workplace::new();
    place
        .run(&format!(
            "profile --model demo --url sim:?{FAST}&error-rate=0.1 --osl 2 --isl 16 --concurrency 2 --num-prompts 50 --ui none"
        ))
        .expect(0);
    let errors = reason(&verdict(&place, "concurrency2"), "errors");
    assert_eq!((&errors["verdict"], &errors["figure"]), (&Value::from("SUSPECT"), &Value::from(10.0)));
}

#[test]
fn cached_tokens_are_doubted_unless_the_same_prompts_were_asked_for() {
    let url = caching_server();
    for (wish, unwanted) in
        [("", true), ("--parameter-sweep-same-seed", false), ("--conversation-turn-mean 2", false)]
    {
        let place = Workplace::new();
        place
            .run(&format!(
                "profile --model demo --url {url} --no-streaming --isl 79 --concurrency 1,2 --num-prompts 10 --ui none {wish}"
            ))
            .expect(0);
        let sweep = place.json(
            "artifacts/demo-openai-chat-concurrency_sweep/sweep_aggregate/profile_export_aiperf_sweep.json",
        );
        let verdicts = sweep["metadata"]["verdicts"].as_array().unwrap();
        let values: Vec<_> = verdicts.iter().map(|verdict| verdict["value"].as_i64().unwrap()).collect();
        assert_eq!(values, [1, 2]);
        for verdict in verdicts {
            // Of the 50 tokens 22 may be what all requests share: 21 more than the prompt was made of, and a word.
            let cache = reason(verdict, "unexpected_cache_hits");
            assert_eq!(cache["figure"].as_f64(), unwanted.then_some(28.0), "{verdict:#}");
        }
    }
}

/// A server that says of every prompt that half of it was cached.
fn caching_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || answer(&stream.unwrap()));
        }
    });
    url
}

/// Answers requests until the connection ends.
fn answer(stream: &TcpStream) {
    let body = r#"{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"yes"},"finish_reason":"stop"}],"usage":{"prompt_tokens":100,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":50}}}"#;
    let mut reader = BufReader::new(stream);
    while let Some(length) = content_length(&mut reader) {
        let mut request = vec![0; length];
        reader.read_exact(&mut request).unwrap();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length:";
        if write!(&mut &*stream, "{head} {}\r\n\r\n{body}", body.len()).is_err() {
            return;
        }
    }
}

/// Reads the head of a request; none at the end of the connection.
fn content_length(reader: &mut BufReader<&TcpStream>) -> Option<usize> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or_default() == 0 {
            return None;
        }
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            return Some(length);
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
}

#[test]
fn a_gate_fails_where_a_value_is_not_valid_and_names_it() {
    let place = Workplace::new();
    let arguments = format!(
        "profile --model demo --url sim:?{FAST} --osl 2 --isl 16 --concurrency 1,2 --num-prompts 10 --ui none --require-valid"
    );
    let failed = place.run(&arguments).expect(6);
    assert!(failed.stderr.contains("--require-valid: concurrency 1 is "), "{}", failed.stderr);
    assert!(failed.stderr.contains("sample_size"), "{}", failed.stderr);
    // What was judged then is shown again without the server, from the directory and from the file.
    let base = "artifacts/demo-openai-chat-concurrency_sweep";
    for input in [base.to_owned(), format!("{base}/sweep_aggregate/profile_export_aiperf_sweep.json")] {
        let again = place.run(&format!("analyze {input}")).expect(0);
        assert!(
            again.stdout.contains("sample_size: p50, p90, p95, p99 of what is worth 0 independent"),
            "{}",
            again.stdout
        );
    }
}

#[test]
fn a_calibration_that_fails_is_tried_and_told_once() {
    let place = Workplace::new();
    let told = place
        .run("profile -m m --url sim:?prefill-rate=1000000&itl-ms=0.1 --ui simple --calibrate --no-streaming --concurrency 1,2,3 --num-profile-runs 2 --num-prompts 4 --osl 2")
        .expect(0);
    assert_eq!(told.stderr.matches("not calibrated").count(), 1, "{}", told.stderr);
}

#[test]
fn a_calibration_takes_enough_requests_for_its_p99() {
    let place = Workplace::new();
    place
        .run("profile -m m --url sim:?prefill-rate=1000000&itl-ms=0.1 --ui none --calibrate --concurrency 64 --num-prompts 64 --osl 2")
        .expect(0);
    let manifest = place.json("artifacts/m-openai-chat-concurrency64/manifest.json");
    let found = &manifest["client_errors"][0];
    assert!(found["requests"].as_u64() >= Some(368) && found["ttft_ms"]["p99"].is_f64(), "{found:#}");
}

#[test]
fn a_calibration_is_kept_and_used_again() {
    let place = Workplace::new();
    let server = Server::start("--ttft-ms 1 --prefill-rate 100000000 --itl-ms 0.1 --max-batch 1000");
    let profile = |more: &[&str]| {
        let mut command = aiperf();
        command.args(["profile", "--model", "demo", "--url", &server.url, "--osl", "2", "--isl", "16"]);
        command.args(["--concurrency", "4"]).args(more).current_dir(place.path()).stdin(Stdio::null());
        let output = command.env("XDG_CACHE_HOME", place.path().join("cache")).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{stderr}");
        stderr
    };
    let told = profile(&["--calibrate", "--num-prompts", "20", "--ui", "simple"]);
    assert!(told.contains("this client adds ") && told.contains(" to TTFT at this load"), "{told}");
    let base = "artifacts/demo-openai-chat-concurrency4";
    let manifest = place.json(&format!("{base}/manifest.json"));
    let budget = &manifest["client_errors"][0];
    assert_eq!(budget["value"], 0);
    assert!(budget["ttft_ms"]["p50"].is_f64() && budget["itl_ms"]["p50"].is_f64(), "{budget:#}");
    // Four slots do not send enough for a p99 in a time that anybody would wait.
    assert!(budget["requests"].as_u64() < Some(368) && budget["ttft_ms"]["p99"].is_null(), "{budget:#}");
    assert!(told.contains("too few for p99"), "{told}");
    assert!(budget["rate_percent"].is_f64() && budget["requests"].as_u64() > Some(4), "{budget:#}");
    let run = place.json(&format!("{base}/profile_export_aiperf.json"));
    assert_eq!(run["client_error"]["ttft_ms"], budget["ttft_ms"]);
    // A short benchmark is not held up, a long one takes what is known, and nobody need have it.
    for (more, known) in [
        (vec!["--num-prompts", "20"], false),
        (vec!["--num-prompts", "2000"], true),
        (vec!["--num-prompts", "2000", "--no-calibrate"], false),
    ] {
        profile(&[&more[..], &["--ui", "none", "--overwrite"]].concat());
        let run = place.json(&format!("{base}/profile_export_aiperf.json"));
        let expected = if known { &budget["ttft_ms"] } else { &Value::Null };
        assert_eq!(run["client_error"].get("ttft_ms").unwrap_or(&Value::Null), expected, "{more:?}");
    }
}
