//! Whether the intervals within a run hold what they say, on queues whose long run is known.
//!
//! Simulated time and seeds, so that the result is the same everywhere. A figure that is undetermined says nothing and
//! misses nothing; the share of runs in which a printed interval misses is what a reader is exposed to.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use aiperf_columns::Store;
use aiperf_metrics::{Accumulator, LoadShape, record_metrics};
use aiperf_model::catalogue::MetricId;
use aiperf_model::metrics::{RunMetrics, Statistic};
use aiperf_model::record::{Answer, Phase, Record, Timing, TokenCount, TokenSource};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use std::fmt::Write as _;

const SECOND: f64 = 1e9;

#[derive(Clone, Copy)]
struct Law {
    name: &'static str,
    servers: usize,
    /// A service time with mean 1, from a uniform number.
    service: fn(f64) -> f64,
}

const LAWS: [Law; 3] = [
    Law { name: "M/D/1", servers: 1, service: |_| 1.0 },
    Law { name: "M/M/8", servers: 8, service: |uniform| -uniform.ln() },
    Law { name: "bimodal, 8 servers", servers: 8, service: |uniform| if uniform < 0.9 { 0.5 } else { 5.5 } },
];

fn uniform(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64 + f64::EPSILON
}

/// Poisson arrivals at a load, of which the first ones are left out.
fn open_loop(law: Law, load: f64, left_out: usize, count: usize, seed: u64) -> RunMetrics {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut accumulator = Accumulator::new(LoadShape::Open, &[], &Store::default());
    let mut free = vec![0.0_f64; law.servers];
    let mut due = 0.0;
    for position in 0..left_out + count {
        due -= uniform(&mut random).ln() / load;
        let service = (law.service)(uniform(&mut random)) * law.servers as f64;
        let server = (0..law.servers).min_by(|a, b| free[*a].total_cmp(&free[*b])).unwrap();
        free[server] = due.max(free[server]) + service;
        if position >= left_out {
            let record = record(position as u32, due, free[server]);
            accumulator.add(&record, &record_metrics(&record));
        }
    }
    accumulator.finish()
}

/// Two tokens, both at the end.
fn record(request: u32, send: f64, end: f64) -> Record {
    let [send, end] = [send, end].map(|seconds| (seconds * SECOND) as u64);
    let tokens = Some(TokenCount { count: 2, source: TokenSource::Server });
    Record {
        timing: Timing {
            request,
            conversation: request,
            turn: 0,
            phase: Phase::Profiling,
            worker: 0,
            due: send,
            scheduled: true,
            ready: send,
            send: Some(send),
            first_byte: Some(end),
            end,
            status: Some(200),
            connect: None,
            connect_wait: 0,
            reused_connection: true,
            retries: 0,
        },
        requested_output_tokens: None,
        outcome: Ok(Answer {
            content: vec![end - 1, end],
            first_output: Some(end - 1),
            streamed: true,
            input_tokens: tokens,
            output_tokens: tokens,
            ..Answer::default()
        }),
    }
}

const FIGURES: [Statistic; 4] = [Statistic::Avg, Statistic::P50, Statistic::P90, Statistic::P99];

/// How many intervals were printed, and how many of them missed.
#[derive(Clone, Copy, Default)]
struct Tally {
    printed: u32,
    missed: u32,
}

fn tally(law: Law, load: f64, truth: &RunMetrics, count: usize, runs: u64) -> [Tally; 4] {
    let mut tallies = [Tally::default(); 4];
    for seed in 0..runs {
        let run = open_loop(law, load, 0, count, 1000 + seed);
        for (tally, statistic) in tallies.iter_mut().zip(FIGURES) {
            let truth = truth.statistic(MetricId::RequestLatency, statistic).unwrap();
            let known = run.within_run(MetricId::RequestLatency, statistic).unwrap();
            if let Some(interval) = known.interval {
                tally.printed += 1;
                tally.missed += u32::from(truth < interval.low || truth > interval.high);
            }
        }
    }
    tallies
}

#[test]
fn a_printed_interval_seldom_misses() {
    const RUNS: u64 = 100;
    let mut table = String::from(
        "| law | load | requests | mean | p50 | p90 | p99 |\n|---|---:|---:|---:|---:|---:|---:|\n",
    );
    let mut worst = 0.0_f64;
    for law in LAWS {
        for load in [0.5, 0.8, 0.9] {
            let truth = open_loop(law, load, 20_000, 300_000, 1);
            for count in [400, 1600, 6400] {
                let _ = write!(table, "| {} | {load} | {count} |", law.name);
                for Tally { printed, missed } in tally(law, load, &truth, count, RUNS) {
                    let _ = write!(table, " {missed} of {printed} |");
                    worst = worst.max(f64::from(missed) / RUNS as f64);
                }
                table.push('\n');
            }
        }
    }
    println!("{table}");
    // 8 %, and two standard errors of a hundred runs.
    assert!(worst <= 0.08 + 2.0 * (0.08 * 0.92 / RUNS as f64).sqrt(), "{worst}\n{table}");
}
