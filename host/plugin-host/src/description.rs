//! What a plugin says of itself, checked.

use std::sync::Arc;

use aiperf_model::plugin::Kind;

use crate::binary::Binary;
use crate::bindings::types::PluginInfo;
use crate::component::Component;
use crate::error::{HostError, Source};
use crate::instance::Mold;
use crate::interface::{Endpoint, Interface, Objective, Pareto, Trend};
use crate::native::Caller;
use crate::sandbox::Sandbox;

/// What a plugin says of itself, and where it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The kind.
    pub kind: Kind,
    /// The name users select it by.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// One line on what it does.
    pub summary: String,
    /// A JSON Schema for its settings, or none if it takes none.
    pub settings_schema: Option<String>,
    /// The version of the contract it was built for.
    pub contract: String,
    /// Where it comes from.
    pub source: Source,
    /// The SHA-256 of the file, in lower-case hexadecimal.
    pub sha256: String,
    /// Whether it is a native library, which no sandbox holds.
    pub native: bool,
}

/// Asks what a file is as a plugin of this kind.
pub(crate) fn describe(
    sandbox: &Arc<Sandbox>,
    binary: &Binary,
    kind: Kind,
) -> Result<Description, HostError> {
    let source = binary.source();
    let info = match binary {
        Binary::Component(component) => match kind {
            Kind::Endpoint => ask::<Endpoint>(sandbox, component),
            Kind::Objective => ask::<Objective>(sandbox, component),
            Kind::Pareto => ask::<Pareto>(sandbox, component),
            Kind::Trend => ask::<Trend>(sandbox, component),
        }?,
        Binary::Library(library) => library
            .describe(kind, &Caller::new(source.to_string(), sandbox))
            .map_err(|error| HostError::Crashed { source_name: source.clone(), error })?,
    };
    check(&info).map_err(|reason| HostError::BadDescription { source_name: source.clone(), kind, reason })?;
    Ok(Description {
        kind,
        name: info.name,
        version: info.version,
        summary: info.summary,
        settings_schema: info.settings_schema,
        contract: binary.contract()?.unwrap_or_default(),
        source: source.clone(),
        sha256: binary.sha256().to_owned(),
        native: binary.is_native(),
    })
}

fn ask<I: Interface>(sandbox: &Arc<Sandbox>, component: &Component) -> Result<PluginInfo, HostError> {
    let mold = Mold::<I>::new(Arc::clone(sandbox), component, component.source().to_string())?;
    mold.instance()
        .and_then(|mut instance| instance.call(&mold, "describe", |guest, store| I::describe(guest, store)))
        .map_err(|error| HostError::Crashed { source_name: component.source().clone(), error })
}

fn check(info: &PluginInfo) -> Result<(), String> {
    if !is_name(&info.name) {
        return Err(format!(
            "calls itself '{}'; a name is lower-case letters, digits and hyphens, starting with a letter",
            info.name.escape_debug()
        ));
    }
    if info.version.is_empty() || info.version.chars().any(char::is_control) {
        return Err(format!("gives '{}' as its version", info.version.escape_debug()));
    }
    if let Some(schema) = &info.settings_schema {
        serde_json::from_str::<serde_json::Value>(schema)
            .map_err(|error| format!("has a settings schema that is not JSON ({error})"))?;
    }
    Ok(())
}

/// Whether it is lower-case letters, digits and hyphens, starting with a letter.
pub(crate) fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_spelling() {
        for name in ["a", "latency-p99", "x2-"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "9a", "-a", "A", "a_b", "a b", "é"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
