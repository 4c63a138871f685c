//! Plugins from an empty directory to a result, in each language, and those of outsiders.
//!
//! A test whose tools are not on this machine says so and passes, except where `CI` is set: there they are installed.

use crate::scripted::{Reply, serve};
use crate::support::Workplace;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures");
const SIMULATED: &str = "profile --model m --url sim:?ttft-ms=100&prefill-rate=1000000&itl-ms=100&itl-slope-ms=0 --osl 2 --num-prompts 4 --concurrency 1,2";
const RESULT: &str = "artifacts/m-openai-chat-concurrency_sweep";

/// Whether a tool is here; where it must be and is not, the test fails.
fn is_here(what: &str, command: &mut Command) -> bool {
    let runs = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    let is_here = runs.is_ok_and(|status| status.success());
    assert!(is_here || std::env::var_os("CI").is_none(), "{what} is missing");
    if !is_here {
        eprintln!("skipped: {what} is missing");
    }
    is_here
}

pub(crate) fn has_compiler() -> bool {
    let script = "test -d \"$(rustc --print target-libdir --target wasm32-unknown-unknown)\" || \
                  test -d \"$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/std\"";
    is_here("a compiler for wasm32-unknown-unknown", Command::new("sh").args(["-c", script]))
}

/// Checks that the objective stands in everything that the sweep left.
fn assert_reported(place: &Workplace, stdout: &str, name: &str) {
    assert!(stdout.contains(&format!("\n  {name} ")), "{stdout}");
    let aggregate = format!("{RESULT}/sweep_aggregate/profile_export_aiperf_sweep");
    let sweep = place.json(&format!("{aggregate}.json"));
    let key = format!("best_{}", name.replace('-', "_"));
    assert!(sweep["best_configurations"][&key]["metric"].is_number(), "{}", sweep["best_configurations"]);
    let table = String::from_utf8(place.bytes(&format!("{aggregate}.csv"))).unwrap();
    let words: Vec<String> = name.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
    assert!(table.contains(&format!("Best {}", words.join(" "))), "{table}");
}

#[test]
fn a_rust_objective_from_nothing_to_a_result() {
    if !has_compiler() {
        return;
    }
    let place = Workplace::new();
    place.run("plugin new --kind objective mine").expect(0);
    let built = place.run("plugin build mine").expect(0);
    assert_eq!(built.stdout, "mine/mine.wasm: objective 'mine' 0.1.0\n");
    let tested = place.run("plugin test mine").expect(0);
    assert!(tested.stdout.contains("ok    answers as in late.json\n"), "{}", tested.stdout);
    let inspected = place.run("plugin inspect mine/mine.wasm").expect(0);
    assert!(inspected.stdout.contains("\"default\": 200.0"), "{}", inspected.stdout);
    let sweep = place.run(&format!("{SIMULATED} --plugin mine/mine.wasm --objective mine")).expect(0);
    assert_reported(&place, &sweep.stdout, "mine");

    place.run("plugin build --native mine").expect(0);
    let library = format!("mine/mine.{}", std::env::consts::DLL_EXTENSION);
    let measured = place.run(&format!("plugin bench mine/mine.wasm --native {library}")).expect(0);
    let row = measured.stdout.lines().find(|line| line.trim().starts_with("evaluate")).unwrap();
    let ratio: f64 = row.split_whitespace().last().unwrap().parse().unwrap();
    assert!(ratio > 0.0, "{}", measured.stdout);
}

#[test]
fn a_python_objective_from_nothing_to_a_result() {
    if !is_here("componentize-py", Command::new("componentize-py").arg("--version")) {
        return;
    }
    let place = Workplace::new();
    place.run("plugin new --kind objective --lang python mine").expect(0);
    let tested = place.run("plugin test mine").expect(0);
    assert!(tested.stdout.contains("ok    answers as in late.json\n"), "{}", tested.stdout);
    let sweep = place.run(&format!("{SIMULATED} --plugin mine/mine.wasm --objective mine")).expect(0);
    assert_reported(&place, &sweep.stdout, "mine");
}

/// Where `.ci/run` installs componentize-js.
const NODE_MODULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/javascript/node_modules");

#[test]
fn a_javascript_objective_from_nothing_to_a_result() {
    if !is_here("componentize-js", Command::new("test").args(["-d", NODE_MODULES])) {
        return;
    }
    let place = Workplace::new();
    place.run("plugin new --kind objective --lang javascript mine").expect(0);
    let installed = fs::canonicalize(NODE_MODULES).unwrap();
    std::os::unix::fs::symlink(installed, place.path().join("mine/node_modules")).unwrap();
    let tested = place.run("plugin test mine").expect(0);
    assert!(tested.stdout.contains("ok    answers as in late.json\n"), "{}", tested.stdout);
    let sweep = place.run(&format!("{SIMULATED} --plugin mine/mine.wasm --objective mine")).expect(0);
    assert_reported(&place, &sweep.stdout, "mine");
}

