//! How long a run lasts that nothing else ends.

use serde::{Deserialize, Serialize};

/// How well a run is to know its figures before it ends.
///
/// Half of the 95 % interval of its throughput is at most this share of it, and two and a half times as much for the medians
/// of time to first token and latency. In a closed loop each slot has sent ten requests.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Precision {
    /// The relative half width for the throughput, more than 0 and less than 1.
    pub throughput: f64,
}

impl Precision {
    /// The usual 2 %.
    pub const DEFAULT: Self = Self { throughput: 0.02 };

    /// The relative half width for the medians of latencies.
    #[must_use]
    pub fn latency(self) -> f64 {
        2.5 * self.throughput
    }
}
