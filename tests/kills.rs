//! Sweeps that are killed or interrupted at any moment: what is there is valid, and in the end they are what an
//! undisturbed sweep is.

use crate::scripted::{Reply, serve};
use crate::support::{Running, Workplace, wait_until};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

const BASE: &str = "artifacts/m-openai-chat-concurrency_sweep";
const RESUME: &str = "profile --resume artifacts/m-openai-chat-concurrency_sweep";

/// Twelve runs of twelve requests, and two to warm up for each of four values.
const REQUESTS: u64 = 12 * 12 + 4 * 2;

/// Four values and three trials.
fn sweep(url: &str) -> String {
    format!(
        "profile -m m --url {url} --concurrency 1,2,3,4 --num-profile-runs 3 --num-prompts 12 --warmup-request-count 2 --osl 2 --isl 20 --no-streaming --prompt-salt monday"
    )
}

/// Numbers between 0 and `below`, the same ones in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: u64) -> u64 {
        // The generator of Knuth's MMIX.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// When a sweep is disturbed, told by what can be seen of it.
enum Moment {
    /// After so many further requests.
    Request(u64),
    /// When a file appears.
    File(String),
}

impl Moment {
    /// One of the first `requests`, or in one case of four while files are written.
    fn random(numbers: &mut Numbers, requests: u64) -> Self {
        if numbers.next(4) > 0 {
            return Self::Request(numbers.next(requests));
        }
        let (value, trial) = (1 + numbers.next(4), 1 + numbers.next(3));
        let run = format!("profile_runs/trial_000{trial}/concurrency_{value}");
        Self::File(match numbers.next(5) {
            0 => format!("{run}/inputs.json"),
            1 => format!("{run}/profile_export.jsonl"),
            2 => format!("{run}/profile_export_aiperf.json"),
            3 => format!("{run}/profile_export_aiperf.csv"),
            _ => format!("aggregate/concurrency_{value}/profile_export_aiperf_aggregate.csv"),
        })
    }
}

/// A server that answers at once, and disturbs the client that it was set on.
struct Disturber {
    url: String,
    trap: Arc<Mutex<Option<Trap>>>,
}

/// Springs at a request.
struct Trap {
    requests_before: u64,
    pid: u32,
    signals: &'static [&'static str],
}

impl Disturber {
    fn start() -> Self {
        let trap = Arc::new(Mutex::new(None::<Trap>));
        let set = Arc::clone(&trap);
        let url = serve(move |_| {
            let mut set = set.lock().unwrap();
            match &mut *set {
                Some(trap) if trap.requests_before == 0 => {
                    // The client waits for this answer, so it is there to be disturbed.
                    trap.signals.iter().for_each(|signal| send(signal, trap.pid));
                    *set = None;
                }
                Some(trap) => trap.requests_before -= 1,
                None => {}
            }
            Reply::whole_chat()
        });
        Self { url, trap }
    }

    /// Disturbs a sweep once at a moment, if it comes to that.
    fn disturb(
        &self,
        running: &mut Running,
        place: &Workplace,
        at: &Moment,
        signals: &'static [&'static str],
    ) {
        match at {
            Moment::Request(number) => {
                let trap = Trap { requests_before: *number, pid: running.pid(), signals };
                *self.trap.lock().unwrap() = Some(trap);
                running.wait_for_end();
                *self.trap.lock().unwrap() = None;
            }
            Moment::File(name) => {
                let file = place.path().join(BASE).join(name);
                wait_until(|| file.exists() || running.has_ended());
                for signal in signals {
                    send(signal, running.pid());
                }
                running.wait_for_end();
            }
        }
    }
}

fn send(signal: &str, pid: u32) {
    // It may have ended by itself.
    Command::new("sh").args(["-c", &format!("kill -{signal} {pid} 2>&-")]).status().unwrap();
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
                let keys = run.as_object().unwrap().keys().filter(|key| !depends_on_time(key));
                let keys: Vec<_> = keys.cloned().collect();
                let counted = ["request_count", "input_sequence_length", "output_sequence_length"];
                json!([keys, counted.map(|metric| run[metric].clone()), run["run_info"]["random_seed"]])
            }
            "profile_export_aiperf_aggregate.json" => without_measures(&place.json(&path)),
            "profile_export_aiperf_sweep.json" => {
                let mut sweep = place.json(&path);
                for depends_on_times in ["verdicts", "drift", "excluded_values"] {
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
            let kept = fields.iter().filter(|(key, _)| !depends_on_time(key));
            kept.map(|(key, value)| (key.clone(), without_measures(value))).collect()
        }
        other => other.clone(),
    }
}

/// Whether a figure can be believed depends on the times; and so does whether the connections that a run finds open are
/// enough for it.
fn depends_on_time(key: &str) -> bool {
    matches!(key, "verdict" | "verdicts") || key.starts_with("http_req_connecting")
}

/// The essence of a sweep that nobody disturbs.
fn undisturbed(server: &Disturber) -> BTreeMap<String, Value> {
    let place = Workplace::new();
    place.run(&sweep(&server.url)).expect(0);
    essence(&place)
}

