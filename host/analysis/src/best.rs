//! The best point by one objective, and those that cannot be told apart from it.

use crate::comparison::{Comparison, Rule};
use crate::scores::{PointScore, Scores};
use aiperf_model::conclusion::{BestConfiguration, Direction, TiedValue};
use aiperf_model::point::Point;

/// The best of these points, which are the ones that were scored; none if the objective has no value for any.
///
/// It is the first one of those that cannot be told apart from the one with the best mean. One that the best mean is
/// preferred to is passed over, though it is tied: something has to be named, and the first of two that differ as far as
/// one can see is more often the worse one.
pub(crate) fn best(scores: &Scores<'_>, points: &[Point], rule: Rule) -> Option<BestConfiguration> {
    let direction = scores.objective.direction();
    let valued: Vec<(&Point, &PointScore)> = points
        .iter()
        .zip(&scores.points)
        .filter_map(|(point, score)| Some((point, score.as_ref()?)))
        .collect();
    let comparison = Comparison::new(rule, valued.iter().map(|(_, score)| score.estimate).collect());
    let top = highest(direction, &valued)?;
    let tied: Vec<usize> = (0..valued.len())
        .filter(|position| *position == top || !comparison.difference(top, *position).is_told_apart)
        .collect();
    let named = tied.iter().copied().find(|position| !comparison.is_preferred(direction, top, *position))?;
    let (point, PointScore { score, unit, metric, .. }) = *valued.get(named)?;
    let others = tied.into_iter().filter(|position| *position != named);
    let tied_with = others.filter_map(|position| {
        let (point, other) = valued.get(position)?;
        let difference = comparison.difference(position, named);
        Some(TiedValue {
            point_index: point.index,
            parameters: point.parameters.clone(),
            value: other.score.mean,
            difference: difference.gap,
            interval: difference.interval,
        })
    });
    Some(BestConfiguration {
        objective: scores.objective.identity().name.clone(),
        direction,
        point_index: point.index,
        parameters: point.parameters.clone(),
        value: score.mean,
        unit: unit.clone(),
        metric: metric.clone(),
        confidence: score.confidence,
        tied_with: tied_with.collect(),
        uncertainty: comparison.uncertainty(),
    })
}

/// The position of the best mean, of equal ones the first.
fn highest(direction: Direction, valued: &[(&Point, &PointScore)]) -> Option<usize> {
    let means = valued.iter().map(|(_, score)| score.score.mean).enumerate();
    let best = means.reduce(|best, next| if is_better(direction, next.1, best.1) { next } else { best });
    best.map(|(position, _)| position)
}

fn is_better(direction: Direction, value: f64, other: f64) -> bool {
    match direction {
        Direction::Minimize => value < other,
        Direction::Maximize => value > other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scores;
    use crate::testing::{self, Reader};
    use aiperf_model::conclusion::Uncertainty;

    const RULE: Rule = Rule { level: 0.95, material: 0.01 };

    fn best_of(direction: Direction, values: &[&[f64]]) -> Option<BestConfiguration> {
        let points: Vec<Point> = values
            .iter()
            .enumerate()
            .map(|(index, trials)| match trials {
                [] => testing::point(index as u32, &[]),
                trials => testing::point(index as u32, &[("request_latency_avg_ms", trials)]),
            })
            .collect();
        let objective = Reader::new("latency", direction, "request_latency_avg_ms");
        best(&scores::score(&objective, &points).unwrap(), &points, RULE)
    }

    #[test]
    fn the_direction_decides() {
        let values: [&[f64]; 3] = [&[2.0], &[3.0], &[1.0]];
        assert_eq!(best_of(Direction::Minimize, &values).unwrap().point_index, 2);
        assert_eq!(best_of(Direction::Maximize, &values).unwrap().point_index, 1);
    }

    #[test]
    fn ties_go_to_the_smallest_value() {
        let values: [&[f64]; 4] = [&[2.0], &[1.0], &[1.0], &[2.0]];
        assert_eq!(best_of(Direction::Minimize, &values).unwrap().point_index, 1);
        assert_eq!(best_of(Direction::Maximize, &values).unwrap().point_index, 0);
    }

    #[test]
    fn points_without_a_value_are_passed_over() {
        assert_eq!(best_of(Direction::Minimize, &[&[], &[5.0], &[]]).unwrap().point_index, 1);
        assert!(best_of(Direction::Minimize, &[&[], &[]]).is_none());
    }

    #[test]
    fn of_those_that_cannot_be_told_apart_the_first_is_named_with_the_others() {
        let plateau: [&[f64]; 4] =
            [&[50.0, 51.0, 49.0], &[99.0, 101.0, 100.0], &[101.0, 103.0, 99.0], &[100.5, 98.0, 102.0]];
        let best = best_of(Direction::Maximize, &plateau).unwrap();
        assert_eq!((best.point_index, best.value, best.uncertainty), (1, 100.0, Uncertainty::Trials));
        let tied: Vec<_> = best.tied_with.iter().map(|tied| (tied.point_index, tied.difference)).collect();
        assert_eq!(tied[0], (2, 1.0));
        assert_eq!(tied.len(), 2);
        let interval = best.tied_with[0].interval.unwrap();
        assert!(interval.low < 0.0 && interval.high > 0.0, "{interval:?}");
    }

    #[test]
    fn a_single_trial_ties_what_does_not_matter_and_says_that_nothing_else_is_known() {
        let best = best_of(Direction::Maximize, &[&[100.0], &[100.9], &[100.5], &[97.0]]).unwrap();
        assert_eq!((best.point_index, best.uncertainty), (0, Uncertainty::Unknown));
        let tied: Vec<u32> = best.tied_with.iter().map(|tied| tied.point_index).collect();
        assert_eq!(tied, [1, 2]);
        assert!(best.tied_with.iter().all(|tied| tied.interval.is_none()));
    }

    #[test]
    fn the_best_says_what_it_is_and_how_sure() {
        let best = best_of(Direction::Minimize, &[&[4.0, 6.0], &[9.0, 9.0]]).unwrap();
        assert_eq!((best.objective.as_str(), best.value, best.unit.as_str()), ("latency", 5.0, "ms"));
        assert_eq!(best.metric.as_deref(), Some("request_latency_avg_ms"));
        assert_eq!(best.parameters, testing::point(0, &[]).parameters);
        assert!(best.confidence.is_some());
    }
}
