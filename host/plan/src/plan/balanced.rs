//! Sequences of the values, one for each trial, in which no value is favoured by its place.
//!
//! They are the rows of a Williams design (E. J. Williams, "Experimental designs balanced for the estimation of
//! residual effects of treatments", Australian Journal of Scientific Research A 2, 1949): a Latin square, so that in as
//! many trials as there are values each one stands at each place once, in which each value also follows each other one
//! equally often. An odd number of values needs a second square for the latter, which is the mirror of the first.
//!
//! The seed decides which value is which of the design and in which order its rows come. Of an even number of values
//! each second row is the one before it backwards, so that after two trials already a steady drift has touched all
//! values alike.

use sha2::{Digest, Sha256};

/// The sequences of a number of values.
pub(super) struct Sequences {
    /// The values in the order of the design.
    labels: Vec<usize>,
    /// By how much each row is shifted, in the order of the trials.
    shifts: Vec<usize>,
}

impl Sequences {
    pub(super) fn new(values: usize, seed: u64) -> Self {
        let labels = shuffled(values, seed, "balanced values");
        let shifts = if values.is_multiple_of(2) {
            let half = values / 2;
            shuffled(half, seed, "balanced rows").into_iter().flat_map(|row| [row, row + half]).collect()
        } else {
            shuffled(values, seed, "balanced rows")
        };
        Self { labels, shifts }
    }

    /// The positions of the values in the order of a trial, from 1. After all rows the first one comes again.
    pub(super) fn of_trial(&self, trial: u32) -> Vec<usize> {
        let values = self.labels.len();
        let row = (trial as usize).saturating_sub(1);
        let Some(shift) = self.shifts.iter().cycle().nth(row % values.max(1)) else { return Vec::new() };
        let shifted = (0..values).map(|place| (zigzag(place, values) + shift) % values);
        let mut sequence: Vec<usize> = shifted.filter_map(|place| self.labels.get(place).copied()).collect();
        if values % 2 == 1 && (row / values) % 2 == 1 {
            sequence.reverse();
        }
        sequence
    }
}

/// The first row of the square: 0, 1, n − 1, 2, n − 2, …, whose neighbours have all differences.
fn zigzag(place: usize, values: usize) -> usize {
    match place {
        0 => 0,
        odd if odd % 2 == 1 => odd.div_ceil(2),
        even => values - even / 2,
    }
}

/// The numbers below `count` in an order that depends on the seed and the purpose: that of the SHA-256 over the seed (8
/// bytes, little endian), the purpose and the number (8 bytes, little endian).
fn shuffled(count: usize, seed: u64, purpose: &str) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..count).collect();
    numbers.sort_by_cached_key(|number| {
        let seeded = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(purpose);
        <[u8; 32]>::from(seeded.chain_update((*number as u64).to_le_bytes()).finalize())
    });
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn sequences(values: usize, trials: u32) -> Vec<Vec<usize>> {
        let sequences = Sequences::new(values, 42);
        (1..=trials).map(|trial| sequences.of_trial(trial)).collect()
    }

    /// How often each of all cases comes.
    fn counts(cases: impl Iterator<Item = (usize, usize)>) -> Vec<usize> {
        let mut counts = BTreeMap::new();
        cases.for_each(|case| *counts.entry(case).or_insert(0) += 1);
        counts.into_values().collect()
    }

    #[test]
    fn each_trial_runs_each_value_once() {
        for values in 1..=9 {
            for sequence in sequences(values, 20) {
                let mut sorted = sequence.clone();
                sorted.sort_unstable();
                assert_eq!(sorted, (0..values).collect::<Vec<_>>(), "{sequence:?}");
            }
        }
    }

    #[test]
    fn each_value_stands_at_each_place_as_evenly_as_the_number_of_trials_allows() {
        for values in 1..=9_usize {
            for trials in 1..=20_usize {
                let rows = sequences(values, trials as u32);
                let places = counts(rows.iter().flat_map(|row| row.iter().copied().enumerate()));
                let (most, least) = (trials.div_ceil(values), trials / values);
                assert!(places.iter().all(|count| *count == most || *count == least), "{values} x {trials}");
                assert!(trials < values || places.len() == values * values, "{values} x {trials}");
            }
        }
    }

    #[test]
    fn each_value_follows_each_other_one_equally_often() {
        for values in 2..=9_usize {
            let cycle = if values % 2 == 0 { values } else { 2 * values };
            let rows = sequences(values, cycle as u32);
            let pairs = counts(rows.iter().flat_map(|row| row.array_windows().map(|[a, b]| (*a, *b))));
            assert_eq!(pairs, vec![cycle / values; values * (values - 1)], "{values}");
        }
    }

    #[test]
    fn of_an_even_number_each_second_trial_is_the_one_before_backwards() {
        for values in [2, 4, 6, 8] {
            for pair in sequences(values, 2 * values as u32).chunks(2) {
                let backwards: Vec<usize> = pair[0].iter().rev().copied().collect();
                assert_eq!(pair[1], backwards, "{values}");
            }
        }
    }

    #[test]
    fn the_seed_decides() {
        let of = |seed| Sequences::new(8, seed).of_trial(1);
        assert_eq!(of(42), of(42));
        assert_ne!(of(42), of(43));
    }
}
