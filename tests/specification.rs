//! The commands of the specification, as written but for the URL's port and the number of requests.

use crate::support::{Server, Workplace, names_best};

const FAST: &str = "--prefill-rate 1000000 --itl-ms 0.2 --itl-slope-ms 0 --default-output-tokens 4";
const BASE: &str = "artifacts/llama-3-8b-openai-chat-concurrency_sweep";
const RUN_FILES: [&str; 4] =
    ["inputs.json", "profile_export.jsonl", "profile_export_aiperf.csv", "profile_export_aiperf.json"];

#[test]
fn a_simple_sweep_leaves_the_documented_tree() {
    let (server, place) = (Server::start(FAST), Workplace::new());
    let url = server.chat_url();
    let done = place
        .run(&format!(
            "profile --model llama-3-8b --endpoint-type chat --url {url} --concurrency 10,20,30,40 --num-prompts 100"
        ))
        .expect(0);
    assert!(done.stderr.contains(
        "Parameter sweep mode: UI automatically set to 'simple' (use '--ui none' to disable UI output)"
    ));
    for value in [10, 20, 30, 40] {
        assert_eq!(place.files(&format!("{BASE}/concurrency_{value}")), RUN_FILES);
    }
    assert_eq!(
        place.files(&format!("{BASE}/sweep_aggregate")),
        ["profile_export_aiperf_sweep.csv", "profile_export_aiperf_sweep.json"]
    );
    let sweep = place.json(&format!("{BASE}/sweep_aggregate/profile_export_aiperf_sweep.json"));
    assert_eq!(sweep["metadata"]["parameter_values"], serde_json::json!([10, 20, 30, 40]));
    assert_eq!(sweep["metadata"]["num_values"], 4);
    assert_eq!(sweep["metadata"]["num_trials_per_value"], 1);
    assert_eq!(sweep["metadata"]["failed_values"], serde_json::json!([]));
    for value in ["10", "20", "30", "40"] {
        let block = &sweep["per_value_metrics"][value]["request_throughput_avg"];
        assert!(block["mean"].as_f64().unwrap() > 0.0);
        assert_eq!(block["unit"], "requests/sec");
        // What one trial cannot know is null, never 0 and never absent.
        for unknown in ["std", "cv", "ci_low", "ci_high"] {
            assert!(
                block.as_object().unwrap().contains_key(unknown) && block[unknown].is_null(),
                "{unknown}"
            );
        }
        let run = place.json(&format!("{BASE}/concurrency_{value}/profile_export_aiperf.json"));
        assert_eq!(run["request_count"]["avg"], 100.0);
    }
    for best in ["best_throughput", "best_latency_p99"] {
        assert!(names_best(&sweep, best), "{best}");
    }
    let excluded = sweep["metadata"]["excluded_values"].as_array().unwrap().len();
    assert_eq!(sweep["pareto_optimal"].as_array().unwrap().is_empty(), excluded == 4);
    assert_eq!(sweep["trends"]["ttft_p99_ms"]["rate_of_change"].as_array().unwrap().len(), 3);
}

#[test]
fn repeated_trials_leave_the_documented_tree() {
    let (server, place) = (Server::start(FAST), Workplace::new());
    let url = server.chat_url();
    let arguments = format!(
        "profile --model llama-3-8b --endpoint-type chat --url {url} --concurrency 10,20,30,40 --num-profile-runs 5 --num-prompts 40"
    );
    place.run(&arguments).expect(0);
    for value in [10, 20, 30, 40] {
        for trial in 1..=5 {
            let run = format!("{BASE}/profile_runs/trial_{trial:04}/concurrency_{value}");
            assert_eq!(place.files(&run), RUN_FILES, "{run}");
        }
        assert_eq!(
            place.files(&format!("{BASE}/aggregate/concurrency_{value}")),
            ["profile_export_aiperf_aggregate.csv", "profile_export_aiperf_aggregate.json"]
        );
    }
    let sweep = place.json(&format!("{BASE}/aggregate/sweep_aggregate/profile_export_aiperf_sweep.json"));
    assert_eq!(sweep["metadata"]["sweep_mode"], "repeated");
    assert_eq!(sweep["metadata"]["num_trials_per_value"], 5);
    let block = &sweep["per_value_metrics"]["10"]["ttft_p99_ms"];
    assert_eq!(block["trials"].as_array().unwrap().len(), 5);
    let (low, mean, high) = (&block["ci_low"], &block["mean"], &block["ci_high"]);
    assert!(low.as_f64() <= mean.as_f64() && mean.as_f64() <= high.as_f64());
}

