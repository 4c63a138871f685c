//! The plugins that somebody has agreed to, by their digests.

use std::path::Path;

use aiperf_model::plugin::Kind;
use serde::{Deserialize, Serialize};

use crate::description::Description;
use crate::error::{HostError, Source};

const HEADER: &str = "# Written by `aiperf plugin lock`, read with --locked.\n\n";

/// The plugins that may be used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginLock {
    #[serde(rename = "plugin", default)]
    plugins: Vec<Locked>,
}

/// One plugin. The digest alone decides; the rest is for people and for messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Locked {
    kind: Kind,
    name: String,
    version: String,
    contract: String,
    source: String,
    sha256: String,
}

/// The most bytes of a lock file.
const LARGEST: u64 = 16 << 20;

impl PluginLock {
    /// What the file is called.
    pub const FILE: &str = "aiperf-plugins.lock";

    /// A lock that lists these plugins.
    #[must_use]
    pub fn new(plugins: &[Description]) -> Self {
        let locked = |plugin: &Description| Locked {
            kind: plugin.kind,
            name: plugin.name.clone(),
            version: plugin.version.clone(),
            contract: plugin.contract.clone(),
            source: plugin.source.to_string(),
            sha256: plugin.sha256.clone(),
        };
        Self { plugins: plugins.iter().map(locked).collect() }
    }

    /// How many plugins it lists.
    #[must_use]
    pub fn len(&self) -> usize {
        self.plugins.len()
    }

    /// Whether it lists no plugin.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.plugins.is_empty()
    }

    /// Reads a lock file.
    pub fn read(path: &Path) -> Result<Self, HostError> {
        let bad = |reason: String| HostError::BadLock { path: path.to_owned(), reason };
        let text = aiperf_files::read_text(path, LARGEST).map_err(|error| bad(error.to_string()))?;
        toml::from_str(&text).map_err(|error| bad(error.to_string().trim_end().to_owned()))
    }

    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> String {
        // Tables of strings have no form that TOML lacks.
        format!("{HEADER}{}", toml::to_string(self).unwrap_or_default())
    }

    /// Refuses a file that is not listed.
    pub(crate) fn check_file(&self, source: &Source, sha256: &str) -> Result<(), HostError> {
        let place = source.to_string();
        self.check(format!("plugin '{place}'"), sha256, |locked| locked.source == place)
    }

    /// Refuses a plugin that is not listed.
    pub(crate) fn check_plugin(&self, kind: Kind, name: &str, sha256: &str) -> Result<(), HostError> {
        let same = |locked: &Locked| locked.kind == kind && locked.name == name;
        self.check(format!("{kind} '{name}'"), sha256, same)
    }

    fn check(
        &self,
        plugin: String,
        sha256: &str,
        stands_for_it: impl Fn(&Locked) -> bool,
    ) -> Result<(), HostError> {
        if self.plugins.iter().any(|locked| locked.sha256 == sha256) {
            return Ok(());
        }
        let listed =
            self.plugins.iter().find(|locked| stands_for_it(locked)).map(|locked| locked.sha256.clone());
        Err(HostError::NotLocked { plugin, sha256: sha256.to_owned(), listed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn description(name: &str, sha256: &str) -> Description {
        Description {
            kind: Kind::Objective,
            name: name.to_owned(),
            version: "1.2.3".to_owned(),
            summary: "A summary".to_owned(),
            settings_schema: None,
            contract: "0.1.0".to_owned(),
            source: Source::File(format!("{name}.wasm").into()),
            sha256: sha256.to_owned(),
            native: false,
        }
    }

    #[test]
    fn a_lock_reads_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(PluginLock::FILE);
        let lock = PluginLock::new(&[description("cost", "ab"), description("slo", "cd")]);
        fs::write(&path, lock.text()).unwrap();
        assert_eq!(PluginLock::read(&path).unwrap(), lock);
        assert!(lock.text().contains("name = \"cost\"\nversion = \"1.2.3\"\ncontract = \"0.1.0\""));
    }

    #[test]
    fn what_is_no_lock_is_told_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(PluginLock::FILE);
        fs::write(&path, "[[plugin]]\nkind = \"objectives\"\n").unwrap();
        let error = PluginLock::read(&path).unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("`aiperf plugin lock` writes it"), "{error}");
        let missing = PluginLock::read(&folder.path().join("gone")).unwrap_err().to_string();
        assert!(missing.contains("gone"), "{missing}");
    }

    #[test]
    fn only_listed_digests_pass() {
        let lock = PluginLock::new(&[description("cost", "ab")]);
        let cost = Source::File("cost.wasm".into());
        assert!(lock.check_file(&Source::File("elsewhere.wasm".into()), "ab").is_ok());
        assert_eq!(
            lock.check_file(&cost, "cd").unwrap_err().to_string(),
            "plugin 'cost.wasm' is not locked: its SHA-256 is cd, but the lock file lists ab; \
             if it may be used, list it with `aiperf plugin lock`"
        );
        assert_eq!(
            lock.check_plugin(Kind::Trend, "cost", "cd").unwrap_err().to_string(),
            "trend 'cost' is not locked: its SHA-256 is cd, which the lock file does not list; \
             if it may be used, list it with `aiperf plugin lock`"
        );
    }
}
