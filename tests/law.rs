//! What is measured against the law of the simulator, whose times are known.

use crate::support::Workplace;
use serde_json::{Value, json};

/// Prefill 20 ms, 16 tokens, a step of 2 ms: 50 ms in service at every concurrency up to 16.
const SERVER: &str = "sim:?ttft-ms=20&prefill-rate=100000000&itl-ms=2&itl-slope-ms=0&max-batch=16";
const TTFT_MS: f64 = 20.0;
const LATENCY_MS: f64 = 20.0 + 15.0 * 2.0;

fn mean(sweep: &Value, value: u32, key: &str) -> f64 {
    sweep["per_value_metrics"][value.to_string()][key]["mean"].as_f64().unwrap()
}

/// Timings are compared with the law here, since that is what the product is for; the bounds are those that hold on
/// a busy machine, and `docs/methodology.md` tells the accuracy on an idle one.
#[test]
fn a_sweep_finds_the_knee_and_the_law_below_it() {
    let place = Workplace::new();
    let arguments = format!(
        "profile --model demo --url {SERVER} --osl 16 --isl 64 --concurrency 2,4,8,16,32,64 --num-prompts 640 --ui none"
    );
    place.run(&arguments).expect(0);
    let sweep = place.json(
        "artifacts/demo-openai-chat-concurrency_sweep/sweep_aggregate/profile_export_aiperf_sweep.json",
    );
    assert_eq!(sweep["trends"]["request_throughput_avg"]["inflection_points"], json!([16]));
    assert_eq!(sweep["trends"]["ttft_p50_ms"]["inflection_points"], json!([32]));
    for value in [2, 4, 8, 16] {
        let expected = f64::from(value) / LATENCY_MS * 1000.0;
        let throughput = mean(&sweep, value, "request_throughput_avg");
        assert!((throughput / expected - 1.0).abs() < 0.1, "{value}: {throughput} against {expected}");
        let ttft = mean(&sweep, value, "ttft_p50_ms");
        assert!((ttft - TTFT_MS).abs() < 3.0, "{value}: {ttft}");
    }
}

#[test]
fn tokens_come_out_exactly_as_asked() {
    let place = Workplace::new();
    for (endpoint, osl) in [("chat", 7), ("completions", 5)] {
        for streaming in ["--streaming", "--no-streaming"] {
            let arguments = format!(
                "profile --model demo --url sim:?prefill-rate=1000000&itl-ms=0.1 --endpoint-type {endpoint} {streaming} --osl {osl} --isl 33 --concurrency 2 --num-prompts 6 --overwrite"
            );
            place.run(&arguments).expect(0);
            let run = place
                .json(&format!("artifacts/demo-openai-{endpoint}-concurrency2/profile_export_aiperf.json"));
            for statistic in ["min", "max"] {
                assert_eq!(
                    run["output_sequence_length"][statistic],
                    f64::from(osl),
                    "{endpoint} {streaming}"
                );
                assert_eq!(run["input_sequence_length"][statistic], 33.0, "{endpoint} {streaming}");
            }
            let streamed = streaming == "--streaming";
            assert_eq!(run.get("time_to_first_token").is_some(), streamed, "{endpoint} {streaming}");
        }
    }
}

#[test]
fn embeddings_have_latency_and_throughput_only() {
    let place = Workplace::new();
    place
        .run("profile --model demo --url sim:?prefill-rate=1000000 --endpoint-type embeddings --isl 12 --concurrency 1,2 --num-prompts 6")
        .expect(0);
    let sweep = place.json(
        "artifacts/demo-openai-embeddings-concurrency_sweep/sweep_aggregate/profile_export_aiperf_sweep.json",
    );
    assert!(sweep["per_value_metrics"]["1"].get("ttft_p99_ms").is_none());
    // Without a first token the latency objective falls back, and says so.
    assert_eq!(sweep["best_configurations"]["best_latency_p99"]["metric_name"], "request_latency_p99_ms");
}
