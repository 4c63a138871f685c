//! Peak memory against the number of requests.

use crate::Bench;
use crate::aiperf;
use crate::process::{SERVER_CORE, Server, part};
use crate::table::Row;
use anyhow::Result;

const CONCURRENCY: u32 = 200;

/// The same load ten times as long, and once more.
pub(crate) fn rows(bench: &Bench) -> Result<Vec<Row>> {
    let server = Server::start(part(SERVER_CORE, &["server", "32"])?)?;
    let url = format!("http://{}", server.greeting);
    let peak = |requests: u32| {
        let load = format!("--concurrency {CONCURRENCY} --num-prompts {requests}");
        Ok::<_, anyhow::Error>(aiperf::profile(&bench.program, &url, &load)?.usage.peak_memory)
    };
    let (tenth, whole, double) = (peak(10_000)?, peak(100_000)?, peak(200_000)?);
    Ok(vec![
        Row {
            what: format!("peak memory, c={CONCURRENCY}, 100,000 requests of 550 + 32 tokens"),
            goal: "150 MB",
            seen: format!("{whole:.0} MiB"),
        },
        Row {
            what: "the same with a tenth, and with twice the requests".into(),
            goal: "flat, but for one number for each request and metric",
            seen: format!("{tenth:.0} MiB, {double:.0} MiB"),
        },
    ])
}
