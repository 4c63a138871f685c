//! When a connection carries more than one request.

use serde::Serialize;

/// What becomes of a connection once its response has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionReuse {
    /// It carries the next request of its slot, for as long as the server keeps it open.
    #[default]
    Pooled,
    /// It is closed: each request has a connection of its own.
    Never,
    /// It carries the next turn of its conversation, and is closed after the last one.
    StickyUserSessions,
}
