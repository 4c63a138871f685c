//! What can keep the answer of a plugin from the conclusions.

use aiperf_model::parameter;
use aiperf_model::plugin::PluginError;
use aiperf_model::point::Point;

/// Why a plugin has no part in the conclusions: it said so itself, or the host stopped it or does not believe it. The
/// text goes after the kind and name of the plugin.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("failed on {subject}: {error}")]
pub(crate) struct Fault {
    subject: String,
    error: PluginError,
}

impl Fault {
    /// The plugin could not evaluate or judge this.
    pub(crate) fn failed(subject: impl Into<String>, error: PluginError) -> Self {
        Self { subject: subject.into(), error }
    }
}

/// A point as messages name it.
pub(crate) fn name(point: &Point) -> String {
    if point.parameters.is_empty() {
        format!("point {}", point.index)
    } else {
        parameter::describe(&point.parameters)
    }
}
