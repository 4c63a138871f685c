//! Whether the intervals that a single run gives hold what they say, on queues whose long run is known.

use crate::table::{Share, Table};
use aiperf_columns::Store;
use aiperf_metrics::{Accumulator, LoadShape, record_metrics};
use aiperf_model::catalogue::MetricId;
use aiperf_model::metrics::{RunMetrics, Statistic};
use aiperf_model::record::{Answer, Phase, Record, Timing, TokenCount, TokenSource};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

const NANOSECONDS_PER_SECOND: f64 = 1e9;
const LOADS: [f64; 3] = [0.5, 0.8, 0.9];
const REQUESTS: [usize; 3] = [400, 1600, 6400];
const FIGURES: [Statistic; 4] = [Statistic::Avg, Statistic::P50, Statistic::P90, Statistic::P99];

/// A queue: so many servers, and a service time of mean 1 from a uniform number.
#[derive(Clone, Copy)]
struct Queue {
    name: &'static str,
    servers: u8,
    service: fn(f64) -> f64,
}

const QUEUES: [Queue; 3] = [
    Queue { name: "M/D/1", servers: 1, service: |_| 1.0 },
    Queue { name: "M/M/8", servers: 8, service: |uniform| -uniform.ln() },
    Queue {
        name: "bimodal, 8 servers",
        servers: 8,
        service: |uniform| if uniform < 0.9 { 0.5 } else { 5.5 },
    },
];

/// Printed intervals of one figure, and those that miss.
#[derive(Clone, Copy, Default)]
struct Counted {
    printed: Share,
    /// Of all runs.
    missed: Share,
}

/// A tenth of the sweeps are enough runs, since each has hundreds of requests.
pub(crate) fn latencies(sweeps: u32) -> Table {
    let runs = sweeps.div_ceil(10);
    let mut rows = Vec::new();
    for queue in QUEUES {
        for load in LOADS {
            let truth = open_loop(queue, load, 20_000, 300_000, 1);
            for requests in REQUESTS {
                let counted = count(queue, load, requests, &truth, runs);
                let cells = counted.iter().map(|figure| {
                    format!("{:.0} %, {}", 100.0 * figure.printed.value(), figure.missed.text())
                });
                rows.push(
                    std::iter::once(format!("{}, load {load}, {requests} requests", queue.name))
                        .chain(cells)
                        .collect(),
                );
            }
        }
    }
    Table {
        title: "Intervals of a single run",
        about: "Poisson arrivals at a queue that begins empty. Of each figure of the request latency: in how many runs its 95 % interval\n\
                is printed, being undetermined in the others, and in how many of all runs a printed interval misses the long run.\n\
                Where few runs print one, they are the lucky ones among them, and miss more often than 95 % says.",
        header: &["run", "mean", "p50", "p90", "p99"],
        rows,
    }
}

fn count(queue: Queue, load: f64, requests: usize, truth: &RunMetrics, runs: u32) -> [Counted; 4] {
    let mut counted = [Counted::default(); 4];
    for seed in 0..runs {
        let run = open_loop(queue, load, 0, requests, 1000 + u64::from(seed));
        for (figure, statistic) in counted.iter_mut().zip(FIGURES) {
            let truth = truth.statistic(MetricId::RequestLatency, statistic);
            let interval =
                run.within_run(MetricId::RequestLatency, statistic).and_then(|known| known.interval);
            let missed = interval
                .zip(truth)
                .is_some_and(|(interval, truth)| truth < interval.low || truth > interval.high);
            figure.printed.note(interval.is_some());
            figure.missed.note(missed);
        }
    }
    counted
}

/// The metrics of so many requests at a load, after others that are left out.
fn open_loop(queue: Queue, load: f64, left_out: usize, requests: usize, seed: u64) -> RunMetrics {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut uniform = || (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64 + f64::EPSILON;
    let mut accumulator = Accumulator::new(LoadShape::Open, &[], &Store::default());
    let mut free = vec![0.0_f64; queue.servers.into()];
    let mut due = 0.0_f64;
    for position in 0..left_out + requests {
        due -= uniform().ln() / load;
        let service = (queue.service)(uniform()) * f64::from(queue.servers);
        let Some(server) = free.iter_mut().min_by(|a, b| a.total_cmp(b)) else { break };
        *server = due.max(*server) + service;
        if position >= left_out {
            let record = record(position as u32, due, *server);
            accumulator.add(&record, &record_metrics(&record));
        }
    }
    accumulator.finish()
}

/// An answer of two tokens, both at the end.
fn record(request: u32, send: f64, end: f64) -> Record {
    let [send, end] = [send, end].map(|seconds| (seconds * NANOSECONDS_PER_SECOND) as u64);
    let tokens = Some(TokenCount { count: 2, source: TokenSource::Server });
    let timing = Timing {
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
    };
    let answer = Answer {
        content: vec![end - 1, end],
        first_output: Some(end - 1),
        streamed: true,
        input_tokens: tokens,
        output_tokens: tokens,
        ..Answer::default()
    };
    Record { timing, requested_output_tokens: None, outcome: Ok(answer) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_interval_seldom_misses() {
        const RUNS: u32 = 100;
        for queue in QUEUES {
            for load in [0.5, 0.8] {
                let truth = open_loop(queue, load, 20_000, 300_000, 1);
                for figure in count(queue, load, 1600, &truth, RUNS) {
                    // 8 %, and two standard errors of a hundred runs.
                    assert!(
                        figure.missed.value() < 0.135,
                        "{} at {load}: {}",
                        queue.name,
                        figure.missed.text()
                    );
                }
            }
        }
    }
}
