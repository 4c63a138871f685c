//! What the analysis answers, and how sure that is: the same plugins are asked again about means that the points might
//! have had as well. An answer that some of these give and others do not is open.
//!
//! Answers are which points are optimal by the chosen criterion, which one is the best by each objective, and where
//! the metrics of the objectives turn by the first detector. They are read off the plugins, so an objective of the user,
//! such as one with a limit that must be kept, is a question too.

use crate::Subject;
use crate::best::best;
use crate::bootstrap::{draw, means};
use crate::comparison::Rule;
use crate::pareto;
use crate::scores::{self, Scores};
use crate::trends;
use aiperf_model::conclusion::{ExcludedValue, OpenAnswer, Question};
use aiperf_model::plugin::AnalysisPlugins;
use aiperf_model::point::Point;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use std::collections::{BTreeMap, BTreeSet};

/// How often all points are drawn anew, at most and at least, and how many points are drawn about in all: enough to tell
/// 5 % from 10 %, and no more than a second where there are many points.
const MOST_DRAWS: usize = 200;
const LEAST_DRAWS: usize = 50;
const DRAWN_POINTS: usize = 20_000;
/// How often one point is drawn anew, at most and at least, and how many draws of single points there are about.
const MOST_DRAWS_OF_ONE: u32 = 100;
const LEAST_DRAWS_OF_ONE: u32 = 20;
const DRAWS_OF_SINGLE_POINTS: u32 = 1000;
/// An answer from this probability on, or up to what is left of it, is not open.
const SURE: f64 = 0.95;

/// How much the spread of one point's trials matters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Influence {
    /// The position of the point in the plan.
    pub point_index: u32,
    /// The share of its plausible means that change an answer while the other points stay at theirs.
    pub share: f64,
}

/// What these points leave open, by question and point. The same points give the same answers. None if `goes_on` denied
/// before the plugins were asked about all draws.
#[must_use]
pub fn open_answers(
    subject: Subject<'_>,
    plugins: &AnalysisPlugins,
    goes_on: &dyn Fn() -> bool,
) -> Option<Vec<OpenAnswer>> {
    let points = subject.points;
    let questions = Questions::new(subject, plugins);
    let mut yes: BTreeMap<Answer, u32> = BTreeMap::new();
    let times = (DRAWN_POINTS / points.len().max(1)).clamp(LEAST_DRAWS, MOST_DRAWS) as u32;
    for round in 0..times {
        if !goes_on() {
            return None;
        }
        let mut random = ChaCha8Rng::seed_from_u64(round.into());
        let drawn: Vec<Point> = points.iter().map(|point| draw(point, &mut random)).collect();
        for answer in questions.answers(&drawn, &questions.score(&drawn)) {
            *yes.entry(answer).or_default() += 1;
        }
    }
    let open = yes.into_iter().filter_map(|(Answer { question, point_index }, count)| {
        let probability = f64::from(count) / f64::from(times);
        let parameters = points.iter().find(|point| point.index == point_index)?.parameters.clone();
        let is_open = probability < SURE && probability > 1.0 - SURE;
        is_open.then_some(OpenAnswer { question, point_index, parameters, probability })
    });
    Some(open.collect())
}

/// How much the spread of each point matters, in the order of the points. None if `goes_on` denied before the plugins
/// were asked about all draws.
#[must_use]
pub fn influences(
    subject: Subject<'_>,
    plugins: &AnalysisPlugins,
    goes_on: &dyn Fn() -> bool,
) -> Option<Vec<Influence>> {
    let points = subject.points;
    let questions = Questions::new(subject, plugins);
    // Draws are taken as exact, and so is what they are compared with: else a draw would change answers by being one.
    let means: Vec<Point> = points.iter().map(means).collect();
    let scores = questions.score(&means);
    let answers = questions.answers(&means, &scores);
    let times =
        (DRAWS_OF_SINGLE_POINTS / points.len().max(1) as u32).clamp(LEAST_DRAWS_OF_ONE, MOST_DRAWS_OF_ONE);
    let share = |(position, point): (usize, &Point)| {
        let mut random = ChaCha8Rng::seed_from_u64(position as u64);
        let mut drawn = means.clone();
        let mut changed = 0_u32;
        for _ in 0..times {
            let place = drawn.get_mut(position).filter(|_| goes_on())?;
            *place = draw(point, &mut random);
            let scores = score_again(&scores, position, place);
            changed += u32::from(questions.answers(&drawn, &scores) != answers);
        }
        Some(Influence { point_index: point.index, share: f64::from(changed) / f64::from(times) })
    };
    points.iter().enumerate().map(share).collect()
}

