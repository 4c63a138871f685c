//! How the configuration is written down: times in seconds, limits by the name of their metric.

use aiperf_model::metrics::ServiceLevel;
use serde::Serializer;
use std::time::Duration;

pub(super) fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

pub(super) fn goodput<S: Serializer>(levels: &[ServiceLevel], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(levels.iter().map(|level| (&level.metric.metric().tag, level.limit)))
}
