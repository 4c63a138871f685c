//! The configuration file.

use crate::{config, options};
use aiperf_plan::{Config, Environment, Options};
use clap::CommandFactory;
use std::path::PathBuf;

/// A file in a directory of its own.
fn file(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    std::fs::write(&path, text).unwrap();
    (directory, path)
}

fn load(name: &str, text: &str) -> Result<Options, String> {
    let (directory, path) = file(name, text);
    Options::load_file(&path)
        .map_err(|error| error.to_string().replace(&format!("{}", directory.path().display()), "DIR"))
}

const COMMAND_LINE: &str = "--model|m|--url|a:1|--url|b:2|--concurrency|10,20|--num-prompts|5|--streaming|\
    --header|X-Team: search|--extra-inputs|{\"temperature\":0.5}|--goodput|ttft:100|--max-error-rate|0.25|\
    --num-profile-runs|3|--parameter-sweep-mode|independent|--sweep-type|grid|--plugin|x.wasm|--objective|slo|--ui|none";

#[test]
fn toml_says_the_same_as_flags() {
    let text = r#"
        model = "m"
        url = ["a:1", "b:2"]
        concurrency = [10, 20]
        num-prompts = 5
        streaming = true
        header = { X-Team = "search" }
        extra-inputs = { temperature = 0.5 }
        goodput = "ttft:100"
        max-error-rate = 0.25
        num-profile-runs = 3
        parameter-sweep-mode = "independent"
        sweep-type = "grid"
        plugin = "x.wasm"
        objective = "slo"
        ui = "none"
    "#;
    assert_eq!(load("a.toml", text).unwrap(), options(COMMAND_LINE));
}

#[test]
fn brackets_within_brackets_are_refused_before_a_parser_sees_them() {
    let deep = |open: &str, close: &str, depth| {
        format!("model: m\nx: {}1{}\n", open.repeat(depth), close.repeat(depth))
    };
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("[{a: ", "")] {
        let error = load("a.yaml", &deep(open, close, 100_000)).unwrap_err();
        let expected = "--config: 'DIR/a.yaml' line 2: more than 128 brackets are open at once; close them, or write less deeply nested values";
        assert_eq!(error, expected);
    }
    let many =
        "model: m\nextra-inputs: { a: [[1], [2]], b: {c: [3]} }\n".to_owned() + &"# [ [\n# ] ]\n".repeat(100);
    load("a.yaml", &many).unwrap();
}

#[test]
fn directives_without_number_are_refused_before_a_parser_sees_them() {
    // A parser that compares each of them with all others would take minutes.
    let tags: Vec<_> = (0..500_000).map(|tag| format!("%TAG !t{tag}! tag:x,2000:\n")).collect();
    let error = load("a.yaml", &(tags.concat() + "---\nmodel: m\n")).unwrap_err();
    let expected = "--config: 'DIR/a.yaml' line 17: more than 16 directives (lines that begin with %) stand here; remove them";
    assert_eq!(error, expected);
    let few = "%YAML 1.1\n%TAG !t! tag:x,2000:\n---\nmodel: m\n";
    load("a.yaml", few).unwrap();
}

#[test]
fn yaml_says_the_same_as_flags() {
    let text = r#"
model: m
url: [a:1, b:2]
concurrency: "10,20"
request-count: 5
streaming: true
header: "X-Team: search"
extra-inputs:
  temperature: 0.5
goodput: ttft:100
max-error-rate: 0.25
num-profile-runs: 3
parameter-sweep-mode: independent
sweep-type: grid
plugin: [x.wasm]
objective: [slo]
ui: none
"#;
    assert_eq!(load("a.yaml", text).unwrap(), options(COMMAND_LINE));
    assert_eq!(load("a.YML", text).unwrap(), options(COMMAND_LINE));
}

#[test]
fn whole_numbers_do_for_seconds() {
    let options = load("a.toml", "parameter-sweep-cooldown-seconds = 5\nbenchmark-duration = 2.5").unwrap();
    assert_eq!(options.parameter_sweep_cooldown_seconds, Some(5.0));
    assert_eq!(options.benchmark_duration, Some("2.5".into()));
}

#[test]
fn the_command_line_wins() {
    let file =
        load("a.toml", "model = \"m\"\nconcurrency = [1, 2]\nurl = [\"a:1\", \"b:2\"]\nrandom-seed = 7")
            .unwrap();
    let merged = options("--concurrency 10 --url c:3").over(file);
    let config = Config::resolve(merged, &Environment::default()).unwrap();
    let concurrency = config.load.concurrency.unwrap();
    assert_eq!((concurrency.first(), concurrency.are_swept()), (10, false));
    assert_eq!(config.workload.random_seed, 7);
    assert_eq!(serde_json::to_string(&config.server.servers).unwrap(), r#"{"urls":["http://c:3"]}"#);
}

#[test]
fn each_flag_is_a_key() {
    for argument in crate::CommandLine::command().get_arguments().filter(|argument| !argument.is_hide_set()) {
        let names = argument.get_long_and_visible_aliases().unwrap_or_default();
        for name in names.into_iter().filter(|name| *name != "config") {
            let message =
                load("a.toml", &format!("{name} = {{ nonsense = [[1]] }}")).err().unwrap_or_default();
            assert!(!message.contains("unknown field"), "{name}: {message}");
        }
    }
}

#[test]
fn mistakes_are_named_with_their_line_and_without_its_content() {
    let messages: Vec<String> = [
        ("a.toml", "model = \"m\"\nconcurency = 10"),
        ("a.toml", "config = \"b.toml\""),
        ("a.toml", "server-metrics-url = true"),
        ("a.toml", "model = \"m\"\nnum-profile-runs = \"many\""),
        ("a.toml", "concurrency = true"),
        ("a.toml", "url = 5"),
        ("a.toml", "ui = \"fancy\""),
        ("a.toml", "model = \"m\"\napi-key = hunter2"),
        ("a.toml", "api-key = 31337"),
        ("a.yaml", "model: m\nconcurency: 10"),
        ("a.yaml", "model: m\napi-key: [hunter2"),
        ("a.yaml", "gpu-telemetry-url: http://h"),
    ]
    .into_iter()
    .map(|(name, text)| format!("{text:?}\n  {}", load(name, text).expect_err(text)))
    .collect();
    let shown = messages.join("\n");
    assert!(
        shown
            .lines()
            .filter(|line| line.starts_with("  "))
            .all(|line| !line.contains("hunter2") && !line.contains("31337")),
        "{shown}"
    );
    insta::assert_snapshot!(shown);
}

#[test]
fn a_missing_file_is_named() {
    let error = Options::load_file(&PathBuf::from("no/such/file.toml")).unwrap_err().to_string();
    assert!(error.starts_with("--config: cannot read 'no/such/file.toml': "), "{error}");
}

#[test]
fn nothing_in_a_file_changes_nothing() {
    assert_eq!(load("a.toml", "").unwrap(), Options::default());
    assert_eq!(config("").redacted(), config("").redacted());
}
