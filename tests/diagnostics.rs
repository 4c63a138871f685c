//! What the program tells about itself where it is asked to.

use super::support::{Finished, Workplace};

const SWEEP: &str = "profile --model m --url sim:?prefill-rate=1000000&itl-ms=0.1 --osl 2 --num-prompts 4 \
                     --warmup-request-count 1 --concurrency 1,2 --ui none";

/// A run of the command with a level in the environment.
fn run(place: &Workplace, level: &str, arguments: &str) -> Finished {
    let arguments = shlex::split(arguments).unwrap();
    Finished::from(place.command().env("AIPERF_LOG", level).args(arguments).output().unwrap())
}

#[test]
fn runs_phases_connections_and_plugins_are_told() {
    let place = Workplace::new();
    let told = place.run(&format!("{SWEEP} --verbose")).expect(0).stderr;
    for (line, times) in [
        ("info: aiperf_plugin_host: endpoint 'chat' is loaded source=", 1),
        ("info: aiperf_sweep: run begins run=", 2),
        ("info: aiperf_load: phase begins phase=Warmup", 1),
        ("info: aiperf_load: phase ended phase=Profiling", 2),
        ("info: aiperf_sweep: run ended: succeeded run=", 2),
    ] {
        // The calibration has phases of its own.
        let seen = told.lines().filter(|told| told.starts_with(line)).count();
        assert!(seen >= times, "{line}: {seen} times in\n{told}");
    }
    assert!(told.contains("debug: aiperf_load: connection opened address=127.0.0.1:"), "{told}");
    assert!(!told.contains(": h2"), "libraries are silent: {told}");
}

#[test]
fn the_environment_chooses_the_level() {
    let place = Workplace::new();
    let told = run(&place, "info", SWEEP).expect(0).stderr;
    assert!(told.contains("run begins") && !told.contains("connection opened"), "{told}");
    let told = run(&place, "off", SWEEP).expect(0).stderr;
    assert!(!told.contains("run begins"), "{told}");
    let refused = run(&place, "loud", SWEEP).expect(2);
    assert!(
        refused.stderr.starts_with("error: AIPERF_LOG='loud' is no level; write error, "),
        "{}",
        refused.stderr
    );
}

#[test]
fn names_cannot_steer_the_terminal() {
    let place = Workplace::new();
    let arguments =
        ["--verbose", "profile", "--model", "m", "--url", "unix:a\u{9b}2Jb\nrun ended", "--concurrency", "1"];
    let told = place.run_with(&arguments).stderr;
    assert!(told.contains(r"no connection address=a\u{9b}2Jb\nrun ended reason="), "{told}");
    assert!(!told.contains('\u{9b}') && !told.contains("\nrun ended"), "{told}");
}
