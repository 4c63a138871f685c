//! A directory with the sources of a plugin, in one of the languages.

use std::env::consts::DLL_EXTENSION;
use std::fs;
use std::path::{Path, PathBuf};

use crate::compiler::{Compilation, Compiler, Module, cargo_build, libraries};
use crate::component;
use crate::error::ToolchainError;
use crate::interpreted;
use crate::language::Language;

/// The profile that plugins are built with.
const PROFILE: &str = "release";

/// A directory with the sources of a plugin.
pub struct Project {
    directory: PathBuf,
    language: Language,
}

impl Project {
    /// The project in `directory`.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn find(directory: &Path) -> Result<Self, ToolchainError> {
        let is_marked = |language: &Language| directory.join(language.marker()).is_file();
        let Some(language) = Language::ALL.into_iter().find(is_marked) else {
            return Err(ToolchainError::NoProject {
                directory: directory.display().to_string(),
                known: "Cargo.toml nor plugin.py nor plugin.js",
            });
        };
        let directory = fs::canonicalize(directory).map_err(ToolchainError::file("read", directory))?;
        Ok(Self { directory, language })
    }

    /// The language it is written in.
    #[must_use]
    pub fn language(&self) -> Language {
        self.language
    }

    /// Makes the components of the project and tells where they lie, in its directory. What the tools say goes to
    /// standard error.
    ///
    /// # Errors
    ///
    /// If a tool is missing, with the commands that install it, or fails.
    pub fn build(&self) -> Result<Vec<PathBuf>, ToolchainError> {
        match self.language {
            Language::Rust => self.build_rust(),
            Language::Python | Language::JavaScript => {
                interpreted::build(&self.directory, self.language).map(|component| vec![component])
            }
        }
    }

    fn build_rust(&self) -> Result<Vec<PathBuf>, ToolchainError> {
        let modules = Compiler::find()?.compile(&Compilation {
            directory: &self.directory,
            known_as: "/plugin",
            target: None,
            profile: PROFILE,
            packages: &[],
            locked: false,
        })?;
        self.put(&modules, "wasm", |module| component::encode(&module))
    }

    /// Makes native libraries of the project, for this machine, and tells where they lie, in its directory.
    ///
    /// # Errors
    ///
    /// If it is not written in Rust, or if cargo is missing or fails.
    pub fn build_native(&self) -> Result<Vec<PathBuf>, ToolchainError> {
        if self.language != Language::Rust {
            return Err(ToolchainError::NothingBuilt {
                directory: self.directory.display().to_string(),
                reason: format!("only Rust makes a native library, and this is {}", self.language),
            });
        }
        let libraries = libraries(&mut cargo_build(&self.directory, PROFILE), DLL_EXTENSION)?;
        self.put(&libraries, DLL_EXTENSION, Ok)
    }

    /// Puts what was compiled into the directory of the project, made into what it shall be.
    fn put(
        &self,
        compiled: &[Module],
        extension: &str,
        make: impl Fn(Vec<u8>) -> Result<Vec<u8>, ToolchainError>,
    ) -> Result<Vec<PathBuf>, ToolchainError> {
        if compiled.is_empty() {
            let reason =
                "no library of it is a cdylib; write crate-type = [\"cdylib\"] under [lib] in Cargo.toml";
            let directory = self.directory.display().to_string();
            return Err(ToolchainError::NothingBuilt { directory, reason: reason.to_owned() });
        }
        let put = |module: &Module| {
            let bytes = fs::read(&module.path).map_err(ToolchainError::file("read", &module.path))?;
            let path = self.directory.join(format!("{}.{extension}", module.library.replace('_', "-")));
            // A program that has the old file open keeps that one.
            aiperf_files::replace(&path, &make(bytes)?)?;
            Ok(path)
        };
        compiled.iter().map(put).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_without_sources_is_no_project() {
        let folder = tempfile::tempdir().unwrap();
        let error = Project::find(folder.path()).err().unwrap().to_string();
        assert!(
            error.ends_with(
                "it has neither Cargo.toml nor plugin.py nor plugin.js; `aiperf plugin new` makes one"
            ),
            "{error}"
        );
    }
}
