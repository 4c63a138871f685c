//! A core module becomes a component, and a component is held against the contract.

use anyhow::{Context as _, bail};
use wit_component::{ComponentEncoder, DecodedWasm};

/// Wraps a core module that was built with the SDK.
pub(super) fn encode(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut encoder = ComponentEncoder::default().validate(true).module(module)?;
    encoder.encode()
}

/// Checks that `component` exports the interface `kind` and nothing else, and imports only what a plugin may.
pub(super) fn check(component: &[u8], kind: &str) -> anyhow::Result<()> {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(component)? else {
        bail!("it is a WIT package, not a component");
    };
    let world = resolve.worlds.get(world).context("it has no world")?;
    let names = |items: Vec<_>| items.into_iter().map(|key| resolve.name_world_key(key)).collect::<Vec<_>>();
    let exports = names(world.exports.keys().collect());
    let imports = names(world.imports.keys().collect());
    if !matches!(exports.as_slice(), [export] if interface(export) == Some(kind)) {
        bail!("it exports {exports:?} instead of the interface `{kind}`");
    }
    match imports.iter().find(|import| !matches!(interface(import), Some("types" | "log"))) {
        Some(import) => bail!("it imports {import}; a plugin may import only `types` and `log`"),
        None => Ok(()),
    }
}

/// The name of an interface of the contract: `log` of `aiperf:plugin/log@0.1.0`.
fn interface(name: &str) -> Option<&str> {
    let name = name.strip_prefix("aiperf:plugin/")?;
    Some(name.split_once('@').map_or(name, |(name, _)| name))
}
