//! What the client itself adds to a measurement, known from a server whose times are known.

use serde::{Deserialize, Serialize};

/// The client's own error at one load: what it measured, less what is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClientErrorEstimate {
    /// What it adds to the time to first token, in milliseconds.
    pub ttft_ms: Added,
    /// What it adds to the inter token latency, in milliseconds; none if it never saw two tokens of an answer.
    pub itl_ms: Option<Added>,
    /// What it lacks of the rate that was possible, in percent; negative where it was faster.
    pub rate_percent: f64,
    /// How many requests it was calibrated with.
    pub requests: u64,
}

/// What is added to a percentile.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Added {
    /// To the median.
    pub p50: f64,
    /// To the 99th percentile; none if there were too few requests to know it.
    pub p99: Option<f64>,
}
