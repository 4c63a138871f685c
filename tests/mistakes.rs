//! Typical wrong commands, and what is said about them: what is wrong, where, and what to write instead.

use crate::support::{Workplace, aiperf};
use std::collections::BTreeSet;
use std::fs;

/// Each is an argument list of its own mistake, as a shell would split it.
const COMMANDS: &[&str] = &[
    "profile",
    "profile -m",
    "profil -m m",
    "-m m --concurrency 1",
    "profile -m '' --concurrency 1",
    "profile -m m --concurrency",
    "profile -m m --concurrency 10 20 30",
    "profile -m m --concurrency 10, 20, 30",
    "profile -m m --concurrency '10 20 30'",
    "profile -m m --concurrency [10,20,30]",
    "profile -m m --concurrency 10-40",
    "profile -m m --concurrency 10:40",
    "profile -m m --concurrency 10:40:10",
    "profile -m m --concurrency 10..40",
    "profile -m m --concurrency 1-64",
    "profile -m m --concurrency 1..64*1",
    "profile -m m --concurrency 40..10+10",
    "profile -m m --concurrency 10,,20",
    "profile -m m --concurrency 10,20,",
    "profile -m m --concurrency 10,ten",
    "profile -m m --concurrency 10,10",
    "profile -m m --concurrency 0",
    "profile -m m --concurrency=-1",
    "profile -m m --concurrency 2.5",
    "profile -m m --concurency 10",
    "profile -m m --request-rate 1-8",
    "profile -m m --request-rate 5 10",
    "profile -m m --request-rate 0",
    "profile -m m --arrival-pattern constant --concurrency 1",
    "profile -m m --arrival-pattern uniform --request-rate 5",
    "profile -m m --isl 128 256 --osl 16",
    "profile -m m --osl-stddev 5",
    "profile -m m --concurrency 1 --parameter-sweep-mode balanced",
    "profile -m m --concurrency 1,2 --isl 128,256,512 --sweep-type zip",
    "profile -m m --concurrency 1 --objective throughput",
    "profile -m m --concurrency 1,2 --objective thruput",
    "profile -m m --concurrency 1,2 --objective 'throughput:{\"a\":1}'",
    "profile -m m --concurrency 1,2 --trend slope-change:5",
    "profile -m m --concurrency 1,2 --trend 'slope-change:{factor:3}'",
    "profile -m m --concurrency 1,2 --num-profile-runs 0",
    "profile -m m --concurrency 1 --vary-seed-per-trial",
    "profile -m m --concurrency 1,2 --confidence-level 95",
    "profile -m m --extra-inputs temperature",
    "profile -m m --extra-inputs '{\"temperature\":}'",
    "profile -m m --extra-inputs '[1]'",
    "profile -m m --header Authorization",
    "profile -m m --goodput ttft=100",
    "profile -m m --goodput tfft:100",
    "profile -m m --url ftp://server",
    "profile -m m --url http://user@server",
    "profile -m m --url sim:?tftt-ms=5",
    "profile -m m --url http://127.0.0.1:9 --insecure",
    "profile -m m --ui dashboard",
    "profile -m m --concurrency 1,2 --ui dashboard",
    "profile -m m --tokenizer gpt2",
    "profile -m m --gpu-telemetry-url http://127.0.0.1:9",
    "profile -m m --input-file nowhere.jsonl",
    "profile -m m --input-file pretty.json",
    "profile -m m --input-file one-line-array.json --custom-dataset-type mooncake_trace",
    "profile -m m --input-file fields.jsonl",
    "profile -m m --input-file rows.jsonl --isl 128",
    "profile -m m --fixed-schedule",
    "profile -m m --config nowhere.toml",
    "profile -m m --config typo.toml",
    "profile -m m --config broken.yaml",
    "profile -m m --resume nowhere",
    "profile -m m --resume x --overwrite",
    "profile -m m --max-error-rate 50",
    "profile -m m --request-timeout-seconds 0",
    "profile -m m --workers 0",
    "analyze",
    "analyze nowhere",
    "analyze fields.jsonl",
    "report nowhere",
    "simulate --ttft-ms fast",
    "plugin inspect nowhere",
    "plugin inspect rows.jsonl",
    "plugin list --plugin-dir nowhere",
    "plugin new My-Plugin --kind objective",
    "plugin new mine --kind metric",
    "plugin test nowhere",
];

#[test]
fn typical_mistakes_are_told_with_what_to_write_instead() {
    let place = Workplace::new();
    for (name, text) in [
        ("one-line-array.json", "[{\"input_length\": 8}, {\"input_length\": 9}]\n"),
        ("pretty.json", "[\n  {\"text\": \"a\"}\n]\n"),
        ("fields.jsonl", "{\"text\": \"a\"}\n{\"txt\": \"b\"}\n"),
        ("rows.jsonl", "{\"text\": \"a\"}\n"),
        ("typo.toml", "concurency = 10\n"),
        ("broken.yaml", "concurrency: [10\n"),
    ] {
        fs::write(place.path().join(name), text).unwrap();
    }
    let before = place.files("");
    let told = COMMANDS.iter().map(|command| {
        let refused = place.run(command).expect(2);
        assert_eq!(refused.stdout, "", "{command}");
        format!("$ aiperf {command}\n{}\n", refused.stderr)
    });
    let told: String = told.collect();
    assert_eq!(place.files(""), before, "a mistake leaves nothing behind");
    assert_flags_exist(&told);
    insta::assert_snapshot!(told);
}

/// Checks that messages advise flags that there are.
fn assert_flags_exist(told: &str) {
    let help = |command: &[&str]| {
        let output = aiperf().args(command).arg("--help").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let known: BTreeSet<String> =
        [&["profile"][..], &["analyze"], &["simulate"], &["plugin", "new"], &["plugin", "list"]]
            .into_iter()
            .flat_map(|command| flags(&help(command)))
            .collect();
    let said = told.lines().filter(|line| !line.starts_with("$ "));
    let advised =
        said.filter_map(|line| line.split_once("write for example ").or_else(|| line.split_once("; ")));
    for flag in advised.flat_map(|(_, advice)| flags(advice)) {
        let is_told_to_go = ["--tokenizer", "--gpu-telemetry-url"].contains(&flag.as_str());
        assert!(known.contains(&flag) || is_told_to_go, "{flag} is advised and does not exist");
    }
}

/// The flags that a text names.
fn flags(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
    words.filter(|word| word.len() > 3 && word.starts_with("--")).map(str::to_owned).collect()
}
