//! How requests arrive that do not wait for each other: an open loop.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The law of the gaps between arrivals; their mean is 1 / rate in each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArrivalPattern {
    /// Exponential gaps: users who know nothing of each other. Coefficient of variation 1.
    #[default]
    Poisson,
    /// Equal gaps.
    Constant,
    /// Gaps of a gamma distribution. Coefficient of variation 1 / √smoothness: below 1 come bursts, above 1 it is
    /// more even than Poisson, at 1 the same.
    Gamma {
        /// The shape of the distribution; more than 0.
        smoothness: f64,
    },
}

impl fmt::Display for ArrivalPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Poisson => f.write_str("poisson"),
            Self::Constant => f.write_str("constant"),
            Self::Gamma { smoothness } => write!(f, "gamma with smoothness {smoothness}"),
        }
    }
}

/// How many requests arrive, and how they are spread.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestRate {
    /// The mean number of requests per second; more than 0.
    pub per_second: f64,
    /// The law of the gaps.
    pub pattern: ArrivalPattern,
}
