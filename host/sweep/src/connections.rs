//! Whether there is room for all connections, which is to be known before the first run.

use crate::benchmark::Benchmark;
use crate::error::SweepError;
use aiperf_load::files_for;
use aiperf_plan::{RunSettings, Servers};

/// Refuses a benchmark that may run out of connections.
pub(crate) fn check(benchmark: &Benchmark<'_>) -> Result<(), SweepError> {
    let Some(most) = benchmark.transport.sockets.most() else { return Ok(()) };
    let values = benchmark.plan.values.iter();
    let needed =
        values.filter_map(|value| needed(&benchmark.config.settings(value))).max().unwrap_or_default();
    if u64::from(needed) <= most {
        return Ok(());
    }
    let holds_server = matches!(benchmark.config.server.servers, Servers::Simulator { .. });
    Err(SweepError::Connections { needed, most, files: files_for(needed.into(), holds_server) })
}

/// How many connections a run may open, or none if that depends on the server alone: a request takes one while it lasts.
fn needed(settings: &RunSettings) -> Option<u32> {
    let slots = settings.concurrency?;
    Some(settings.requests.map_or(slots, |requests| requests.min(slots)))
}
