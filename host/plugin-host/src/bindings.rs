//! The contract in Rust: types and calls made from `wit/` by wasmtime, and how the model's words become theirs.
//!
//! One world takes in the worlds of all kinds, so that they share one set of types. No component has to export
//! all of them: [`interface`](crate::interface) looks up one exported interface at a time.

wasmtime::component::bindgen!({
    path: "../../wit",
    inline: "
        package aiperf:host;
        world plugin {
            include aiperf:plugin/endpoint-plugin@0.1.0;
            include aiperf:plugin/objective-plugin@0.1.0;
            include aiperf:plugin/pareto-plugin@0.1.0;
            include aiperf:plugin/trend-plugin@0.1.0;
        }
    ",
    world: "aiperf:host/plugin",
    // Events and measurements are lent to the call instead of copied into it.
    ownership: Borrowing { duplicate_if_necessary: false },
    // For plugins that are shared libraries, which are given the same words.
    additional_derives: [serde::Serialize],
});

use aiperf_model::conclusion::Direction;
use aiperf_model::plugin::PluginError;
use aiperf_model::point::Interval;

use crate::answer::shortened;

pub(crate) use self::aiperf::plugin::{log, types};
pub(crate) use self::exports::aiperf::plugin::{endpoint, objective, pareto, trend};

/// The version of the contract in `wit/`. A component of another version fits if it differs in the last number only.
pub(crate) const CONTRACT_VERSION: &str = "0.1.0";

impl From<types::Error> for PluginError {
    fn from(error: types::Error) -> Self {
        match error {
            types::Error::InvalidSettings(text) => Self::InvalidSettings(shortened(text)),
            types::Error::Unsupported(text) => Self::Unsupported(shortened(text)),
            types::Error::Malformed(text) => Self::Malformed(shortened(text)),
            types::Error::Server(text) => Self::Server(shortened(text)),
            types::Error::Other(text) => Self::Other(shortened(text)),
        }
    }
}

impl From<Direction> for types::Direction {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Minimize => Self::Minimize,
            Direction::Maximize => Self::Maximize,
        }
    }
}

impl From<types::Direction> for Direction {
    fn from(direction: types::Direction) -> Self {
        match direction {
            types::Direction::Minimize => Self::Minimize,
            types::Direction::Maximize => Self::Maximize,
        }
    }
}

impl From<Interval> for types::Interval {
    fn from(interval: Interval) -> Self {
        Self { low: interval.low, high: interval.high, level: interval.level }
    }
}

impl From<types::Interval> for Interval {
    fn from(interval: types::Interval) -> Self {
        Self { low: interval.low, high: interval.high, level: interval.level }
    }
}
