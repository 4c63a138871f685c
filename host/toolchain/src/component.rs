//! A core module becomes a component, and a component is held against the contract.

use wit_component::{ComponentEncoder, DecodedWasm};

use crate::error::ToolchainError;

/// Wraps a core module that was built with the SDK.
///
/// # Errors
///
/// If the module was not built for a component, or for another version of the tools.
pub fn encode(module: &[u8]) -> Result<Vec<u8>, ToolchainError> {
    let encoder = ComponentEncoder::default().validate(true).module(module);
    encoder
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| ToolchainError::Encoding(format!("{error:#}")))
}

/// Checks that `component` exports the interface `kind` and nothing else, and imports only what a plugin may.
///
/// # Errors
///
/// If it does not, with what it has instead.
pub fn check(component: &[u8], kind: &str) -> Result<(), ToolchainError> {
    let unfit = |reason: String| Err(ToolchainError::Contract(reason));
    let decoded = wit_component::decode(component)
        .map_err(|error| ToolchainError::Contract(format!("it cannot be read: {error:#}")))?;
    let DecodedWasm::Component(resolve, world) = decoded else {
        return unfit("it is a WIT package, not a component".to_owned());
    };
    let Some(world) = resolve.worlds.get(world) else {
        return unfit("it has no world".to_owned());
    };
    let names = |items: Vec<_>| items.into_iter().map(|key| resolve.name_world_key(key)).collect::<Vec<_>>();
    let exports = names(world.exports.keys().collect());
    let imports = names(world.imports.keys().collect());
    if !matches!(exports.as_slice(), [export] if interface(export) == Some(kind)) {
        return unfit(format!("it exports {exports:?} instead of the interface `{kind}`"));
    }
    match imports.iter().find(|import| !matches!(interface(import), Some("types" | "log"))) {
        Some(import) => unfit(format!("it imports {import}; a plugin may import only `types` and `log`")),
        None => Ok(()),
    }
}

/// The name of an interface of the contract: `log` of `aiperf:plugin/log@0.1.0`.
fn interface(name: &str) -> Option<&str> {
    let name = name.strip_prefix("aiperf:plugin/")?;
    Some(name.split_once('@').map_or(name, |(name, _)| name))
}
