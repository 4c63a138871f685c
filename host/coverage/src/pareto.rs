//! Whether those are optimal of which that is said.

use crate::plugins::{LATENCY, THROUGHPUT};
use crate::sweeps::{Metric, conclude, measure};
use crate::table::{Share, Table};
use aiperf_model::conclusion::{FrontMember, MemberStanding};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;

const LISTS: [&[f64]; 4] = [
    &[2.0, 4.0, 8.0, 16.0, 32.0, 64.0],
    &[10.0, 12.0, 14.0, 16.0, 18.0, 20.0, 22.0],
    &[4.0, 8.0, 12.0, 16.0, 20.0, 24.0, 28.0],
    &[15.0, 16.0, 17.0, 18.0, 19.0],
];
/// How much longer a request takes for each other one in service.
const SLOPES: [f64; 4] = [0.0, 0.005, 0.02, 0.05];
/// The bounds between the bins of the probabilities.
const BOUNDS: [f64; 6] = [0.05, 0.2, 0.4, 0.6, 0.8, 0.95];

/// What was said of the points of one bin, and how many of them are optimal.
#[derive(Clone, Copy, Default)]
struct Bin {
    said: f64,
    truly: Share,
}

pub(crate) fn calibration(sweeps: u32) -> Table {
    let bins = bins(sweeps);
    let edges = |bin: usize| {
        let bound = |at: Option<&f64>, else_: f64| 100.0 * at.copied().unwrap_or(else_);
        let low = bound(bin.checked_sub(1).and_then(|before| BOUNDS.get(before)), 0.0);
        format!("{low:.0} to {:.0} %", bound(BOUNDS.get(bin), 1.0))
    };
    let row = |(position, bin): (usize, &Bin)| {
        let said = bin.said / f64::from(bin.truly.total().max(1));
        vec![
            edges(position),
            format!("{:.0} %", 100.0 * said),
            bin.truly.text(),
            bin.truly.total().to_string(),
        ]
    };
    Table {
        title: "Pareto membership",
        about: "Throughput against latency of a batch server with 16 places, whose requests take up to 5 % longer for each other one in\n\
                service, with 3 % noise and 5 trials, over four lists of values around 16. A point is truly optimal if it is with the\n\
                true figures. Of the points of which a probability is said, about as many should be optimal.",
        header: &["probability", "said on average", "truly optimal", "points"],
        rows: bins.iter().enumerate().map(row).collect(),
    }
}

fn bins(sweeps: u32) -> Vec<Bin> {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let mut bins = vec![Bin::default(); BOUNDS.len() + 1];
    for sweep in 0..sweeps as usize {
        let list = LISTS.get(sweep % LISTS.len()).copied().unwrap_or_default();
        let slope = SLOPES.get(sweep / LISTS.len() % SLOPES.len()).copied().unwrap_or_default();
        let truth = front(list, slope, 0.0, 1, &mut random);
        for (true_member, member) in truth.iter().zip(front(list, slope, 0.03, 5, &mut random)) {
            let Some(probability) = member.probability else { continue };
            let bin = BOUNDS.iter().filter(|bound| probability >= **bound).count();
            if let Some(bin) = bins.get_mut(bin) {
                bin.said += probability;
                bin.truly.note(true_member.standing == MemberStanding::Optimal);
            }
        }
    }
    bins
}

/// The front of a sweep, with so much noise.
fn front(list: &[f64], slope: f64, noise: f64, trials: usize, random: &mut ChaCha8Rng) -> Vec<FrontMember> {
    let throughput = |concurrency: f64| {
        let active = concurrency.min(16.0);
        10.0 * active / (1.0 + slope * active)
    };
    let latency = |concurrency: f64| 1000.0 * concurrency / throughput(concurrency);
    let variation = |_: f64| noise;
    let metrics = [
        Metric { key: THROUGHPUT.into(), law: &throughput, variation: &variation },
        Metric { key: LATENCY.into(), law: &latency, variation: &variation },
    ];
    let points = measure(list, &metrics, trials, random);
    conclude(&points).fronts.into_iter().next().map(|front| front.members).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_of_the_law_is_the_knee_alone_where_latency_does_not_grow_before_it() {
        let mut random = ChaCha8Rng::seed_from_u64(4);
        let standings: Vec<_> = front(LISTS[0], 0.0, 0.0, 1, &mut random)
            .into_iter()
            .map(|member| member.standing == MemberStanding::Optimal)
            .collect();
        assert_eq!(standings, [false, false, false, true, false, false]);
    }

    #[test]
    fn of_those_said_to_be_optimal_about_so_many_are() {
        for bin in bins(240).iter().filter(|bin| bin.truly.total() >= 20) {
            let said = bin.said / f64::from(bin.truly.total());
            let off = (bin.truly.value() - said).abs();
            assert!(off <= 0.2 + 2.0 * bin.truly.error(), "said {said:.2}, are {}", bin.truly.text());
        }
    }
}
