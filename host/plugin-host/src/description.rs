//! What a plugin says of itself, checked.

use std::sync::Arc;

use aiperf_model::plugin::Kind;

use crate::answer::{LONGEST_NAME, is_label, is_name, quoted, shortened};
use crate::binary::Binary;
use crate::bindings::types::PluginInfo;
use crate::component::Component;
use crate::error::{HostError, Source};
use crate::instance::InstanceFactory;
use crate::interface::{Endpoint, Interface, Objective, Pareto, Trend};
use crate::native::Caller;
use crate::sandbox::Sandbox;

/// The most bytes of a settings schema.
const LONGEST_SCHEMA: usize = 256 << 10;

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
        summary: shortened(info.summary),
        settings_schema: info.settings_schema,
        contract: binary.contract()?.unwrap_or_default(),
        source: source.clone(),
        sha256: binary.sha256().to_owned(),
        native: binary.is_native(),
    })
}

fn ask<I: Interface>(sandbox: &Arc<Sandbox>, component: &Component) -> Result<PluginInfo, HostError> {
    let factory = InstanceFactory::<I>::new(Arc::clone(sandbox), component, component.source().to_string())?;
    factory
        .instance()
        .and_then(|mut instance| {
            instance.call(&factory, "describe", |guest, store| I::describe(guest, store))
        })
        .map_err(|error| HostError::Crashed { source_name: component.source().clone(), error })
}

fn check(info: &PluginInfo) -> Result<(), String> {
    if !is_name(&info.name) {
        return Err(format!(
            "calls itself {}; a name is lower-case letters, digits and hyphens, starting with a letter, at most \
             {LONGEST_NAME} of them",
            quoted(&info.name)
        ));
    }
    if info.version.is_empty() || !is_label(&info.version) {
        return Err(format!(
            "gives {} as its version, which must be one line of 1 to {LONGEST_NAME} bytes",
            quoted(&info.version)
        ));
    }
    if let Some(schema) = &info.settings_schema {
        if schema.len() > LONGEST_SCHEMA {
            return Err(format!(
                "has a settings schema of {} bytes, more than {LONGEST_SCHEMA}",
                schema.len()
            ));
        }
        serde_json::from_str::<serde_json::Value>(schema)
            .map_err(|error| format!("has a settings schema that is not JSON ({error})"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info() -> PluginInfo {
        PluginInfo {
            name: "mine".to_owned(),
            version: "1.0.0".to_owned(),
            summary: "Mine".to_owned(),
            settings_schema: None,
        }
    }

    #[test]
    fn what_a_plugin_says_of_itself_is_short() {
        assert_eq!(check(&info()), Ok(()));
        let long = "x".repeat(1 << 20);
        for (bad, told) in [
            (PluginInfo { name: long.clone(), ..info() }, "calls itself 'xxx"),
            (
                PluginInfo { version: long.clone(), ..info() },
                "as its version, which must be one line of 1 to 64",
            ),
            (
                PluginInfo { settings_schema: Some(format!("\"{long}\"")), ..info() },
                "has a settings schema of 1048578 bytes, more than 262144",
            ),
        ] {
            let problem = check(&bad).unwrap_err();
            assert!(problem.contains(told) && problem.len() < 500, "{problem}");
        }
    }
}
