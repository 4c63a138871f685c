//! Files that are not plugins, and choices that choose none.

use std::fs;

use aiperf_model::plugin::Kind;
use aiperf_plugin_host::{Limits, Source};

use crate::support::{Folder, fixture, host};

/// A component that exports an empty instance under this name.
fn exporting(name: &str) -> String {
    format!(r#"(component (instance $empty) (export "{name}" (instance $empty)))"#)
}

#[test]
fn what_is_not_a_component_is_told_apart() {
    let folder = Folder::new();
    let cases: [(&str, Vec<u8>, &str); 4] = [
        ("empty.wasm", Vec::new(), "plugin 'empty.wasm' is empty"),
        (
            "text.wasm",
            b"print('hello')".to_vec(),
            "plugin 'text.wasm' is not WebAssembly; give a component, as built by `aiperf plugin build`",
        ),
        (
            "core.wasm",
            wat::parse_str("(module)").unwrap(),
            "plugin 'core.wasm' is a core WebAssembly module, not a component; make one of it with \
             `aiperf plugin build` or `wasm-tools component new`",
        ),
        (
            "nothing.wasm",
            wat::parse_str("(component)").unwrap(),
            "plugin 'nothing.wasm' exports none of aiperf:plugin/endpoint, objective, pareto and trend; \
             it exports nothing",
        ),
    ];
    for (name, bytes, told) in cases {
        let path = folder.file(name, bytes);
        assert_eq!(folder.refusal(&path), told);
    }
}

#[test]
fn a_missing_file_is_told() {
    let folder = Folder::new();
    let path = folder.file("gone.wasm", "");
    fs::remove_file(&path).unwrap();
    assert_eq!(
        folder.refusal(&path),
        "cannot read plugin 'gone.wasm': No such file or directory (os error 2)"
    );
}

#[test]
fn a_file_cut_short_anywhere_is_refused_without_a_panic() {
    let folder = Folder::new();
    let whole = fs::read(fixture("misbehaving.wasm")).unwrap();
    for length in [9, 100, whole.len() / 2, whole.len() - 1] {
        let path = folder.file("short.wasm", &whole[..length]);
        let refusal = folder.refusal(&path);
        assert!(refusal.starts_with("plugin 'short.wasm' "), "{length}: {refusal}");
    }
}

#[test]
fn another_version_of_the_contract_is_refused_in_plain_words() {
    let folder = Folder::new();
    for version in ["0.3.0", "1.0.0", "0.1.0-rc1"] {
        let path = folder.component("x.wasm", &exporting(&format!("aiperf:plugin/objective@{version}")));
        assert_eq!(
            folder.refusal(&path),
            format!(
                "plugin 'x.wasm' was built for aiperf:plugin@{version}, this host offers 0.1.0; \
                 rebuild it with aiperf-plugin 0.1"
            )
        );
    }
}

#[test]
fn an_interface_without_its_functions_is_refused() {
    let folder = Folder::new();
    let path = folder.component("x.wasm", &exporting("aiperf:plugin/objective@0.1.3"));
    let refusal = folder.refusal(&path);
    assert!(refusal.starts_with("plugin 'x.wasm' cannot be used: "), "{refusal}");
    assert!(refusal.contains("describe"), "{refusal}");
}

#[test]
fn other_exports_are_named() {
    let folder = Folder::new();
    let path = folder.component("x.wasm", &exporting("wasi:cli/run@0.2.0"));
    let refusal = folder.refusal(&path);
    assert!(refusal.ends_with("; it exports wasi:cli/run@0.2.0"), "{refusal}");
}

#[test]
fn all_forbidden_imports_are_named_before_anything_runs() {
    let folder = Folder::new();
    let text = r#"(component
        (import "wasi:io/poll@0.2.9" (instance (export "f" (func))))
        (import "aiperf:plugin/log@0.1.0" (instance))
        (import "wasi:clocks/monotonic-clock@0.2.9" (instance (export "now" (func (result u64)))))
        (instance $empty)
        (export "aiperf:plugin/objective@0.1.0" (instance $empty)))"#;
    let path = folder.component("x.wasm", text);
    assert_eq!(
        folder.refusal(&path),
        "plugin 'x.wasm' imports wasi:io/poll@0.2.9, wasi:clocks/monotonic-clock@0.2.9, but plugins may import \
         only aiperf:plugin/log; build Rust for wasm32-unknown-unknown instead of wasm32-wasip2, \
         Python with --stub-wasi, and JavaScript with all features disabled"
    );
}

