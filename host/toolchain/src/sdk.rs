//! The SDK as files, to be put into a project: it stands in no registry, and so a project fits this release wherever it
//! is built.

use std::path::Path;

use toml::{Table, Value};

use crate::error::ToolchainError;

/// A file of `sdk/rust/src`.
macro_rules! sources {
    ($($path:literal)*) => {
        &[$(($path, include_str!(concat!("../../../sdk/rust/src/", $path)))),*]
    };
}

/// All files of `sdk/rust/src`, in alphabetical order.
const SOURCES: &[(&str, &str)] = sources! {
    "endpoint.rs" "endpoint/fold.rs" "endpoint/parts.rs" "endpoint/repair.rs" "endpoint/repeat.rs" "error.rs" "generated.rs"
    "generated/base.rs" "generated/endpoint.rs" "generated/objective.rs" "generated/pareto.rs" "generated/trend.rs"
    "lib.rs" "log.rs" "native.rs" "native/abi.rs" "native/kinds.rs" "native/table.rs" "objective.rs" "openai.rs"
    "pareto.rs" "point.rs" "register.rs" "schema.rs" "settings.rs" "testing.rs" "trend.rs"
};

const MANIFEST: &str = include_str!("../../../sdk/rust/Cargo.toml");
const WORKSPACE: &str = include_str!("../../../Cargo.toml");

/// Writes the SDK into `directory`, which is made.
pub(crate) fn write(directory: &Path) -> Result<(), ToolchainError> {
    put(&directory.join("Cargo.toml"), &manifest()?)?;
    SOURCES.iter().try_for_each(|(path, text)| put(&directory.join("src").join(path), text))
}

fn put(path: &Path, text: &str) -> Result<(), ToolchainError> {
    Ok(aiperf_files::replace_in_folder(path, text.as_bytes())?)
}

/// The manifest of the SDK with what it has from this workspace written out, and without what only its own tests need.
fn manifest() -> Result<String, ToolchainError> {
    let unfit = |reason: String| ToolchainError::Tool { tool: "the manifest of the SDK".to_owned(), reason };
    let read = |text: &str| text.parse::<Table>().map_err(|error| unfit(error.to_string()));
    let (mut manifest, workspace) = (read(MANIFEST)?, read(WORKSPACE)?);
    let shared = |table: &str, key: &str| {
        let found = workspace.get("workspace").and_then(|workspace| workspace.get(table)?.get(key));
        found.cloned().ok_or_else(|| unfit(format!("the workspace has no {table}.{key}")))
    };
    let write_out = |table: &str, entries: Option<&mut Value>| {
        let entries = entries.and_then(Value::as_table_mut).into_iter().flatten();
        entries
            .filter(|(_, value)| value.get("workspace") == Some(&Value::Boolean(true)))
            .try_for_each(|(key, value)| shared(table, key).map(|entry| *value = entry))
    };
    write_out("package", manifest.get_mut("package"))?;
    write_out("dependencies", manifest.get_mut("dependencies"))?;
    for (_, target) in manifest.get_mut("target").and_then(Value::as_table_mut).into_iter().flatten() {
        write_out("dependencies", target.get_mut("dependencies"))?;
    }
    manifest.retain(|table, _| matches!(table, "package" | "features" | "dependencies" | "target"));
    toml::to_string(&manifest).map_err(|error| unfit(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::PathBuf;

    #[test]
    fn the_table_holds_what_the_folder_holds() {
        let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../sdk/rust/src"));
        let mut folders = vec![root.clone()];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push(path.strip_prefix(&root).unwrap().display().to_string());
                }
            }
        }
        files.sort();
        assert_eq!(SOURCES.iter().map(|(path, _)| *path).collect::<Vec<_>>(), files);
    }

    #[test]
    fn the_manifest_needs_no_workspace() {
        let manifest: Table = manifest().unwrap().parse().unwrap();
        assert_eq!(manifest["package"]["version"].as_str(), Some(env!("CARGO_PKG_VERSION")));
        assert_eq!(manifest["package"]["edition"].as_str(), Some("2024"));
        assert!(manifest["dependencies"]["wit-bindgen"]["version"].is_str());
        let mut targets = manifest["target"].as_table().unwrap().values();
        assert!(targets.all(|target| target["dependencies"]["postcard"]["version"].is_str()));
        assert!(!manifest.contains_key("lints") && !manifest.contains_key("dev-dependencies"));
    }
}