#[test]
fn an_outsiders_objective_in_python_tells_the_energy_of_good_requests() {
    if !is_here("componentize-py", Command::new("componentize-py").arg("--version")) {
        return;
    }
    let place = Workplace::new();
    // As its author did: begun by the program, then written.
    place.run("plugin new --kind objective --lang python energy-per-good-request").expect(0);
    let project = place.path().join("energy-per-good-request");
    fs::remove_dir_all(project.join("fixtures")).unwrap();
    copy(&Path::new(FIXTURES).join("energy-per-good-request"), &project);
    let tested = place.run("plugin test energy-per-good-request").expect(0);
    assert!(tested.stdout.contains("ok    answers as in ten-per-second.json\n"), "{}", tested.stdout);
    let sweep = place
        .run(&format!(
            "{SIMULATED} --goodput time_to_first_token:10000 \
             --plugin energy-per-good-request/energy-per-good-request.wasm --objective energy-per-good-request"
        ))
        .expect(0);
    assert_reported(&place, &sweep.stdout, "energy-per-good-request");
    let best = &place.json(&format!("{RESULT}/sweep_aggregate/profile_export_aiperf_sweep.json"))["best_configurations"];
    assert_eq!(best["best_energy_per_good_request"]["unit"], "J");
}

#[test]
fn what_a_language_needs_is_said_with_the_command() {
    let place = Workplace::new();
    place.run("plugin new --kind trend --lang javascript mine").expect(0);
    let refused = place.run("plugin build mine").expect(2);
    assert!(refused.stderr.contains("; install it with\n  "), "{}", refused.stderr);
    let refused = place.run("plugin new --kind trend mine").expect(2);
    assert_eq!(refused.stderr, "error: mine exists already; choose another name or remove it\n");
    let refused = place.run("plugin build .").expect(2);
    assert!(
        refused.stderr.contains("it has neither Cargo.toml nor plugin.py nor plugin.js"),
        "{}",
        refused.stderr
    );
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// What a server answers that calls its fields otherwise.
const RENAMED: &str = "data: {\"output\":\" upon\"}\n\ndata: {\"output\":\" a\"}\n\n\
    data: {\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n";

fn has_dialogue(body: &[u8]) -> bool {
    let request: Value = serde_json::from_slice(body).unwrap();
    request["dialogue"][0]["says"].is_string()
}

#[test]
fn an_outsiders_endpoint_speaks_to_its_server() {
    let place = Workplace::new();
    let url =
        serve(
            |request| {
                if has_dialogue(&request.body) { Reply::stream(RENAMED) } else { Reply::error("no dialogue") }
            },
        );
    place
        .run(&format!(
            "profile --model m --url {url} --concurrency 1,2 --num-prompts 6 --ui none \
             --plugin {FIXTURES}/renamed-field/renamed-field.wasm --endpoint-type renamed-field"
        ))
        .expect(0);
    let sweep = place.json(
        "artifacts/m-openai-renamed-field-concurrency_sweep/sweep_aggregate/profile_export_aiperf_sweep.json",
    );
    assert_eq!(sweep["metadata"]["num_successful_values"], 2);
    assert_eq!(sweep["per_value_metrics"]["2"]["request_error_rate_avg"]["mean"], 0.0);
    let tested = place.run(&format!("plugin test {FIXTURES}/renamed-field/renamed-field.wasm")).expect(0);
    assert!(
        tested.stdout.contains("ok    takes no part for the whole of stream.json\n"),
        "{}",
        tested.stdout
    );
}

#[test]
fn components_of_earlier_contracts_still_work() {
    let place = Workplace::new();
    let mut files = Vec::new();
    for version in fs::read_dir(format!("{FIXTURES}/frozen")).unwrap() {
        let version = version.unwrap().path();
        for file in fs::read_dir(&version).into_iter().flatten() {
            let file = file.unwrap().path();
            let tested = place.run(&format!("plugin test {}", file.display())).expect(0);
            assert!(tested.stdout.ends_with(" passed, 0 failed\n"), "{}", tested.stdout);
            files.push(format!("--plugin {}", file.display()));
        }
    }
    assert_eq!(files.len(), 4);
    place.run(&format!("{SIMULATED} --trend relative-step --pareto dominance {}", files.join(" "))).expect(0);
    let manifest = place.json(&format!("{RESULT}/manifest.json"));
    let from_file = |plugin: &&Value| plugin["source"].as_str().unwrap().contains("/frozen/");
    assert_eq!(manifest["plugins"].as_array().unwrap().iter().filter(from_file).count(), 4);
}

#[test]
fn another_contract_is_refused_in_plain_words() {
    let place = Workplace::new();
    let text = r#"(component (instance $empty) (export "aiperf:plugin/objective@1.0.0" (instance $empty)))"#;
    fs::write(place.path().join("x.wasm"), wat::parse_str(text).unwrap()).unwrap();
    let refused = place.run("plugin inspect x.wasm").expect(2);
    assert!(refused.stdout.contains("contract  aiperf:plugin@1.0.0\n"), "{}", refused.stdout);
    assert_eq!(
        refused.stderr,
        "error: plugin 'x.wasm' was built for aiperf:plugin@1.0.0, this host offers 0.1.0; \
         rebuild it with aiperf-plugin 0.1\n"
    );
}

#[test]
fn an_old_result_is_analysed_by_a_new_plugin_twice_with_the_same_bytes() {
    let place = Workplace::new();
    place.run(&format!("{SIMULATED} --ui none")).expect(0);
    let new = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugin-host/tests/fixtures/misbehaving.wasm");
    let analysed = |output: &str| {
        place
            .run(&format!("analyze {RESULT} --plugin {new} --objective misbehaving --output {output}"))
            .expect(0);
        ["json", "csv"].map(|kind| place.bytes(&format!("{output}/profile_export_aiperf_sweep.{kind}")))
    };
    let once = analysed("once");
    assert!(once == analysed("twice"));
    let sweep: Value = serde_json::from_slice(&once[0]).unwrap();
    assert!(sweep["best_configurations"]["best_misbehaving"]["metric"].is_number());
}
