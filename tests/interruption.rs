//! Signals: the files are valid and the exit code says what happened.

use crate::support::{Finished, Server, Silence, Workplace, aiperf, wait_until};
use serde_json::Value;
use std::process::Command;

const FAST: &str = "--ttft-ms 1 --prefill-rate 1000000 --itl-ms 0.2 --itl-slope-ms 0";
const BASE: &str = "artifacts/m-openai-chat-concurrency_sweep";

fn records(place: &Workplace, run: &str) -> Vec<Value> {
    let lines = String::from_utf8(place.bytes(&format!("{BASE}/{run}/profile_export.jsonl"))).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[track_caller]
fn tells_how_to_continue(ended: &Finished) {
    let command = format!("continue with: aiperf profile --resume {BASE}");
    assert!(ended.stderr.contains(&command), "{}", ended.stderr);
}

#[test]
fn a_signal_in_the_warm_up_stops_it() {
    let (silence, place) = (Silence::start(), Workplace::new());
    let running = place.begin(&format!(
        "profile -m m --url {} --concurrency 2,4 --num-prompts 8 --warmup-request-count 4 --benchmark-grace-period 0.05",
        silence.url
    ));
    silence.wait_for_request();
    running.signal("INT");
    let ended = running.finish().expect(130);
    tells_how_to_continue(&ended);
    place.assert_valid();
    assert_eq!(place.states(BASE), ["interrupted", "pending"]);
    let records = records(&place, "concurrency_2");
    assert!(!records.is_empty());
    for record in records {
        assert_eq!(record["metadata"]["benchmark_phase"], "warmup");
        assert_eq!(record["metadata"]["was_cancelled"], true);
    }
}

#[test]
fn a_signal_in_a_run_cancels_what_outlasts_the_grace_period() {
    let (silence, place) = (Silence::start(), Workplace::new());
    let running = place.begin(&format!(
        "profile -m m --url {} --concurrency 2,4 --num-prompts 8 --benchmark-grace-period 0.05",
        silence.url
    ));
    silence.wait_for_request();
    running.signal("TERM");
    let ended = running.finish().expect(130);
    tells_how_to_continue(&ended);
    place.assert_valid();
    assert_eq!(place.states(BASE), ["interrupted", "pending"]);
    assert!(
        records(&place, "concurrency_2").iter().all(|record| record["metadata"]["was_cancelled"] == true)
    );
    let run = place.json(&format!("{BASE}/concurrency_2/profile_export_aiperf.json"));
    assert_eq!(run["was_cancelled"], true);
    let sweep = place.json(&format!("{BASE}/sweep_aggregate/profile_export_aiperf_sweep.json"));
    assert_eq!(sweep["metadata"]["failed_values"], serde_json::json!([]), "interrupted is not failed");
}

#[test]
fn a_signal_lets_what_is_in_flight_end() {
    let (server, place) = (Server::start("--ttft-ms 400 --itl-ms 1"), Workplace::new());
    let mut running = place.begin(&format!(
        "profile -m m --url {} --concurrency 3,4 --osl 3 --num-prompts 1000",
        server.chat_url()
    ));
    let started = place.path().join(BASE).join("concurrency_3/profile_export.jsonl");
    // The records are begun right before the load; the first ones reach the disk after a second.
    wait_until(|| started.metadata().is_ok_and(|metadata| metadata.len() > 0));
    running.signal("INT");
    running.wait_for("waiting for the requests in flight");
    running.finish().expect(130);
    let records = records(&place, "concurrency_3");
    assert!(records.len() >= 3 && records.len() < 1000, "{}", records.len());
    assert!(records.iter().all(|record| record.get("error").is_none()));
    assert_eq!(place.states(BASE), ["interrupted", "pending"]);
}

#[test]
fn a_signal_in_a_cooldown_ends_it() {
    let (server, place) = (Server::start(FAST), Workplace::new());
    let mut running = place.begin(&format!(
        "profile -m m --url {} --concurrency 1,2 --osl 2 --num-prompts 4 --parameter-sweep-cooldown-seconds 3600",
        server.chat_url()
    ));
    running.wait_for("cooldown of 3600 s");
    running.signal("INT");
    let ended = running.finish().expect(130);
    tells_how_to_continue(&ended);
    assert_eq!(place.states(BASE), ["done", "pending"]);
    // The first run of a process has nothing to cool down from.
    place.run(&format!("profile --resume {BASE}")).expect(0);
    assert_eq!(place.states(BASE), ["done", "done"]);
}

#[test]
fn a_signal_while_files_are_written_leaves_them_whole() {
    let server = Server::start(FAST);
    for name in
        ["inputs.json", "profile_export.jsonl", "profile_export_aiperf.json", "profile_export_aiperf.csv"]
    {
        let place = Workplace::new();
        let mut running = place.begin(&format!(
            "profile -m m --url {} --concurrency 1,2 --osl 2 --num-prompts 4 --parameter-sweep-cooldown-seconds 3600",
            server.chat_url()
        ));
        let file = place.path().join(BASE).join("concurrency_1").join(name);
        wait_until(|| file.exists() || running.has_ended());
        running.signal("INT");
        tells_how_to_continue(&running.finish().expect(130));
        place.assert_valid();
        let states = place.states(BASE);
        assert!(
            ["done", "interrupted"].contains(&states[0].as_str()) && states[1] == "pending",
            "{states:?}"
        );
    }
}

#[test]
fn a_signal_while_the_requests_are_made_sends_none() {
    let (silence, place) = (Silence::start(), Workplace::new());
    let running = place.begin(&format!(
        "profile -m m --url {} --concurrency 1,2 --isl 4000 --num-prompts 100000",
        silence.url
    ));
    let manifest = place.path().join(BASE).join("manifest.json");
    wait_until(|| std::fs::read_to_string(&manifest).is_ok_and(|text| text.contains("\"running\"")));
    running.signal("INT");
    running.finish().expect(130);
    assert!(silence.is_untouched());
    place.assert_valid();
    assert_eq!(place.states(BASE), ["interrupted", "pending"]);
}

#[test]
fn a_signal_while_the_requests_are_written_sends_none() {
    let (silence, place) = (Silence::start(), Workplace::new());
    // Ten million turns, of which only the first ones are made before they are written.
    let running = place.begin(&format!(
        "profile -m m --url {} --concurrency 1,2 --isl 16 --conversation-num 1000 --conversation-turn-mean 10000",
        silence.url
    ));
    let run = format!("{BASE}/concurrency_1");
    wait_until(|| place.files(&run).iter().any(|file| file.contains("inputs.json")));
    running.signal("INT");
    running.finish().expect(130);
    assert!(silence.is_untouched());
    place.assert_valid();
    assert_eq!(place.states(BASE), ["interrupted", "pending"]);
    assert!(!place.files(&run).iter().any(|file| file.contains("inputs.json")), "{:?}", place.files(&run));
}

#[test]
fn a_second_signal_does_not_wait_for_the_server() {
    let (silence, place) = (Silence::start(), Workplace::new());
    let mut running = place.begin(&format!(
        "profile -m m --url {} --concurrency 2,4 --num-prompts 8 --benchmark-grace-period 3600",
        silence.url
    ));
    silence.wait_for_request();
    running.signal("INT");
    running.wait_for("press Ctrl-C again to abort");
    running.signal("INT");
    let ended = running.finish().expect(130);
    assert!(ended.stderr.contains("leaving now"), "{}", ended.stderr);
    place.assert_valid();
    assert_eq!(place.states(BASE), ["interrupted", "pending"]);
    assert!(!place.files(BASE).contains(&".aiperf.lock".to_owned()));
}

#[test]
fn a_terminal_that_goes_away_stops_the_benchmark() {
    let (silence, place) = (Silence::start(), Workplace::new());
    let running = place.begin(&format!(
        "profile -m m --url {} --concurrency 2,4 --num-prompts 8 --benchmark-grace-period 0.05",
        silence.url
    ));
    silence.wait_for_request();
    running.signal("HUP");
    tells_how_to_continue(&running.finish().expect(130));
    place.assert_valid();
    assert_eq!(place.states(BASE), ["interrupted", "pending"]);
}

#[test]
fn a_benchmark_that_is_to_outlive_its_terminal_does() {
    let (server, place) = (Server::start(FAST), Workplace::new());
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' HUP; exec \"$0\" \"$@\""]).arg(aiperf().get_program()).args([
        "profile",
        "-m",
        "m",
        "--url",
        &server.chat_url(),
        "--concurrency",
        "1,2",
        "--osl",
        "2",
        "--num-prompts",
        "4",
        "--parameter-sweep-cooldown-seconds",
        "3600",
    ]);
    let mut running = place.begin_command(shell);
    running.wait_for("cooldown of 3600 s");
    running.signal("HUP");
    // Both signals are delivered in this order, so the second one alone ends the cooldown.
    running.signal("INT");
    let ended = running.finish().expect(130);
    assert!(!ended.stderr.contains("interrupted again"), "{}", ended.stderr);
}
