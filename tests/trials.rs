//! Repeated trials: in which order they run, and what only they can show.

use crate::support::{Server, Workplace};
use serde_json::{Value, json};

const FAST: &str = "--ttft-ms 2 --prefill-rate 1000000 --itl-ms 0.5 --itl-slope-ms 0";
const BASE: &str = "artifacts/m-openai-chat-concurrency_sweep";

fn manifest(place: &Workplace) -> Value {
    place.json(&format!("{BASE}/manifest.json"))
}

fn sweep(place: &Workplace) -> Value {
    place.json(&format!("{BASE}/aggregate/sweep_aggregate/profile_export_aiperf_sweep.json"))
}

/// Value and trial of each run, in order.
fn runs(manifest: &Value) -> Vec<(u64, u64)> {
    let runs = manifest["runs"].as_array().unwrap().iter();
    runs.map(|run| (run["value"].as_u64().unwrap(), run["trial"].as_u64().unwrap())).collect()
}

#[test]
fn the_balanced_order_is_the_plan_s_in_the_dry_run_the_manifest_and_after_a_resume() {
    let (mut server, place) = (Server::start(FAST), Workplace::new());
    let begin = format!(
        "profile -m m --url {} --concurrency 1,2,3,4 --num-profile-runs 4 --parameter-sweep-mode balanced --num-prompts 4 --osl 2 --isl 9",
        server.url
    );
    let plan = place.run(&format!("{begin} --dry-run")).expect(0).stdout;
    let planned: Vec<&str> = plan.lines().filter(|line| line.contains(", trial ")).collect();
    place.run(&begin).expect(0);
    let before = manifest(&place);
    assert_eq!(before["plan"]["order"], "balanced");
    for (line, (value, trial)) in planned.iter().zip(runs(&before)) {
        assert!(line.contains(&format!("concurrency {}, trial {trial},", value + 1)), "{line}");
    }
    // In as many trials as there are values each one stands at each place once.
    for place in 0..4 {
        let mut there: Vec<u64> =
            runs(&before).iter().skip(place).step_by(4).map(|(value, _)| *value).collect();
        there.sort_unstable();
        assert_eq!(there, [0, 1, 2, 3]);
    }
    assert_eq!(sweep(&place)["metadata"]["sweep_mode"], "balanced");
    assert!(
        place.path().join(BASE).join("profile_runs/trial_0004/concurrency_3/profile_export.jsonl").exists()
    );

    server.kill();
    let resumed = place.run(&format!("profile --resume {BASE}")).expect(0);
    assert!(resumed.stderr.contains("all 16 runs are done"), "{}", resumed.stderr);
    assert_eq!(runs(&manifest(&place)), runs(&before));
}

#[test]
fn a_server_that_slows_down_drifts_whatever_the_order() {
    let place = Workplace::new();
    let server =
        Server::start("--ttft-ms 10 --prefill-rate 1000000 --itl-ms 1 --itl-slope-ms 0 --ttft-drift-ms 40");
    let url = &server.url;
    let ended = place
        .run(&format!(
            "profile -m m --url {url} --concurrency 1,2 --num-profile-runs 5 --parameter-sweep-mode balanced --num-prompts 6 --osl 2 --isl 9"
        ))
        .expect(0);
    assert!(ended.stdout.contains("drifts with time over the trials (p = "), "{}", ended.stdout);
    let drift = &sweep(&place)["metadata"]["drift"];
    let ttft = drift.as_array().unwrap().iter().find(|drift| drift["metric"] == "ttft_p50_ms").unwrap();
    assert_eq!((&ttft["significant"], &ttft["degrees_of_freedom"]), (&json!(true), &json!(7)), "{ttft}");
    assert!(ttft["relative_change"].as_f64().unwrap() > 0.1, "{ttft}");
    assert!(ttft["p_value"].as_f64().unwrap() <= ttft["adjusted_p_value"].as_f64().unwrap(), "{ttft}");
    // The same from the files alone.
    let before = place.bytes(&format!("{BASE}/aggregate/sweep_aggregate/profile_export_aiperf_sweep.json"));
    place.run(&format!("analyze {BASE}")).expect(0);
    let after = place.bytes(&format!("{BASE}/aggregate/sweep_aggregate/profile_export_aiperf_sweep.json"));
    assert!(before == after);
}

