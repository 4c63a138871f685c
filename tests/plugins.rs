//! `aiperf plugin`: which plugins there are, what a file is, and which may be used.

use crate::support::{Workplace, aiperf};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// A component of all four kinds, called `misbehaving`.
const MISBEHAVING: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../plugin-host/tests/fixtures/misbehaving.wasm");
const THROUGHPUT: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/prebuilt/objective-throughput.wasm");

const FAST: &str = "profile --model m --url sim:?prefill-rate=1000000&itl-ms=0.1 --osl 2 --num-prompts 4 --ui none --overwrite";

/// The bytes of a component with a custom section more, so that it is another component of the same name.
fn another(component: &str) -> Vec<u8> {
    [fs::read(component).unwrap().as_slice(), &[0, 3, 1, b'x', b'y']].concat()
}

/// The plugins that `aiperf plugin list` names with these arguments, as kind and name.
fn listed(place: &Workplace, arguments: &str) -> Vec<(String, String)> {
    let output = place.run(&format!("plugin list --format json {arguments}")).expect(0).stdout;
    let plugins: Vec<Value> = serde_json::from_str(&output).unwrap();
    let text = |plugin: &Value, key: &str| plugin[key].as_str().unwrap().to_owned();
    plugins.iter().map(|plugin| (text(plugin, "kind"), text(plugin, "name"))).collect()
}

fn digest(inspected: &Value) -> &str {
    inspected["sha256"].as_str().unwrap()
}

