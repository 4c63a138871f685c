//! What each built-in endpoint measures.

use crate::support::Workplace;

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
        .run("profile --model demo --url sim:?ttft-ms=60&prefill-rate=1000000 --endpoint-type embeddings --isl 12 --concurrency 1,2 --num-prompts 6")
        .expect(0);
    let sweep = place.json(
        "artifacts/demo-openai-embeddings-concurrency_sweep/sweep_aggregate/profile_export_aiperf_sweep.json",
    );
    assert!(sweep["per_value_metrics"]["1"].get("ttft_p99_ms").is_none());
    // Without a first token the latency objective falls back, and says so.
    assert_eq!(sweep["best_configurations"]["best_latency_p99"]["metric_name"], "request_latency_p99_ms");
}
