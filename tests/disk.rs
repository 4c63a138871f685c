//! Disks and directories: those that fail, and what of them may be touched.

use crate::support::{Finished, Server, Silence, Workplace, aiperf};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

const FAST: &str = "--ttft-ms 1 --prefill-rate 1000000 --itl-ms 0.2 --itl-slope-ms 0";
const BASE: &str = "artifacts/m-openai-chat-concurrency_sweep";
const SWEEP: &str =
    "profile -m m --url sim:?prefill-rate=1000000&itl-ms=0.1 --osl 2 --concurrency 1,2 --num-prompts 4";

#[test]
fn a_disk_that_is_full_ends_the_benchmark_with_what_is_there() {
    let (server, place) = (Server::start(FAST), Workplace::new());
    let url = server.chat_url();
    // The first run fits below the limit of the shell's blocks, the second one does not.
    let script = "ulimit -f 80; exec \"$0\" \"$@\"";
    let output = Command::new("sh")
        .env("AIPERF_PRECISION", "none")
        .args(["-c", script])
        .arg(aiperf().get_program())
        .args([
            "profile",
            "-m",
            "m",
            "--url",
            &url,
            "--osl",
            "2",
            "--isl",
            "5",
            "--num-prompts",
            "5,500",
            "--concurrency",
            "4",
        ])
        .current_dir(place.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let ended = Finished::from(output).expect(1);
    assert!(ended.stderr.contains("raise the limit"), "{}", ended.stderr);
    assert!(ended.stderr.contains("continue with: aiperf profile --resume"), "{}", ended.stderr);
    place.assert_valid();
    place.run("profile --resume artifacts/m-openai-chat-num_prompts_sweep").expect(0);
    place.assert_valid();
}

#[test]
fn a_directory_that_vanishes_is_named() {
    let (server, place) = (Server::start(FAST), Workplace::new());
    let mut running = place.begin(&format!(
        "profile -m m --url {} --concurrency 1,2 --osl 2 --num-prompts 4 --parameter-sweep-cooldown-seconds 1",
        server.chat_url()
    ));
    running.wait_for("cooldown");
    fs::remove_dir_all(place.path().join("artifacts")).unwrap();
    let ended = running.finish().expect(1);
    assert!(ended.stderr.contains(BASE) && ended.stderr.contains("was removed"), "{}", ended.stderr);
}

#[test]
fn a_place_that_cannot_be_written_is_named_before_anything_is_sent() {
    let (silence, place) = (Silence::start(), Workplace::new());
    fs::write(place.path().join("file"), "").unwrap();
    for directory in ["/proc/artifacts", "file/artifacts"] {
        let arguments = format!("profile -m m --url {} --artifact-dir {directory}", silence.url);
        let ended = place.run(&arguments).expect(1);
        assert!(ended.stderr.contains(directory), "{}", ended.stderr);
    }
    assert!(silence.is_untouched());
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_read_only_directory_is_named_before_anything_is_sent() {
    let Some(place) = Workplace::of_nobody() else { return };
    let silence = Silence::start();
    set_mode(place.path(), 0o555);
    let ended = place.run(&format!("profile -m m --url {}", silence.url)).expect(1);
    set_mode(place.path(), 0o755);
    assert!(ended.stderr.contains("make the folder writable"), "{}", ended.stderr);
    assert!(silence.is_untouched());
}

#[test]
fn a_directory_made_read_only_in_mid_run_is_named() {
    let Some(place) = Workplace::of_nobody() else { return };
    let server = Server::start(FAST);
    let mut running = place.begin(&format!(
        "profile -m m --url {} --concurrency 1,2 --osl 2 --num-prompts 4 --parameter-sweep-cooldown-seconds 1",
        server.chat_url()
    ));
    running.wait_for("cooldown");
    let base = place.path().join(BASE);
    set_mode(&base, 0o555);
    let ended = running.finish().expect(1);
    set_mode(&base, 0o755);
    assert!(ended.stderr.contains("make the folder writable"), "{}", ended.stderr);
    assert!(ended.stderr.contains("continue with: aiperf profile --resume"), "{}", ended.stderr);
    place.assert_valid();
    place.run(&format!("profile --resume {BASE}")).expect(0);
    assert_eq!(place.states(BASE), ["done", "done"]);
}

#[test]
fn files_can_be_read_by_whom_the_umask_lets() {
    for (umask, folders, files) in [("022", 0o755, 0o644), ("000", 0o755, 0o644), ("077", 0o700, 0o600)] {
        let place = Workplace::new();
        let script = format!("umask {umask}; exec \"$0\" \"$@\"");
        let mut shell = Command::new("sh");
        shell.env("AIPERF_PRECISION", "none");
        shell.args(["-c", &script]).arg(aiperf().get_program()).args(SWEEP.split(' '));
        Finished::from(shell.current_dir(place.path()).output().unwrap()).expect(0);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        for file in place.files("artifacts") {
            let path = place.path().join("artifacts").join(&file);
            assert_eq!(mode(&path), files, "{file} under {umask}");
            assert_eq!(mode(path.parent().unwrap()), folders, "the folder of {file} under {umask}");
        }
    }
}

#[test]
fn a_model_name_does_not_lead_elsewhere() {
    for model in ["../../outside", "/etc/outside", "..", "a/../../b", "a\nb"] {
        let place = Workplace::new();
        let line = "profile --url sim:?prefill-rate=1000000 --osl 1 --num-prompts 2 --artifact-dir below/artifacts --model";
        let arguments: Vec<&str> = line.split(' ').chain([model]).collect();
        place.run_with(&arguments).expect(0);
        let entries = |path: &str| fs::read_dir(place.path().join(path)).unwrap().count();
        assert_eq!([entries(""), entries("below"), entries("below/artifacts")], [1, 1, 1], "{model}");
    }
}

#[test]
fn nothing_is_written_behind_a_symbolic_link() {
    for (folder, command) in [
        ("sweep_aggregate", "analyze BASE"),
        ("sweep_aggregate", "profile --resume BASE"),
        ("concurrency_2", "profile --resume BASE"),
    ] {
        let place = Workplace::new();
        let sweep = SWEEP.replace("sim:?", "sim:?error-rate=1&");
        place.run(&sweep).expect(4);
        let (inside, outside) = (place.path().join(BASE).join(folder), place.path().join("outside"));
        fs::rename(&inside, &outside).unwrap();
        symlink(&outside, &inside).unwrap();
        let before: Vec<_> =
            place.files("outside").iter().map(|file| place.bytes(&format!("outside/{file}"))).collect();
        let refused = place.run(&command.replace("BASE", BASE));
        assert!([1, 2].contains(&refused.code), "{}", refused.stderr);
        assert!(refused.stderr.contains("is a symbolic link"), "{command}: {}", refused.stderr);
        let after: Vec<_> =
            place.files("outside").iter().map(|file| place.bytes(&format!("outside/{file}"))).collect();
        assert!(before == after, "{command}");
    }
}

#[test]
fn an_earlier_result_is_not_overwritten() {
    let place = Workplace::new();
    place.run(SWEEP).expect(0);
    let manifest = place.bytes(&format!("{BASE}/manifest.json"));
    let second = place.run(SWEEP).expect(0);
    assert!(second.stdout.contains(&format!("Files: {BASE}-2")), "{}", second.stdout);
    assert!(place.bytes(&format!("{BASE}/manifest.json")) == manifest);
    let analyze = format!("analyze {BASE} --output elsewhere");
    place.run(&analyze).expect(0);
    let before = place.bytes("elsewhere/profile_export_aiperf_sweep.json");
    let refused = place.run(&format!("{analyze} --pareto efficient")).expect(2);
    assert!(refused.stderr.contains("exists already"), "{}", refused.stderr);
    assert!(place.bytes("elsewhere/profile_export_aiperf_sweep.json") == before);
}

#[test]
fn requests_that_change_in_mid_run_are_a_fault_of_the_machine() {
    let (server, place) = (Server::start(FAST), Workplace::new());
    let requests = place.path().join("requests.jsonl");
    fs::write(&requests, "{\"text\": \"one\"}\n{\"text\": \"two\"}\n").unwrap();
    let mut running = place.begin(&format!(
        "profile -m m --url {} --input-file requests.jsonl --concurrency 1,2 --osl 2 --parameter-sweep-cooldown-seconds 1",
        server.chat_url()
    ));
    running.wait_for("cooldown");
    fs::write(&requests, "{}\n").unwrap();
    let ended = running.finish().expect(1);
    assert!(ended.stderr.contains("was changed during the benchmark"), "{}", ended.stderr);
    assert!(ended.stderr.contains("continue with: aiperf profile --resume"), "{}", ended.stderr);
    assert_eq!(place.states(BASE)[0], "done");
}

#[test]
fn an_analysis_that_cannot_be_written_is_a_fault_of_the_machine() {
    let place = Workplace::new();
    place.run(SWEEP).expect(0);
    fs::write(place.path().join("file"), "").unwrap();
    let failed = place.run(&format!("analyze {BASE} --output file/below")).expect(1);
    assert!(failed.stderr.contains("cannot create"), "{}", failed.stderr);
    let failed = place.run(&format!("report {BASE} --output file/report.html")).expect(1);
    assert!(failed.stderr.contains("file"), "{}", failed.stderr);
    let refused = place.run("analyze file").expect(2);
    assert!(refused.stderr.contains("file"), "{}", refused.stderr);
}
