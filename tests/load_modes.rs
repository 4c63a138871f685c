//! Ramps, files of requests, their timestamps, and conversations, from the flags to the files.

use crate::support::{Server, Workplace};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::process::Command;

/// A few tokens right away: what is slow here is the client.
const FAST: &str = "--url sim:?ttft-ms=1&prefill-rate=100000000&itl-ms=0.1&itl-slope-ms=0";

fn write(place: &Workplace, name: &str, lines: &str) {
    std::fs::write(place.path().join(name), lines).unwrap();
}

fn records(place: &Workplace, folder: &str) -> Vec<Value> {
    let text = place.bytes(&format!("{folder}/profile_export.jsonl"));
    String::from_utf8(text).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_lines_of_a_file_are_sent_once_and_their_file_is_in_the_manifest() {
    let place = Workplace::new();
    write(&place, "requests.jsonl", "{\"text\": \"one\", \"output_length\": 3}\n{\"text\": \"two\"}\n");
    let command = format!(
        "profile --model demo {FAST} --osl 2 --ui none --concurrency 1,2 --input-file requests.jsonl"
    );
    place.run(&command).expect(0);
    let base = "artifacts/demo-openai-chat-concurrency_sweep";
    for value in ["concurrency_1", "concurrency_2"] {
        let inputs = place.json(&format!("{base}/{value}/inputs.json"));
        let said = |index: usize| &inputs["data"][index]["payloads"][0]["messages"][0]["content"];
        assert_eq!((said(0), said(1)), (&json!("one"), &json!("two")));
        let run = place.json(&format!("{base}/{value}/profile_export_aiperf.json"));
        assert_eq!(run["output_sequence_length"]["sum"], 5.0);
        assert_eq!(run["input_config"]["datasets"][0]["format"], "single_turn");
    }
    let dataset = &place.json(&format!("{base}/manifest.json"))["configuration"]["workload"]["dataset"];
    assert_eq!(dataset["sha256"].as_str().unwrap().len(), 64);

    // The same name with other requests is another benchmark.
    write(&place, "requests.jsonl", "{\"text\": \"three\"}\n");
    let refused = place.run(&format!("profile --resume {base}")).expect(2);
    assert!(refused.stderr.contains("workload.dataset.sha256"), "{}", refused.stderr);
}

#[test]
fn a_run_that_nothing_ends_lasts_until_its_figures_are_known() {
    let place = Workplace::new();
    let url = "sim:?ttft-ms=20&prefill-rate=100000000&itl-ms=2&itl-slope-ms=0";
    let command = format!(
        "profile --model demo --url {url} --osl 4 --ui none --concurrency 16 --precision 20 --max-run-duration 3600"
    );
    // It would last for an hour otherwise.
    place.run(&command).expect(0);
    let run = place.json("artifacts/demo-openai-chat-concurrency16/profile_export_aiperf.json");
    assert_eq!((&run["is_complete"], &run["was_cancelled"]), (&json!(true), &json!(false)));
    assert_eq!(run["cancelled_request_count"]["avg"], 0.0);
    // Ten for each slot.
    assert!(run["request_count"]["avg"].as_f64().unwrap() >= 160.0, "{}", run["request_count"]);
    let known = run["within_run"].as_array().unwrap();
    let figure = |metric: &str, statistic: &str| {
        known.iter().find(|known| known["metric"] == metric && known["statistic"] == statistic).unwrap()
    };
    assert!(figure("request_throughput", "avg")["interval"]["low"].is_f64());
    // A median may be undetermined, and is told as such.
    assert!(figure("time_to_first_token", "p50").get("interval").is_some());
    assert!(run["steady_duration"]["avg"].is_f64() && run["overall_request_throughput"]["avg"].is_f64());
}

#[test]
fn a_run_that_time_ends_begins_at_once_however_many_requests_it_is_asked_for() {
    let place = Workplace::new();
    write(&place, "requests.jsonl", "{\"text\": \"one\"}\n{\"text\": \"two\"}\n");
    let command = format!(
        "profile --model demo {FAST} --isl 16 --osl 1 --ui none --concurrency 2 --num-prompts 4294967295 --benchmark-duration 0.5"
    );
    place.run(&command).expect(0);
    let sent = "--input-file requests.jsonl --dataset-sampling-strategy random";
    place.run(&format!("{} {sent}", command.replace("--isl 16 ", ""))).expect(0);
    // So many as could hardly be sent in half a second.
    for folder in ["artifacts/demo-openai-chat-concurrency2", "artifacts/demo-openai-chat-concurrency2-2"] {
        assert!(!records(&place, folder).is_empty());
        let inputs = place.json(&format!("{folder}/inputs.json"));
        assert_eq!(inputs["data"].as_array().unwrap().len(), 5000, "{folder}");
    }
}

#[test]
fn a_file_with_a_mistake_is_refused_before_anything_is_made() {
    let place = Workplace::new();
    write(
        &place,
        "requests.jsonl",
        "{\"text\": \"one\"}\n{\"text\": \"two\", \"output_length\": \"many\"}\n",
    );
    let refused = place.run("profile --model demo --url sim: --input-file requests.jsonl").expect(2);
    let problem = "--input-file: 'requests.jsonl' line 2: field 'output_length' is \"many\", \
                   but must be a whole number of tokens from 1 on, such as 128";
    assert!(refused.stderr.contains(problem), "{}", refused.stderr);
    let refused = place.run("profile --model demo --url sim: --input-file nowhere.jsonl --dry-run").expect(2);
    assert!(refused.stderr.contains("cannot read 'nowhere.jsonl'"), "{}", refused.stderr);
    assert!(place.files("artifacts").is_empty());
}

#[test]
fn ten_thousand_streams_are_held_at_once() {
    const STREAMS: usize = 10_000;
    let limit = Command::new("sh").args(["-c", "ulimit -Hn"]).output().unwrap().stdout;
    let limit = String::from_utf8(limit).unwrap().trim().parse::<usize>();
    if limit.is_ok_and(|files| files < STREAMS + 200) {
        eprintln!("skipped: the system allows fewer than {STREAMS} connections (ulimit -Hn)");
        return;
    }
    // The first answer comes long after the last request, also on a slow machine.
    let server = Server::start("--ttft-ms 15000 --prefill-rate 1000000000 --itl-ms 0 --max-batch 100000");
    let place = Workplace::new();
    place
        .run(&format!(
            "profile --model demo --url {} --isl 16 --osl 1 --ui none --concurrency {STREAMS} \
             --concurrency-ramp-duration 2 --num-prompts {STREAMS}",
            server.url
        ))
        .expect(0);
    let records = records(&place, &format!("artifacts/demo-openai-chat-concurrency{STREAMS}"));
    let time = |record: &Value, name: &str| record["metadata"][name].as_u64().unwrap();
    let last_start = records.iter().map(|record| time(record, "request_start_ns")).max().unwrap();
    let held = records.iter().filter(|record| time(record, "request_end_ns") > last_start).count();
    assert_eq!((records.len(), held), (STREAMS, STREAMS));
}

#[test]
fn the_timestamps_of_a_trace_are_the_due_times() {
    let place = Workplace::new();
    let lines = r#"{"timestamp": 5000, "input_length": 20, "output_length": 2, "hash_ids": [1]}
{"timestamp": 5040.5, "input_length": 30, "output_length": 2, "hash_ids": [1]}
{"timestamp": 5100, "input_length": 10, "output_length": 2}"#;
    write(&place, "trace.jsonl", lines);
    let command = format!("profile --model demo {FAST} --ui none --input-file trace.jsonl --fixed-schedule");
    place
        .run(&format!("{command} --fixed-schedule-start-offset 5000 --fixed-schedule-end-offset 5050"))
        .expect(0);
    place.run(&format!("{command} --fixed-schedule-auto-offset")).expect(0);
    for (folder, expected) in [
        ("artifacts/demo-openai-chat-fixed_schedule", &[0, 40_500_000][..]),
        ("artifacts/demo-openai-chat-fixed_schedule-2", &[0, 40_500_000, 100_000_000]),
    ] {
        let mut due: Vec<u64> = records(&place, folder)
            .iter()
            .map(|record| record["metadata"]["credit_issued_ns"].as_u64().unwrap())
            .collect();
        due.sort_unstable();
        let since_the_first: Vec<_> = due.iter().map(|at| at - due[0]).collect();
        assert_eq!(since_the_first, expected, "{folder}");
        let run = place.json(&format!("{folder}/profile_export_aiperf.json"));
        assert_eq!(run["input_config"]["phases"][0]["type"], "fixed_schedule");
        assert!(run["effective_latency"]["avg"].is_f64());
    }
    let plan = place.run(&format!("{command} --concurrency 8 --dry-run")).expect(0);
    assert!(
        plan.stdout
            .contains("at the timestamps of the file, at most 8 in flight, every line of the file once"),
        "{}",
        plan.stdout
    );
    let expected = "expected time: 5 s, by durations, schedules and pauses";
    assert!(plan.stdout.contains(expected), "{}", plan.stdout);
}

#[test]
fn turns_of_a_conversation_have_one_name_and_carry_what_was_said() {
    let place = Workplace::new();
    place
        .run(&format!(
            "profile --model demo {FAST} --osl 4 --isl 10 --ui none --concurrency 3 --conversation-num 5 \
             --conversation-turn-mean 3 --conversation-turn-delay-mean 5"
        ))
        .expect(0);
    let folder = "artifacts/demo-openai-chat-concurrency3";
    let mut conversations: HashMap<String, Vec<(u64, f64)>> = HashMap::new();
    for record in records(&place, folder) {
        let name = record["metadata"]["x_correlation_id"].as_str().unwrap().to_owned();
        let turn = record["metadata"]["turn_index"].as_u64().unwrap();
        let tokens = record["metrics"]["input_sequence_length"]["value"].as_f64().unwrap();
        conversations.entry(name).or_default().push((turn, tokens));
    }
    assert_eq!(conversations.len(), 5);
    for turns in conversations.values_mut() {
        turns.sort_by_key(|(turn, _)| *turn);
        // Ten tokens of each turn of the user, four of each answer.
        assert_eq!(*turns, [(0, 10.0), (1, 24.0), (2, 38.0)]);
    }
    let inputs = place.json(&format!("{folder}/inputs.json"));
    assert_eq!(inputs["data"][0]["payloads"].as_array().unwrap().len(), 3);
    assert_eq!(inputs["data"][0]["payloads"][2]["messages"].as_array().unwrap().len(), 1);
}

#[test]
fn a_ramp_is_in_the_records_and_in_no_statistic() {
    let place = Workplace::new();
    let command = format!("profile --model demo {FAST} --osl 2 --isl 16 --ui none --concurrency 8");
    place.run(&format!("{command} --concurrency-ramp-duration 0.2 --benchmark-duration 0.5")).expect(0);
    let folder = "artifacts/demo-openai-chat-concurrency8";
    let records = records(&place, folder);
    let of_phase =
        |phase: &str| records.iter().filter(|record| record["metadata"]["phase_name"] == phase).count();
    assert!(of_phase("ramp") > 0);
    // Readers of the Python tool's files know two phases, and leave out what is not profiling.
    for record in &records {
        let metadata = &record["metadata"];
        let expected = if metadata["phase_name"] == "profiling" { "profiling" } else { "warmup" };
        let index = u64::from(metadata["phase_name"] == "profiling");
        assert_eq!(metadata["phase_index"], index, "the ramp is the first phase of two: {metadata}");
        assert_eq!(metadata["benchmark_phase"], expected);
    }
    let run = place.json(&format!("{folder}/profile_export_aiperf.json"));
    assert_eq!(run["request_count"]["avg"], of_phase("profiling") as f64);
    assert_eq!(run["input_config"]["phases"][0]["concurrency_ramp"], 0.2);

    let failed = place.run(&format!("{command} --concurrency-ramp-duration 3600 --num-prompts 20")).expect(4);
    let manifest = place.json("artifacts/demo-openai-chat-concurrency8-2/manifest.json");
    let error = manifest["runs"][0]["error"].as_str().unwrap_or_else(|| panic!("{}", failed.stderr));
    assert!(error.contains("within the ramp") && error.contains("shorter ramp"), "{error}");
}
