//! New projects: small complete plugins to begin with.

use std::fs;
use std::path::{Path, PathBuf};

use aiperf_model::plugin::Kind;

use crate::error::ToolchainError;
use crate::language::Language;
use crate::sdk;

/// Where a project keeps its copy of the SDK.
const SDK: &str = "aiperf-plugin";

/// What to begin with.
pub struct Template<'a> {
    /// The name of the plugin, and of the project's directory.
    pub name: &'a str,
    /// The kind.
    pub kind: Kind,
    /// The language.
    pub language: Language,
    /// A directory with the SDK to use, or none for a copy inside of the project.
    pub sdk: Option<&'a Path>,
}

/// A file of a project: its path and its text, in which names between double braces are replaced.
type File = (&'static str, &'static str);

const README: &str = include_str!("../templates/README.md");

impl Template<'_> {
    /// Writes the project into a new directory of its name below `parent`, and tells that directory.
    ///
    /// # Errors
    ///
    /// If the name is none, if there is such a directory, or if a file cannot be written.
    pub fn write(&self, parent: &Path) -> Result<PathBuf, ToolchainError> {
        if !is_name(self.name) {
            return Err(ToolchainError::BadName(self.name.to_owned()));
        }
        let directory = parent.join(self.name);
        if directory.exists() {
            return Err(ToolchainError::Exists(directory.display().to_string()));
        }
        let sdk = self.sdk.map(|sdk| fs::canonicalize(sdk).map_err(ToolchainError::file("read", sdk)));
        let sdk = sdk.transpose()?.map_or_else(|| SDK.to_owned(), |sdk| sdk.display().to_string());
        let files = [("README.md", README)].into_iter().chain(sources(self.language, self.kind));
        for (path, text) in files.chain(fixtures(self.kind).iter().copied()) {
            let path = directory.join(path);
            aiperf_files::replace_in_folder(&path, self.filled(text, &sdk).as_bytes())?;
        }
        if self.language == Language::Rust && self.sdk.is_none() {
            sdk::write(&directory.join(SDK))?;
        }
        Ok(directory)
    }

    fn filled(&self, text: &str, sdk: &str) -> String {
        let dependencies = if self.kind == Kind::Endpoint { "\nserde_json = \"1\"" } else { "" };
        let features = if self.kind == Kind::Endpoint { "" } else { ", features = [\"schema\"]" };
        text.replace("{{dependencies}}", dependencies)
            .replace("{{features}}", features)
            .replace("{{record}}", record(self.kind))
            .replace("{{use}}", usage(self.kind))
            .replace("{{sources}}", explanation(self.language))
            .replace("{{summary}}", summary(self.kind))
            .replace("{{name}}", self.name)
            .replace("{{sdk}}", sdk)
    }
}

/// As the contract has it, and cargo.
fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// What the example of a kind does, without a full stop.
fn summary(kind: Kind) -> &'static str {
    match kind {
        Kind::Endpoint => "Text generation over /generate and /generate_stream",
        Kind::Objective => "Requests per second, where the first token comes in time",
        Kind::Pareto => "Points that no other beats by a clear margin on all objectives",
        Kind::Trend => "Where a metric that should grow has all but stopped growing",
    }
}

fn usage(kind: Kind) -> &'static str {
    match kind {
        Kind::Endpoint => {
            "--model NAME --url http://localhost:8080 --concurrency 1,2,4 --plugin {{name}}.wasm --endpoint-type {{name}}"
        }
        Kind::Objective => {
            "--model demo --url sim: --concurrency 1,2,4 --plugin {{name}}.wasm --objective {{name}}"
        }
        Kind::Pareto => {
            "--model demo --url sim: --concurrency 1,2,4 --plugin {{name}}.wasm --pareto {{name}}"
        }
        Kind::Trend => "--model demo --url sim: --concurrency 1,2,4 --plugin {{name}}.wasm --trend {{name}}",
    }
}

fn record(kind: Kind) -> &'static str {
    match kind {
        Kind::Endpoint => {
            " A recorded response is also replayed cut at every byte, as by a server that died there."
        }
        Kind::Objective | Kind::Pareto | Kind::Trend => "",
    }
}

fn explanation(language: Language) -> &'static str {
    match language {
        Language::Rust => {
            "`src/lib.rs` is the plugin; `cargo test` tests it on this machine. `aiperf-plugin/` is the SDK of the release \
             that made this project: `cargo doc --open` explains it."
        }
        Language::Python => {
            "`plugin.py` is the plugin, `aiperf_plugin.py` what it needs around it. The component is made by componentize-py: \
             `python3 -m venv .venv && .venv/bin/pip install componentize-py==0.25.1`. Python's own library can be used, but \
             there are no files, sockets or clocks, and everything is imported at the top of a file."
        }
        Language::JavaScript => {
            "`plugin.js` is the plugin, `aiperf-plugin.js` what it needs around it. The component is made by componentize-js: \
             `npm install`. There is no `fetch`, no clock, and no `console`."
        }
    }
}

