//! `--resume`: whatever ended a sweep, what was measured stays, and the sweep can go on to the same result.

use crate::support::{Running, Server, Silence, Workplace, free_port, wait_until};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::thread;
use std::time::Duration;

const FAST: &str = "--ttft-ms 2 --prefill-rate 1000000 --itl-ms 0.5 --itl-slope-ms 0";
const BASE: &str = "artifacts/m-openai-chat-concurrency_sweep";
const RESUME: &str = "profile --resume artifacts/m-openai-chat-concurrency_sweep";

/// Numbers between 0 and `below`, the same ones in every run.
struct Moments(u64);

impl Moments {
    fn next(&mut self, below: u64) -> u64 {
        // The generator of Knuth's MMIX.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// How often each sweep is killed.
const KILLS: u32 = 5;

/// Four values and three trials.
fn sweep(server: &Server) -> String {
    let url = server.chat_url();
    format!(
        "profile -m m --url {url} --concurrency 1,2,3,4 --num-profile-runs 3 --num-prompts 24 --warmup-request-count 2 --osl 6 --isl 20"
    )
}

/// Every file that is written as a whole can be read, and every line of the records but the last.
fn assert_valid(place: &Workplace) {
    for file in place.files(BASE) {
        let path = format!("{BASE}/{file}");
        let is_half = file.rsplit('/').next().unwrap().starts_with('.');
        if is_half {
            continue;
        }
        if Path::new(&file).extension().is_some_and(|extension| extension == "json") {
            place.json(&path);
        }
        if Path::new(&file).extension().is_some_and(|extension| extension == "jsonl") {
            let records = String::from_utf8(place.bytes(&path)).unwrap();
            let whole = records.rfind('\n').map_or("", |end| &records[..end]);
            whole.lines().for_each(|line| drop(serde_json::from_str::<Value>(line).unwrap()));
        }
    }
}

fn states(place: &Workplace) -> Vec<String> {
    let manifest = place.json(&format!("{BASE}/manifest.json"));
    let runs = manifest["runs"].as_array().unwrap();
    runs.iter().map(|run| run["state"].as_str().unwrap().to_owned()).collect()
}

/// Everything of a finished sweep that does not depend on time: which files there are, the requests, what was counted,
/// and which numbers stand where.
fn essence(place: &Workplace) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for file in place.files(BASE) {
        let path = format!("{BASE}/{file}");
        let what = match file.rsplit('/').next().unwrap() {
            "inputs.json" => json!(String::from_utf8(place.bytes(&path)).unwrap()),
            "profile_export.jsonl" => json!(place.bytes(&path).split(|byte| *byte == b'\n').count()),
            "profile_export_aiperf.json" => {
                let run = place.json(&path);
                let keys: Vec<_> = run.as_object().unwrap().keys().cloned().collect();
                let counted = ["request_count", "input_sequence_length", "output_sequence_length"];
                json!([keys, counted.map(|metric| run[metric].clone()), run["run_info"]["random_seed"]])
            }
            "profile_export_aiperf_aggregate.json" => without_measures(&place.json(&path)),
            "profile_export_aiperf_sweep.json" => {
                let mut sweep = place.json(&path);
                for depends_on_times in ["verdicts", "drift"] {
                    sweep["metadata"][depends_on_times].take();
                }
                json!([sweep["metadata"], without_measures(&sweep["per_value_metrics"])])
            }
            _ => Value::Null,
        };
        found.insert(file, what);
    }
    found
}

/// The same structure with all numbers that are not whole left out: only what is counted stays.
fn without_measures(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => Value::Null,
        Value::Array(items) => items.iter().map(without_measures).collect(),
        Value::Object(fields) => {
            // Whether a figure can be believed depends on the times too.
            let is_measured = |key: &str| matches!(key, "verdict" | "verdicts");
            let kept = fields.iter().filter(|(key, _)| !is_measured(key));
            kept.map(|(key, value)| (key.clone(), without_measures(value))).collect()
        }
        other => other.clone(),
    }
}

/// File by file, so that a difference can be read.
#[track_caller]
fn assert_same(found: &BTreeMap<String, Value>, expected: &BTreeMap<String, Value>, seed: u64) {
    let names = |files: &BTreeMap<String, Value>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(expected), "seed {seed}");
    for (file, essence) in expected {
        assert_eq!(&found[file], essence, "seed {seed}: {file}");
    }
}

