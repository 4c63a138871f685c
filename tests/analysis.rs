//! `aiperf analyze`: the specification's own numbers, and an earlier directory again.

use crate::support::Workplace;
use serde_json::{Value, json};

/// The specification's example: its four values with their means, deviations and bounds.
const EXAMPLE: &str = include_str!("fixtures/specification_sweep.json");

fn analysed(place: &Workplace) -> Value {
    std::fs::write(place.path().join("example.json"), EXAMPLE).unwrap();
    serde_json::from_str(&place.run("analyze example.json --format json").expect(0).stdout).unwrap()
}

#[test]
fn the_specifications_example_comes_out_as_written() {
    let place = Workplace::new();
    let sweep = analysed(&place);
    let best = &sweep["best_configurations"];
    assert_eq!(
        (&best["best_throughput"]["value"], &best["best_throughput"]["metric"]),
        (&json!(40), &json!(255.1))
    );
    assert_eq!(
        (&best["best_latency_p99"]["value"], &best["best_latency_p99"]["metric"]),
        (&json!(10), &json!(125.4))
    );
    assert_eq!(sweep["pareto_fronts"]["dominance"], json!([10, 20, 30, 40]));
    assert_eq!(sweep["pareto_fronts"]["efficient"], json!([10, 30, 40]));
    assert_eq!(sweep["pareto_optimal"], json!([10, 20, 30, 40]));
    let (throughput, latency) = (&sweep["trends"]["request_throughput_avg"], &sweep["trends"]["ttft_p99_ms"]);
    assert_eq!(throughput["rate_of_change"], json!([80.6, 69.5, 9.8]));
    assert_eq!(latency["rate_of_change"], json!([19.8, 35.3, 105.2]));
    assert_eq!(throughput["inflection_points"], json!([30]));
    assert_eq!(latency["inflection_points"], json!([40]));
}

#[test]
fn what_cannot_be_told_apart_is_tied_and_how_sure_a_front_is_is_said() {
    let sweep = analysed(&Workplace::new());
    let best = &sweep["best_configurations"]["best_throughput"];
    assert_eq!((&best["tied_with"], &best["uncertainty"]), (&json!([30]), &json!("trials")));
    let tie = &best["ties"][0];
    assert_eq!((&tie["value"], &tie["metric"]), (&json!(30), &json!(245.3)));
    assert!(tie["difference_ci_low"].as_f64() < Some(0.0) && tie["difference_ci_high"].as_f64() > Some(0.0));
    assert_eq!(sweep["best_configurations"]["best_latency_p99"]["tied_with"], json!([]));
    let standings = sweep["pareto_standings"]["dominance"].as_array().unwrap();
    let probability = |place: usize| standings[place]["probability_optimal"].as_f64().unwrap();
    assert!(probability(0) > 0.95 && (0.3..0.95).contains(&probability(3)), "{standings:?}");
    assert!(standings.iter().all(|point| point["standing"] == "optimal"), "{standings:?}");
}

#[test]
fn differences_that_do_not_matter_count_for_nothing() {
    let place = Workplace::new();
    std::fs::write(place.path().join("example.json"), EXAMPLE).unwrap();
    let output = place.run("analyze example.json --format json --material 50%").expect(0).stdout;
    let sweep: Value = serde_json::from_str(&output).unwrap();
    let best = &sweep["best_configurations"]["best_throughput"];
    assert_eq!((&best["value"], &best["tied_with"]), (&json!(20), &json!([30, 40])));
    assert_eq!(sweep["metadata"]["material"], 0.5);
    let latency = &sweep["trends"]["ttft_p99_ms"];
    assert_eq!((&latency["inflection_points"], &latency["not_significant"]), (&json!([]), &json!(1)));
    let refused = place.run("analyze example.json --material 2").expect(2).stderr;
    assert!(refused.contains("--material: '2' is no share of a value"), "{refused}");
}

#[test]
fn an_invalid_value_is_neither_best_nor_optimal_and_named() {
    let place = Workplace::new();
    let mut example: Value = serde_json::from_str(EXAMPLE).unwrap();
    example["metadata"]["verdicts"] = json!([{
        "value": 40, "verdict": "INVALID", "reasons": [{
            "reason": "client_cpu", "subject": null, "verdict": "INVALID", "figure": 97.0, "threshold": 90.0,
            "unit": "%", "message": "this client was busy", "advice": "use another machine"
        }]
    }]);
    std::fs::write(place.path().join("example.json"), example.to_string()).unwrap();
    let output = place.run("analyze example.json --format json").expect(0).stdout;
    let sweep: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(sweep["best_configurations"]["best_throughput"]["value"], 30);
    assert_eq!(sweep["pareto_optimal"], json!([10, 20, 30]));
    let excluded = json!([{ "value": 40, "reasons": ["client_cpu"] }]);
    assert_eq!(sweep["metadata"]["excluded_values"], excluded);
    let table = place.run("analyze example.json").expect(0).stdout;
    assert!(table.contains("Excluded: neither best nor optimal\n  40 "), "{table}");
}

#[test]
fn the_interval_is_students() {
    let place = Workplace::new();
    let block = &analysed(&place)["per_value_metrics"]["10"]["request_throughput_avg"];
    let bound = |key: &str| (block[key].as_f64().unwrap() * 100.0).round() / 100.0;
    assert_eq!((bound("ci_low"), bound("ci_high")), (91.35, 99.05));
}

#[test]
fn the_other_criterion_can_fill_pareto_optimal() {
    let place = Workplace::new();
    std::fs::write(place.path().join("example.json"), EXAMPLE).unwrap();
    let output = place.run("analyze example.json --format json --pareto efficient").expect(0).stdout;
    let sweep: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(sweep["pareto_optimal"], json!([10, 30, 40]));
    assert_eq!(sweep["metadata"]["pareto_criterion"], "efficient");
}

