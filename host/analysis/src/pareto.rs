//! The trade-off between the objectives, judged by criteria.
//!
//! A criterion takes the means as exact. Where what decides between two points cannot be told from noise, or does not
//! matter, the point is tied; the membership probability says how often it is optimal (`membership`).

use crate::comparison::{Comparison, Rule};
use crate::fault::Fault;
use crate::membership;
use crate::scores::{PointScore, Scores};
use aiperf_model::conclusion::{Axis, Candidate, Front, FrontMember, Judgement, MemberStanding, Standing};
use aiperf_model::plugin::ParetoCriterion;
use aiperf_model::point::Point;

/// What criteria judge.
pub(crate) struct TradeOff<'a> {
    /// At least two.
    pub(crate) axes: Vec<Axis>,
    pub(crate) candidates: Vec<Candidate>,
    /// The candidates by each axis.
    pub(crate) comparisons: Vec<Comparison>,
    /// The point behind each candidate.
    points: Vec<&'a Point>,
}

/// The trade-off between all objectives that have a value anywhere, or none if these are fewer than two. A point
/// is a candidate if each of them has a value for it.
pub(crate) fn trade_off<'a>(scores: &[Scores<'_>], points: &'a [Point], rule: Rule) -> Option<TradeOff<'a>> {
    let spanning: Vec<&Scores<'_>> = scores.iter().filter(|scores| scores.has_value).collect();
    if spanning.len() < 2 {
        return None;
    }
    let by_point: Vec<(&Point, Vec<&PointScore>)> = points
        .iter()
        .enumerate()
        .filter_map(|(position, point)| Some((point, of_point(&spanning, position)?)))
        .collect();
    let comparison = |axis: usize| {
        let estimates = by_point.iter().filter_map(|(_, scores)| Some(scores.get(axis)?.estimate));
        Comparison::new(rule, estimates.collect())
    };
    Some(TradeOff {
        axes: spanning.iter().map(|scores| axis(scores)).collect(),
        comparisons: (0..spanning.len()).map(comparison).collect(),
        candidates: by_point.iter().map(|(point, scores)| candidate(point, scores)).collect(),
        points: by_point.into_iter().map(|(point, _)| point).collect(),
    })
}

fn axis(scores: &Scores<'_>) -> Axis {
    Axis {
        objective: scores.objective.identity().name.clone(),
        direction: scores.objective.direction(),
        unit: scores.objective.unit().into(),
    }
}

/// What all objectives say of one point, if they do.
fn of_point<'a>(spanning: &[&'a Scores<'_>], position: usize) -> Option<Vec<&'a PointScore>> {
    spanning.iter().map(|scores| scores.points.get(position)?.as_ref()).collect()
}

fn candidate(point: &Point, scores: &[&PointScore]) -> Candidate {
    Candidate { point_index: point.index, scores: scores.iter().map(|score| score.score.clone()).collect() }
}

/// Asks the criterion for its front, and how probable it is that each point is on it.
pub(crate) fn front(criterion: &dyn ParetoCriterion, trade_off: &TradeOff<'_>) -> Result<Front, Fault> {
    let judgements = judgements(criterion, trade_off)?;
    let draws = membership::probabilities(criterion, trade_off, &judgements);
    Ok(with_probabilities(settled(criterion, trade_off, judgements), draws.as_deref()))
}

/// The front without asking how probable it is.
pub(crate) fn front_of_means(
    criterion: &dyn ParetoCriterion,
    trade_off: &TradeOff<'_>,
) -> Result<Front, Fault> {
    Ok(settled(criterion, trade_off, judgements(criterion, trade_off)?))
}

fn judgements(criterion: &dyn ParetoCriterion, trade_off: &TradeOff<'_>) -> Result<Vec<Judgement>, Fault> {
    let judged = criterion.judge(&trade_off.axes, &trade_off.candidates);
    judged.map_err(|error| Fault::failed("the candidates", error))
}

fn settled(criterion: &dyn ParetoCriterion, trade_off: &TradeOff<'_>, judgements: Vec<Judgement>) -> Front {
    let TradeOff { axes, comparisons, points, .. } = trade_off;
    let members =
        judgements.into_iter().zip(points).enumerate().filter_map(|(position, (judgement, point))| {
            let standing = settle(axes, comparisons, position, judgement.standing);
            Some(FrontMember {
                point_index: point.index,
                parameters: point.parameters.clone(),
                standing: named(standing, points)?,
                probability: judgement.probability,
            })
        });
    Front { criterion: criterion.identity().name.clone(), members: members.collect() }
}

fn with_probabilities(mut front: Front, draws: Option<&[f64]>) -> Front {
    for (member, probability) in front.members.iter_mut().zip(draws.into_iter().flatten()) {
        member.probability = member.probability.or(Some(*probability));
    }
    front
}

/// How a candidate stands when differences that cannot be told from noise, or do not matter, count for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// As the criterion says, and whatever decides it is there.
    AsJudged(Standing),
    /// Judged to be optimal, but by nothing that is preferred to another one, which is better elsewhere.
    Superfluous(usize),
    /// Judged to be dominated, by one that cannot be told apart from it.
    AsGoodAs(usize),
}

