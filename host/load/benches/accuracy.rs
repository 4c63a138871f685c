//! How much later than the simulator's law a client sees tokens, at a concurrency that peers break down at.
//!
//! The simulator knows when each token was due and how late it was itself; what remains is the error of this client
//! and the network stack. On a machine with few cores both compete for them, so read the simulator's lateness first.
//! All answers are equally long, so all requests end and begin together: the time that the server takes to read a
//! burst of them is part of the TTFT here, and no part of its lateness.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark may panic")]

#[path = "../tests/wire/endpoint.rs"]
mod endpoint;

use aiperf_load::{Clock, Control, Length, RunSpec, Workload, WorkloadSpec, run};
use aiperf_model::plugin::Endpoint;
use aiperf_model::record::{Phase, Record};
use aiperf_simulator::{Settings, Simulator};
use std::sync::Arc;
use std::time::Duration;

const CONCURRENCY: u32 = 200;
const REQUESTS: u32 = 2000;
const OUTPUT_TOKENS: u32 = 32;
const TTFT_MS: f64 = 50.0;
const ITL_MS: f64 = 10.0;

fn main() {
    let query =
        format!("ttft-ms={TTFT_MS}&itl-ms={ITL_MS}&itl-slope-ms=0&prefill-rate=1000000000&max-batch=1000");
    let simulator =
        Simulator::start(Settings::from_query(&query).unwrap(), ([127, 0, 0, 1], 0).into()).unwrap();
    let records = run_against(&simulator);
    let lateness = simulator.lateness();
    let answers = records.iter().filter_map(|record| Some((record.timing, record.outcome.as_ref().ok()?)));
    let (mut ttft, mut itl): (Vec<_>, Vec<_>) = answers
        .map(|(timing, answer)| {
            let (first, last) = (answer.content[0], answer.content[answer.content.len() - 1]);
            let gap = (last - first) as f64 / f64::from(OUTPUT_TOKENS - 1);
            ((first - timing.send) as f64 / 1e6 - TTFT_MS, gap / 1e6 - ITL_MS)
        })
        .unzip();
    println!(
        "concurrency {CONCURRENCY}, TTFT {TTFT_MS} ms, ITL {ITL_MS} ms, {} of {REQUESTS} requests",
        ttft.len()
    );
    println!(
        "the server's own lateness: p50 {:.3} ms, p99 {:.3} ms",
        lateness.p50_us / 1e3,
        lateness.p99_us / 1e3
    );
    println!(
        "TTFT beyond the law:       p50 {:.3} ms, p99 {:.3} ms",
        percentile(&mut ttft, 50),
        percentile(&mut ttft, 99)
    );
    println!(
        "ITL beyond the law:        p50 {:.3} ms, p99 {:.3} ms",
        percentile(&mut itl, 50),
        percentile(&mut itl, 99)
    );
}

fn run_against(simulator: &Simulator) -> Vec<Record> {
    let endpoint: Arc<dyn Endpoint> = Arc::new(endpoint::Chat::new());
    let workload_spec = WorkloadSpec {
        model: "model".into(),
        seed: 42,
        requests: REQUESTS,
        warmup_requests: CONCURRENCY,
        input_length: Length { mean: 50.0, std_dev: 0.0 },
        output_length: Some(Length { mean: f64::from(OUTPUT_TOKENS), std_dev: 0.0 }),
        streaming: true,
        extra: None,
    };
    let spec = RunSpec {
        urls: vec![simulator.base_url().parse().unwrap()],
        endpoint_path: None,
        headers: vec![],
        concurrency: CONCURRENCY,
        requests: Some(REQUESTS),
        duration: None,
        grace_period: Duration::from_secs(5),
        request_timeout: Duration::from_mins(1),
        warm_up: true,
        workers: None,
    };
    let workload = Workload::prepare(&workload_spec, &*endpoint).unwrap();
    let mut records = vec![];
    run(Clock::start(), &spec, &workload, &endpoint, &Control::new(), &mut |record| {
        if record.timing.phase == Phase::Profiling {
            records.push(record);
        }
        Ok(())
    })
    .unwrap();
    records
}

fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() - 1) * percent / 100]
}