/// The files of a language.
fn sources(language: Language, kind: Kind) -> Vec<File> {
    match language {
        Language::Rust => {
            let plugin = match kind {
                Kind::Endpoint => include_str!("../templates/rust/endpoint.rs"),
                Kind::Objective => include_str!("../templates/rust/objective.rs"),
                Kind::Pareto => include_str!("../templates/rust/pareto.rs"),
                Kind::Trend => include_str!("../templates/rust/trend.rs"),
            };
            vec![
                ("Cargo.toml", include_str!("../templates/rust/Cargo.toml.in")),
                (".gitignore", include_str!("../templates/rust/gitignore")),
                ("src/lib.rs", plugin),
            ]
        }
        Language::Python => {
            let plugin = match kind {
                Kind::Endpoint => include_str!("../templates/python/endpoint.py"),
                Kind::Objective => include_str!("../templates/python/objective.py"),
                Kind::Pareto => include_str!("../templates/python/pareto.py"),
                Kind::Trend => include_str!("../templates/python/trend.py"),
            };
            vec![
                (".gitignore", include_str!("../templates/python/gitignore")),
                ("aiperf_plugin.py", include_str!("../templates/python/aiperf_plugin.py")),
                ("plugin.py", plugin),
            ]
        }
        Language::JavaScript => {
            let plugin = match kind {
                Kind::Endpoint => include_str!("../templates/javascript/endpoint.js"),
                Kind::Objective => include_str!("../templates/javascript/objective.js"),
                Kind::Pareto => include_str!("../templates/javascript/pareto.js"),
                Kind::Trend => include_str!("../templates/javascript/trend.js"),
            };
            vec![
                (".gitignore", include_str!("../templates/javascript/gitignore")),
                ("package.json", include_str!("../templates/javascript/package.json")),
                ("aiperf-plugin.js", include_str!("../templates/javascript/aiperf-plugin.js")),
                ("plugin.js", plugin),
            ]
        }
    }
}

/// Inputs with the answers that the example of a kind gives, in whatever language it is written.
fn fixtures(kind: Kind) -> &'static [File] {
    match kind {
        Kind::Endpoint => &[
            ("fixtures/build.json", include_str!("../templates/fixtures/endpoint-build.json")),
            ("fixtures/stream.json", include_str!("../templates/fixtures/endpoint-stream.json")),
            ("fixtures/stream.http", include_str!("../templates/fixtures/endpoint-stream.http")),
        ],
        Kind::Objective => &[
            ("fixtures/in-time.json", include_str!("../templates/fixtures/objective-in-time.json")),
            ("fixtures/late.json", include_str!("../templates/fixtures/objective-late.json")),
        ],
        Kind::Pareto => {
            &[("fixtures/four-points.json", include_str!("../templates/fixtures/pareto-four-points.json"))]
        }
        Kind::Trend => &[("fixtures/plateau.json", include_str!("../templates/fixtures/trend-plateau.json"))],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objective(name: &str) -> Template<'_> {
        Template { name, kind: Kind::Objective, language: Language::Rust, sdk: None }
    }

    #[test]
    fn nothing_is_left_to_fill_in() {
        let folder = tempfile::tempdir().unwrap();
        for kind in [Kind::Endpoint, Kind::Objective, Kind::Pareto, Kind::Trend] {
            for language in Language::ALL {
                let name = format!("{}-{}", language.name(), kind.name());
                let directory =
                    Template { name: &name, kind, language, sdk: None }.write(folder.path()).unwrap();
                let files = [("README.md", README)].into_iter().chain(sources(language, kind));
                for (path, _) in files.chain(fixtures(kind).iter().copied()) {
                    let text = fs::read_to_string(directory.join(path)).unwrap();
                    let is_open = ["{{name", "{{f", "{{s", "{{u", "{{r", "{{d", "TODO"]
                        .iter()
                        .any(|left| text.contains(left));
                    assert!(!is_open, "{path}: {text}");
                }
            }
        }
    }

    #[test]
    fn names_are_those_of_plugins_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["", "My-objective", "../x", "a_b", "9"] {
            let error = objective(name).write(folder.path()).unwrap_err().to_string();
            assert!(error.starts_with(&format!("'{name}' is no name for a plugin; take")), "{error}");
        }
        objective("mine").write(folder.path()).unwrap();
        let error = objective("mine").write(folder.path()).unwrap_err().to_string();
        assert!(error.ends_with("mine exists already; choose another name or remove it"), "{error}");
    }

    #[test]
    fn an_sdk_that_lies_elsewhere_is_named_and_not_copied() {
        let folder = tempfile::tempdir().unwrap();
        let sdk = folder.path().join("sdk");
        fs::create_dir(&sdk).unwrap();
        let directory = Template { sdk: Some(&sdk), ..objective("mine") }.write(folder.path()).unwrap();
        let manifest = fs::read_to_string(directory.join("Cargo.toml")).unwrap();
        let path = fs::canonicalize(&sdk).unwrap();
        assert!(manifest.contains(&format!("path = \"{}\"", path.display())), "{manifest}");
        assert!(!directory.join(SDK).exists());
    }
}
