//! How servers are connected to, whichever they are.

use crate::sockets::Sockets;
use crate::trust::TrustedAuthorities;
use aiperf_model::connection::ConnectionReuse;

/// What all connections of a run have in common.
#[derive(Clone, Debug, Default)]
pub struct Transport {
    /// Whose certificates are accepted.
    pub trust: TrustedAuthorities,
    /// Whether they carry more than one request.
    pub reuse: ConnectionReuse,
    /// Whether they speak HTTP/2, in the clear with prior knowledge and over TLS by agreement, instead of HTTP/1.1.
    pub http2: bool,
    /// How many there is room for.
    pub sockets: Sockets,
}
