//! The plugins that are part of this program, as the components in `plugins/prebuilt`.

use aiperf_model::plugin::Kind;

/// One component and what it is, so that it can be found by name without being compiled.
pub(crate) struct BuiltIn {
    pub(crate) kind: Kind,
    /// The name by which it describes itself.
    pub(crate) name: &'static str,
    pub(crate) bytes: &'static [u8],
}

/// All of them.
pub(crate) const BUILT_INS: &[BuiltIn] = &[];
