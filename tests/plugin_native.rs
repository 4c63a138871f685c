//! Plugins as native libraries: refused unless allowed, checked before they are called, and told apart in every file.

use crate::support::Workplace;
use serde_json::Value;
use std::fs;
use std::process::Command;

const SIMULATED: &str = "profile --model m --url sim:?ttft-ms=100&prefill-rate=1000000&itl-ms=100&itl-slope-ms=0 --osl 2 --num-prompts 4 --concurrency 1,2 --ui none";
const SDK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sdk/rust");

/// An objective that does what its setting says.
const SOURCE: &str = r#"
use aiperf_plugin::objective::{Evaluation, Objective, ObjectiveInfo};
use aiperf_plugin::{Point, Result, log, register_objective};
use std::sync::atomic::{AtomicU32, Ordering};

#[derive(serde::Deserialize)]
struct Mine {
    #[serde(default)]
    mode: String,
    #[serde(skip)]
    calls: AtomicU32,
}

impl Objective for Mine {
    fn info(&self) -> ObjectiveInfo {
        ObjectiveInfo::maximize("requests/sec")
    }

    fn evaluate(&self, point: &Point) -> Result<Option<Evaluation>> {
        match self.mode.as_str() {
            "panic" => panic!("no such mode"),
            "remember" => return Ok(Some(Evaluation::computed(self.calls.fetch_add(1, Ordering::Relaxed).into()))),
            "nan" => return Ok(Some(Evaluation::computed(f64::NAN))),
            "refuse" => point.get("no_such_metric").map(|_| ()).ok_or(aiperf_plugin::Error::Other("not measured".to_owned()))?,
            mode => log::info(&format!("evaluates as {mode:?}")),
        }
        Ok(point.get("request_throughput_avg").map(Evaluation::of))
    }
}

register_objective!(Mine);
"#;

/// Compiles a library of one file.
fn library(place: &Workplace, name: &str, source: &str) {
    fs::write(place.path().join("source.rs"), source).unwrap();
    let compiled = Command::new("rustc")
        .args(["--edition=2024", "--crate-type=cdylib", "source.rs", "-o", name])
        .current_dir(place.path())
        .status();
    assert!(compiled.unwrap().success());
}

#[test]
fn a_native_library_takes_part_only_where_it_is_allowed() {
    let place = Workplace::new();
    place.run(&format!("plugin new --kind objective --sdk {SDK} mine")).expect(0);
    fs::write(place.path().join("mine/src/lib.rs"), SOURCE).unwrap();
    let built = place.run("plugin build --native mine").expect(0);
    let file = format!("mine/mine.{}", std::env::consts::DLL_EXTENSION);
    assert_eq!(built.stdout, format!("{file}: objective 'mine' 0.1.0\n"));

    let refused = place.run(&format!("{SIMULATED} --plugin {file} --objective mine")).expect(2);
    assert_eq!(
        refused.stderr,
        format!(
            "error: plugin '{file}' is a native library: it would run outside of the sandbox, with all your rights and \
             no limits; give the .wasm file that `aiperf plugin build` makes, or --allow-native if you trust the library\n"
        )
    );
    assert!(!place.path().join("artifacts").exists());

    let allowed = format!("{SIMULATED} --overwrite --allow-native --plugin {file} --objective");
    let sweep = place.run(&format!("{allowed} 'mine:{{\"mode\":\"loud\"}}'")).expect(0);
    assert!(sweep.stdout.contains("\n  mine  "), "{}", sweep.stdout);
    let told = format!("'{file}' is a native library: no sandbox holds it, and nothing limits it");
    assert!(sweep.stderr.contains(&told), "{}", sweep.stderr);
    assert!(sweep.stderr.contains("note: objective 'mine': evaluates as \"loud\"\n"), "{}", sweep.stderr);
    for file in ["manifest.json", "sweep_aggregate/profile_export_aiperf_sweep.json"] {
        assert_eq!(native_ones(&place, file), ["mine"], "{file}");
    }

    for (mode, told) in [
        ("panic", "objective 'mine' panicked in evaluate: src/lib.rs:21:24: no such mode"),
        ("nan", "objective 'mine' returned NaN, which is not a finite number"),
        ("refuse", "not measured"),
        (
            "remember",
            "another answer than a new instance of it to the same question; an answer must follow from the settings and \
             the arguments alone",
        ),
    ] {
        place.run(&format!("{allowed} 'mine:{{\"mode\":\"{mode}\"}}'")).expect(5);
        let sweep = place.json(&format!("{RESULT}/sweep_aggregate/profile_export_aiperf_sweep.json"));
        let failure = sweep["metadata"]["plugin_failures"][0]["error"].as_str().unwrap();
        assert!(failure.ends_with(told), "{failure}");
    }
    let refused = place.run(&format!("{allowed} 'mine:{{\"mood\":1}}'")).expect(2);
    assert!(
        refused.stderr.ends_with("error: objective 'mine': unknown setting 'mood'\n"),
        "{}",
        refused.stderr
    );

    let tested = place.run(&format!("plugin test --allow-native {file} --fixtures mine")).expect(0);
    assert!(tested.stdout.contains("ok    bears measurements of zero in evaluate\n"), "{}", tested.stdout);

    let call = r#"{ "call": "evaluate", "settings": { "mode": "remember" }, "input": { "index": 0, "parameters": [], "trials": 1, "measurements": [] }, "answer": {} }"#;
    fs::create_dir(place.path().join("calls")).unwrap();
    fs::write(place.path().join("calls/remember.json"), call).unwrap();
    let tested = place.run(&format!("plugin test --allow-native {file} --fixtures calls"));
    assert_ne!(tested.code, 0);
    assert!(tested.stdout.contains("nothing may be kept between calls"), "{}", tested.stdout);

    let refused = place.run(&format!("plugin bench throughput --native {file}")).expect(2);
    assert!(
        refused.stderr.contains("--native: the library holds no objective 'throughput'"),
        "{}",
        refused.stderr
    );

    place.run(&format!("plugin lock --allow-native --plugin {file}")).expect(0);
    place.run(&format!("{allowed} mine --locked")).expect(0);
}

