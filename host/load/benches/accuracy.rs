//! How much later than the simulator's law a client sees tokens, at a concurrency that peers break down at.
//!
//! The simulator knows when each token was due and how late it was itself; what remains is the error of this client
//! and the network stack. On a machine with few cores both compete for them, so read the simulator's lateness first.
//! All answers are equally long, so all requests end and begin together: the time that the server takes to read a
//! burst of them is part of the TTFT here, and no part of its lateness.
//!
//! Then how well an open loop keeps its schedule: how late requests are sent at a constant rate, and how far the gaps
//! between the sends of a Poisson process vary as they should.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark may panic")]

#[path = "../tests/wire/endpoint.rs"]
mod endpoint;

use aiperf_load::{
    BodyMemory, Clock, Control, Length, Processing, RunSpec, Transport, Workload, WorkloadSpec, run,
};
use aiperf_model::arrival::{ArrivalPattern, RequestRate};
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
    latencies();
    open_loops();
}

fn latencies() {
    let query =
        format!("ttft-ms={TTFT_MS}&itl-ms={ITL_MS}&itl-slope-ms=0&prefill-rate=1000000000&max-batch=1000");
    let simulator =
        Simulator::start(Settings::from_query(&query).unwrap(), ([127, 0, 0, 1], 0).into()).unwrap();
    let load = Load {
        requests: REQUESTS,
        warmup_requests: CONCURRENCY,
        output_tokens: OUTPUT_TOKENS,
        concurrency: Some(CONCURRENCY),
        request_rate: None,
        workers: None,
    };
    let records = run_against(&simulator, &load);
    let lateness = simulator.lateness();
    let answers = records.iter().filter_map(|record| Some((record.timing, record.outcome.as_ref().ok()?)));
    let (mut ttft, mut itl): (Vec<_>, Vec<_>) = answers
        .map(|(timing, answer)| {
            let (first, last) = (answer.content[0], answer.content[answer.content.len() - 1]);
            let gap = (last - first) as f64 / f64::from(OUTPUT_TOKENS - 1);
            ((first - timing.send.unwrap()) as f64 / 1e6 - TTFT_MS, gap / 1e6 - ITL_MS)
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
        percentile(&mut ttft, 500),
        percentile(&mut ttft, 990)
    );
    println!(
        "ITL beyond the law:        p50 {:.3} ms, p99 {:.3} ms",
        percentile(&mut itl, 500),
        percentile(&mut itl, 990)
    );
}

/// What a run asks for.
struct Load {
    requests: u32,
    warmup_requests: u32,
    output_tokens: u32,
    concurrency: Option<u32>,
    request_rate: Option<RequestRate>,
    workers: Option<u32>,
}

fn run_against(simulator: &Simulator, load: &Load) -> Vec<Record> {
    let endpoint: Arc<dyn Endpoint> = Arc::new(endpoint::Chat::new());
    let workload_spec = WorkloadSpec {
        model: "model".into(),
        seed: 42,
        prompt_salt: String::new(),
        requests: load.requests,
        warmup_requests: load.warmup_requests,
        dataset: None,
        conversation: None,
        input_length: Length { mean: 50.0, std_dev: 0.0 },
        output_length: Some(Length { mean: f64::from(load.output_tokens), std_dev: 0.0 }),
        streaming: true,
        extra: None,
        body_memory: BodyMemory::in_folder(std::env::temp_dir()),
    };
    let spec = RunSpec {
        urls: vec![simulator.base_url().parse().unwrap()],
        endpoint_path: None,
        transport: Transport::default(),
        headers: vec![],
        concurrency: load.concurrency,
        request_rate: load.request_rate,
        concurrency_ramp: Duration::ZERO,
        request_rate_ramp: Duration::ZERO,
        schedule: None,
        conversations: None,
        seed: 42,
        arrival_seed: 42,
        requests: Some(load.requests),
        duration: None,
        may_end_early: false,
        grace_period: Duration::from_secs(5),
        request_timeout: Duration::from_mins(1),
        unreachable_timeout: Duration::from_secs(5),
        cancellation: None,
        warm_up: true,
        workers: load.workers,
        processing: Processing::default(),
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

fn open_loops() {
    for (per_second, pattern, requests) in [
        (1000.0, ArrivalPattern::Constant, 10_000),
        (500.0, ArrivalPattern::Poisson, 20_000),
        (500.0, ArrivalPattern::Gamma { smoothness: 4.0 }, 10_000),
    ] {
        let query = "ttft-ms=5&itl-ms=1&itl-slope-ms=0&prefill-rate=1000000000&max-batch=1000";
        let simulator =
            Simulator::start(Settings::from_query(query).unwrap(), ([127, 0, 0, 1], 0).into()).unwrap();
        let load = Load {
            requests,
            warmup_requests: 500,
            output_tokens: 4,
            concurrency: None,
            request_rate: Some(RequestRate { per_second, pattern }),
            workers: Some(2),
        };
        let records = run_against(&simulator, &load);
        let mut delays: Vec<f64> = records
            .iter()
            .filter_map(|record| Some((record.timing.send? - record.timing.due) as f64 / 1e6))
            .collect();
        let (rate, cv) = rate_and_variation(records.iter().filter_map(|record| record.timing.send));
        let (_, asked_cv) = rate_and_variation(records.iter().map(|record| record.timing.due));
        println!(
            "open loop, {per_second} requests/s ({pattern}), 2 workers, {} of {requests} requests",
            records.len()
        );
        println!(
            "sent after the due time:   p50 {:.3} ms, p99 {:.3} ms, p99.9 {:.3} ms",
            percentile(&mut delays, 500),
            percentile(&mut delays, 990),
            percentile(&mut delays, 999)
        );
        println!(
            "achieved:                  {rate:.2} requests/s, CV {cv:.4} (CV of the due times {asked_cv:.4})"
        );
    }
}

/// Per second, and the coefficient of variation of the gaps.
fn rate_and_variation(times: impl Iterator<Item = u64>) -> (f64, f64) {
    let mut times: Vec<u64> = times.collect();
    times.sort_unstable();
    let gaps: Vec<f64> = times.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / 1e9).collect();
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
    (1.0 / mean, variance.sqrt() / mean)
}

fn percentile(values: &mut [f64], per_mille: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() - 1) * per_mille / 1000]
}
