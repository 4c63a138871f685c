//! Load at a request rate, from the flags to the files.

use crate::support::Workplace;
use serde_json::{Value, json};

/// 1 token right away: what is slow here is the client.
const FAST: &str = "--url sim:?ttft-ms=1&prefill-rate=100000000&itl-ms=0.1&itl-slope-ms=0 --osl 2 --isl 16";

fn average(run: &Value, metric: &str) -> f64 {
    run[metric]["avg"].as_f64().unwrap_or_else(|| panic!("no {metric} in {run:#}"))
}

#[test]
fn a_sweep_over_rates_writes_its_tree_with_both_clocks() {
    let place = Workplace::new();
    place
        .run(&format!("profile --model demo {FAST} --request-rate 20,40.5 --num-prompts 60 --ui none"))
        .expect(0);
    let base = "artifacts/demo-openai-chat-request_rate_sweep";
    for (rate, folder) in [(20.0, "request_rate_20"), (40.5, "request_rate_40.5")] {
        assert_eq!(place.files(&format!("{base}/{folder}")).len(), 4, "{folder}");
        let run = place.json(&format!("{base}/{folder}/profile_export_aiperf.json"));
        // 59 gaps of a Poisson process: the standard error of their mean is 13 %.
        let achieved = average(&run, "achieved_request_rate");
        assert!((achieved / rate - 1.0).abs() < 0.5, "{achieved} for {rate}");
        assert!(average(&run, "effective_latency") >= average(&run, "request_latency"));
        assert_eq!(run["input_config"]["phases"][0]["type"], "poisson");
        assert_eq!(run["input_config"]["phases"][0]["rate"], rate);
    }
    let sweep = place.json(&format!("{base}/sweep_aggregate/profile_export_aiperf_sweep.json"));
    for key in ["effective_ttft_p99_ms", "effective_latency_avg_ms", "ttft_p99_ms"] {
        assert!(sweep["per_value_metrics"]["40.5"][key]["mean"].is_f64(), "{key}");
    }
    assert_eq!(sweep["metadata"]["parameter_name"], "request_rate");
    assert_eq!(sweep["metadata"]["parameter_values"], json!([20, 40.5]));
}

#[test]
fn a_constant_rate_is_kept() {
    let place = Workplace::new();
    place
        .run(&format!(
            "profile --model demo {FAST} --request-rate 100 --arrival-pattern constant --num-prompts 101 --ui none"
        ))
        .expect(0);
    let run = place.json("artifacts/demo-openai-chat-request_rate100/profile_export_aiperf.json");
    // Only the first and the last send matter, which a busy machine delays by milliseconds of a second.
    let achieved = average(&run, "achieved_request_rate");
    assert!((achieved - 100.0).abs() < 10.0, "{achieved}");
    assert!(average(&run, "inter_arrival_cv") < 1.0);
}

#[test]
fn a_limit_of_requests_in_flight_shows_in_the_second_clock_only() {
    let place = Workplace::new();
    // One request at a time takes 20 ms, and 200 per second are asked for.
    place
        .run(
            "profile --model demo --url sim:?ttft-ms=20&prefill-rate=100000000&itl-ms=0 --osl 1 --isl 16 \
             --request-rate 200 --arrival-pattern constant --concurrency 1 --num-prompts 50 --ui none",
        )
        .expect(0);
    let run = place.json("artifacts/demo-openai-chat-request_rate200/profile_export_aiperf.json");
    // The last request is due after 245 ms and cannot be sent before 49 others took 20 ms each.
    assert!(run["effective_latency"]["max"].as_f64().unwrap() > 700.0, "{run:#}");
    assert!(run["request_latency"]["p50"].as_f64().unwrap() < 200.0, "{run:#}");
    assert!(average(&run, "achieved_request_rate") < 60.0);
}

#[test]
fn a_closed_loop_has_one_clock() {
    let place = Workplace::new();
    place.run(&format!("profile --model demo {FAST} --concurrency 2 --num-prompts 10 --ui none")).expect(0);
    let run = place.json("artifacts/demo-openai-chat-concurrency2/profile_export_aiperf.json");
    for metric in
        ["effective_latency", "effective_time_to_first_token", "achieved_request_rate", "inter_arrival_cv"]
    {
        assert!(run.get(metric).is_none(), "{metric}");
    }
    assert!(run["send_delay"]["avg"].is_f64());
}

#[test]
fn the_plan_says_what_is_sent() {
    let place = Workplace::new();
    let plan = place
        .run("profile --model demo --request-rate 2.5,5 --arrival-pattern gamma --arrival-smoothness 2 --concurrency 8 --dry-run")
        .expect(0);
    assert!(
        plan.stdout.contains("request_rate 2.5, trial 1, seed 42, 2.5 requests/s (gamma with smoothness 2), at most 8 in flight, 25 requests"),
        "{}",
        plan.stdout
    );
}
