//! Plugins that crash, hang and lie, through the whole program: each costs its own part and nothing else, and the user
//! reads what happened.

use crate::scripted::{self, Reply, serve};
use crate::support::{Workplace, names_best};
use serde_json::{Value, json};
use std::fs;
use std::sync::{Arc, Mutex};

/// A component that breaks the contract in the way its settings say; its source lies beside it.
const MISBEHAVING: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../plugin-host/tests/fixtures/misbehaving.wasm");
/// Slow enough that no delay of this client makes a value invalid, which would then be neither best nor optimal.
const SIMULATED: &str = "profile --model m --url sim:?ttft-ms=100&prefill-rate=1000000&itl-ms=100&itl-slope-ms=0 --osl 2 --concurrency 1,2 --num-prompts 4 --ui none";
const RESULT: &str = "artifacts/m-openai-chat-concurrency_sweep";

/// What stands in the sweep file of a benchmark with the misbehaving plugin as `flag`, doing `what`.
fn failure(flag: &str, what: &str, limits: &str) -> String {
    let place = Workplace::new();
    fs::copy(MISBEHAVING, place.path().join("x.wasm")).unwrap();
    let finished = place
        .run(&format!("{SIMULATED} {limits} --plugin x.wasm {flag} 'misbehaving:{{\"do\":\"{what}\"}}'"))
        .expect(5);
    let sweep = place.json(&format!("{RESULT}/sweep_aggregate/profile_export_aiperf_sweep.json"));
    assert_eq!(sweep["metadata"]["num_successful_values"], 2, "{flag} {what}");
    assert!(names_best(&sweep, "best_throughput"), "{flag} {what}");
    let excluded = sweep["metadata"]["excluded_values"].as_array().map_or(0, Vec::len);
    let efficient = sweep["pareto_fronts"]["efficient"].as_array().map(Vec::is_empty);
    assert_eq!(efficient, Some(excluded == 2), "{flag} {what}");
    for value in ["concurrency_1", "concurrency_2"] {
        assert_eq!(
            place
                .bytes(&format!("{RESULT}/{value}/profile_export.jsonl"))
                .split(|byte| *byte == b'\n')
                .count(),
            5
        );
    }
    let message = sweep["metadata"]["plugin_failures"][0]["error"].as_str().unwrap().to_owned();
    assert!(finished.stdout.contains("'misbehaving'"), "{}", finished.stdout);
    message
}

