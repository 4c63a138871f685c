//! How well an open loop keeps to its process.
//!
//! Two workers share the one core of the client in the first row, which must not show in the process. The second row
//! is about the precision of one worker, which such company would ruin.

use crate::Bench;
use crate::aiperf;
use crate::table::Row;
use anyhow::Result;

/// A Poisson process and a constant rate.
pub(crate) fn rows(bench: &Bench) -> Result<Vec<Row>> {
    let (_server, url) = aiperf::simulate(&bench.program, 5.0, 1.0)?;
    let run = |load: &str| {
        let load = format!("{load} --warmup-request-count 200 --isl 50 --osl 4");
        aiperf::profile(&bench.program, &url, &load)
    };
    let poisson = run("--request-rate 500 --arrival-pattern poisson --num-prompts 20000 --workers 2")?;
    let constant = run("--request-rate 1000 --arrival-pattern constant --num-prompts 20000 --workers 1")?;
    Ok(vec![
        Row {
            what: "CV of Poisson arrivals at 500/s, 20,000 of them, 2 workers".into(),
            goal: "1 ± 0.018 (99 %)",
            seen: format!("{:.4}", poisson.value("inter_arrival_cv", "avg")?),
        },
        Row {
            what: "sent after the due time at a constant 1000/s, p99".into(),
            goal: "0.2 ms",
            seen: format!(
                "{:.3} ms (p50 {:.3} ms)",
                constant.value("send_delay", "p99")?,
                constant.value("send_delay", "p50")?
            ),
        },
    ])
}
