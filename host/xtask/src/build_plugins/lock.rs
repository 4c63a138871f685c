//! `prebuilt.lock`: which components are committed, and what built them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use aiperf_toolchain::Compiler;
use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::guest::Guest;

const FILE: &str = "prebuilt.lock";
const HEADER: &str = "# Written by `cargo xtask build-plugins`.\n\n";

#[derive(Serialize, Deserialize)]
pub(super) struct Lock {
    rustc: String,
    standard_library: String,
    wit_component: String,
    #[serde(rename = "plugin")]
    pub(super) plugins: Vec<Entry>,
}

/// One component.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    kind: String,
    name: String,
    version: String,
    pub(super) file: String,
    sha256: String,
}

impl Entry {
    pub(super) fn new(guest: &Guest, component: &[u8]) -> Self {
        Self {
            kind: guest.kind.clone(),
            name: guest.name.clone(),
            version: guest.version.clone(),
            file: guest.file(),
            sha256: digest(component),
        }
    }
}

impl Lock {
    pub(super) fn new(compiler: &Compiler, wit_component: String, plugins: Vec<Entry>) -> Self {
        Self {
            rustc: compiler.version().to_owned(),
            standard_library: compiler.standard_library().to_owned(),
            wit_component,
            plugins,
        }
    }

    pub(super) fn read(directory: &Path) -> anyhow::Result<Self> {
        let path = directory.join(FILE);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is not a lock file", path.display()))
    }

    pub(super) fn write(&self, directory: &Path) -> anyhow::Result<()> {
        let path = directory.join(FILE);
        let text = format!("{HEADER}{}", toml::to_string(self)?);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// What determines the bytes besides the sources.
    pub(super) fn tools(&self) -> String {
        format!(
            "{}, standard library {}, wit-component {}",
            self.rustc, self.standard_library, self.wit_component
        )
    }

    /// Checks that the files of `directory` are those that this lock lists.
    pub(super) fn check_files(&self, directory: &Path) -> anyhow::Result<()> {
        for entry in &self.plugins {
            let path = directory.join(&entry.file);
            let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            if digest(&bytes) != entry.sha256 {
                bail!(
                    "{} is not the file that {FILE} lists; run `cargo xtask build-plugins`",
                    path.display()
                );
            }
        }
        Ok(())
    }

    /// The files that are not the same in `other`.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let only = |left: &Self, right: &Self| {
            let missing = |entry: &&Entry| !right.plugins.contains(entry);
            left.plugins.iter().filter(missing).map(|entry| entry.file.clone()).collect::<Vec<_>>()
        };
        let mut files = [only(self, other), only(other, self)].concat();
        files.sort();
        files.dedup();
        files
    }
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
