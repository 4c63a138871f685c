//! The plugin as a shared library, for native debuggers and to measure what the sandbox costs.
//!
//! Each kind says what it does with serialized arguments, by [`Native`]; `table` puts that behind C functions, and the
//! registering macros export the table. Not in WebAssembly, where the contract's own functions are exported.

pub mod abi;
mod kinds;
#[expect(unsafe_code, reason = "the boundary of a shared library is made of pointers")]
pub mod table;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::register::Registered;
use crate::{PluginInfo, Result};

/// A registered plugin with its arguments and answers as bytes.
pub trait Native<Kind>: Registered<Kind> {
    /// What `configure` answers beside the plugin.
    type Info: Serialize;

    /// What the plugin says of itself.
    fn described() -> PluginInfo;

    /// Makes the plugin from its settings.
    fn configured(settings: &str) -> Result<(Self, Self::Info)>;

    /// Calls a function of the contract, by its place among those after `configure`.
    fn call(&self, function: u32, arguments: &[u8]) -> postcard::Result<Vec<u8>>;
}

/// Reads the arguments, calls the function, and writes down its result.
pub(crate) fn called<A: DeserializeOwned, T: Serialize>(
    arguments: &[u8],
    function: impl FnOnce(A) -> Result<T>,
) -> postcard::Result<Vec<u8>> {
    postcard::to_allocvec(&function(postcard::from_bytes(arguments)?))
}