/// Two steady values and one, of four slots, whose pace is another in each run.
const NOISY: &str =
    "--ttft-ms 20 --prefill-rate 1000000 --itl-ms 20 --itl-slope-ms 0 --itl-noise 0.5 --itl-noise-at 4";

/// A sweep over them with up to eight trials, which end as soon as the gaps between tokens are known to 25 %.
fn adaptive(server: &Server, mode: &str) -> String {
    format!(
        "profile -m m --url {} --concurrency 1,4,2 --num-profile-runs 8 --parameter-sweep-mode {mode} --num-prompts 4 --osl 4 --isl 9 --profile-run-cooldown-seconds 0.1 --parameter-sweep-cooldown-seconds 0.1 --convergence-metric itl --convergence-stat p50 --convergence-threshold 0.25",
        server.url
    )
}

fn sweep_file(place: &Workplace) -> String {
    let files = place.files(BASE);
    let found = files.iter().find(|file| file.ends_with("profile_export_aiperf_sweep.json")).unwrap();
    format!("{BASE}/{found}")
}

#[test]
fn trials_end_where_the_metric_is_known_in_every_order() {
    let server = Server::start(NOISY);
    for mode in ["repeated", "independent", "balanced"] {
        let place = Workplace::new();
        let ended = place.run(&adaptive(&server, mode)).expect(0);
        let manifest = manifest(&place);
        let done = |value: u64| {
            let runs = manifest["runs"].as_array().unwrap().iter().filter(|run| run["value"] == value);
            let states: Vec<&str> = runs.map(|run| run["state"].as_str().unwrap()).collect();
            let done = states.iter().filter(|state| **state == "done").count();
            assert!(states[..done].iter().all(|state| *state == "done"), "{mode}: {states:?}");
            assert!(states[done..].iter().all(|state| *state == "not_needed"), "{mode}: {states:?}");
            done
        };
        let [one, four, two] = [0, 1, 2].map(done);
        assert!(four > one && four > two, "{mode}: {one}, {four}, {two}");
        let sweep = place.json(&sweep_file(&place));
        let convergence = &sweep["metadata"]["convergence"];
        assert_eq!((&convergence["metric"], &convergence["threshold"]), (&json!("itl_p50_ms"), &json!(0.25)));
        let values: Vec<_> = convergence["values"].as_array().unwrap().iter().collect();
        assert_eq!(values[0]["value"], 1);
        assert_eq!(values[0]["trials"], one);
        assert_eq!(values[0]["converged"], true);
        assert_eq!(values[2]["trials"], four);
        assert_eq!(sweep["per_value_metrics"]["1"]["itl_p50_ms"]["n"], one);
        assert_eq!(sweep["per_value_metrics"]["4"]["itl_p50_ms"]["n"], four);
        assert!(ended.stderr.contains("left out: itl_p50_ms is known to ±"), "{}", ended.stderr);
        assert!(ended.stdout.contains("Convergence of itl_p50_ms (to ±25 %)"), "{}", ended.stdout);
    }
}

