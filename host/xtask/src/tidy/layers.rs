//! Which crate may depend on which: the table of `docs/architecture.md`, held against `cargo metadata`.

use std::path::Path;

use cargo_metadata::{Dependency, DependencyKind, Package};

use crate::workspace::Workspace;

/// The stages, which know the words of `model` and little else.
const STAGES: [&str; 6] = ["plan", "load", "metrics", "analysis", "artifacts", "telemetry"];

/// What `model` may name from outside of the workspace.
const MODEL_LIBRARIES: [&str; 2] = ["serde", "thiserror"];

/// Libraries that run plugins, which only `plugin-host` may name.
const PLUGIN_LIBRARIES: [&str; 3] = ["wasmtime", "wasmtime-wasi", "libloading"];

/// All edges of all members that should not be.
pub(super) fn problems(workspace: &Workspace) -> Vec<String> {
    let problems_of = |package: &Package| {
        let layer = layer(&workspace.directory(package));
        let problem = |dependency: &Dependency| problem(workspace, &layer, dependency);
        let manifest = workspace.directory(package).join("Cargo.toml");
        let problems = package.dependencies.iter().filter_map(problem);
        problems.map(|problem| format!("{}: {problem}", manifest.display())).collect::<Vec<_>>()
    };
    workspace.packages().iter().flat_map(problems_of).collect()
}

fn problem(workspace: &Workspace, layer: &str, dependency: &Dependency) -> Option<String> {
    let member = workspace.packages().iter().find(|package| *package.name == dependency.name);
    match member {
        Some(member) => inner_problem(layer, &self::layer(&workspace.directory(member)), dependency.kind),
        None => outer_problem(layer, &dependency.name, dependency.kind),
    }
}

/// What is wrong with a dependency of the crate `layer` on the crate `target` of this workspace.
fn inner_problem(layer: &str, target: &str, kind: DependencyKind) -> Option<String> {
    let below = below(layer);
    // A test may put any stage in front of a server that it knows.
    let server_for_tests = kind == DependencyKind::Development && target == "simulator";
    if below.contains(&target) || server_for_tests {
        return None;
    }
    let allowed = if below.is_empty() {
        "on no crate of this workspace".to_owned()
    } else {
        format!("only on {}", below.join(", "))
    };
    Some(format!(
        "{layer} depends on {target}, but may depend {allowed}; move what they share to model, or hand it in from cli"
    ))
}

/// What is wrong with a dependency of the crate `layer` on `library`, which is not of this workspace.
fn outer_problem(layer: &str, library: &str, kind: DependencyKind) -> Option<String> {
    if PLUGIN_LIBRARIES.contains(&library) && layer != "plugin-host" {
        return Some(format!("{layer} names {library}; only plugin-host may, so go through its traits"));
    }
    if layer == "model" && kind == DependencyKind::Normal && !MODEL_LIBRARIES.contains(&library) {
        let allowed = MODEL_LIBRARIES.join(" and ");
        return Some(format!(
            "model depends on {library}, but may only on {allowed}; move the code to a stage"
        ));
    }
    None
}

/// The layer of a member, which is the name of its folder: `host/plan` is `plan`, `sdk/rust` is `sdk`.
fn layer(directory: &Path) -> String {
    let mut parts = directory.iter().map(|part| part.to_string_lossy());
    let folder = parts.next().unwrap_or_default();
    let inner = if folder == "host" { parts.next() } else { None };
    inner.unwrap_or(folder).into_owned()
}

/// The layers that `layer` may depend on.
fn below(layer: &str) -> Vec<&'static str> {
    match layer {
        "plan" | "artifacts" | "plugin-host" | "toolchain" => vec!["model", "files"],
        "plugin-test" => vec!["model", "files", "load", "plugin-host"],
        "xtask" => vec!["toolchain"],
        "simulator" => vec!["model", "timer"],
        "load" => vec!["model", "files", "timer"],
        "metrics" => vec!["model", "columns"],
        "sweep" => [&["model", "columns"], STAGES.as_slice()].concat(),
        "cli" => [
            &["model", "files"],
            STAGES.as_slice(),
            &["sweep", "plugin-host", "plugin-test", "simulator", "toolchain"],
        ]
        .concat(),
        // The statistics over trials stand where points are made of them.
        "analysis" => vec!["model", "metrics"],
        // What is simulated goes through the real stages.
        "coverage" => vec!["model", "columns", "files", "metrics", "analysis"],
        "plugins" => vec!["sdk"],
        stage if STAGES.contains(&stage) => vec!["model"],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_is_a_folder() {
        let table = [("host/plan", "plan"), ("sdk/rust", "sdk"), ("plugins/trends/slope-change", "plugins")];
        for (directory, expected) in table {
            assert_eq!(layer(Path::new(directory)), expected);
        }
    }

    #[test]
    fn arrows_point_downward() {
        let wrong = |layer, target| inner_problem(layer, target, DependencyKind::Normal).is_some();
        for (layer, target) in
            [("plan", "model"), ("sweep", "load"), ("cli", "plugin-host"), ("plugins", "sdk")]
        {
            assert!(!wrong(layer, target), "{layer} to {target}");
        }
        for (layer, target) in [
            ("model", "plan"),
            ("load", "metrics"),
            ("load", "simulator"),
            ("sweep", "plugin-host"),
            ("plugins", "model"),
            ("sdk", "model"),
            ("cli", "xtask"),
            ("xtask", "sdk"),
        ] {
            assert!(wrong(layer, target), "{layer} to {target}");
        }
    }

    #[test]
    fn tests_may_use_the_simulator() {
        assert_eq!(inner_problem("load", "simulator", DependencyKind::Development), None);
        assert!(inner_problem("load", "metrics", DependencyKind::Development).is_some());
    }

    #[test]
    fn only_the_plugin_host_runs_plugins_and_the_model_stays_bare() {
        let wrong = |layer, library| outer_problem(layer, library, DependencyKind::Normal).is_some();
        assert!(wrong("cli", "wasmtime"));
        assert!(!wrong("plugin-host", "wasmtime"));
        assert!(wrong("model", "tokio"));
        assert!(!wrong("model", "serde"));
        assert!(!wrong("load", "tokio"));
    }

    #[test]
    fn a_problem_says_what_to_do() {
        let problem = inner_problem("load", "metrics", DependencyKind::Normal).unwrap();
        assert!(
            problem.starts_with("load depends on metrics, but may depend only on model, files, timer; move"),
            "{problem}"
        );
    }
}
