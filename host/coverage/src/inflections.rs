//! Inflections where there are none, and where there is one.

use crate::plugins::THROUGHPUT;
use crate::sweeps::{Metric, conclude, measure};
use crate::table::{Share, Table};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;

/// Metrics without any bend, half of them flat and half of them straight.
struct Straight {
    name: &'static str,
    metrics: usize,
    trials: usize,
    /// Whether one value of each metric varies five times as much as the others.
    has_noisy_value: bool,
}

const STRAIGHT: [Straight; 5] = [
    Straight { name: "6 metrics, 5 trials", metrics: 6, trials: 5, has_noisy_value: false },
    Straight { name: "40 metrics, 5 trials", metrics: 40, trials: 5, has_noisy_value: false },
    Straight { name: "6 metrics, 3 trials", metrics: 6, trials: 3, has_noisy_value: false },
    Straight { name: "6 metrics, 2 trials", metrics: 6, trials: 2, has_noisy_value: false },
    Straight {
        name: "6 metrics, 5 trials, one value of each varies by 15 %",
        metrics: 6,
        trials: 5,
        has_noisy_value: true,
    },
];

pub(crate) fn false_alarms(sweeps: u32) -> Table {
    let row = |straight: &Straight| vec![straight.name.to_owned(), straight.share(sweeps).text()];
    Table {
        title: "Inflections where there are none",
        about: "Metrics that are flat, or grow in a straight line, with 3 % noise, over 4 to 9 values by tens. A detector\n\
                claims an inflection at every value of every metric; counted are sweeps in which the host lists any of them.",
        header: &["sweep", "any inflection"],
        rows: STRAIGHT.iter().map(row).collect(),
    }
}

impl Straight {
    fn share(&self, sweeps: u32) -> Share {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut share = Share::default();
        for sweep in 0..sweeps {
            let count = 4 + sweep % 6;
            let concurrencies: Vec<f64> = (1..=count).map(|step| f64::from(step) * 10.0).collect();
            share.note(self.has_inflection(&concurrencies, &mut random));
        }
        share
    }

    fn has_inflection(&self, concurrencies: &[f64], random: &mut ChaCha8Rng) -> bool {
        let last = concurrencies.last().copied().unwrap_or_default();
        let flat = |_: f64| 100.0;
        let straight = |concurrency: f64| 5.0 + 2.0 * concurrency;
        let even = |_: f64| 0.03;
        let noisy: Vec<_> = (0..self.metrics)
            .map(|metric| {
                let place = (metric as f64 * 30.0) % last + 10.0;
                move |concurrency: f64| if (concurrency - place).abs() < 5.0 { 0.15 } else { 0.03 }
            })
            .collect();
        let metrics: Vec<Metric<'_>> = noisy
            .iter()
            .enumerate()
            .map(|(position, noisy)| Metric {
                key: format!("metric_{position}"),
                law: if position % 2 == 0 { &flat } else { &straight },
                variation: if self.has_noisy_value { noisy } else { &even },
            })
            .collect();
        let conclusions = conclude(&measure(concurrencies, &metrics, self.trials, random));
        conclusions.trends.iter().any(|trend| !trend.inflection_points().is_empty())
    }
}

/// A sweep over the knee of a batch server with 16 places.
struct Knee {
    name: &'static str,
    concurrencies: &'static [f64],
    trials: usize,
}

const KNEES: [Knee; 5] = [
    Knee {
        name: "2, 4, 8, 16, 32, 64, 5 trials",
        concurrencies: &[2.0, 4.0, 8.0, 16.0, 32.0, 64.0],
        trials: 5,
    },
    Knee {
        name: "8 to 40 in steps of 8, 5 trials",
        concurrencies: &[8.0, 16.0, 24.0, 32.0, 40.0],
        trials: 5,
    },
    Knee {
        name: "4 to 28 in steps of 4, 5 trials",
        concurrencies: &[4.0, 8.0, 12.0, 16.0, 20.0, 24.0, 28.0],
        trials: 5,
    },
    Knee {
        name: "2, 4, 8, 16, 32, 64, 3 trials",
        concurrencies: &[2.0, 4.0, 8.0, 16.0, 32.0, 64.0],
        trials: 3,
    },
    Knee {
        name: "4 to 28 in steps of 4, 3 trials",
        concurrencies: &[4.0, 8.0, 12.0, 16.0, 20.0, 24.0, 28.0],
        trials: 3,
    },
];

pub(crate) fn knees(sweeps: u32) -> Table {
    let row = |knee: &Knee| vec![knee.name.to_owned(), knee.share(sweeps).text()];
    Table {
        title: "A knee at 16",
        about: "The throughput of a server that works on 16 requests at a time, with 3 % noise, beside five metrics without a bend.\n\
                Counted are sweeps in which the inflections of all metrics are exactly the one of the throughput at 16.",
        header: &["sweep", "exactly {16}"],
        rows: KNEES.iter().map(row).collect(),
    }
}

impl Knee {
    fn share(&self, sweeps: u32) -> Share {
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let mut share = Share::default();
        for _ in 0..sweeps {
            share.note(self.is_found(&mut random));
        }
        share
    }

    fn is_found(&self, random: &mut ChaCha8Rng) -> bool {
        let batch = |concurrency: f64| concurrency.min(16.0);
        let flat = |_: f64| 100.0;
        let straight = |concurrency: f64| 5.0 + 2.0 * concurrency;
        let even = |_: f64| 0.03;
        let mut metrics = vec![Metric { key: THROUGHPUT.into(), law: &batch, variation: &even }];
        metrics.extend((0..5).map(|position| Metric {
            key: format!("metric_{position}"),
            law: if position % 2 == 0 { &flat } else { &straight },
            variation: &even,
        }));
        let conclusions = conclude(&measure(self.concurrencies, &metrics, self.trials, random));
        conclusions.trends.iter().all(|trend| {
            let expected: &[f64] = if trend.key == THROUGHPUT { &[16.0] } else { &[] };
            trend.inflection_points() == expected
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_bend_has_an_inflection_in_at_most_five_of_a_hundred_sweeps() {
        for straight in STRAIGHT.iter().filter(|straight| !straight.has_noisy_value) {
            let share = straight.share(300);
            assert!(share.value() <= 0.05 + 2.0 * share.error(), "{}: {}", straight.name, share.text());
        }
    }

    #[test]
    fn a_knee_is_found_alone_in_at_least_nine_of_ten_sweeps() {
        for knee in KNEES.iter().filter(|knee| knee.trials == 5) {
            let share = knee.share(200);
            assert!(share.value() >= 0.9, "{}: {}", knee.name, share.text());
        }
    }
}