#[test]
fn one_file_may_be_a_plugin_of_several_kinds() {
    let (mut host, _) = host(Limits::default());
    let path = fixture("misbehaving.wasm");
    let descriptions = host.load_file(&path).unwrap();
    let kinds: Vec<Kind> = descriptions.iter().map(|description| description.kind).collect();
    assert_eq!(kinds, [Kind::Endpoint, Kind::Objective, Kind::Pareto, Kind::Trend]);
    for description in &descriptions {
        assert_eq!((description.name.as_str(), description.version.as_str()), ("misbehaving", "0.1.0"));
        assert_eq!(description.source, Source::File(path.clone()));
        assert_eq!(description.sha256.len(), 64);
    }
}

#[test]
fn a_file_takes_the_place_of_a_built_in_plugin_with_a_notice() {
    let folder = Folder::new();
    let (mut host, messages) = host(Limits::default());
    // Bytes of the built-in plugin with a custom section more, so that it is another component.
    let prebuilt = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/prebuilt/objective-throughput.wasm");
    let mut bytes = fs::read(prebuilt).unwrap();
    bytes.extend([0, 3, 1, b'x', b'y']);
    let path = folder.file("mine.wasm", bytes);

    host.load_file(&path).unwrap();

    let notices: Vec<String> = messages.take().iter().map(ToString::to_string).collect();
    assert_eq!(
        notices,
        [format!(
            "plugin host: objective 'throughput' is that of '{}', not the built-in one",
            path.display()
        )]
    );
    let objective = host.objective("throughput").unwrap();
    assert_eq!(objective.identity().source, path.display().to_string());
}

#[test]
fn two_files_with_one_name_are_refused_and_one_file_twice_is_not() {
    let folder = Folder::new();
    let (mut host, _) = host(Limits::default());
    let mut bytes = fs::read(fixture("misbehaving.wasm")).unwrap();
    let first = folder.file("first.wasm", &bytes);
    let again = folder.file("again.wasm", &bytes);
    bytes.extend([0, 3, 1, b'x', b'y']);
    let second = folder.file("second.wasm", bytes);

    host.load_file(&first).unwrap();
    host.load_file(&again).unwrap();
    let error = host.load_file(&second).unwrap_err().to_string();

    assert!(error.ends_with("both hold an endpoint named 'misbehaving'; leave one of them out"), "{error}");
}

#[test]
fn unknown_names_come_with_the_known_ones() {
    let (host, _) = host(Limits::default());
    assert_eq!(
        host.endpoint("chta").err().unwrap().to_string(),
        "there is no endpoint 'chta'; known: chat, completions, embeddings"
    );
    assert_eq!(
        host.endpoint("throughput").err().unwrap().to_string(),
        "'throughput' is an objective, not an endpoint; known: chat, completions, embeddings"
    );
    assert!(host.trend(":{}").is_err());
}

#[test]
fn wrong_settings_are_refused_in_the_plugin_s_words() {
    let (mut host, _) = host(Limits::default());
    host.load_file(&fixture("misbehaving.wasm")).unwrap();
    assert_eq!(
        host.pareto(r#"misbehaving:{"do":"refuse-settings"}"#).err().unwrap().to_string(),
        "pareto 'misbehaving': no setting is good enough"
    );
    let error = host.objective(r#"throughput:{"typo":1}"#).err().unwrap().to_string();
    assert!(error.starts_with("objective 'throughput': ") && error.contains("typo"), "{error}");
    let error = host.objective(r#"misbehaving:{"do":"panic-in-configure"}"#).err().unwrap().to_string();
    assert!(error.contains("panicked in configure: ") && error.ends_with("cannot be configured"), "{error}");
    let error = host.endpoint(r#"misbehaving:{"do":"default-path"}"#).err().unwrap().to_string();
    assert!(error.contains("the path 'https://elsewhere/'"), "{error}");
}
