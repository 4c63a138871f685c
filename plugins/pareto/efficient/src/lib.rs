//! The criterion `efficient`: of the points that nothing dominates, those that no other point replaces at a
//! better price.
//!
//! Axes to maximize are gains, axes to minimize are costs. A point is replaced by another one if that has at
//! least as much of every gain and more of one, and a better ratio of gain to cost: the product of its gains,
//! divided by the product of its costs. For throughput T and latency L: i is replaced by j if `T_j > T_i` and
//! `T_j / L_j > T_i / L_i`, so going from i to j buys relatively more than it costs.
//!
//! A point with the lowest of some cost always stays, since nothing else serves who minds that cost alone.
//! Where all axes are gains, or all are costs, there is no price, and the answer is plain dominance. A value
//! below zero has no ratio; such a point neither replaces nor is replaced.

use aiperf_plugin::pareto::{self, Axis, Candidate, Judgement, ParetoCriterion, Score};
use aiperf_plugin::{Direction, Result, register_pareto};
use serde::Deserialize;

/// Dominance, and then the price.
#[derive(Deserialize)]
struct Efficient {}

impl ParetoCriterion for Efficient {
    fn judge(&self, axes: &[Axis], candidates: &[Candidate]) -> Result<Vec<Judgement>> {
        let dominators = pareto::dominators(axes, candidates);
        let front: Vec<(usize, Offer)> = candidates
            .iter()
            .enumerate()
            .zip(&dominators)
            .filter(|(_, dominator)| dominator.is_none())
            .map(|((position, candidate), _)| (position, Offer::new(axes, candidate)))
            .collect();
        let cheapest = cheapest(&front);
        let judge = |(position, dominator): (usize, &Option<usize>)| {
            let replacement = || replacement(&front, &cheapest, position);
            dominator.or_else(replacement).map_or_else(Judgement::optimal, Judgement::dominated_by)
        };
        Ok(dominators.iter().enumerate().map(judge).collect())
    }
}

/// A point on the front as what it gives and what it costs.
struct Offer {
    gains: Vec<f64>,
    costs: Vec<f64>,
}

impl Offer {
    fn new(axes: &[Axis], candidate: &Candidate) -> Self {
        let along = |direction: Direction| {
            let on_side = move |(axis, _): &(&Axis, &Score)| axis.direction == direction;
            axes.iter().zip(&candidate.scores).filter(on_side).map(|(_, score)| score.mean).collect()
        };
        Self { gains: along(Direction::Maximize), costs: along(Direction::Minimize) }
    }

    fn has_ratio(&self) -> bool {
        self.gains.iter().chain(&self.costs).all(|value| *value >= 0.0)
    }

    /// Whether this offer gives more than `other` at a better price.
    fn replaces(&self, other: &Self) -> bool {
        let pairs = || self.gains.iter().zip(&other.gains);
        let gives_more =
            pairs().all(|(mine, theirs)| mine >= theirs) && pairs().any(|(mine, theirs)| mine > theirs);
        // Multiplied crosswise, so that a cost of zero needs no division.
        let mine = self.gains.iter().chain(&other.costs).product::<f64>();
        let theirs = other.gains.iter().chain(&self.costs).product::<f64>();
        gives_more && mine > theirs && self.has_ratio() && other.has_ratio()
    }
}

/// The lowest value of each cost on the front.
fn cheapest(front: &[(usize, Offer)]) -> Vec<f64> {
    let lower = |left: Vec<f64>, right: &[f64]| {
        left.iter().zip(right).map(|(left, right)| left.min(*right)).collect()
    };
    let mut costs = front.iter().map(|(_, offer)| offer.costs.as_slice());
    let first = costs.next().unwrap_or_default().to_vec();
    costs.fold(first, lower)
}

/// The point of the front that replaces the one at `position`, if any; one that nothing replaces in turn.
fn replacement(front: &[(usize, Offer)], cheapest: &[f64], position: usize) -> Option<usize> {
    let (_, offer) = front.iter().find(|(candidate, _)| *candidate == position)?;
    let replaced_by = |offer: &Offer| {
        let protected = offer.costs.iter().zip(cheapest).any(|(cost, lowest)| cost <= lowest);
        let mut better: Vec<&(usize, Offer)> = Vec::new();
        if !protected {
            better.extend(front.iter().filter(|(_, other)| other.replaces(offer)));
        }
        better
    };
    let better = replaced_by(offer);
    better.iter().find(|(_, other)| replaced_by(other).is_empty()).or(better.first()).map(|(other, _)| *other)
}