#[test]
fn analysis_plugins_that_crash_hang_and_lie() {
    let quick = "--plugin-timeout-seconds 0.2";
    // What works hard before it fails has the time to.
    let patient = "--plugin-timeout-seconds 60";
    let cases = [
        ("--objective", "loop", quick),
        ("--objective", "recurse", patient),
        ("--objective", "allocate", patient),
        ("--objective", "panic", ""),
        ("--objective", "unreachable", ""),
        ("--objective", "nan", ""),
        ("--objective", "infinity", ""),
        ("--objective", "metric", ""),
        ("--objective", "long-metric", ""),
        ("--objective", "remember", ""),
        ("--pareto", "loop", quick),
        ("--pareto", "count", ""),
        ("--pareto", "index", ""),
        ("--pareto", "nan", ""),
        ("--pareto", "circle", ""),
        ("--pareto", "no-optimum", ""),
        ("--pareto", "remember", ""),
        ("--trend", "allocate", "--plugin-timeout-seconds 60 --plugin-memory-mib 16"),
        ("--trend", "count", ""),
        ("--trend", "index", ""),
        ("--trend", "nan", ""),
        ("--trend", "long-kind", ""),
        ("--trend", "remember", ""),
    ];
    let told: Vec<String> = cases
        .iter()
        .map(|(flag, what, limits)| format!("{flag} {what}\n  {}", failure(flag, what, limits)))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

/// The output and the sweep file of a benchmark with the misbehaving plugin as `flag`, doing `what`, which succeeds.
fn success(flag: &str, what: &str) -> (String, Value, Workplace) {
    let place = Workplace::new();
    let finished = place
        .run(&format!("{SIMULATED} --plugin {MISBEHAVING} {flag} 'misbehaving:{{\"do\":\"{what}\"}}'"))
        .expect(0);
    let sweep = place.json(&format!("{RESULT}/sweep_aggregate/profile_export_aiperf_sweep.json"));
    (finished.stdout, sweep, place)
}

#[test]
fn what_is_odd_in_an_answer_is_told() {
    for (flag, what, told) in [
        (
            "--objective",
            "none",
            "objective 'misbehaving' has no value for any of the 2 values of the sweep, so there is no best one by it",
        ),
        (
            "--objective",
            "other-metric",
            "objective 'misbehaving' says that its value for concurrency 1 is request_throughput_avg, but 1.0 is not \
             the mean of that",
        ),
        ("--trend", "flood", "trend 'misbehaving' found more than is kept: "),
    ] {
        let (stdout, sweep, _) = success(flag, what);
        assert!(stdout.contains(told), "{told:?} is not in\n{stdout}");
        let note = &sweep["metadata"]["plugin_notes"][0];
        assert_eq!(note["plugin"], "misbehaving", "{note}");
        assert!(note["note"].as_str().unwrap().starts_with(told), "{note}");
        assert_eq!(sweep["metadata"]["plugin_failures"], Value::Array(Vec::new()));
    }
    let (stdout, sweep, _) = success("--objective", "other-metric");
    assert_eq!(sweep["best_configurations"]["best_misbehaving"]["metric_name"], Value::Null);
    assert!(stdout.contains("\n  misbehaving        concurrency 1: 1; tied with 2\n"), "{stdout}");
}

#[test]
fn a_flood_of_findings_is_cut_and_what_is_gone_is_told() {
    let (stdout, sweep, place) = success("--trend", "flood");
    let size = |file: &String| place.bytes(&format!("artifacts/{file}")).len();
    let sizes: Vec<usize> = place.files("artifacts").iter().map(size).collect();
    assert!(sizes.iter().all(|size| *size < 20 << 20), "{sizes:?}");
    assert!(stdout.len() < 100_000, "{} bytes", stdout.len());
    let trend = &sweep["trends"]["request_throughput_avg"];
    assert_eq!(trend["findings"].as_array().unwrap().len(), 100);
    assert_eq!(trend["left_out"], 10_000);
}

#[test]
fn numbers_that_a_detector_derives_are_kept() {
    let (stdout, sweep, place) = success("--trend", "derive");
    assert_eq!(sweep["trends"]["request_throughput_avg"]["derived"], json!({ "curvature": [0.5] }));
    let csv =
        String::from_utf8(place.bytes(&format!("{RESULT}/sweep_aggregate/profile_export_aiperf_sweep.csv")));
    assert!(csv.unwrap().contains(",curvature: 0.5\r\n"));
    let page = String::from_utf8(place.bytes(&format!("{RESULT}/report.html"))).unwrap();
    for text in [stdout, page] {
        assert!(text.contains("curvature: 0.5"), "{text}");
    }
}

#[test]
fn a_criterion_that_rejects_everything_is_told() {
    let (stdout, ..) = success("--pareto", "reject");
    for line in ["  misbehaving M      none (pareto_optimal)\n", " 1 is rejected: out of the question\n"] {
        assert!(stdout.contains(line), "{line:?} is not in\n{stdout}");
    }
}

#[test]
fn a_hundred_megabytes_of_log_are_cut_and_the_result_stands() {
    let place = Workplace::new();
    let finished = place
        .run(&format!(
            "{SIMULATED} --plugin-timeout-seconds 60 --plugin {MISBEHAVING} --objective 'misbehaving:{{\"do\":\"log-much\"}}'"
        ))
        .expect(0);
    assert!(finished.stderr.len() < 4 << 20, "{} bytes", finished.stderr.len());
    assert!(finished.stdout.contains("\n  misbehaving "), "{}", finished.stdout);
}

#[test]
fn the_flags_for_messages_and_instances_are_limits() {
    let place = Workplace::new();
    let chatty = format!(
        "{SIMULATED} --plugin-timeout-seconds 60 --plugin {MISBEHAVING} --objective 'misbehaving:{{\"do\":\"log-often\"}}'"
    );
    let finished = place.run(&format!("{chatty} --plugin-log-lines 2")).expect(0);
    for (line, is_there) in
        [("line 1\n", true), ("line 2\n", false), ("99998 more messages of one call were dropped", true)]
    {
        assert_eq!(finished.stderr.contains(line), is_there, "{line:?}: {}", finished.stderr);
    }
    let refused = place.run(&format!("{SIMULATED} --plugin {MISBEHAVING} --plugin-instances 1")).expect(2);
    assert!(
        refused.stderr.contains("consists of more than 1 WebAssembly instances, tables or memories"),
        "{}",
        refused.stderr
    );
    let refused = place.run(&format!("{SIMULATED} --plugin-instances 0")).expect(2);
    assert!(refused.stderr.contains("--plugin-instances"), "{}", refused.stderr);
}

#[test]
fn endpoints_that_crash_hang_and_lie_fail_their_runs() {
    let url = serve(|_| Reply::stream("data: a\n\ndata: b\n\n"));
    let told: Vec<String> = [
        ("loop", "--plugin-timeout-seconds 0.2"),
        ("recurse", "--plugin-timeout-seconds 60"),
        ("allocate", "--plugin-timeout-seconds 60"),
        ("panic", ""),
        ("unreachable", ""),
        ("header", ""),
        ("path", ""),
        ("path=/../tenant2/admin", ""),
        ("path=/%2e%2e/tenant2/admin", ""),
        ("path=//elsewhere/v1", ""),
        ("path=/v1?tenant=2", ""),
        ("header=authorization", ""),
        ("header=accept-encoding", ""),
        ("header=x-of-the-user", ""),
        ("return-much", "--plugin-timeout-seconds 60"),
        ("return-much", "--plugin-timeout-seconds 60 --plugin-output-mib 4"),
        ("return-more-than-memory", "--plugin-timeout-seconds 60"),
        ("index", ""),
        ("descend", ""),
    ]
    .iter()
    .map(|(what, limits)| {
        let place = Workplace::new();
        let choice = format!("--endpoint-type 'misbehaving:{{\"do\":\"{what}\"}}'");
        let load = format!(
            "profile --model m --url '{url}/base?tenant=1' --header 'X-Of-The-User: 1' --concurrency 1,2 --num-prompts 4 --ui none"
        );
        place.run(&format!("{load} {limits} --plugin {MISBEHAVING} {choice}")).expect(5);
        let result = "artifacts/m-openai-misbehaving-concurrency_sweep/sweep_aggregate/profile_export_aiperf_sweep.json";
        let failed = &place.json(result)["metadata"]["failed_values"];
        assert_eq!(failed.as_array().unwrap().len(), 2, "{failed}");
        format!("{what} {limits}\n  {}", failed[0]["error"].as_str().unwrap().replace(&url, "URL"))
    })
    .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn headers_of_an_endpoint_are_sent_in_order_and_so_is_the_slash_at_the_end_of_its_path() {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let received = Arc::clone(&heads);
    let url = scripted::serve(move |request| {
        received.lock().unwrap().push(request.head.to_lowercase());
        Reply::Http("200 OK", "text/event-stream", "data: a\n\n".to_owned())
    });
    let place = Workplace::new();
    for what in ["headers", "path=/v1/slash/"] {
        place
            .run(&format!(
                "profile --model m --url {url} --num-prompts 2 --ui none --overwrite --plugin {MISBEHAVING} --endpoint-type 'misbehaving:{{\"do\":\"{what}\"}}'"
            ))
            .expect(0);
    }
    let heads = heads.lock().unwrap();
    let tagged = heads.iter().find(|head| head.contains("x-tag")).unwrap();
    let values = |name: &str| -> Vec<&str> {
        tagged.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).collect()
    };
    assert_eq!((values("x-tag"), values("accept")), (vec!["1", "2"], vec!["text/plain"]), "{tagged}");
    assert!(heads.iter().any(|head| head.starts_with("post /v1/slash/ http/1.1")), "{heads:?}");
}

#[test]
fn of_many_exports_some_are_shown() {
    let place = Workplace::new();
    let export = |n| format!(r#"(export "e{n}" (instance $empty))"#);
    let exports = (0..20_000).map(export).collect::<Vec<String>>().concat();
    let component = format!("(component (instance $empty) {exports})");
    fs::write(place.path().join("many.wasm"), wat::parse_str(component).unwrap()).unwrap();
    for format in ["table", "json"] {
        let inspected = place.run(&format!("plugin inspect many.wasm --format {format}")).expect(2);
        for text in [&inspected.stdout, &inspected.stderr] {
            assert!(text.len() < 2000, "{text}");
        }
        assert!(inspected.stdout.contains("19980"), "{}", inspected.stdout);
        assert!(inspected.stderr.contains("e18, e19 and 19980 more"), "{}", inspected.stderr);
    }
}

#[test]
fn files_that_are_no_plugins_are_refused_before_anything_is_sent() {
    let place = Workplace::new();
    let whole = fs::read(MISBEHAVING).unwrap();
    let text = |text: &str| wat::parse_str(text).unwrap();
    let exporting = |name: &str, imports: &str| {
        text(&format!(r#"(component {imports} (instance $empty) (export "{name}" (instance $empty)))"#))
    };
    let forbidden = r#"(import "wasi:filesystem/types@0.2.9" (instance (export "f" (func))))
                       (import "wasi:random/random@0.2.9" (instance (export "g" (func))))"#;
    let files: [(&str, Vec<u8>); 7] = [
        ("empty.wasm", Vec::new()),
        ("text.wasm", b"print('hello')".to_vec()),
        ("core.wasm", text("(module)")),
        ("short.wasm", whole[..whole.len() / 2].to_vec()),
        ("forbidden.wasm", exporting("aiperf:plugin/objective@0.1.0", forbidden)),
        ("newer.wasm", exporting("aiperf:plugin/objective@0.3.0", "")),
        ("other.wasm", exporting("wasi:cli/run@0.2.0", "")),
    ];
    let mut told = Vec::new();
    for (name, bytes) in files {
        fs::write(place.path().join(name), bytes).unwrap();
        told.push(place.run(&format!("{SIMULATED} --plugin {name} --objective mine")).expect(2).stderr);
    }
    fs::write(place.path().join("x.wasm"), whole).unwrap();
    for choice in [
        "--plugin missing.wasm --objective mine",
        "--endpoint-type throughput",
        "--objective dominance",
        "--trend chat",
        "--plugin x.wasm --objective 'misbehaving:{\"do\":\"refuse-settings\"}'",
        "--plugin x.wasm --trend 'misbehaving:{\"do\":\"panic-in-configure\"}'",
        "--objective 'throughput:{\"typo\":1}'",
        "--trend 'slope-change:{\"factor\":\"two\"}'",
        "--trend slope-change:5",
        "--plugin-memory-mib 0",
        "--plugin-timeout-seconds 0",
    ] {
        told.push(place.run(&format!("{SIMULATED} {choice}")).expect(2).stderr);
    }
    assert!(place.files("artifacts").is_empty());
    insta::assert_snapshot!(told.concat());
}

#[test]
fn a_path_that_http_does_not_allow_is_the_fault_of_who_chose_it() {
    let place = Workplace::new();
    let url = serve(|_| Reply::chat("stop"));
    let load = format!("profile -m m --url {url} --num-prompts 4 --ui none --plugin {MISBEHAVING}");
    let chosen = "'misbehaving:{\"do\":\"path=/a<b\"}'";
    let of_plugin = place.run(&format!("{load} --endpoint-type {chosen}")).expect(5);
    let told = format!("the endpoint plugin sends requests to '/a<b', which is no path on {url}");
    assert!(of_plugin.stderr.contains(&told), "{}", of_plugin.stderr);
    let of_user = place.run(&format!("{load} --endpoint-type {chosen} --endpoint '/c<d'")).expect(2);
    assert!(of_user.stderr.contains("'/c<d' is no path on"), "{}", of_user.stderr);
}