#[test]
fn a_table_tells_the_same_and_nothing_is_written_for_a_file() {
    let place = Workplace::new();
    std::fs::write(place.path().join("example.json"), EXAMPLE).unwrap();
    let table = place.run("analyze example.json").expect(0).stdout;
    for part in ["concurrency 40", "255.1", "concurrency 10", "125.4", "10, 20, 30, 40", "10, 30, 40"] {
        assert!(table.contains(part), "{part:?} is not in\n{table}");
    }
    assert_eq!(place.files(""), ["example.json"]);
}

#[test]
fn an_earlier_directory_gives_the_same_bytes_again() {
    let place = Workplace::new();
    place
        .run("profile --model demo --url sim:?prefill-rate=1000000&itl-ms=0.1 --osl 3 --concurrency 1,2,4 --num-profile-runs 3 --num-prompts 8 --ui none")
        .expect(0);
    let base = "artifacts/demo-openai-chat-concurrency_sweep";
    let files = ["profile_export_aiperf_sweep.json", "profile_export_aiperf_sweep.csv"]
        .map(|file| format!("{base}/aggregate/sweep_aggregate/{file}"));
    let before = files.clone().map(|file| place.bytes(&file));
    for file in &files {
        std::fs::remove_file(place.path().join(file)).unwrap();
    }
    place.run(&format!("analyze {base}")).expect(0);
    assert!(files.map(|file| place.bytes(&file)) == before);
    place.run(&format!("analyze {base} --pareto efficient --output elsewhere")).expect(0);
    let other = place.json("elsewhere/profile_export_aiperf_sweep.json");
    assert_eq!(other["metadata"]["pareto_criterion"], "efficient");
}

#[test]
fn lists_that_are_taken_element_by_element_have_trends() {
    let place = Workplace::new();
    let ended = place
        .run("profile -m m --url sim:?prefill-rate=1000000&itl-ms=0.1&itl-slope-ms=0 --sweep-type zip --concurrency 1,2,4 --isl 8,16,32 --osl 2 --num-prompts 4")
        .expect(0);
    assert!(ended.stdout.contains("ttft_p99_ms along concurrency with isl"), "{}", ended.stdout);
    let folder = "artifacts/m-openai-chat-concurrency_isl_sweep/sweep_aggregate";
    let sweep = place.json(&format!("{folder}/profile_export_aiperf_sweep.json"));
    let trend = &sweep["trends"]["ttft_p99_ms"][0];
    assert_eq!(trend["values"], serde_json::json!([1, 2, 4]));
    assert_eq!(
        (&trend["parameter"], &trend["along_with"]),
        (&"concurrency".into(), &serde_json::json!(["isl"]))
    );
    let csv = String::from_utf8(place.bytes(&format!("{folder}/profile_export_aiperf_sweep.csv"))).unwrap();
    assert!(csv.contains("ttft_p99_ms,concurrency with isl,,slope-change,"), "{csv}");
}

#[test]
fn an_edited_run_is_named_in_output_and_files() {
    let place = Workplace::new();
    place
        .run("profile -m m --url sim: --osl 2 --isl 8 --concurrency 1,2 --num-prompts 4 --ui none")
        .expect(0);
    let directory = "artifacts/m-openai-chat-concurrency_sweep";
    let file = |name: &str| place.path().join(directory).join("concurrency_2").join(name);
    // What analysis does not need may be gone.
    std::fs::remove_file(file("inputs.json")).unwrap();
    let untouched = place.run(&format!("analyze {directory}")).expect(0).stdout;
    assert!(!untouched.contains("Edited"), "{untouched}");
    let records = std::fs::read_to_string(file("profile_export.jsonl")).unwrap();
    std::fs::write(file("profile_export.jsonl"), records.replacen("worker_0", "worker_9", 1)).unwrap();
    let table = place.run(&format!("analyze {directory}")).expect(0).stdout;
    let edited = "concurrency_2/profile_export.jsonl was edited";
    assert!(table.contains("Edited since the benchmark") && table.contains(edited), "{table}");
    let sweep: Value = serde_json::from_slice(
        &place.bytes(&format!("{directory}/sweep_aggregate/profile_export_aiperf_sweep.json")),
    )
    .unwrap();
    assert!(sweep["metadata"]["edited_files"][0].as_str().unwrap().ends_with(edited), "{sweep}");
    let report = place.run(&format!("report {directory}")).expect(0).stdout;
    let page = String::from_utf8(place.bytes(&format!("{directory}/report.html"))).unwrap();
    assert!(report.contains(edited) && page.contains(edited), "{report}");
}

#[test]
fn a_run_that_contradicts_itself_is_refused_by_name() {
    let place = Workplace::new();
    place
        .run("profile -m m --url sim: --osl 2 --isl 8 --concurrency 1,2 --num-prompts 4 --ui none")
        .expect(0);
    let directory = "artifacts/m-openai-chat-concurrency_sweep";
    let path = place.path().join(directory).join("concurrency_2/profile_export_aiperf.json");
    let mut run: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    run["time_to_first_token"]["p50"] = json!(1e9);
    std::fs::write(&path, run.to_string()).unwrap();
    for command in ["analyze", "report"] {
        let refused = place.run(&format!("{command} {directory}")).expect(2).stderr;
        assert!(refused.contains("concurrency_2/profile_export_aiperf.json"), "{refused}");
        assert!(refused.contains("`time_to_first_token.p75`: found"), "{refused}");
    }
}
