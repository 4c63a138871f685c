//! Readers that leave, as `head` does, and outputs that are full: the files are written all the same.

use crate::support::{Finished, Workplace, aiperf};
use std::fs::File;
use std::io::pipe;
use std::process::Stdio;

const SWEEP: &str =
    "profile -m m --url sim:?prefill-rate=1000000&itl-ms=0.1 --osl 2 --concurrency 1,2 --num-prompts 4";
const BASE: &str = "artifacts/m-openai-chat-concurrency_sweep";

/// An output that nobody reads.
fn closed() -> Stdio {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    writer.into()
}

fn run(place: &Workplace, arguments: &str, stdout: Stdio, stderr: Stdio) -> Finished {
    let mut command = aiperf();
    command.args(arguments.split(' ')).current_dir(place.path()).stdin(Stdio::null());
    command.stdout(stdout).stderr(stderr).output().unwrap().into()
}

fn assert_complete(place: &Workplace) {
    let manifest = place.json(&format!("{BASE}/manifest.json"));
    assert!(manifest["runs"].as_array().unwrap().iter().all(|run| run["state"] == "done"), "{manifest:#}");
    let sweep = place.json(&format!("{BASE}/sweep_aggregate/profile_export_aiperf_sweep.json"));
    assert_eq!(sweep["metadata"]["num_successful_values"], 2);
}

#[test]
fn a_benchmark_goes_on_when_nobody_listens() {
    let place = Workplace::new();
    run(&place, SWEEP, closed(), closed()).expect(0);
    assert_complete(&place);
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let place = Workplace::new();
    place.run(SWEEP).expect(0);
    let analyze = format!("analyze {BASE}");
    for arguments in [
        SWEEP,
        &format!("{SWEEP} --dry-run"),
        &analyze,
        &format!("{analyze} --format json"),
        "plugin list",
        "plugin inspect chat",
        "completions bash",
        "profile --help",
    ] {
        let ended = run(&place, arguments, closed(), Stdio::piped()).expect(0);
        assert!(!ended.stderr.contains("panicked"), "{arguments}: {}", ended.stderr);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_is_full_is_named_and_costs_no_file() {
    let place = Workplace::new();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let ended = run(&place, SWEEP, full.into(), Stdio::piped()).expect(1);
    assert!(ended.stderr.contains("cannot write to the standard output"), "{}", ended.stderr);
    assert_complete(&place);
}
