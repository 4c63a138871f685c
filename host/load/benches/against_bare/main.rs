//! How much of a bare HTTP loop's speed is left when every request is measured, read and handed over.
//!
//! Both loops drive the same server on one thread, in turns, with the same bodies and the same concurrency. The bare
//! one is hyper, reading bodies and throwing them away. Only the ratio means something: on a machine with two cores
//! the server has one of them, and our reader threads share the other one with the loop that is measured.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark may panic")]

mod bare_client;
mod bare_server;
#[path = "../../tests/wire/endpoint.rs"]
mod endpoint;
mod idle_endpoint;

use aiperf_load::{Clock, Control, Length, RunSpec, Workload, WorkloadSpec, run};
use aiperf_model::plugin::Endpoint;
use bare_server::BareServer;
use bytes::Bytes;
use idle_endpoint::Idle;
use std::sync::Arc;
use std::time::{Duration, Instant};

const CONCURRENCY: u32 = 50;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(1);

fn main() {
    let start = Instant::now();
    let spec = WorkloadSpec { input_length: Length { mean: 550.0, std_dev: 0.0 }, ..workload_spec() };
    let workload = Workload::prepare(&spec, &endpoint::Chat::new()).unwrap();
    let (requests, elapsed) = (workload.profiling_bodies().len(), start.elapsed());
    println!("{requests} requests of 550 tokens prepared in {:.1} ms", elapsed.as_secs_f64() * 1e3);
    println!(
        "requests/s of a bare hyper loop and ours, concurrency {CONCURRENCY}, median of {ROUNDS} ratios"
    );
    for tokens in [1, 32] {
        compare(tokens, "responses not read", &(Arc::new(Idle::new()) as Arc<dyn Endpoint>));
        compare(tokens, "read with serde_json", &(Arc::new(endpoint::Chat::new()) as Arc<dyn Endpoint>));
    }
}

fn compare(tokens: usize, what: &str, endpoint: &Arc<dyn Endpoint>) {
    let server = BareServer::start(tokens);
    let workload = Workload::prepare(&workload_spec(), &**endpoint).unwrap();
    let bodies: Vec<_> = workload.profiling_bodies().map(Bytes::copy_from_slice).collect();
    let mut rounds: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let bare = bare_client::requests_per_second(server.address, &bodies, CONCURRENCY, ROUND);
            let ours = our_requests_per_second(&server, &workload, endpoint);
            (ours / bare, bare, ours)
        })
        .collect();
    rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    if let Some((ratio, bare, ours)) = rounds.get(ROUNDS / 2) {
        println!("{tokens:2} tokens, {what:20}: ratio {ratio:.2} (bare {bare:.0}/s, ours {ours:.0}/s)");
    }
}

fn workload_spec() -> WorkloadSpec {
    WorkloadSpec {
        model: "model".into(),
        seed: 42,
        requests: 1000,
        warmup_requests: 0,
        input_length: Length { mean: 100.0, std_dev: 0.0 },
        output_length: None,
        streaming: true,
        extra: None,
    }
}

fn our_requests_per_second(server: &BareServer, workload: &Workload, endpoint: &Arc<dyn Endpoint>) -> f64 {
    let spec = RunSpec {
        urls: vec![server.address.to_string().parse().unwrap()],
        endpoint_path: None,
        headers: vec![],
        concurrency: Some(CONCURRENCY),
        request_rate: None,
        seed: 42,
        requests: None,
        duration: Some(ROUND),
        grace_period: Duration::from_secs(5),
        request_timeout: Duration::from_mins(1),
        warm_up: false,
        workers: Some(1),
    };
    let start = Instant::now();
    let outcome = run(Clock::start(), &spec, workload, endpoint, &Control::new(), &mut |_| Ok(())).unwrap();
    assert_eq!(outcome.counts.succeeded, outcome.counts.sent);
    // Until the last record is there: what is still unread when the load ends costs time too.
    outcome.counts.succeeded as f64 / start.elapsed().as_secs_f64()
}