#[test]
fn a_sweep_that_is_continued_leaves_out_the_same_runs() {
    let (mut server, place) = (Server::start(NOISY), Workplace::new());
    place.run(&adaptive(&server, "independent")).expect(0);
    let before = manifest(&place);

    // As if the machine had died when the last run was done, before it was noted what need not be done: nothing is sent,
    // since the server is gone.
    let mut cut = before.clone();
    for run in cut["runs"].as_array_mut().unwrap().iter_mut().filter(|run| run["state"] == "not_needed") {
        run["state"] = json!("pending");
    }
    std::fs::write(place.path().join(BASE).join("manifest.json"), cut.to_string()).unwrap();
    server.kill();
    let resumed = place.run(&format!("profile --resume {BASE}")).expect(0);
    assert!(resumed.stderr.contains("are not needed"), "{}", resumed.stderr);
    assert_eq!(manifest(&place)["runs"], before["runs"]);
    let bytes = place.bytes(&sweep_file(&place));
    place.run(&format!("analyze {BASE}")).expect(0);
    assert!(place.bytes(&sweep_file(&place)) == bytes);
}

/// Values whose latencies differ, of which the last one has about the throughput of the one before, and another one in
/// each run: only more trials of it can tell whether it is optimal. No slope is near twice the one before.
const UNDECIDED: &str =
    "--ttft-ms 10 --prefill-rate 2000 --itl-ms 20 --itl-slope-ms 0 --itl-noise 0.4 --itl-noise-at 4";

#[test]
fn a_time_is_spent_where_an_answer_is_open() {
    let (server, place) = (Server::start(UNDECIDED), Workplace::new());
    let begin = format!(
        "profile -m m --url {} --sweep-type zip --concurrency 1,2,3,4 --isl 20,60,110,180 --osl 4 --num-prompts 12 --parameter-sweep-cooldown-seconds 0.1 --profile-run-cooldown-seconds 0.1 --budget 20s",
        server.url
    );
    let ended = place.run(&begin).expect(0);
    let base = "artifacts/m-openai-chat-concurrency_isl_sweep";
    let manifest = place.json(&format!("{base}/manifest.json"));
    let done = |value: u64| {
        let runs = manifest["runs"].as_array().unwrap().iter();
        runs.filter(|run| run["value"] == value && run["state"] == "done").count()
    };
    let trials = [0, 1, 2, 3].map(done);
    assert!(trials[..3].iter().all(|trials| *trials >= 3), "{trials:?}\n{}", ended.stderr);
    assert!(ended.stderr.contains("no more trials, "), "{}", ended.stderr);
    let budget = &manifest["time_budget"];
    assert_eq!(budget["seconds"], 20.0);
    assert!(budget["spent_seconds"].as_f64().unwrap() > 1.0, "{budget}");
    let sweep = place.json(&format!("{base}/aggregate/sweep_aggregate/profile_export_aiperf_sweep.json"));
    // The value before is compared with it, so that where both are about as good it may be open too. An invalid value, on a
    // busy machine, is no answer to anything, and what remains may be certain.
    let excluded = sweep["metadata"]["excluded_values"].as_array().unwrap();
    let is_spent_on_it = trials[3] > trials[0] && trials[3] > trials[1];
    assert!(is_spent_on_it || !excluded.is_empty(), "{trials:?}\n{}", ended.stderr);
    let open = sweep["metadata"]["budget"]["open_answers"].as_array().unwrap();
    let said = if open.is_empty() { "Every answer is certain" } else { "Unresolved\n" };
    assert!(ended.stdout.contains(said), "{}", ended.stdout);
    for answer in open {
        let probability = answer["probability"].as_f64().unwrap();
        assert!((0.05..0.95).contains(&probability) && answer["parameters"].is_object(), "{answer}");
    }
}

