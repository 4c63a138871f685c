//! How a file of requests is read, and in which order it is sent.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What the lines of a dataset are. The names are those of AIPerf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatasetType {
    /// One request each.
    SingleTurn,
    /// One conversation each.
    MultiTurn,
    /// One request of a trace each: times and lengths, and the blocks that prompts have in common.
    MooncakeTrace,
    /// One request each, drawn at random.
    RandomPool,
}

impl DatasetType {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::SingleTurn, Self::MultiTurn, Self::MooncakeTrace, Self::RandomPool];

    /// The name in flags, files and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SingleTurn => "single_turn",
            Self::MultiTurn => "multi_turn",
            Self::MooncakeTrace => "mooncake_trace",
            Self::RandomPool => "random_pool",
        }
    }
}

impl Sampling {
    /// The name in flags, files and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sequential => "sequential",
            Self::Shuffle => "shuffle",
            Self::Random => "random",
        }
    }
}

impl fmt::Display for DatasetType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// In which order the entries of a dataset are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampling {
    /// As they stand in the file; from the first again after the last one.
    #[default]
    Sequential,
    /// Each once, in an order that follows from the seed; in the same order again after the last one.
    Shuffle,
    /// Drawn with replacement by the seed.
    Random,
}

/// Which part of the timestamps of a dataset is sent, and which of them is the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScheduleWindow {
    /// Whether the first timestamp is the beginning, and not 0 or `start_ms`.
    pub auto_offset: bool,
    /// The first timestamp that is sent, in milliseconds, which is the beginning.
    pub start_ms: Option<f64>,
    /// The last timestamp that is sent, in milliseconds.
    pub end_ms: Option<f64>,
}
