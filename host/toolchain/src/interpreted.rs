//! Python and JavaScript: a tool of the language wraps the source and an interpreter as a component.
//!
//! Both are told to leave everything out that would need more than the contract, so that the component imports nothing
//! else.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use aiperf_model::plugin::Kind;

use crate::error::ToolchainError;
use crate::language::Language;
use crate::wit;

const PYTHON_TOOL: &str = "componentize-py";
const INSTALL_PYTHON: &str =
    "  python3 -m venv .venv && .venv/bin/pip install componentize-py==0.25.1    (in the project)";

const JAVASCRIPT_TOOL: &str = "node_modules/@bytecodealliance/componentize-js";
const INSTALL_JAVASCRIPT: &str = "  npm install    (in the project)";
const JAVASCRIPT_RECIPE: &str = include_str!("../recipes/componentize.mjs");

/// Where a project keeps the contract for its tools.
const WIT: &str = "wit";

/// The most bytes of a source file.
const LARGEST: u64 = 16 << 20;

/// Makes the component of a project, unless it is newer than everything that it is made from.
pub(crate) fn build(directory: &Path, language: Language) -> Result<PathBuf, ToolchainError> {
    let source = directory.join(language.marker());
    let text = aiperf_files::read_text(&source, LARGEST)
        .map_err(|error| ToolchainError::file("read", &source)(error.into()))?;
    let kind = kind(&text, language).ok_or_else(|| ToolchainError::NothingBuilt {
        directory: directory.display().to_string(),
        reason: expectation(language),
    })?;
    let name = directory.file_name().unwrap_or(OsStr::new("plugin")).display().to_string();
    let output = directory.join(format!("{name}.wasm"));
    if is_newer(&output, directory, language) {
        return Ok(output);
    }
    wit::write(&directory.join(WIT))?;
    let world = format!("{kind}-plugin");
    let (tool, mut command) = match language {
        Language::Rust | Language::Python => (PYTHON_TOOL, python(directory, &world, &output)?),
        Language::JavaScript => ("componentize-js", javascript(directory, &world, &output)?),
    };
    command.current_dir(directory).stdin(Stdio::null());
    let status = command
        .status()
        .map_err(|error| ToolchainError::Tool { tool: tool.to_owned(), reason: error.to_string() })?;
    if status.success() { Ok(output) } else { Err(ToolchainError::Failed { what: tool.to_owned() }) }
}

/// What the source exports.
fn kind(source: &str, language: Language) -> Option<Kind> {
    let exports = |kind: &Kind| {
        let name = kind.name();
        let mark = match language {
            Language::Rust | Language::Python => {
                let (first, rest) = name.split_at(1);
                format!("class {}{rest}(", first.to_uppercase())
            }
            Language::JavaScript => format!("export const {name} ="),
        };
        source.lines().any(|line| line.starts_with(&mark))
    };
    Kind::ALL.into_iter().find(exports)
}

fn expectation(language: Language) -> String {
    match language {
        Language::Rust | Language::Python => {
            "plugin.py has no class Endpoint, Objective, Pareto or Trend, such as `class Objective(Plugin):`"
        }
        Language::JavaScript => {
            "plugin.js exports no endpoint, objective, pareto or trend, such as `export const objective = plugin({`"
        }
    }
    .to_owned()
}

/// Whether the component is newer than the sources beside it.
fn is_newer(output: &Path, directory: &Path, language: Language) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let Some(built) = changed(output) else { return false };
    let extension = Path::new(language.marker()).extension();
    let sources = fs::read_dir(directory).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    sources
        .filter(|path| path.extension() == extension)
        .all(|path| changed(&path).unwrap_or_else(SystemTime::now) < built)
}

fn python(directory: &Path, world: &str, output: &Path) -> Result<Command, ToolchainError> {
    let own = directory.join(".venv/bin").join(PYTHON_TOOL);
    let program = if own.is_file() { own } else { PYTHON_TOOL.into() };
    let runs = Command::new(&program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !runs.is_ok_and(|status| status.success()) {
        return Err(ToolchainError::Missing {
            what: "componentize-py was found neither in .venv nor in PATH".to_owned(),
            commands: INSTALL_PYTHON.to_owned(),
        });
    }
    let mut command = Command::new(program);
    command
        .args(["--wit-path", WIT, "--world", world, "componentize", "plugin", "--stub-wasi", "--python-path"])
        .arg(".")
        .arg("--output")
        .arg(output)
        // What it prints is for the reader of the build, not of the result.
        .stdout(Stdio::null());
    Ok(command)
}

fn javascript(directory: &Path, world: &str, output: &Path) -> Result<Command, ToolchainError> {
    let runs = Command::new("node").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !runs.is_ok_and(|status| status.success()) {
        return Err(ToolchainError::Missing {
            what: "node was not found in PATH".to_owned(),
            commands: "  apt-get install nodejs npm    (Debian; any Node.js from version 20 on)".to_owned(),
        });
    }
    if !directory.join(JAVASCRIPT_TOOL).is_dir() {
        return Err(ToolchainError::Missing {
            what: "componentize-js was not found in node_modules".to_owned(),
            commands: INSTALL_JAVASCRIPT.to_owned(),
        });
    }
    let mut command = Command::new("node");
    command
        .args(["--input-type=module", "--eval", JAVASCRIPT_RECIPE, "--"])
        .args([Language::JavaScript.marker(), WIT, world])
        .arg(output)
        .stdout(Stdio::null());
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_says_what_it_is() {
        assert_eq!(kind("import x\n\nclass Trend(Plugin):\n", Language::Python), Some(Kind::Trend));
        assert_eq!(kind("# class Trend(Plugin):\n", Language::Python), None);
        assert_eq!(kind("export const pareto = plugin({", Language::JavaScript), Some(Kind::Pareto));
        assert_eq!(kind("const pareto = plugin({", Language::JavaScript), None);
    }

    #[test]
    fn what_is_missing_comes_with_the_command() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("plugin.js"), "export const objective = plugin({});").unwrap();
        let error = build(folder.path(), Language::JavaScript).unwrap_err().to_string();
        assert!(error.contains("; install it with\n  "), "{error}");
        fs::write(folder.path().join("plugin.py"), "x = 1").unwrap();
        let error = build(folder.path(), Language::Python).unwrap_err().to_string();
        assert!(error.ends_with("such as `class Objective(Plugin):`"), "{error}");
    }

    #[test]
    fn a_component_is_made_again_only_after_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let (source, output) = (folder.path().join("plugin.py"), folder.path().join("x.wasm"));
        let write = |path: &Path, seconds: u64| {
            let file = fs::File::create(path).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds)).unwrap();
        };
        write(&source, 100);
        assert!(!is_newer(&output, folder.path(), Language::Python));
        write(&output, 200);
        assert!(is_newer(&output, folder.path(), Language::Python));
        write(&folder.path().join("helper.py"), 300);
        assert!(!is_newer(&output, folder.path(), Language::Python));
    }
}
