//! Where results lie, and that nothing of an earlier result is lost.

use crate::support::Workplace;

const FAST: &str = "--url sim:?prefill-rate=1000000&itl-ms=0.1&itl-slope-ms=0 --osl 3 --num-prompts 4";

#[test]
fn one_run_writes_into_its_base_directory() {
    let place = Workplace::new();
    place.run(&format!("profile --model demo {FAST} --concurrency 2")).expect(0);
    assert_eq!(
        place.files("artifacts/demo-openai-chat-concurrency2"),
        [
            "inputs.json",
            "manifest.json",
            "profile_export.jsonl",
            "profile_export_aiperf.csv",
            "profile_export_aiperf.json",
            "report.html"
        ]
    );
}

#[test]
fn trials_alone_have_an_aggregate_and_no_sweep() {
    let place = Workplace::new();
    place.run(&format!("profile --model demo {FAST} --concurrency 2 --num-profile-runs 3")).expect(0);
    let base = "artifacts/demo-openai-chat-concurrency2";
    assert_eq!(place.files(&format!("{base}/profile_runs/trial_0003")).len(), 4);
    let aggregate = place.json(&format!("{base}/aggregate/profile_export_aiperf_aggregate.json"));
    assert_eq!(aggregate["metadata"]["num_successful_runs"], 3);
    assert!(aggregate["metrics"]["time_to_first_token_p99"]["t_critical"].as_f64().unwrap() > 4.3);
    assert!(!place.path().join(base).join("sweep_aggregate").exists());
}

#[test]
fn an_earlier_result_is_never_overwritten_unasked() {
    let place = Workplace::new();
    let arguments = format!("profile --model demo {FAST} --concurrency 2");
    place.run(&arguments).expect(0);
    let first = place.bytes("artifacts/demo-openai-chat-concurrency2/profile_export.jsonl");
    place.run(&arguments).expect(0);
    assert_eq!(place.bytes("artifacts/demo-openai-chat-concurrency2/profile_export.jsonl"), first);
    assert_eq!(place.files("artifacts/demo-openai-chat-concurrency2-2").len(), 6);
    place.run(&format!("{arguments} --overwrite")).expect(0);
    assert_ne!(place.bytes("artifacts/demo-openai-chat-concurrency2/profile_export.jsonl"), first);
    assert!(!place.path().join("artifacts/demo-openai-chat-concurrency2-3").exists());
}

#[test]
fn a_models_name_cannot_leave_the_artifact_directory() {
    let place = Workplace::new();
    place.run(&format!("profile --model ../../escape/llama {FAST} --concurrency 2")).expect(0);
    let outside: Vec<_> =
        place.files("").into_iter().filter(|file| !file.starts_with("artifacts/")).collect();
    assert_eq!(outside, Vec::<String>::new());
}

#[test]
fn two_axes_share_one_level_of_directories() {
    let place = Workplace::new();
    place.run(&format!("profile --model demo {FAST} --concurrency 1,2 --isl 8,16")).expect(0);
    let base = "artifacts/demo-openai-chat-concurrency_isl_sweep";
    assert_eq!(place.files(&format!("{base}/concurrency_2__isl_16")).len(), 4);
    let sweep = place.json(&format!("{base}/sweep_aggregate/profile_export_aiperf_sweep.json"));
    assert_eq!(sweep["per_combination_metrics"].as_array().unwrap().len(), 4);
    assert_eq!(
        sweep["per_combination_metrics"][3]["parameters"],
        serde_json::json!({"concurrency": 2, "isl": 16})
    );
}

#[test]
fn the_manifest_tells_what_ran_with_which_plugins() {
    let place = Workplace::new();
    place.run(&format!("profile --model demo {FAST} --concurrency 1,2 --api-key sk-very-secret")).expect(0);
    let base = "artifacts/demo-openai-chat-concurrency_sweep";
    let manifest = place.json(&format!("{base}/manifest.json"));
    let states: Vec<_> =
        manifest["runs"].as_array().unwrap().iter().map(|run| run["state"].clone()).collect();
    assert_eq!(states, ["done", "done"]);
    let plugins = manifest["plugins"].as_array().unwrap();
    assert!(plugins.iter().any(|plugin| plugin["name"] == "chat" && plugin["kind"] == "endpoint"));
    assert!(plugins.iter().all(|plugin| plugin["sha256"].as_str().unwrap().len() == 64));
    for file in place.files(base) {
        let content = place.bytes(&format!("{base}/{file}"));
        assert!(!content.windows(14).any(|window| window == b"sk-very-secret"), "{file}");
    }
}
