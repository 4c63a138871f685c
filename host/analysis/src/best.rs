//! The best point by one objective.

use crate::scores::{PointScore, Scores};
use aiperf_model::conclusion::{BestConfiguration, Direction};
use aiperf_model::point::Point;

/// The best of these points, which are the ones that were scored. Of equally good points the first one is best;
/// none is if the objective has no value for any.
pub(crate) fn best(scores: &Scores<'_>, points: &[Point]) -> Option<BestConfiguration> {
    let direction = scores.objective.direction();
    let valued =
        points.iter().zip(&scores.points).filter_map(|(point, score)| Some((point, score.as_ref()?)));
    let (point, best) = valued.reduce(|best, next| {
        if is_better(direction, next.1.score.mean, best.1.score.mean) { next } else { best }
    })?;
    let PointScore { score, unit, metric, .. } = best;
    Some(BestConfiguration {
        objective: scores.objective.identity().name.clone(),
        direction,
        point_index: point.index,
        parameters: point.parameters.clone(),
        value: score.mean,
        unit: unit.clone(),
        metric: metric.clone(),
        confidence: score.confidence,
    })
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
        best(&scores::score(&objective, &points).unwrap(), &points)
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
    fn the_best_says_what_it_is_and_how_sure() {
        let best = best_of(Direction::Minimize, &[&[4.0, 6.0], &[9.0, 9.0]]).unwrap();
        assert_eq!((best.objective.as_str(), best.value, best.unit.as_str()), ("latency", 5.0, "ms"));
        assert_eq!(best.metric.as_deref(), Some("request_latency_avg_ms"));
        assert_eq!(best.parameters, testing::point(0, &[]).parameters);
        assert!(best.confidence.is_some());
    }
}
