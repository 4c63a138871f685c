//! Where the workspace lies and which packages it has.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cargo_metadata::{Metadata, MetadataCommand, Package};

/// The workspace that this program was built in, as cargo describes it.
pub(crate) struct Workspace {
    metadata: Metadata,
}

impl Workspace {
    /// Asks cargo for the workspace that contains the current directory.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let metadata = MetadataCommand::new().no_deps().exec().context("cargo cannot read the workspace")?;
        Ok(Self { metadata })
    }

    /// The directory of the root `Cargo.toml`.
    pub(crate) fn root(&self) -> &Path {
        self.metadata.workspace_root.as_std_path()
    }

    /// Where cargo puts what it builds.
    pub(crate) fn target(&self) -> &Path {
        self.metadata.target_directory.as_std_path()
    }

    /// All members.
    pub(crate) fn packages(&self) -> &[Package] {
        &self.metadata.packages
    }

    /// The version of `library` that `package` is pinned to.
    pub(crate) fn pinned_version(&self, package: &str, library: &str) -> anyhow::Result<String> {
        let this = self.packages().iter().find(|member| *member.name == package);
        this.and_then(|this| this.dependencies.iter().find(|dependency| dependency.name == library))
            .and_then(|dependency| dependency.req.to_string().strip_prefix('=').map(str::to_owned))
            .with_context(|| format!("{library} must be pinned as \"=VERSION\" in Cargo.toml"))
    }

    /// The directory of `package`, relative to the root.
    pub(crate) fn directory(&self, package: &Package) -> PathBuf {
        let directory = package.manifest_path.parent().unwrap_or(&package.manifest_path);
        directory.strip_prefix(&self.metadata.workspace_root).unwrap_or(directory).into()
    }
}