/// A question that is answered with yes at a point.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Answer {
    question: Question,
    point_index: u32,
}

/// The plugins, and what is asked of them.
struct Questions<'a> {
    axes: &'a [String],
    rule: Rule,
    excluded: Vec<ExcludedValue>,
    plugins: &'a AnalysisPlugins,
    /// The metrics behind the objectives that span the trade-off.
    keys: Vec<String>,
}

impl<'a> Questions<'a> {
    fn new(subject: Subject<'a>, plugins: &'a AnalysisPlugins) -> Self {
        let (axes, rule, excluded) = (subject.axes, subject.rule(plugins), subject.excluded());
        let mut questions = Self { axes, rule, excluded, plugins, keys: Vec::new() };
        let spanning = questions.score(subject.points).into_iter().take(plugins.trade_off);
        let keys =
            spanning.flat_map(|scores| scores.points.into_iter().flatten()).filter_map(|score| score.metric);
        questions.keys = keys.collect::<BTreeSet<String>>().into_iter().collect();
        questions
    }

    /// What the objectives say; one that fails says nothing.
    fn score(&self, points: &[Point]) -> Vec<Scores<'a>> {
        let objectives = self.plugins.objectives.iter();
        let scores = objectives.filter_map(|objective| scores::score(objective.as_ref(), points).ok());
        scores.map(|scores| scores.without(&self.excluded, points)).collect()
    }

    fn answers(&self, points: &[Point], scores: &[Scores<'_>]) -> BTreeSet<Answer> {
        let mut answers = BTreeSet::new();
        answers.extend(scores.iter().filter_map(|scores| {
            let best = best(scores, points, self.rule)?;
            Some(Answer {
                question: Question::Best { objective: best.objective },
                point_index: best.point_index,
            })
        }));
        self.optimal(points, scores, &mut answers);
        self.inflections(points, &mut answers);
        answers
    }

    /// The points that are optimal by the chosen criterion.
    fn optimal(&self, points: &[Point], scores: &[Scores<'_>], answers: &mut BTreeSet<Answer>) {
        let chosen = &self.plugins.chosen_criterion;
        let Some(criterion) = self.plugins.criteria.iter().find(|one| one.identity().name == *chosen) else {
            return;
        };
        let spanning = scores.get(..self.plugins.trade_off).unwrap_or(scores);
        let trade_off = pareto::trade_off(spanning, points, self.rule);
        let front = trade_off.map(|trade_off| pareto::front_of_means(criterion.as_ref(), &trade_off));
        let Some(Ok(front)) = front else {
            return;
        };
        answers.extend(front.optimal().map(|member| Answer {
            question: Question::Optimal { criterion: chosen.clone() },
            point_index: member.point_index,
        }));
    }

    /// Where the metrics behind the objectives turn.
    fn inflections(&self, points: &[Point], answers: &mut BTreeSet<Answer>) {
        let Some(detector) = self.plugins.detectors.first() else { return };
        let keys: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        let lines = trends::lines_of(self.axes, points, &keys);
        let tested = trends::test(&lines, &self.excluded, self.rule);
        let Ok(trends) = trends::detect(detector.as_ref(), &lines, &tested) else { return };
        for (line, trend) in lines.iter().zip(trends) {
            let at = trend.inflection_points();
            answers.extend(at.into_iter().filter_map(|x| line.point_at(x)).map(|point_index| Answer {
                question: Question::Inflection { key: trend.key.clone(), parameter: trend.parameter.clone() },
                point_index,
            }));
        }
    }
}

/// The scores with those of the point at this position anew.
fn score_again<'a>(scores: &[Scores<'a>], position: usize, point: &Point) -> Vec<Scores<'a>> {
    let mut scores = scores.to_vec();
    for of_objective in &mut scores {
        // A point without a value, or one that does not count, stays so.
        if let Some(place) = of_objective.points.get_mut(position).filter(|place| place.is_some()) {
            *place = scores::score_point(of_objective.objective, point).ok().flatten();
        }
    }
    scores
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, Detector, Dominance, Reader};
    use aiperf_model::conclusion::Direction;
    use std::sync::Arc;

    fn plugins() -> AnalysisPlugins {
        AnalysisPlugins {
            objectives: vec![
                Arc::new(Reader::new("throughput", Direction::Maximize, "request_throughput_avg")),
                Arc::new(Reader::new("latency-p99", Direction::Minimize, "ttft_p99_ms")),
            ],
            trade_off: 2,
            criteria: vec![Arc::new(Dominance::new())],
            chosen_criterion: "dominance".into(),
            detectors: vec![Arc::new(Detector::finding_nothing())],
            material: 0.01,
        }
    }

    fn subject<'a>(axes: &'a [String], points: &'a [Point]) -> Subject<'a> {
        Subject { axes, points, verdicts: &[], confidence_level: 0.95 }
    }

    fn axes() -> Vec<String> {
        vec!["concurrency".into()]
    }

    /// Three steady points, and one of many slots whose throughput is about that of the third.
    fn points(noise: f64) -> Vec<Point> {
        let trials = |index, throughput: f64, latency: f64, noise: f64| {
            let spread = [-1.0, 0.2, 0.8].map(|deviation| throughput + noise * deviation);
            let latencies = [-0.1, 0.0, 0.1].map(|deviation| latency + deviation);
            testing::point(index, &[("request_throughput_avg", &spread), ("ttft_p99_ms", &latencies)])
        };
        vec![
            trials(0, 10.0, 20.0, 0.1),
            trials(1, 20.0, 40.0, 0.1),
            trials(2, 30.0, 60.0, 0.1),
            trials(3, 31.0, 90.0, noise),
        ]
    }

    #[test]
    fn what_the_trials_cannot_tell_is_open() {
        let open = open_answers(subject(&axes(), &points(5.0)), &plugins(), &|| true).unwrap();
        let named: Vec<_> = open.iter().map(|open| (&open.question, open.point_index)).collect();
        let optimal = Question::Optimal { criterion: "dominance".into() };
        let best = Question::Best { objective: "throughput".into() };
        assert_eq!(named, [(&optimal, 3), (&best, 2), (&best, 3)], "{open:#?}");
        // The third point is optimal whatever the fourth is: its latency is lower.
        assert!(open.iter().all(|open| (0.05..0.95).contains(&open.probability)), "{open:#?}");
        assert_eq!(open[0].parameters, points(5.0)[3].parameters);
        assert_eq!(
            open_answers(subject(&axes(), &points(5.0)), &plugins(), &|| true).unwrap(),
            open,
            "the same again"
        );
    }

    #[test]
    fn nothing_is_open_where_all_points_are_known_well() {
        assert_eq!(open_answers(subject(&axes(), &points(0.05)), &plugins(), &|| true).unwrap(), []);
        assert_eq!(open_answers(subject(&axes(), &[]), &plugins(), &|| true).unwrap(), []);
    }

    #[test]
    fn the_noisy_point_has_the_influence() {
        let influences = influences(subject(&axes(), &points(5.0)), &plugins(), &|| true).unwrap();
        let shares: Vec<f64> = influences.iter().map(|influence| influence.share).collect();
        assert!(shares[3] > 0.2, "{shares:?}");
        assert!(shares[..3].iter().all(|share| *share < 0.05), "{shares:?}");
    }

    #[test]
    fn a_point_that_is_known_well_has_no_influence_beside_a_noisy_one() {
        // So noisy that it is not told apart from anything, as far as the trials tell.
        let influences = influences(subject(&axes(), &points(20.0)), &plugins(), &|| true).unwrap();
        assert!(influences[..3].iter().all(|influence| influence.share <= 0.02), "{influences:?}");
    }

    #[test]
    fn nothing_is_asked_beyond_the_time() {
        let questions = std::cell::Cell::new(0);
        let three_times = || questions.replace(questions.get() + 1) < 3;
        assert_eq!(open_answers(subject(&axes(), &points(5.0)), &plugins(), &three_times), None);
        assert_eq!(questions.get(), 4);
        assert_eq!(influences(subject(&axes(), &points(5.0)), &plugins(), &three_times), None);
        assert_eq!(questions.get(), 5);
    }

    #[test]
    fn where_a_metric_turns_is_a_question_too() {
        let plugins = AnalysisPlugins { detectors: vec![Arc::new(Detector::inflection_at(2))], ..plugins() };
        let axes = axes();
        let points = points(0.05);
        let questions = Questions::new(subject(&axes, &points), &plugins);
        let answers = questions.answers(&points, &questions.score(&points));
        let turns = |key: &str| Answer {
            question: Question::Inflection { key: key.into(), parameter: "concurrency".into() },
            point_index: 2,
        };
        assert!(
            answers.contains(&turns("ttft_p99_ms")) && answers.contains(&turns("request_throughput_avg"))
        );
    }
}