#[test]
fn a_sweep_that_was_killed_again_and_again_ends_like_one_that_was_not() {
    let server = Server::start(FAST);
    let undisturbed = Workplace::new();
    undisturbed.run(&sweep(&server)).expect(0);
    let expected = essence(&undisturbed);
    for seed in [1, 2, 3] {
        let (place, mut moments) = (Workplace::new(), Moments(seed));
        let mut running = place.begin(&sweep(&server));
        wait_until(|| place.path().join(BASE).join("manifest.json").is_file());
        let mut kills = 0;
        while kills < KILLS && kill_at_random(&mut running, &mut moments) {
            kills += 1;
            assert_valid(&place);
            running = place.begin(RESUME);
            running.wait_for("runs are done");
        }
        // The last one ends by itself, or has ended before it could be killed.
        running.finish().expect(0);
        assert!(kills >= 3, "seed {seed}: the sweep ended after {kills} kills");
        assert_valid(&place);
        assert!(states(&place).iter().all(|state| state == "done"));
        assert_same(&essence(&place), &expected, seed);
        // The aggregates are what the runs say, to the last byte.
        let aggregate = format!("{BASE}/aggregate/sweep_aggregate/profile_export_aiperf_sweep.json");
        let bytes = place.bytes(&aggregate);
        place.run(&format!("analyze {BASE}")).expect(0);
        assert!(place.bytes(&aggregate) == bytes, "seed {seed}");
    }
}

#[test]
fn a_sweep_that_was_interrupted_again_and_again_ends_like_one_that_was_not() {
    let server = Server::start(FAST);
    let undisturbed = Workplace::new();
    undisturbed.run(&sweep(&server)).expect(0);
    let expected = essence(&undisturbed);
    for (seed, signals) in [(4, &["INT"][..]), (5, &["INT", "INT"]), (6, &["TERM", "INT"])] {
        let (place, mut moments) = (Workplace::new(), Moments(seed));
        let mut running = place.begin(&sweep(&server));
        wait_until(|| place.path().join(BASE).join("manifest.json").is_file());
        let mut interruptions = 0;
        loop {
            wait_at_random(&mut running, &mut moments);
            for signal in signals {
                running.signal(signal);
            }
            let ended = running.finish();
            assert_valid(&place);
            if ended.code == 0 {
                break;
            }
            assert_eq!(ended.code, 130, "{}", ended.stderr);
            if let [_] = signals {
                let states = states(&place);
                assert!(!states.contains(&"running".to_owned()), "{states:?}");
                assert!(states.iter().filter(|state| *state == "interrupted").count() <= 1, "{states:?}");
                assert!(!place.files(BASE).contains(&".aiperf.lock".to_owned()));
            }
            interruptions += 1;
            running = place.begin(RESUME);
            running.wait_for("runs are done");
        }
        assert!(interruptions >= 2, "seed {seed}: {interruptions}");
        assert_same(&essence(&place), &expected, seed);
    }
}

/// Kills the process some moments after some of its runs; false if it had ended before.
fn kill_at_random(running: &mut Running, moments: &mut Moments) -> bool {
    wait_at_random(running, moments);
    running.signal("KILL");
    running.was_killed()
}

/// Waits for some of its runs, and then for some moments.
fn wait_at_random(running: &mut Running, moments: &mut Moments) {
    for _ in 0..moments.next(3) {
        if !running.reaches("concurrency ") {
            break;
        }
    }
    // Not to wait for something: this is the moment.
    thread::sleep(Duration::from_micros(moments.next(60_000)));
}

#[test]
fn runs_that_are_done_are_not_touched() {
    let (server, place) = (Server::start(FAST), Workplace::new());
    let mut running = place.begin(&sweep(&server));
    (0..2).for_each(|_| running.wait_for("trial 1/3"));
    running.signal("KILL");
    running.finish();
    let runs = || {
        let manifest = place.json(&format!("{BASE}/manifest.json"));
        let done = manifest["runs"].as_array().unwrap().clone();
        done.into_iter().filter(|run| run["state"] == "done").map(|run| run["directory"].clone()).collect()
    };
    let done: Vec<Value> = runs();
    assert!((2..12).contains(&done.len()), "{done:?}");
    let files = || -> Vec<Vec<u8>> {
        let folders = done.iter().map(|folder| format!("{BASE}/{}", folder.as_str().unwrap()));
        folders
            .flat_map(|folder| {
                let names = place.files(&folder);
                names.into_iter().map(move |name| format!("{folder}/{name}"))
            })
            .map(|path| place.bytes(&path))
            .collect()
    };
    let before = files();
    place.run(RESUME).expect(0);
    assert!(files() == before);
    // With nothing left to do, nothing is sent: the server is gone.
    drop(server);
    let again = place.run(RESUME).expect(0);
    assert!(again.stderr.contains("all 12 runs are done"), "{}", again.stderr);
}

#[test]
fn another_benchmark_does_not_continue_it() {
    let place = Workplace::new();
    place.run("profile -m m --url http://127.0.0.1:9 --concurrency 1,2 --num-prompts 4").expect(4);
    for (flags, named) in [
        ("--num-prompts 5", "load.num_prompts: 4 then, 5 now"),
        ("--concurrency 1,2,3", "load.concurrency: [1,2] then, [1,2,3] now"),
        ("--random-seed 7", "workload.random_seed: 42 then, 7 now"),
        ("--pareto efficient", "plugins.criteria"),
        ("--model other", "model: \"m\" then, \"other\" now"),
        ("--api-key k", "server.api_key"),
    ] {
        let refused = place.run(&format!("{RESUME} {flags}")).expect(2);
        assert!(refused.stderr.contains(named), "{flags}: {}", refused.stderr);
    }
    let other_version = std::fs::read_to_string(place.path().join(BASE).join("manifest.json")).unwrap();
    let other_version = other_version.replace(concat!("\"", env!("CARGO_PKG_VERSION"), "\""), "\"0.0.1\"");
    std::fs::write(place.path().join(BASE).join("manifest.json"), other_version).unwrap();
    let refused = place.run(RESUME).expect(2);
    assert!(refused.stderr.contains("version 0.0.1 then"), "{}", refused.stderr);
}

