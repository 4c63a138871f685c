//! Components that were made to use up the host, each with what must become of it. The next one is a function that
//! returns its bytes and a line in a table.

use crate::scripted::{Reply, serve};
use crate::support::Workplace;
use std::fmt::Write as _;
use std::fs;
use std::sync::mpsc;

const SIMULATED: &str = "profile --model m --url sim:?prefill-rate=1000000&itl-ms=0.1 --osl 2 --ui none";

/// A component that passes for an objective, with a core module that begins like this.
fn objective(module: &str) -> Vec<u8> {
    let text = format!(
        r#"(component (core module $m {module}) (core instance (instantiate $m))
            (instance $empty) (export "aiperf:plugin/objective@0.1.0" (instance $empty)))"#
    );
    wat::parse_str(text).unwrap()
}

/// A megabyte and more of floating-point code.
fn floating_point() -> Vec<u8> {
    objective(&format!("(func (result f64) f64.const 2 {})", "f64.sqrt ".repeat(1_200_000)))
}

/// One function with branches from everywhere, over thousands of variables: 1.5 MB.
fn one_huge_function() -> Vec<u8> {
    let mut body = format!("(func (local {})", "i32 ".repeat(2000));
    for step in 0..93_750 {
        let (variable, other) = (step % 2000, (step * 7 + 1) % 2000);
        let _ = write!(
            body,
            " block local.get {variable} br_if 0 local.get {other} i32.const 1 i32.add local.set {variable} end"
        );
    }
    objective(&format!("{body})"))
}

