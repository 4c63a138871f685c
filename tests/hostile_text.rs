//! Texts that would steer the terminal: of plugins, servers, files and their names. All of it is shown, none is obeyed.

use crate::scripted::{self, Reply};
use crate::support::{Finished, Workplace};
use serde_json::Value;
use std::fs;

const MISBEHAVING: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../plugin-host/tests/fixtures/misbehaving.wasm");

/// Clears the screen, rings, turns the order of the text around and begins a line, in 19 bytes.
const HOSTILE: &str = "\x1b[2J\u{9b}m\u{202e}\rx\nyes\x07\x08\x7f";

/// A component that says such things about itself, in its messages and when it panics.
fn hostile_component(place: &Workplace) {
    let mut component = fs::read(MISBEHAVING).unwrap();
    for (text, instead) in [
        ("Breaks the contract", HOSTILE),
        ("one line", "\x1b[2J\nyes"),
        ("no such thing: ", "\x1b[2Jn\u{202e}thing\n:"),
    ] {
        assert_eq!(text.len(), instead.len());
        let places: Vec<usize> =
            (0..component.len()).filter(|start| component[*start..].starts_with(text.as_bytes())).collect();
        let [start] = places[..] else { panic!("{text:?} at {places:?}") };
        component[start..start + text.len()].copy_from_slice(instead.as_bytes());
    }
    fs::write(place.path().join("x.wasm"), component).unwrap();
}

/// Checks that a terminal shows everything that was said, and obeys nothing but line breaks.
#[track_caller]
fn assert_shown(finished: &Finished) {
    for text in [&finished.stdout, &finished.stderr] {
        let obeyed = text.chars().find(|character| {
            (character.is_control() && *character != '\n')
                || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        });
        assert_eq!(obeyed, None, "{text:?}");
    }
}

#[test]
fn what_a_plugin_says_of_itself_is_shown_where_it_is_vetted() {
    let place = Workplace::new();
    hostile_component(&place);
    for command in ["plugin inspect x.wasm", "plugin list --plugin x.wasm", "plugin test x.wasm"] {
        let code = if command.contains("test") { 5 } else { 0 };
        assert_shown(&place.run(command).expect(code));
    }
    let inspected = place.run("plugin inspect x.wasm").stdout;
    assert_eq!(inspected.lines().filter(|line| line.starts_with("sandbox")).count(), 1, "{inspected}");
    assert!(inspected.contains(r"\u{1b}[2J\u{9b}m\u{202e}\rx\nyes\u{7}\u{8}\u{7f}"), "{inspected}");
    for command in ["plugin inspect x.wasm --format json", "plugin list --plugin x.wasm --format json"] {
        let finished = place.run(command).expect(0);
        assert_shown(&finished);
        let document: Value = serde_json::from_str(&finished.stdout).unwrap();
        assert!(document.to_string().contains("\u{202e}"), "the text itself stays: {document}");
    }
}

#[test]
fn what_a_plugin_logs_and_panics_with_is_shown() {
    for (what, code) in [("log-one", 0), ("panic", 5)] {
        let place = Workplace::new();
        hostile_component(&place);
        let finished = place.run(&format!(
            "profile -m m -u sim:?prefill-rate=1000000&itl-ms=0.1 --osl 2 --concurrency 1,2 --num-prompts 4 --ui simple \
             --plugin x.wasm --objective 'misbehaving:{{\"do\":\"{what}\"}}'"
        ));
        let finished = finished.expect(code);
        assert_shown(&finished);
        assert!(finished.stderr.contains(r"\u{1b}[2J"), "{}", finished.stderr);
    }
}

#[test]
fn what_a_server_answers_is_shown() {
    let place = Workplace::new();
    let url = scripted::serve(|_| Reply::error(format!("{HOSTILE}\u{2066}")));
    let failed = place.run(&format!("profile -m m -u {url} --concurrency 1,2 --num-prompts 4")).expect(4);
    assert_shown(&failed);
    assert!(failed.stderr.contains(r"\u{202e}"), "{}", failed.stderr);
    let page =
        String::from_utf8(place.bytes("artifacts/m-openai-chat-concurrency_sweep/report.html")).unwrap();
    assert_shown(&Finished { code: 0, stdout: page, stderr: String::new() });
}

#[test]
fn what_files_are_called_and_hold_is_shown() {
    let place = Workplace::new();
    let name = "a\x1b[2J\u{202e}\nerror: none";
    for arguments in [
        vec!["plugin", "inspect", name],
        vec!["analyze", name],
        vec!["report", name],
        vec!["profile", "-m", "m", "--plugin", name],
        vec!["profile", "-m", "m", "--config", name],
        vec!["profile", "-m", "m", "--input-file", name],
        vec!["profile", "-m", "m", name],
        vec!["profile", "-m", "m", "--resume", name],
        vec!["profile", "-m", "m", "--concurrency", name],
    ] {
        let refused = place.run_with(&arguments).expect(2);
        assert_shown(&refused);
        assert!(refused.stderr.contains(r"\u{1b}[2J"), "{arguments:?}: {}", refused.stderr);
    }
    let sweep = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/specification_sweep.json");
    let text = fs::read_to_string(sweep).unwrap().replace("concurrency", r"con\u001b[2J\u202e\ncurrency");
    fs::write(place.path().join(name), text).unwrap();
    assert_shown(&place.run_with(&["analyze", name]).expect(0));
    assert_shown(&place.run_with(&["analyze", name, "--format", "json"]).expect(0));
}
