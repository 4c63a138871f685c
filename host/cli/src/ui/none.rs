//! The interface that shows nothing while the benchmark runs.

use aiperf_sweep::{Event, Observer};

/// Ignores every event.
pub(crate) struct Silent;

impl Observer for Silent {
    fn notify(&mut self, _: Event<'_>) {}
}
