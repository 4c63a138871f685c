//! What conditioned arrivals do to a server, in simulated time: one queue, constant service (M/D/1), by Lindley's recursion
//! w' = max(0, w + service - gap).

use super::{DueTimes, Extent, Process};
use aiperf_model::arrival::{ArrivalPattern, RequestRate};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use rand_distr::{Distribution as _, Exp1};
use std::fmt::Write as _;

const SEEDS: u64 = 1000;

/// The due times of so many Poisson arrivals at a rate, in seconds.
fn due(per_second: f64, seed: u64, known: Option<u32>, count: usize) -> Vec<f64> {
    let rate = RequestRate { per_second, pattern: ArrivalPattern::Poisson };
    let extent = Extent { arrivals: known, length: None };
    let process = Process::new(rate, seed, "arrivals").unwrap().within(0, extent);
    DueTimes::drawn(process).take(count).map(|at| at as f64 / 1e9).collect()
}

/// The same without any condition.
fn unconditioned(per_second: f64, seed: u64, count: usize) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut at = 0.0;
    let mut next = || {
        let gap: f64 = Exp1.sample(&mut random);
        at += gap / per_second;
        at
    };
    (0..count).map(|_| next()).collect()
}

/// How long each arrival waits for a server that takes so many seconds for each.
fn waits(due: &[f64], service: f64) -> Vec<f64> {
    let next = |wait: &mut f64, gap: f64| {
        *wait = (*wait + service - gap).max(0.0);
        Some(*wait)
    };
    let later = due.windows(2).map(|pair| pair[1] - pair[0]).scan(0.0, next);
    std::iter::once(0.0).chain(later).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn p99(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[(sorted.len() - 1) * 99 / 100]
}

fn variation(due: &[f64]) -> f64 {
    let gaps: Vec<f64> = due.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mean = mean(&gaps);
    (gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / (gaps.len() - 1) as f64).sqrt() / mean
}

#[test]
fn neighbouring_rates_are_in_the_right_order() {
    const SERVICE: f64 = 1.0 / 50.0;
    let latency = |rate: f64, seed| {
        let count = 10.0 * rate;
        p99(&waits(&due(rate, seed, Some(count as u32), count as usize), SERVICE))
    };
    let is_in_order = |seeds: [u64; 3]| {
        [38.0, 40.0, 42.0].into_iter().zip(seeds).map(|(rate, seed)| latency(rate, seed)).is_sorted()
    };
    let share = |seeds: fn(u64) -> [u64; 3]| {
        (0..SEEDS).filter(|seed| is_in_order(seeds(*seed))).count() as f64 / SEEDS as f64
    };
    let shared = share(|seed| [seed; 3]);
    assert!(shared > 0.97, "{shared}");
    // The test can see it: schedules that have nothing in common are in order by luck only.
    let own = share(|seed| [3 * seed, 3 * seed + 1, 3 * seed + 2]);
    assert!(own < 0.8, "{own}");
}

/// One row of the table: how far the rate of the first arrivals is off, their variation, and how long they wait.
struct Row {
    /// The largest deviation of the rate over all seeds, in percent.
    rate_error: f64,
    variation: f64,
    /// Mean and p99 of the waits over the service time, at loads of 0.5, 0.8 and 0.9.
    waits: [[f64; 2]; 3],
}

fn row(count: usize, schedule: impl Fn(u64) -> Vec<f64>) -> Row {
    let schedules: Vec<Vec<f64>> = (0..SEEDS).map(schedule).collect();
    let of_all = |figure: &dyn Fn(&Vec<f64>) -> f64| mean(&schedules.iter().map(figure).collect::<Vec<_>>());
    let rate_errors = schedules.iter().map(|due| 100.0 * (count as f64 / due[count - 1] - 1.0).abs());
    let waits = [0.5, 0.8, 0.9]
        .map(|load| [mean as fn(&[f64]) -> f64, p99].map(|of| of_all(&|due| of(&waits(due, load)) / load)));
    Row { rate_error: rate_errors.fold(0.0, f64::max), variation: of_all(&|due| variation(due)), waits }
}

fn line(name: &str, row: &Row, free: &Row) -> String {
    let mut line = format!("| {name} | {:.1} % | {:.3} |", row.rate_error, row.variation);
    for (waits, unconditioned) in row.waits.iter().zip(&free.waits) {
        for (wait, unconditioned) in waits.iter().zip(unconditioned) {
            let _ = write!(line, " {:+.1} % |", 100.0 * (wait / unconditioned - 1.0));
        }
    }
    line + "\n"
}

/// Writes the table into the documentation where `UPDATE_DOCS` is set, and holds it against it elsewhere.
#[test]
fn the_documentation_has_the_table_of_conditioned_arrivals() {
    const START: &str = "<!-- made from host/load/src/arrivals/simulation.rs: UPDATE_DOCS=1 cargo test -p aiperf-load documentation -->\n";
    const END: &str = "<!-- end -->";
    let mut table = String::from(
        "| arrivals | worst rate of 1000 seeds | CV | mean wait, load 0.5 | p99 | mean wait, load 0.8 | p99 | mean wait, load 0.9 | p99 |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for count in [400, 1000, 4000] {
        let free = row(count, |seed| unconditioned(1.0, seed, count));
        let unknown = row(count, |seed| due(1.0, seed, None, count));
        let known = row(count, |seed| due(1.0, seed, Some(count as u32), count));
        table += &line(&format!("first {count}, without conditions"), &free, &free);
        table += &line(&format!("first {count}, end not known"), &unknown, &free);
        table += &line(&format!("all of {count}"), &known, &free);
        assert!(count > 400 || unknown.rate_error < 1e-3);
        assert!(known.rate_error < 1e-3 && unknown.rate_error < 7.0, "{count}");
        assert!(
            (known.variation - free.variation).abs() < 0.01
                && (unknown.variation - free.variation).abs() < 0.01,
            "{count}"
        );
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/methodology.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (before, rest) = text.split_once(START).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let expected = format!("{before}{START}{table}{END}{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        aiperf_files::replace(std::path::Path::new(path), expected.as_bytes()).unwrap();
        return;
    }
    assert_eq!(text, expected, "run the command in the comment above the table");
}
