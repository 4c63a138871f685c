//! One built-in plugin, as its package names it.

use anyhow::Context as _;
use cargo_metadata::Package;

/// A package whose name is `aiperf-KIND-NAME`.
pub(super) struct Guest {
    /// The package.
    pub(super) package: String,
    /// The kind of plugin, which is the name of the interface it exports.
    pub(super) kind: String,
    /// The name users select it by.
    pub(super) name: String,
    /// The version of the package.
    pub(super) version: String,
}

impl Guest {
    pub(super) fn new(package: &Package) -> anyhow::Result<Self> {
        let (kind, name) =
            package.name.strip_prefix("aiperf-").and_then(|rest| rest.split_once('-')).with_context(
                || format!("{}: a built-in plugin is called aiperf-KIND-NAME", package.manifest_path),
            )?;
        Ok(Self {
            package: package.name.to_string(),
            kind: kind.to_owned(),
            name: name.to_owned(),
            version: package.version.to_string(),
        })
    }

    /// The file name of the component.
    pub(super) fn file(&self) -> String {
        format!("{}-{}.wasm", self.kind, self.name)
    }

    /// The name of its library.
    pub(super) fn library(&self) -> String {
        self.package.replace('-', "_")
    }
}