#[test]
fn a_dry_run_knows_how_long_the_plan_takes_and_what_of_it_is_done() {
    let (server, place) = (Server::start(FAST), Workplace::new());
    let expected = |flags: &str| {
        let line = format!("profile -m m --url {} --dry-run {flags}", server.url);
        let text = place.run(&line).expect(0).stdout;
        text.split_once("pauses in total: ").unwrap().1.to_owned()
    };
    let timed = "--concurrency 1,2,4 --benchmark-duration 30 --parameter-sweep-cooldown-seconds 5";
    assert_eq!(expected(timed), "10 s\nexpected time: 1 min 40 s, by durations, schedules and pauses\n");
    assert_eq!(
        expected("--request-rate 5,10 --num-prompts 100 --warmup-request-count 4"),
        "0 s\nexpected time: 30 s, by durations, schedules and pauses\n  2 warm-ups on top\n"
    );
    assert!(
        expected("--concurrency 1,2 --num-prompts 100").contains("expected time: unknown, since 2 runs take")
    );
    assert!(expected(&format!("{timed} --num-prompts 9")).contains("expected time: 10 s to 1 min 40 s"));
    assert!(expected(&format!("{timed} --budget 5m")).contains("--budget ends it after 5 min"));

    place
        .run(&format!(
            "profile -m m --url {} --concurrency 1,2,3 --num-prompts 4 --osl 2 --isl 9 --num-profile-runs 2",
            server.url
        ))
        .expect(0);
    let mut cut = manifest(&place);
    cut["runs"][4]["state"] = json!("pending");
    cut["runs"][5]["state"] = json!("running");
    std::fs::write(place.path().join(BASE).join("manifest.json"), cut.to_string()).unwrap();
    let text = place.run(&format!("profile --resume {BASE} --dry-run")).expect(0).stdout;
    let done: Vec<bool> =
        text.lines().filter(|line| line.contains(", trial ")).map(|line| line.ends_with(" (done)")).collect();
    assert_eq!(done, [true, true, true, true, false, false], "{text}");
    assert!(text.contains("for 2 runs, by the runs that are done"), "{text}");
    assert_eq!(manifest(&place), cut, "nothing is touched");
    let other = place.run(&format!("profile --resume {BASE} --dry-run --num-prompts 5")).expect(2);
    assert!(other.stderr.contains("load.num_prompts: 4 then, 5 now"), "{}", other.stderr);
}

#[test]
fn plugins_that_are_too_slow_to_be_asked_do_not_use_up_more_than_the_time() {
    const HANGING: &str =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../plugin-host/tests/fixtures/misbehaving.wasm");
    let place = Workplace::new();
    let ended = place
        .run(&format!(
            "profile -m m --url sim:?prefill-rate=1000000&itl-ms=0.1 --concurrency 1,2 --num-prompts 4 --osl 2 --budget 6s --plugin {HANGING} --objective 'misbehaving:{{\"do\":\"loop\"}}' --plugin-timeout-seconds 0.3"
        ))
        .expect(5);
    let budget = &sweep(&place)["metadata"]["budget"];
    assert_eq!((&budget["too_few_trials"], &budget["open_answers"]), (&json!([]), &Value::Null));
    assert!(ended.stdout.contains("the plugins take too long to be asked"), "{}", ended.stdout);
}

#[test]
fn a_time_that_ends_too_soon_answers_nothing() {
    let (server, place) = (Server::start(FAST), Workplace::new());
    let begin = format!(
        "profile -m m --url {} --concurrency 1,2,3 --num-prompts 4 --osl 2 --isl 9 --parameter-sweep-cooldown-seconds 3600 --budget 5s",
        server.url
    );
    // The pause is not begun, since it is longer than the time: it is part of what a run is expected to take.
    let ended = place.run(&begin).expect(0);
    assert!(ended.stdout.contains("concurrency 1: one trial, so its spread is unknown"), "{}", ended.stdout);
    assert!(ended.stdout.contains("concurrency 2: not run"), "{}", ended.stdout);
    let budget = &sweep(&place)["metadata"]["budget"];
    let too_few =
        json!([{ "value": 1, "trials": 1 }, { "value": 2, "trials": 0 }, { "value": 3, "trials": 0 }]);
    assert_eq!((&budget["too_few_trials"], &budget["open_answers"]), (&too_few, &json!([])));
}