/// The sweep is finished, and the aggregates are what the runs say, to the last byte.
#[track_caller]
fn assert_finished(place: &Workplace, expected: &BTreeMap<String, Value>, seed: u64) {
    place.assert_valid();
    assert!(place.states(BASE).iter().all(|state| state == "done"), "seed {seed}");
    let found = essence(place);
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "seed {seed}");
    for (file, what) in found {
        assert_eq!(what, expected[&file], "{file} with seed {seed}");
    }
    let aggregate = format!("{BASE}/aggregate/sweep_aggregate/profile_export_aiperf_sweep.json");
    let bytes = place.bytes(&aggregate);
    place.run(&format!("analyze {BASE}")).expect(0);
    assert!(place.bytes(&aggregate) == bytes, "seed {seed}");
}

/// Begins a sweep, and continues it when it has been killed, by the seed once or twice; how often it was.
fn kill(server: &Disturber, expected: &BTreeMap<String, Value>, seed: u64) -> u64 {
    let (place, mut numbers) = (Workplace::new(), Numbers(seed));
    let mut running = place.begin(&sweep(&server.url));
    let mut kills = 0;
    for requests in [REQUESTS, REQUESTS / 3].into_iter().take(1 + (seed % 2) as usize) {
        server.disturb(&mut running, &place, &Moment::random(&mut numbers, requests), &["KILL"]);
        if !running.was_killed() {
            break;
        }
        kills += 1;
        place.assert_valid();
        running = place.begin(RESUME);
        running.wait_for("runs are done");
    }
    running.finish().expect(0);
    assert_finished(&place, expected, seed);
    kills
}

#[test]
fn a_sweep_that_is_killed_at_any_moment_ends_like_one_that_was_not() {
    // Two at a time, since mostly they wait for the disk.
    thread::scope(|scope| {
        for first_seed in [0, 1000] {
            scope.spawn(move || {
                let server = Disturber::start();
                let expected = undisturbed(&server);
                let (mut kills, mut seeds) = (0, first_seed..);
                while kills < 10 {
                    kills += kill(&server, &expected, seeds.next().unwrap());
                }
            });
        }
    });
}

#[test]
fn a_sweep_that_is_interrupted_again_and_again_ends_like_one_that_was_not() {
    let server = Disturber::start();
    let expected = undisturbed(&server);
    for (seed, signals) in [(20, &["INT"][..]), (21, &["INT", "INT"]), (22, &["TERM", "INT"])] {
        let (place, mut numbers) = (Workplace::new(), Numbers(seed));
        let mut running = place.begin(&sweep(&server.url));
        let mut interruptions = 0;
        loop {
            server.disturb(&mut running, &place, &Moment::random(&mut numbers, REQUESTS / 3), signals);
            let ended = running.finish();
            place.assert_valid();
            if ended.code == 0 {
                break;
            }
            assert_eq!(ended.code, 130, "{}", ended.stderr);
            if let [_] = signals {
                let states = place.states(BASE);
                assert!(!states.contains(&"running".to_owned()), "{states:?}");
                assert!(states.iter().filter(|state| *state == "interrupted").count() <= 1, "{states:?}");
                assert!(!place.files(BASE).contains(&".aiperf.lock".to_owned()));
            }
            interruptions += 1;
            running = place.begin(RESUME);
            running.wait_for("runs are done");
        }
        assert!(interruptions >= 2, "seed {seed}: {interruptions}");
        assert_finished(&place, &expected, seed);
    }
}

#[test]
fn a_sweep_of_many_values_that_is_killed_loses_no_run() {
    let (server, place) = (Disturber::start(), Workplace::new());
    let begin = format!(
        "profile -m m --url {} --concurrency 1..200+1 --num-prompts 1 --osl 2 --isl 20 --no-streaming --ui none",
        server.url
    );
    let mut running = place.begin(&begin);
    server.disturb(&mut running, &place, &Moment::Request(100), &["KILL"]);
    assert!(running.was_killed());
    // Each run is one request, and the one that was killed had no answer.
    let journal = place.bytes(&format!("{BASE}/journal.jsonl"));
    let lines = journal.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    assert!(lines.count() < 200 / 16 + 2, "what the manifest has is not kept twice");
    let resumed = place.run(RESUME).expect(0);
    assert!(resumed.stderr.contains("note: 100 of 200 runs are done"), "{}", resumed.stderr);
    assert!(place.states(BASE).iter().all(|state| state == "done"));
    assert!(!place.files(BASE).contains(&"journal.jsonl".to_owned()));
    let aggregate = format!("{BASE}/sweep_aggregate/profile_export_aiperf_sweep.json");
    let bytes = place.bytes(&aggregate);
    place.run(&format!("analyze {BASE}")).expect(0);
    assert!(place.bytes(&aggregate) == bytes);
}

#[test]
fn what_was_answered_survives_a_kill_in_the_silence_after_it() {
    let place = Workplace::new();
    let url = serve(|request| if request.number < 3 { Reply::whole_chat() } else { Reply::Stall });
    let mut running = place
        .begin(&format!("profile -m m --url {url} --concurrency 1 --num-prompts 9 --isl 20 --no-streaming"));
    let records = place.path().join("artifacts/m-openai-chat-concurrency1/profile_export.jsonl");
    wait_until(|| running.has_ended() || std::fs::read(&records).is_ok_and(|text| !text.is_empty()));
    running.signal("KILL");
    running.wait_for_end();
    let kept = std::fs::read_to_string(&records).unwrap();
    assert_eq!(kept.matches("\"request_end_ns\"").count(), 3, "{kept}");
}