#[test]
fn what_cannot_be_resumed_is_said_plainly() {
    let place = Workplace::new();
    let refused = place.run("profile --resume nowhere").expect(2);
    assert!(refused.stderr.contains("nowhere holds no manifest.json"), "{}", refused.stderr);
    let refused = place.run("profile -m m --resume nowhere --overwrite").expect(2);
    assert!(refused.stderr.contains("nowhere"), "{}", refused.stderr);
    assert_eq!(place.files(""), Vec::<String>::new());
}

#[test]
fn runs_that_failed_are_run_again() {
    let (place, port) = (Workplace::new(), free_port());
    let arguments = format!("profile -m m --url http://127.0.0.1:{port} --concurrency 1,2 --num-prompts 4");
    let failed = place.run(&arguments).expect(4);
    assert!(failed.stderr.contains(&format!("aiperf {RESUME}")), "{}", failed.stderr);
    let _server = Server::start_at(port, FAST);
    place.run(RESUME).expect(0);
    let sweep = place.json(&format!("{BASE}/sweep_aggregate/profile_export_aiperf_sweep.json"));
    assert_eq!(sweep["metadata"]["failed_values"], json!([]));
    assert_eq!(sweep["metadata"]["num_successful_values"], 2);
}

#[test]
fn a_directory_has_one_process_at_a_time_and_a_killed_one_leaves_it_free() {
    let (silence, place) = (Silence::start(), Workplace::new());
    // A second process that is not refused meets the silence too, and is to fail the test instead of hanging.
    let begin = format!(
        "profile -m m --url {} --concurrency 1,2 --num-prompts 4 --request-timeout-seconds 20",
        silence.url
    );
    let running = place.begin(&begin);
    silence.wait_for_request();
    let before = place.bytes(&format!("{BASE}/manifest.json"));
    for second in [RESUME.to_owned(), format!("{begin} --overwrite"), format!("analyze {BASE}")] {
        let refused = place.run(&second).expect(2);
        let owner = format!("in use by process {} since", running.pid());
        assert!(refused.stderr.contains(&owner), "{second}: {}", refused.stderr);
    }
    assert!(place.bytes(&format!("{BASE}/manifest.json")) == before);
    let pid = running.pid();
    running.signal("KILL");
    running.finish();
    assert!(place.files(BASE).contains(&".aiperf.lock".to_owned()));
    let mut resumed = place.begin(RESUME);
    resumed.wait_for(&format!("process {pid}, which began at"));
    silence.wait_for_request();
    resumed.signal("KILL");
}

#[test]
fn a_torn_line_is_dropped_with_a_notice() {
    let (silence, place) = (Silence::start(), Workplace::new());
    let running =
        place.begin(&format!("profile -m m --url {} --concurrency 1,2 --num-prompts 4", silence.url));
    silence.wait_for_request();
    running.signal("KILL");
    running.finish();
    let records = place.path().join(BASE).join("concurrency_1/profile_export.jsonl");
    std::fs::write(&records, "{\"metadata\":{}}\n{\"meta").unwrap();
    let mut resumed = place.begin(RESUME);
    resumed.wait_for("dropped 6 bytes of a torn last line");
    resumed.signal("KILL");
}

#[test]
fn no_key_reaches_a_file_or_the_output() {
    const KEY: &str = "sk-hunter2";
    let (silence, place) = (Silence::start(), Workplace::new());
    let arguments = format!(
        "profile -m m --url {}?api_key={KEY} --concurrency 1,2 --num-prompts 4 --benchmark-grace-period 0 --api-key {KEY} -H 'X-Api-Key: {KEY}'",
        silence.url
    );
    let running = place.begin(&arguments);
    silence.wait_for_request();
    running.signal("INT");
    let stopped = running.finish().expect(130);
    let refused = place.run(RESUME).expect(2);
    let differs = place.run(&format!("{arguments} --resume {BASE} --isl 3")).expect(2);
    assert!(refused.stderr.contains("server.api_key: given then and not stored"), "{}", refused.stderr);
    for output in [stopped, refused, differs] {
        assert!(!output.stderr.contains(KEY) && !output.stdout.contains(KEY), "{}", output.stderr);
    }
    for file in place.files("") {
        let text = String::from_utf8_lossy(&place.bytes(&file)).into_owned();
        assert!(!text.contains(KEY), "{file}");
    }
}
