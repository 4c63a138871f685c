//! How servers are connected to, whichever they are.

use crate::trust::Trust;
use aiperf_model::connection::ConnectionReuse;

/// What all connections of a run have in common.
#[derive(Clone, Debug, Default)]
pub struct Transport {
    /// Whose certificates are accepted.
    pub trust: Trust,
    /// Whether they carry more than one request.
    pub reuse: ConnectionReuse,
}