/// Cannot be used, which is found out once it is compiled.
fn without_functions(name: &str) -> Vec<u8> {
    // The name makes each another component.
    objective(&format!(r#"(func (export "{name}"))"#))
}

/// A plugin of every kind that never answers, not even who it is: its instances do not come to their end.
fn endless(name: &str) -> Vec<u8> {
    const CORE_MODULE: u8 = 1;
    const CORE_INSTANCE: u8 = 2;
    const CUSTOM: u8 = 0;
    let mut bytes = fs::read(MISBEHAVING).unwrap();
    let modules = sections(&bytes).filter(|id| *id == CORE_MODULE).count();
    let spinning = wat::parse_str("(module (func (loop br 0)) (start 0))").unwrap();
    // One more instance, of that module and without arguments.
    let instance = [1, 0, u8::try_from(modules).unwrap(), 0];
    // The name makes each another component.
    let custom = [&[u8::try_from(name.len()).unwrap()], name.as_bytes()].concat();
    for (id, section) in [(CORE_MODULE, &spinning[..]), (CORE_INSTANCE, &instance), (CUSTOM, &custom)] {
        bytes.extend([id, u8::try_from(section.len()).unwrap()]);
        bytes.extend(section);
    }
    bytes
}

/// What kinds of sections a component consists of.
fn sections(component: &[u8]) -> impl Iterator<Item = u8> {
    let mut rest = &component[8..];
    std::iter::from_fn(move || {
        let (id, mut after) = rest.split_first()?;
        let (mut length, mut shift) = (0, 0);
        while let Some((byte, behind)) = after.split_first() {
            length |= usize::from(byte & 0x7f) << shift;
            (after, shift) = (behind, shift + 7);
            if byte & 0x80 == 0 {
                break;
            }
        }
        rest = &after[length..];
        Some(*id)
    })
}

#[test]
fn what_takes_too_much_to_compile_is_one_failure_in_one_sentence() {
    let place = Workplace::new();
    for (name, bytes, limit, told) in [
        (
            "float",
            floating_point(),
            "--plugin-compile-mib 200",
            "more than 200 MiB of memory; --plugin-compile-mib",
        ),
        (
            "float",
            floating_point(),
            "--plugin-compile-seconds 1",
            "more than 1 s of processor time; --plugin-compile-seconds",
        ),
        (
            "huge",
            one_huge_function(),
            "--plugin-compile-mib 200",
            "more than 200 MiB of memory; --plugin-compile-mib",
        ),
        (
            "huge",
            one_huge_function(),
            "--plugin-compile-seconds 1",
            "more than 1 s of processor time; --plugin-compile-seconds",
        ),
    ] {
        fs::write(place.path().join(format!("{name}.wasm")), bytes).unwrap();
        let refused = place.run(&format!("{SIMULATED} {limit} --plugin {name}.wasm")).expect(2);
        assert_eq!(
            refused.stderr,
            format!("error: plugin '{name}.wasm' cannot be used: compiling it takes {told} allows more\n")
        );
    }
}

#[test]
fn files_of_a_directory_are_not_touched_until_they_are_chosen() {
    let place = Workplace::new();
    fs::create_dir(place.path().join("mine")).unwrap();
    for name in ["a", "b", "c", "d"] {
        fs::write(place.path().join(format!("mine/{name}.wasm")), without_functions(name)).unwrap();
    }
    fs::write(place.path().join("mine/huge.wasm"), one_huge_function()).unwrap();
    // Whoever compiled or ran one of them would leave a notice.
    for rest in ["--concurrency 1 --num-prompts 4", "--concurrency 1,2 --dry-run"] {
        assert_eq!(place.run(&format!("{SIMULATED} {rest} --plugin-dir mine")).expect(0).stderr, "");
    }
    let unknown =
        place.run(&format!("{SIMULATED} --concurrency 1,2 --plugin-dir mine --objective goodness")).expect(2);
    assert!(
        unknown.stderr.ends_with(
            "; not asked for their names yet: mine/a.wasm, mine/b.wasm, mine/c.wasm, mine/d.wasm, mine/huge.wasm; \
             `aiperf plugin list` asks them\n"
        ),
        "{}",
        unknown.stderr
    );
    // The one that is chosen fails, alone.
    let chosen =
        place.run(&format!("{SIMULATED} --concurrency 1,2 --plugin-dir mine --objective a")).expect(2);
    assert!(chosen.stderr.starts_with("error: plugin 'mine/a.wasm' cannot be used: "), "{}", chosen.stderr);
}

#[test]
fn files_of_a_directory_that_never_say_who_they_are_are_not_asked() {
    let place = Workplace::new();
    fs::create_dir(place.path().join("mine")).unwrap();
    for name in ["a", "b", "c", "d"] {
        fs::write(place.path().join(format!("mine/{name}.wasm")), endless(name)).unwrap();
    }
    // Whoever called one of them would wait for an hour.
    let patient = "--plugin-timeout-seconds 3600 --plugin-dir mine";
    for rest in [
        "--concurrency 1 --num-prompts 4",
        "--concurrency 1,2 --num-prompts 4",
        "--concurrency 1,2 --dry-run",
    ] {
        assert_eq!(place.run(&format!("{SIMULATED} {rest} {patient}")).expect(0).stderr, "", "{rest}");
    }
    // The one that is chosen is, and it alone: one limit is used up.
    let chosen =
        format!("{SIMULATED} --concurrency 1,2 --plugin-timeout-seconds 0.2 --plugin-dir mine --objective a");
    let refused = place.run(&chosen).expect(2).stderr;
    assert_eq!(refused.matches("ran longer than 0.2 s").count(), 1, "{refused}");
    assert!(refused.starts_with("error: plugin 'mine/a.wasm' cannot be used: "), "{refused}");
}

/// Breaks the contract in the way its settings say.
const MISBEHAVING: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../plugin-host/tests/fixtures/misbehaving.wasm");

/// The records of 500 responses, all there before the endpoint plugin reads the first, which it fails at like this.
fn unreadable(mode: &str, limits: &str) -> String {
    let place = Workplace::new();
    let url = serve(|_| Reply::Http("200 OK", "text/event-stream", "data: a\n\n".to_owned()));
    let finished = place
        .run(&format!(
            "profile --model m --url {url} --ui none --concurrency 1 --num-prompts 500 --defer-parsing {limits} \
             --plugin {MISBEHAVING} --endpoint-type 'misbehaving:{{\"do\":\"{mode}\"}}'"
        ))
        .expect(5);
    assert!(finished.stderr.contains("on 3 responses in a row"), "{}", finished.stderr);
    let files = place.files("artifacts");
    let records = files.iter().find(|file| file.ends_with("profile_export.jsonl")).unwrap();
    String::from_utf8(place.bytes(&format!("artifacts/{records}"))).unwrap()
}

#[test]
fn a_parse_that_hangs_or_crashes_is_given_up_with_everything_that_waits_for_it() {
    for (mode, limits, told) in [
        ("loop-in-parse", "--plugin-timeout-seconds 0.2", "ran longer than 0.2 s in parse"),
        ("return-more-than-memory", "--plugin-timeout-seconds 60", "more than 64 MiB of memory in parse"),
    ] {
        let records = unreadable(mode, limits);
        let called = records.matches(told).count();
        let unread = records.matches("not read, since the endpoint plugin crashed 3 times in a row").count();
        assert_eq!((called, unread), (3, 497), "{mode}");
    }
}

#[test]
fn a_signal_ends_a_run_whose_parse_hangs() {
    let (arrived, requests) = mpsc::channel();
    let url = serve(move |request| {
        arrived.send(request.number).unwrap();
        Reply::Http("200 OK", "text/event-stream", "data: a\n\n".to_owned())
    });
    let place = Workplace::new();
    // A run that called for each of its responses, or went on after the signal, would last for days.
    let running = place.begin(&format!(
        "profile --model m --url {url} --ui none --concurrency 1 --num-prompts 1000000 --plugin-timeout-seconds 1 \
         --plugin {MISBEHAVING} --endpoint-type 'misbehaving:{{\"do\":\"loop-in-parse\"}}'"
    ));
    // The first response waits in its call, and many behind it.
    requests.iter().find(|number| *number == 200).unwrap();
    running.signal("TERM");
    running.finish().expect(5);
    let records =
        String::from_utf8(place.bytes("artifacts/m-openai-misbehaving-concurrency1/profile_export.jsonl"));
    let records = records.unwrap();
    let called = records.matches("ran longer than 1 s in parse").count();
    let unread = records.matches("not read, since the endpoint plugin crashed 3 times in a row").count();
    assert_eq!((called, called + unread), (3, records.lines().count()));
    assert!(unread >= 197, "{unread}");
}
