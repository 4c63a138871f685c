//! What a reader has to know of plugins that did their work.

use crate::fault::name;
use crate::scores::{PointScore, Scores};
use aiperf_model::conclusion::Trend;
use aiperf_model::point::Point;

/// How many points a note names.
const MOST_NAMED: usize = 5;

/// What there is to know of an objective, as sentences that lack their subject.
pub(crate) fn of_objective(scores: &Scores<'_>, points: &[Point]) -> Vec<String> {
    without_value(scores, points).into_iter().chain(misnamed(scores, points)).collect()
}

/// The points that it has no value for.
fn without_value(scores: &Scores<'_>, points: &[Point]) -> Option<String> {
    let missing: Vec<&Point> = points
        .iter()
        .zip(&scores.points)
        .filter(|(_, score)| score.is_none())
        .map(|(point, _)| point)
        .collect();
    match missing.len() {
        0 => None,
        all if all == points.len() => Some(format!(
            "has no value for any of the {all} values of the sweep, so there is no best one by it, and it spans no \
             trade-off"
        )),
        some => Some(format!(
            "has no value for {some} of {} values of the sweep, which are left out by it: {}",
            points.len(),
            named(&missing)
        )),
    }
}

fn named(points: &[&Point]) -> String {
    let shown: Vec<String> = points.iter().take(MOST_NAMED).map(|point| name(point)).collect();
    match points.len().saturating_sub(MOST_NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A measurement that it names although its value is another one.
fn misnamed(scores: &Scores<'_>, points: &[Point]) -> Option<String> {
    let mut named = points.iter().zip(&scores.points).filter_map(|(point, score)| {
        let PointScore { misnamed, score, .. } = score.as_ref()?;
        let key = misnamed.as_ref()?;
        Some(format!(
            "says that its value for {} is {key}, but {:?} is not the mean of that, {:?}; the name is left out, and \
             the value counts as computed",
            name(point),
            score.mean,
            point.measurement(key)?.mean
        ))
    });
    named.next()
}

/// What there is to know of a detector.
pub(crate) fn of_detector(trends: &[Trend]) -> Vec<String> {
    let metrics = trends.iter().filter(|trend| trend.left_out > 0).count();
    let left_out: usize = trends.iter().map(|trend| trend.left_out).sum();
    let told = || {
        format!(
            "found more than is kept: {left_out} findings and derived lists of {metrics} metrics are left out, see \
             --plugin-findings"
        )
    };
    (left_out > 0).then(told).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scores::score;
    use crate::testing::{self, Reader, Scripted};
    use aiperf_model::conclusion::Direction;

    fn goodput() -> Reader {
        Reader::new("goodput", Direction::Maximize, "goodput_avg")
    }

    #[test]
    fn an_objective_without_a_value_is_told() {
        let mut points = testing::specification();
        let notes = |points: &[Point]| of_objective(&score(&goodput(), points).unwrap(), points);
        let told = "has no value for any of the 4 values of the sweep, so there is no best one by it, and it spans no \
                    trade-off";
        assert_eq!(notes(&points), [told]);
        let known = testing::point(1, &[("goodput_avg", &[1.0])]);
        points[1] = known.clone();
        let told = "has no value for 3 of 4 values of the sweep, which are left out by it: concurrency 10, \
                    concurrency 30, concurrency 40";
        assert_eq!(notes(&points), [told]);
        let mut points: Vec<Point> = (0..100).map(|index| testing::point(index, &[])).collect();
        points.push(known.clone());
        let told = &notes(&points)[0];
        assert!(told.ends_with("concurrency 50 and 95 more"), "{told}");
        assert_eq!(notes(&[known]), [] as [&str; 0]);
    }

    #[test]
    fn a_value_that_is_not_the_mean_it_names_is_told_once() {
        let points = testing::specification();
        let liar = Scripted::objective(Ok(Some(1.0))).naming("ttft_p99_ms");
        let told = "says that its value for concurrency 10 is ttft_p99_ms, but 1.0 is not the mean of that, 125.4; the \
                    name is left out, and the value counts as computed";
        assert_eq!(of_objective(&score(&liar, &points).unwrap(), &points), [told]);
    }
}