#[test]
fn the_list_holds_the_built_in_plugins_and_those_of_a_directory() {
    let place = Workplace::new();
    let built_in = listed(&place, "");
    assert_eq!(built_in.len(), 9);
    assert!(built_in.contains(&("trend".into(), "slope-change".into())));

    let directory = place.path().join("mine");
    fs::create_dir(&directory).unwrap();
    fs::copy(MISBEHAVING, directory.join("x.wasm")).unwrap();
    fs::write(directory.join("notes.txt"), "no plugin").unwrap();
    assert_eq!(listed(&place, "--plugin-dir mine").len(), 13);
    assert_eq!(listed(&place, &format!("--plugin {MISBEHAVING}")).len(), 13);

    let with = |variable: &str, value: &Path| {
        let mut command = aiperf();
        command.args(["plugin", "list"]).env_remove("AIPERF_PLUGIN_DIR").env(variable, value);
        let output = command.current_dir(place.path()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(with("AIPERF_PLUGIN_DIR", &directory).contains("misbehaving"));
    let user = place.path().join("config/aiperf/plugins");
    fs::create_dir_all(&user).unwrap();
    fs::rename(directory.join("x.wasm"), user.join("x.wasm")).unwrap();
    let table = with("XDG_CONFIG_HOME", &place.path().join("config"));
    assert!(
        table.contains("config/aiperf/plugins/x.wasm") && table.contains("Breaks the contract"),
        "{table}"
    );
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let refused = Workplace::new().run("plugin list --plugin-dir nowhere").expect(2);
    assert_eq!(
        refused.stderr,
        "error: cannot read the plugin directory 'nowhere': No such file or directory (os error 2)\n"
    );
}

#[test]
fn a_plugin_of_a_directory_is_chosen_like_any_other() {
    let place = Workplace::new();
    fs::create_dir(place.path().join("mine")).unwrap();
    // Until a file of a directory has been asked, it is known by its own name.
    fs::copy(MISBEHAVING, place.path().join("mine/misbehaving.wasm")).unwrap();
    place.run(&format!("{FAST} --concurrency 1,2 --plugin-dir mine --objective misbehaving")).expect(0);
    let manifest = place.json("artifacts/m-openai-chat-concurrency_sweep/manifest.json");
    let plugins = manifest["plugins"].as_array().unwrap();
    let mine = plugins.iter().find(|plugin| plugin["name"] == "misbehaving").unwrap();
    assert_eq!(mine["source"], "mine/misbehaving.wasm");
}

#[test]
fn a_file_that_is_no_plugin_spoils_no_directory() {
    let place = Workplace::new();
    fs::create_dir(place.path().join("mine")).unwrap();
    fs::write(place.path().join("mine/broken.wasm"), "").unwrap();
    let finished = place.run(&format!("{FAST} --concurrency 1 --plugin-dir mine")).expect(0);
    assert_eq!(finished.stderr, "note: plugin host: left out: plugin 'mine/broken.wasm' is empty\n");
}

#[test]
fn a_built_in_plugin_gives_way_to_a_named_file_and_never_to_a_directory() {
    let place = Workplace::new();
    fs::create_dir(place.path().join("mine")).unwrap();
    fs::write(place.path().join("mine/fast.wasm"), another(THROUGHPUT)).unwrap();

    let refused = place.run("plugin list --plugin-dir mine").expect(2);
    assert_eq!(
        refused.stderr,
        "error: plugin 'mine/fast.wasm' is an objective named 'throughput', as a built-in one is; \
         move it elsewhere and choose it with --plugin if it shall take the place of the built-in one\n"
    );
    let replaced = place.run(&format!("{FAST} --concurrency 1,2 --plugin mine/fast.wasm")).expect(0);
    assert!(
        replaced.stderr.contains(
            "note: plugin host: objective 'throughput' is that of 'mine/fast.wasm', not the built-in one"
        ),
        "{}",
        replaced.stderr
    );
}

#[test]
fn a_file_of_the_user_wins_over_one_of_a_directory() {
    let place = Workplace::new();
    fs::create_dir(place.path().join("mine")).unwrap();
    fs::copy(MISBEHAVING, place.path().join("mine/x.wasm")).unwrap();
    fs::write(place.path().join("y.wasm"), another(MISBEHAVING)).unwrap();
    let listed = place.run("plugin list --plugin-dir mine --plugin y.wasm").expect(0);
    assert!(
        listed.stderr.contains("trend 'misbehaving' is that of 'y.wasm', not that of 'mine/x.wasm'"),
        "{}",
        listed.stderr
    );
    // The same bytes twice are one plugin.
    fs::copy(MISBEHAVING, place.path().join("y.wasm")).unwrap();
    assert_eq!(place.run("plugin list --plugin-dir mine --plugin y.wasm").expect(0).stderr, "");
}

#[test]
fn an_inspection_tells_all_there_is_to_know() {
    let place = Workplace::new();
    fs::copy(MISBEHAVING, place.path().join("x.wasm")).unwrap();
    let inspected: Value =
        serde_json::from_str(&place.run("plugin inspect x.wasm --format json").expect(0).stdout).unwrap();
    assert_eq!(inspected["contract"], "0.1.0");
    assert_eq!(inspected["size"], fs::metadata(MISBEHAVING).unwrap().len());
    assert_eq!(digest(&inspected).len(), 64);
    assert_eq!(inspected["imports"], json!(["aiperf:plugin/types@0.1.0", "aiperf:plugin/log@0.1.0"]));
    assert_eq!(inspected["exports"].as_array().unwrap().len(), 4);
    assert_eq!(inspected["plugins"][3]["kind"], "trend");
    assert_eq!(inspected["plugins"][3]["summary"], "Breaks the contract");

    let named = place.run("plugin inspect slope-change").expect(0).stdout;
    for part in [
        "file      built-in",
        "contract  aiperf:plugin@0.1.0",
        "trend     slope-change 0.1.0: ",
        "\"exclusiveMinimum\": 1",
    ] {
        assert!(named.contains(part), "{part:?} is not in\n{named}");
    }
}

#[test]
fn what_cannot_be_used_is_inspected_without_being_run() {
    let place = Workplace::new();
    let greedy = r#"(component
        (import "wasi:sockets/tcp@0.2.9" (instance (export "f" (func))))
        (instance $empty)
        (export "aiperf:plugin/objective@0.1.0" (instance $empty)))"#;
    fs::write(place.path().join("greedy.wasm"), wat::parse_str(greedy).unwrap()).unwrap();
    let refused = place.run("plugin inspect greedy.wasm").expect(2);
    assert!(refused.stdout.contains("imports   wasi:sockets/tcp@0.2.9\n"), "{}", refused.stdout);
    assert!(refused.stderr.starts_with("error: plugin 'greedy.wasm' imports wasi:sockets/tcp@0.2.9, but"));

    fs::write(place.path().join("empty.wasm"), "").unwrap();
    let refused = place.run("plugin inspect empty.wasm").expect(2);
    assert_eq!(
        (refused.stdout.as_str(), refused.stderr.as_str()),
        ("", "error: plugin 'empty.wasm' is empty\n")
    );
    let refused = place.run("plugin inspect nothing-of-this-name").expect(2);
    assert!(refused.stderr.contains("cannot read plugin 'nothing-of-this-name'"), "{}", refused.stderr);
}

#[test]
fn locked_lets_in_what_the_lock_lists_and_nothing_else() {
    let place = Workplace::new();
    fs::copy(MISBEHAVING, place.path().join("x.wasm")).unwrap();
    let sweep = format!("{FAST} --concurrency 1,2 --locked");

    let refused = place.run(&sweep).expect(2);
    assert_eq!(
        refused.stderr,
        "error: cannot use the lock file 'aiperf-plugins.lock': No such file or directory (os error 2); \
         `aiperf plugin lock` writes it\n"
    );
    assert_eq!(place.run("plugin lock").expect(0).stdout, "aiperf-plugins.lock lists 9 plugins\n");
    place.run(&sweep).expect(0);
    let refused = place.run(&format!("{sweep} --plugin x.wasm")).expect(2);
    assert!(refused.stderr.contains("plugin 'x.wasm' is not locked: its SHA-256 is"), "{}", refused.stderr);
    assert!(refused.stderr.contains("which the lock file does not list"), "{}", refused.stderr);

    place.run("plugin lock --plugin x.wasm").expect(0);
    place.run(&format!("{sweep} --plugin x.wasm --objective misbehaving")).expect(0);
    fs::write(place.path().join("x.wasm"), another(MISBEHAVING)).unwrap();
    let refused = place.run(&format!("{sweep} --plugin x.wasm --objective misbehaving")).expect(2);
    assert!(refused.stderr.contains("but the lock file lists"), "{}", refused.stderr);
    let analyze = "analyze artifacts/m-openai-chat-concurrency_sweep --locked";
    place.run(analyze).expect(0);
    let refused = place.run(&format!("{analyze} --plugin x.wasm")).expect(2);
    assert!(refused.stderr.contains("plugin 'x.wasm' is not locked"), "{}", refused.stderr);
}

#[test]
fn a_built_in_plugin_that_is_not_the_locked_one_is_refused() {
    let place = Workplace::new();
    place.run("plugin lock").expect(0);
    let path = place.path().join("aiperf-plugins.lock");
    let lock = fs::read_to_string(&path).unwrap();
    let inspected: Value =
        serde_json::from_str(&place.run("plugin inspect throughput --format json").expect(0).stdout).unwrap();
    fs::write(&path, lock.replace(digest(&inspected), "0123")).unwrap();
    let refused = place.run(&format!("{FAST} --concurrency 1,2 --locked")).expect(2);
    assert!(
        refused.stderr.starts_with("error: objective 'throughput' is not locked: ")
            && refused.stderr.contains("lists 0123"),
        "{}",
        refused.stderr
    );
}
