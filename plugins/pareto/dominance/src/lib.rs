//! The criterion `dominance`: a point is optimal if no other is at least as good on every objective and better
//! on one. Equal points are both optimal.

use aiperf_plugin::pareto::{self, Axis, Candidate, Judgement, ParetoCriterion};
use aiperf_plugin::{Result, register_pareto};
use serde::Deserialize;

/// Pareto dominance of the means.
#[derive(Deserialize)]
struct Dominance {}

impl ParetoCriterion for Dominance {
    fn judge(&self, axes: &[Axis], candidates: &[Candidate]) -> Result<Vec<Judgement>> {
        let judge =
            |dominator: Option<usize>| dominator.map_or_else(Judgement::optimal, Judgement::dominated_by);
        Ok(pareto::dominators(axes, candidates).into_iter().map(judge).collect())
    }
}

register_pareto!(Dominance, name = "dominance");

#[cfg(test)]
mod tests {
    use aiperf_plugin::pareto::Standing;
    use aiperf_plugin::{Direction, testing};

    use super::*;

    fn standings<const AXES: usize>(directions: [Direction; AXES], means: &[[f64; AXES]]) -> Vec<Standing> {
        let axes = testing::axes(&directions.map(|direction| ("objective", direction)));
        let judgements = Dominance {}.judge(&axes, &testing::candidates(means)).unwrap();
        judgements.into_iter().map(|judgement| judgement.standing).collect()
    }

    const TRADE: [Direction; 2] = [Direction::Maximize, Direction::Minimize];

    #[test]
    fn all_points_of_a_rising_trade_off_are_optimal() {
        let means = [[95.2, 125.4], [175.8, 145.2], [245.3, 180.5], [255.1, 285.7]];
        assert_eq!(standings(TRADE, &means), vec![Standing::Optimal; 4]);
    }

    #[test]
    fn a_point_that_is_worse_on_both_sides_names_an_optimal_one() {
        let means = [[3.0, 3.0], [2.0, 2.0], [1.0, 3.0], [2.0, 1.0], [3.0, 4.0]];
        assert_eq!(
            standings(TRADE, &means),
            [
                Standing::Optimal,
                Standing::DominatedBy(3),
                Standing::DominatedBy(0),
                Standing::Optimal,
                Standing::DominatedBy(0)
            ]
        );
    }

    #[test]
    fn equal_points_are_both_optimal() {
        assert_eq!(standings(TRADE, &[[1.0, 1.0], [1.0, 1.0]]), vec![Standing::Optimal; 2]);
    }

    #[test]
    fn a_third_objective_can_save_a_point() {
        let axes = [Direction::Maximize, Direction::Minimize, Direction::Minimize];
        assert_eq!(
            standings(axes, &[[2.0, 1.0, 9.0], [1.0, 2.0, 3.0], [1.0, 2.0, 9.0]]),
            [Standing::Optimal, Standing::Optimal, Standing::DominatedBy(0)]
        );
    }

    #[test]
    fn no_candidates_are_no_judgements() {
        assert_eq!(standings(TRADE, &[]), []);
    }
}
