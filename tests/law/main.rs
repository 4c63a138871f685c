//! What is measured against the law of the simulator, whose times are known.
//!
//! A test binary of its own, since it compares times: nothing else of the tests runs beside it. The bounds are those
//! that hold on a busy machine too; `docs/methodology.md` has the law.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, also in its helpers"
)]

#[path = "../support.rs"]
#[expect(dead_code, reason = "the other test binary uses all of it")]
mod support;

use serde_json::{Value, json};
use support::Workplace;

/// First token after 20 ms, 32 tokens, a step of 4 ms: 144 ms in service at every concurrency up to 16.
const SERVER: &str = "sim:?ttft-ms=20&prefill-rate=100000000&itl-ms=4&itl-slope-ms=0&max-batch=16";
const TTFT_MS: f64 = 20.0;
const LATENCY_MS: f64 = 20.0 + 31.0 * 4.0;

fn mean(sweep: &Value, value: u32, key: &str) -> f64 {
    sweep["per_value_metrics"][value.to_string()][key]["mean"].as_f64().unwrap()
}

#[test]
fn a_sweep_finds_the_knee_and_the_law_below_it() {
    let place = Workplace::new();
    let arguments = format!(
        "profile --model demo --url {SERVER} --osl 32 --isl 64 --concurrency 2,4,8,16,32,64 --benchmark-duration 2.5 --ui none"
    );
    place.run(&arguments).expect(0);
    let sweep = place.json(
        "artifacts/demo-openai-chat-concurrency_sweep/sweep_aggregate/profile_export_aiperf_sweep.json",
    );
    for value in [2, 4, 8, 16] {
        let expected = f64::from(value) / LATENCY_MS * 1000.0;
        let throughput = mean(&sweep, value, "request_throughput_avg");
        assert!((throughput / expected - 1.0).abs() < 0.1, "{value}: {throughput} against {expected}");
        let ttft = mean(&sweep, value, "ttft_p50_ms");
        assert!((ttft - TTFT_MS).abs() < 3.0, "{value}: {ttft}");
    }
    assert_eq!(sweep["trends"]["request_throughput_avg"]["inflection_points"], json!([16]));
    assert_eq!(sweep["trends"]["ttft_p50_ms"]["inflection_points"], json!([32]));
}
