//! Which run comes after which.

use super::balanced;
use aiperf_model::sweep::{Order, Shape, SweepValue};

/// Every value with every trial, from 1, in order of execution.
pub(super) fn runs(shape: Shape, seed: u64, values: &[SweepValue]) -> Vec<(&SweepValue, u32)> {
    let trials = 1..=shape.trials;
    match shape.order {
        Order::Repeated => trials.flat_map(|trial| values.iter().map(move |value| (value, trial))).collect(),
        Order::Independent => {
            values.iter().flat_map(|value| trials.clone().map(move |trial| (value, trial))).collect()
        }
        Order::Balanced => {
            let sequences = balanced::Sequences::new(values.len(), seed);
            trials
                .flat_map(|trial| {
                    let sequence = sequences.of_trial(trial);
                    sequence.into_iter().filter_map(move |place| Some((values.get(place)?, trial)))
                })
                .collect()
        }
    }
}
