//! How servers are connected to, whichever they are.

use crate::trust::Trust;

/// What all connections of a run have in common.
#[derive(Clone, Debug, Default)]
pub struct Transport {
    /// Whose certificates are accepted.
    pub trust: Trust,
}