/// What becomes of the criterion's judgement on the candidate at `position`.
pub(crate) fn settle(
    axes: &[Axis],
    comparisons: &[Comparison],
    position: usize,
    standing: Standing,
) -> Settled {
    let by_axis = || axes.iter().zip(comparisons);
    match standing {
        Standing::Optimal => {
            let candidates = comparisons.first().map_or(0, |comparison| comparison.estimates().len());
            let makes_superfluous = |other: usize| {
                let is_told_apart =
                    |comparison: &Comparison| comparison.difference(other, position).is_told_apart;
                other != position
                    && by_axis().all(|(axis, by)| !by.is_preferred(axis.direction, position, other))
                    && by_axis().any(|(axis, by)| {
                        is_told_apart(by) && by.is_preferred(axis.direction, other, position)
                    })
            };
            (0..candidates)
                .find(|other| makes_superfluous(*other))
                .map_or(Settled::AsJudged(Standing::Optimal), Settled::Superfluous)
        }
        Standing::DominatedBy(other) => {
            let other = other as usize;
            if comparisons.iter().any(|comparison| comparison.difference(other, position).is_told_apart) {
                Settled::AsJudged(Standing::DominatedBy(other as u32))
            } else {
                Settled::AsGoodAs(other)
            }
        }
        Standing::Rejected(reason) => Settled::AsJudged(Standing::Rejected(reason)),
    }
}

/// How a candidate stands, with the other one named by its place in the plan. A criterion names only candidates.
fn named(standing: Settled, points: &[&Point]) -> Option<MemberStanding> {
    let index = |position: usize| points.get(position).map(|point| point.index);
    match standing {
        Settled::AsJudged(Standing::Optimal) => Some(MemberStanding::Optimal),
        Settled::AsJudged(Standing::Rejected(reason)) => Some(MemberStanding::Rejected(reason)),
        Settled::AsJudged(Standing::DominatedBy(other)) => {
            index(other as usize).map(MemberStanding::DominatedBy)
        }
        Settled::Superfluous(other) | Settled::AsGoodAs(other) => index(other).map(MemberStanding::TiedWith),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scores;
    use crate::testing::{self, Dominance, Reader, Scripted};
    use aiperf_model::conclusion::{Direction, Judgement};
    use aiperf_model::plugin::PluginError;

    const RULE: Rule = Rule { level: 0.95, material: 0.01 };

    /// Two candidates, whose points stand at 5 and 7 in the plan.
    fn with_trade_off<T>(judge: impl FnOnce(&TradeOff<'_>) -> T) -> T {
        let points = [
            testing::point(5, &[("request_throughput_avg", &[10.9, 11.1]), ("ttft_p99_ms", &[1.9, 2.1])]),
            testing::point(6, &[("request_throughput_avg", &[99.0, 99.0])]),
            testing::point(7, &[("request_throughput_avg", &[10.0, 10.0]), ("ttft_p99_ms", &[4.0, 4.0])]),
        ];
        let throughput = Reader::new("throughput", Direction::Maximize, "request_throughput_avg");
        let latency = Reader::new("latency", Direction::Minimize, "ttft_p99_ms");
        let scores =
            [scores::score(&throughput, &points).unwrap(), scores::score(&latency, &points).unwrap()];
        judge(&trade_off(&scores, &points, RULE).unwrap())
    }

    fn judged(judgements: Vec<Judgement>) -> Result<Front, Fault> {
        with_trade_off(|trade_off| front(&Scripted::criterion(judgements), trade_off))
    }

    fn judgement(standing: Standing) -> Judgement {
        Judgement { standing, probability: None }
    }

    #[test]
    fn criteria_see_axes_and_scores_in_the_order_of_the_objectives() {
        with_trade_off(|trade_off| {
            let axes: Vec<&str> = trade_off.axes.iter().map(|axis| axis.objective.as_str()).collect();
            assert_eq!(axes, ["throughput", "latency"]);
            assert_eq!(trade_off.axes[1].direction, Direction::Minimize);
            let candidate = &trade_off.candidates[0];
            assert_eq!(candidate.point_index, 5);
            assert_eq!(candidate.scores[0].trials, [10.9, 11.1]);
            assert_eq!(
                (candidate.scores[1].mean, candidate.scores[1].trials.as_slice()),
                (2.0, [1.9, 2.1].as_slice())
            );
        });
    }

    #[test]
    fn members_name_points_by_their_place_in_the_plan() {
        let front = with_trade_off(|trade_off| front(&Dominance::new(), trade_off)).unwrap();
        let standings: Vec<_> =
            front.members.iter().map(|member| (member.point_index, &member.standing)).collect();
        assert_eq!(standings, [(5, &MemberStanding::Optimal), (7, &MemberStanding::DominatedBy(5))]);
    }

    #[test]
    fn reasons_and_probabilities_are_passed_on() {
        let rejected = Judgement { standing: Standing::Rejected("too slow".into()), probability: Some(0.25) };
        let front = judged(vec![judgement(Standing::Optimal), rejected]).unwrap();
        assert!(front.members[0].probability.is_some(), "asked where the criterion does not say");
        assert_eq!(front.members[1].standing, MemberStanding::Rejected("too slow".into()));
        assert_eq!(front.members[1].probability, Some(0.25));
    }

    #[test]
    fn a_criterion_may_refuse() {
        let refusing =
            Scripted::refusing_criterion(PluginError::Unsupported("three axes are too many".into()));
        let fault = with_trade_off(|trade_off| front(&refusing, trade_off)).unwrap_err();
        assert_eq!(fault.to_string(), "failed on the candidates: three axes are too many");
    }
}