const RESULT: &str = "artifacts/m-openai-chat-concurrency_sweep";

/// The names of the plugins that a file lists as native.
fn native_ones(place: &Workplace, file: &str) -> Vec<String> {
    let document = place.json(&format!("{RESULT}/{file}"));
    let plugins = document.get("plugins").unwrap_or(&document["metadata"]["plugins"]).as_array().unwrap();
    let native = plugins.iter().filter(|plugin| plugin["sandboxed"] == Value::Bool(false));
    native.map(|plugin| plugin["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_library_of_another_version_is_not_called() {
    let place = Workplace::new();
    // Whoever called it would end the process.
    let source = "#[unsafe(no_mangle)] pub static aiperf_plugin_native_version: u32 = 7;
        #[unsafe(no_mangle)] pub static aiperf_plugin_objective: [usize; 6] = [0; 6];";
    library(&place, "other.so", source);
    let refused = place.run("plugin inspect --allow-native other.so").expect(2);
    assert_eq!(
        refused.stderr,
        "error: plugin 'other.so' was built for version 7 of the native interface, this host offers 1; \
         rebuild it with the aiperf-plugin of this release, by `aiperf plugin build --native`\n"
    );
}

#[test]
fn what_is_no_plugin_is_told() {
    let place = Workplace::new();
    library(&place, "other.so", "#[unsafe(no_mangle)] pub static something_else: u32 = 1;");
    let refused = place.run("plugin inspect --allow-native other.so").expect(2);
    assert!(
        refused
            .stderr
            .contains("plugin 'other.so' is a native library, but no plugin: it does not say for which"),
        "{}",
        refused.stderr
    );
    // Known by its content as well as by its name.
    fs::rename(place.path().join("other.so"), place.path().join("x.wasm")).unwrap();
    let refused = place.run("plugin inspect x.wasm").expect(2);
    assert!(
        refused.stderr.contains("plugin 'x.wasm' is a native library: it would run"),
        "{}",
        refused.stderr
    );
    fs::write(place.path().join("empty.so"), "").unwrap();
    let refused = place.run("plugin inspect --allow-native empty.so").expect(2);
    assert!(refused.stderr.contains("plugin 'empty.so' cannot be used: "), "{}", refused.stderr);
    // A directory of plugins is no place for them.
    let notice = place.run("plugin list --allow-native --plugin-dir .").expect(0).stderr;
    assert!(notice.contains("left out: plugin './x.wasm' is a native library"), "{notice}");
}

#[test]
fn only_rust_makes_one() {
    let place = Workplace::new();
    place.run("plugin new --kind trend --lang python mine").expect(0);
    let refused = place.run("plugin build --native mine").expect(2);
    assert!(
        refused.stderr.ends_with("makes no plugin: only Rust makes a native library, and this is Python\n"),
        "{}",
        refused.stderr
    );
}
