//! What the measuring side says of itself: how well it kept up while it measured.

use serde::{Deserialize, Serialize};

/// How well the client kept up with one run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClientHealth {
    /// How long what had arrived waited to be read.
    pub read_delay: ReadDelay,
    /// For how many seconds this whole process stood still while it measured: stopped, frozen, or asleep with its machine.
    /// It is no part of `read_delay`.
    #[serde(default)]
    pub suspended_seconds: f64,
    /// How busy the measuring threads were.
    pub workers: Vec<WorkerShare>,
    /// Requests that were due before the run ended and were never sent, because the limit of requests in flight had
    /// no room for them or because the client could not keep up.
    pub missed_arrivals: u64,
}

/// How long a heartbeat waited until the event loop of a measuring thread answered it, as a response waits to be read;
/// each figure is that of the worst thread, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReadDelay {
    /// How many heartbeats there were; without any the other figures mean nothing.
    pub beats: u64,
    /// Half of them waited at most this long.
    pub p50_ms: f64,
    /// 99 of 100 waited at most this long.
    pub p99_ms: f64,
    /// The longest wait.
    pub max_ms: f64,
}

/// How busy one measuring thread was, in percent of the time that passed; none where the system does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkerShare {
    /// It ran, less what it spun towards a due time with nothing else to do.
    pub working_percent: Option<f64>,
    /// It could have run, but other threads or programs had the cores.
    pub waiting_percent: Option<f64>,
}
