//! Which value is named the best where several are as good.

use crate::plugins::THROUGHPUT;
use crate::sweeps::{Metric, conclude, measure};
use crate::table::{Share, Table};
use aiperf_model::conclusion::BestConfiguration;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;

/// A throughput that grows up to a concurrency and then stays.
struct Plateau {
    name: &'static str,
    /// The places of the server.
    batch: f64,
    concurrencies: &'static [f64],
    variation: f64,
    trials: usize,
}

const PLATEAUS: [Plateau; 5] = [
    Plateau {
        name: "three neighbours on a plateau, 3 % noise, 5 trials",
        batch: 20.0,
        concurrencies: &[10.0, 20.0, 30.0, 40.0],
        variation: 0.03,
        trials: 5,
    },
    Plateau {
        name: "nine on a plateau (40 to 120), 3 % noise, 5 trials",
        batch: 40.0,
        concurrencies: &[40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0, 110.0, 120.0],
        variation: 0.03,
        trials: 5,
    },
    Plateau {
        name: "nine on a plateau (40 to 120), 0.3 % noise, 1 trial",
        batch: 40.0,
        concurrencies: &[40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0, 110.0, 120.0],
        variation: 0.003,
        trials: 1,
    },
    Plateau {
        name: "none: the last of four is 5 % above the one before, 1 % noise, 5 trials",
        batch: 42.0,
        concurrencies: &[10.0, 20.0, 40.0, 50.0],
        variation: 0.01,
        trials: 5,
    },
    Plateau {
        name: "none: the last of four is 33 % above the one before, 3 % noise, 5 trials",
        batch: 64.0,
        concurrencies: &[10.0, 20.0, 30.0, 40.0],
        variation: 0.03,
        trials: 5,
    },
];

pub(crate) fn plateaus(sweeps: u32) -> Table {
    let row = |plateau: &Plateau| {
        let (named, tied) = plateau.shares(sweeps);
        vec![plateau.name.to_owned(), named.text(), tied.text()]
    };
    Table {
        title: "The best configuration",
        about: "The throughput of a batch server. Counted are sweeps in which the lowest concurrency with the highest true\n\
                throughput is named the best, and those in which it and the values that are tied with it are exactly those that\n\
                have it.",
        header: &["sweep", "the right one is named", "exactly the right ones are tied"],
        rows: PLATEAUS.iter().map(row).collect(),
    }
}

impl Plateau {
    fn shares(&self, sweeps: u32) -> (Share, Share) {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let (mut named, mut tied) = (Share::default(), Share::default());
        let highest = self.concurrencies.iter().fold(0.0, |highest: f64, at| highest.max(at.min(self.batch)));
        let right: Vec<u32> = (0..)
            .zip(self.concurrencies)
            .filter(|(_, at)| at.min(self.batch) >= highest)
            .map(|(index, _)| index)
            .collect();
        for _ in 0..sweeps {
            let Some(best) = self.best(&mut random) else { continue };
            named.note(right.first() == Some(&best.point_index));
            let mut all: Vec<u32> = best.tied_with.iter().map(|tied| tied.point_index).collect();
            all.push(best.point_index);
            all.sort_unstable();
            tied.note(all == right);
        }
        (named, tied)
    }

    fn best(&self, random: &mut ChaCha8Rng) -> Option<BestConfiguration> {
        let law = |concurrency: f64| concurrency.min(self.batch);
        let variation = |_: f64| self.variation;
        let throughput = Metric { key: THROUGHPUT.into(), law: &law, variation: &variation };
        let points = measure(self.concurrencies, &[throughput], self.trials, random);
        conclude(&points).best.into_iter().next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_of_a_plateau_is_named_in_nine_of_ten_sweeps() {
        for plateau in &PLATEAUS[..3] {
            let (named, _) = plateau.shares(300);
            assert!(named.value() >= 0.9 - 2.0 * named.error(), "{}: {}", plateau.name, named.text());
        }
    }

    #[test]
    fn what_is_better_is_named() {
        for plateau in &PLATEAUS[3..] {
            let (named, tied) = plateau.shares(300);
            assert!(named.value() >= 0.95 && tied.value() >= 0.9, "{}: {}", plateau.name, tied.text());
        }
    }
}