register_pareto!(Efficient, name = "efficient");

#[cfg(test)]
mod tests {
    use aiperf_plugin::pareto::Standing;
    use aiperf_plugin::testing;

    use super::*;

    const TRADE: [Direction; 2] = [Direction::Maximize, Direction::Minimize];

    fn standings<const AXES: usize>(directions: [Direction; AXES], means: &[[f64; AXES]]) -> Vec<Standing> {
        let axes = testing::axes(&directions.map(|direction| ("objective", direction)));
        let judgements = Efficient {}.judge(&axes, &testing::candidates(means)).unwrap();
        judgements.into_iter().map(|judgement| judgement.standing).collect()
    }

    fn optimal<const AXES: usize>(directions: [Direction; AXES], means: &[[f64; AXES]]) -> Vec<usize> {
        let standings = standings(directions, means);
        standings
            .iter()
            .enumerate()
            .filter(|(_, standing)| **standing == Standing::Optimal)
            .map(|(at, _)| at)
            .collect()
    }

    #[test]
    fn a_point_is_replaced_where_the_next_buys_more_than_it_costs() {
        let means = [[95.2, 125.4], [175.8, 145.2], [245.3, 180.5], [255.1, 285.7]];
        assert_eq!(
            standings(TRADE, &means),
            [Standing::Optimal, Standing::DominatedBy(2), Standing::Optimal, Standing::Optimal]
        );
    }

    #[test]
    fn a_second_sweep_of_the_same_shape() {
        assert_eq!(
            optimal(TRADE, &[[100.5, 120.5], [180.3, 135.2], [270.8, 155.8], [285.5, 180.3]]),
            [0, 2, 3]
        );
    }

    #[test]
    fn dominated_points_are_out_first() {
        assert_eq!(
            standings(TRADE, &[[10.0, 10.0], [9.0, 11.0], [5.0, 9.0]]),
            [Standing::Optimal, Standing::DominatedBy(0), Standing::Optimal]
        );
    }

    #[test]
    fn the_order_of_candidates_does_not_matter() {
        let mut means = [[95.2, 125.4], [175.8, 145.2], [245.3, 180.5], [255.1, 285.7]];
        means.reverse();
        assert_eq!(optimal(TRADE, &means), [0, 1, 3]);
    }

    #[test]
    fn equal_points_stand_and_fall_together() {
        assert_eq!(optimal(TRADE, &[[1.0, 1.0], [1.0, 1.0]]), [0, 1]);
        assert_eq!(optimal(TRADE, &[[1.0, 1.0], [2.0, 1.5], [2.0, 1.5], [9.0, 2.0]]), [0, 3]);
    }

    #[test]
    fn without_costs_or_without_gains_it_is_dominance() {
        assert_eq!(
            optimal([Direction::Maximize; 2], &[[1.0, 9.0], [2.0, 2.0], [9.0, 1.0], [1.0, 1.0]]),
            [0, 1, 2]
        );
        assert_eq!(
            optimal([Direction::Minimize; 2], &[[1.0, 9.0], [2.0, 2.0], [9.0, 1.0], [9.0, 9.0]]),
            [0, 1, 2]
        );
    }

    #[test]
    fn a_second_cost_enters_the_price_and_protects_its_best() {
        let axes = [Direction::Maximize, Direction::Minimize, Direction::Minimize];
        let means = [[1.0, 1.0, 1.0], [2.0, 1.5, 1.5], [4.0, 2.0, 2.0], [3.0, 1.9, 0.5]];
        assert_eq!(optimal(axes, &means), [0, 2, 3]);
    }

    #[test]
    fn zero_and_negative_values_do_no_harm() {
        assert_eq!(optimal(TRADE, &[[0.0, 1.0], [0.0, 2.0], [1.0, 3.0]]), [0, 2]);
        assert_eq!(optimal(TRADE, &[[1.0, 0.0], [2.0, 1.0], [4.0, 1.5]]), [0, 2]);
        assert_eq!(optimal(TRADE, &[[-1.0, -3.0], [2.0, -2.0], [4.0, -1.0]]), [0, 1, 2]);
        assert_eq!(optimal(TRADE, &[]), [0_usize; 0]);
    }
}
