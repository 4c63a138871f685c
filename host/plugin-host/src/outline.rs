//! What a component says of itself before it is compiled: which kinds it is and what it wants.
//!
//! Compiling takes up to half a minute for a component that carries an interpreter, so whatever can be refused is
//! refused here.

use aiperf_model::plugin::Kind;
use wasmparser::{Parser, Payload};

use crate::bindings::CONTRACT_VERSION;
use crate::error::{HostError, Source};

/// The package of the contract.
const PACKAGE: &str = "aiperf:plugin/";

/// The interfaces of the contract that a plugin may import.
const OFFERED: [&str; 2] = ["types", "log"];

/// The names on the outside of a component.
pub(crate) struct Outline {
    pub(crate) imports: Vec<String>,
    pub(crate) exports: Vec<String>,
}

impl Outline {
    /// # Errors
    ///
    /// If the bytes are no component.
    pub(crate) fn read(source: &Source, bytes: &[u8]) -> Result<Self, HostError> {
        if bytes.is_empty() {
            return Err(HostError::Empty(source.clone()));
        }
        if Parser::is_core_wasm(bytes) {
            return Err(HostError::CoreModule(source.clone()));
        }
        if !Parser::is_component(bytes) {
            return Err(HostError::NotWebAssembly(source.clone()));
        }
        Self::parse(bytes)
            .map_err(|error| HostError::Damaged { source_name: source.clone(), reason: error.to_string() })
    }

    fn parse(bytes: &[u8]) -> wasmparser::Result<Self> {
        let mut outline = Self { imports: Vec::new(), exports: Vec::new() };
        // How many components and modules the reader is inside of; their names are not the component's.
        let mut depth = 0_u32;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section {
                        outline.imports.push(import?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    for export in section {
                        outline.exports.push(export?.name.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(outline)
    }

    /// The version of the contract that the component was built for, or none if it names no interface of it.
    pub(crate) fn contract(&self) -> Option<&str> {
        self.of_contract().next().map(|(_, version)| version)
    }

    /// The kinds of plugin that the component is.
    ///
    /// # Errors
    ///
    /// If it imports more than a plugin may, if it was built for another version of the contract, or if it is no
    /// plugin at all.
    pub(crate) fn kinds(&self, source: &Source) -> Result<Vec<Kind>, HostError> {
        if let Some((_, version)) = self.of_contract().find(|(_, version)| !fits(version)) {
            return Err(other_contract(source, version));
        }
        let forbidden: Vec<String> = self.imports.iter().filter(|name| !is_offered(name)).cloned().collect();
        if !forbidden.is_empty() {
            return Err(HostError::ForbiddenImports { source_name: source.clone(), imports: forbidden });
        }
        let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| self.exports_kind(*kind)).collect();
        if kinds.is_empty() {
            return Err(HostError::NoKind { source_name: source.clone(), exports: self.exports.clone() });
        }
        Ok(kinds)
    }

    /// The interfaces of the contract that the component names, with their versions.
    fn of_contract(&self) -> impl Iterator<Item = (&str, &str)> {
        self.imports.iter().chain(&self.exports).filter_map(|name| contract_item(name))
    }

    /// Each kind has the name of its interface.
    fn exports_kind(&self, kind: Kind) -> bool {
        self.exports
            .iter()
            .filter_map(|name| contract_item(name))
            .any(|(interface, _)| interface == kind.name())
    }
}

/// The interface and the version of a name such as `aiperf:plugin/log@0.1.0`; none for names of other packages.
fn contract_item(name: &str) -> Option<(&str, &str)> {
    let item = name.strip_prefix(PACKAGE)?;
    Some(item.split_once('@').unwrap_or((item, "")))
}

/// Whether a component of this version of the contract works with the host's: before 1.0, if the first two numbers
/// are the same.
fn fits(version: &str) -> bool {
    series(version) == series(CONTRACT_VERSION) && !version.contains('-')
}

fn series(version: &str) -> Option<&str> {
    version.rsplit_once('.').map(|(series, _)| series)
}

fn is_offered(import: &str) -> bool {
    contract_item(import).is_some_and(|(interface, _)| OFFERED.contains(&interface))
}

fn other_contract(source: &Source, version: &str) -> HostError {
    HostError::OtherContract {
        source_name: source.clone(),
        built_for: if version.is_empty() { String::new() } else { format!("@{version}") },
        offered: CONTRACT_VERSION,
        release: series(CONTRACT_VERSION).unwrap_or(CONTRACT_VERSION).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_contract_s_package() {
        let world = include_str!("../../../wit/world.wit");
        assert!(world.contains(&format!("package aiperf:plugin@{CONTRACT_VERSION};")));
    }

    #[test]
    fn versions_of_one_series_fit() {
        for version in ["0.1.0", "0.1.7"] {
            assert!(fits(version), "{version}");
        }
        for version in ["", "0.2.0", "1.1.0", "0.1.0-rc1", "0.10.0"] {
            assert!(!fits(version), "{version}");
        }
    }

    #[test]
    fn only_types_and_log_are_offered() {
        assert!(is_offered("aiperf:plugin/log@0.1.0"));
        assert!(is_offered("aiperf:plugin/types@0.1.2"));
        for import in
            ["aiperf:plugin/objective@0.1.0", "wasi:io/poll@0.2.9", "log", "aiperf:pluginx/log@0.1.0"]
        {
            assert!(!is_offered(import), "{import}");
        }
    }
}