#[test]
fn independent_trials_stay_with_their_value() {
    let (server, place) = (Server::start(FAST), Workplace::new());
    let url = server.chat_url();
    let arguments = format!(
        "profile --model llama-3-8b --url {url} --concurrency 10,20 --num-profile-runs 2 --parameter-sweep-mode independent --num-prompts 20"
    );
    place.run(&arguments).expect(0);
    for value in [10, 20] {
        assert_eq!(place.files(&format!("{BASE}/concurrency_{value}/profile_runs/trial_0002")), RUN_FILES);
        assert_eq!(place.files(&format!("{BASE}/concurrency_{value}/aggregate")).len(), 2);
    }
    let sweep = place.json(&format!("{BASE}/sweep_aggregate/profile_export_aiperf_sweep.json"));
    assert_eq!(sweep["metadata"]["sweep_mode"], "independent");
}

#[test]
fn the_remaining_commands_run_as_written() {
    let server = Server::start(FAST);
    let url = server.chat_url();
    let common = format!("profile --model llama-3-8b --endpoint-type chat --url {url} --num-prompts 20");
    for rest in [
        "--concurrency 10,20,30,40 --ui simple",
        "--concurrency 10,20,30,40 --ui none",
        "--concurrency 10,20,30,40 --num-profile-runs 2 --parameter-sweep-mode repeated",
        "--concurrency 10,20,30,40 --parameter-sweep-same-seed",
        "--concurrency 10,20,30,40 --random-seed 123",
        "--concurrency 10,20 --parameter-sweep-cooldown-seconds 0.05",
        "--concurrency 10,20 --num-profile-runs 2 --profile-run-cooldown-seconds 0.02 --parameter-sweep-cooldown-seconds 0.03",
        "--concurrency 10,20,30,40 --warmup-request-count 10",
        "--concurrency 10,20,30,40 --goodput \"time_to_first_token:100 inter_token_latency:10\"",
    ] {
        let place = Workplace::new();
        place.run(&format!("{common} {rest}")).expect(0);
        assert!(place.path().join(BASE).is_dir(), "{rest}");
    }
}

#[test]
fn the_dashboard_is_refused_with_the_documented_text() {
    let place = Workplace::new();
    let refused = place
        .run("profile --model m --url http://127.0.0.1:9 --concurrency 10,20,30,40 --ui dashboard")
        .expect(2);
    assert!(
        refused.stderr.contains(
            "ValueError: Dashboard UI is not supported with parameter sweeps\n\
             due to terminal control limitations. Please use '--ui simple' or '--ui none' instead."
        ),
        "{}",
        refused.stderr
    );
    assert_eq!(place.files(""), Vec::<String>::new());
}

#[test]
fn warm_up_requests_are_recorded_and_counted_nowhere() {
    let (server, place) = (Server::start(FAST), Workplace::new());
    let url = server.chat_url();
    place
        .run(&format!(
            "profile -m m --url {url} --concurrency 2,4 --num-prompts 8 --warmup-request-count 5 --num-profile-runs 2"
        ))
        .expect(0);
    let base = "artifacts/m-openai-chat-concurrency_sweep/profile_runs";
    for (trial, warmups) in [(1, 5), (2, 0)] {
        let records = place.bytes(&format!("{base}/trial_000{trial}/concurrency_2/profile_export.jsonl"));
        let phases: Vec<String> = String::from_utf8(records)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .map(|record| record["metadata"]["benchmark_phase"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(phases.iter().filter(|phase| *phase == "warmup").count(), warmups, "trial {trial}");
        assert_eq!(phases.iter().filter(|phase| *phase == "profiling").count(), 8, "trial {trial}");
        let run = place.json(&format!("{base}/trial_000{trial}/concurrency_2/profile_export_aiperf.json"));
        assert_eq!(run["request_count"]["avg"], 8.0);
    }
}

#[test]
fn goodput_counts_the_requests_within_the_limits() {
    let (server, place) = (Server::start("--ttft-ms 20 --prefill-rate 1000000 --itl-ms 1"), Workplace::new());
    let url = server.chat_url();
    for (limit, fraction) in [("5", 0.0), ("5000", 1.0)] {
        let arguments = format!(
            "profile -m m --url {url} --concurrency 2 --num-prompts 6 --osl 3 --goodput ttft:{limit} --overwrite"
        );
        place.run(&arguments).expect(0);
        let run = place.json("artifacts/m-openai-chat-concurrency2/profile_export_aiperf.json");
        assert_eq!(run["good_request_fraction"]["avg"], fraction, "{limit}");
    }
}
