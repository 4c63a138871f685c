//! How much later than a server of known latency the client says tokens arrive.

use crate::Bench;
use crate::aiperf;
use crate::table::Row;
use anyhow::{Context as _, Result};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

const CONCURRENCY: u32 = 200;
const REQUESTS: u32 = 6000;
const TTFT_MS: f64 = 50.0;
const ITL_MS: f64 = 10.0;

/// TTFT and ITL beyond the law, beside the server's own lateness.
pub(crate) fn rows(bench: &Bench) -> Result<Vec<Row>> {
    let (_server, url) = aiperf::simulate(&bench.program, TTFT_MS, ITL_MS)?;
    let load = format!(
        "--concurrency {CONCURRENCY} --num-prompts {REQUESTS} --warmup-request-count {CONCURRENCY} --isl 50 --osl 32"
    );
    let run = aiperf::profile(&bench.program, &url, &load)?;
    let late = lateness(&url)?;
    let beyond =
        |metric: &str, statistic: &str, law: f64| Ok::<_, anyhow::Error>(run.value(metric, statistic)? - law);
    let ttft =
        [beyond("time_to_first_token", "p50", TTFT_MS)?, beyond("time_to_first_token", "p99", TTFT_MS)?];
    let itl = beyond("inter_token_latency", "p50", ITL_MS)?;
    Ok(vec![
        Row {
            what: format!("TTFT beyond the server's {TTFT_MS} ms at c={CONCURRENCY}"),
            goal: "over its own lateness: p50 +0.3 ms, p99 +2 ms",
            seen: format!(
                "p50 {:+.2} ms, p99 {:+.2} ms, of which the server was late by {:.2} and {:.2} ms",
                ttft[0], ttft[1], late.0, late.1
            ),
        },
        Row {
            what: format!("ITL error at c={CONCURRENCY}, p50"),
            goal: "0.05 ms",
            seen: format!("{itl:+.3} ms"),
        },
    ])
}

/// The simulator's own, p50 and p99 in milliseconds, as its metrics page has it.
fn lateness(url: &str) -> Result<(f64, f64)> {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://"))?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut page = String::new();
    stream.read_to_string(&mut page)?;
    let quantile = |quantile: &str| {
        let name = format!("aiperf_simulator_lateness_seconds{{quantile=\"{quantile}\"}} ");
        let value = page.lines().find_map(|line| line.strip_prefix(&name)?.parse::<f64>().ok());
        Ok::<_, anyhow::Error>(
            value.with_context(|| format!("the simulator's lateness at {quantile}"))? * 1e3,
        )
    };
    Ok((quantile("0.5")?, quantile("0.99")?))
}
