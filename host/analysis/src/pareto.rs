//! The trade-off between the objectives, judged by criteria.

use crate::fault::Fault;
use crate::scores::Scores;
use aiperf_model::conclusion::{Axis, Candidate, Front, FrontMember, MemberStanding, Standing};
use aiperf_model::plugin::ParetoCriterion;
use aiperf_model::point::Point;

/// What criteria judge.
pub(crate) struct TradeOff<'a> {
    /// At least two.
    axes: Vec<Axis>,
    candidates: Vec<Candidate>,
    /// The point behind each candidate.
    points: Vec<&'a Point>,
}

/// The trade-off between all objectives that have a value anywhere, or none if these are fewer than two. A point
/// is a candidate if each of them has a value for it.
pub(crate) fn trade_off<'a>(scores: &[Scores<'_>], points: &'a [Point]) -> Option<TradeOff<'a>> {
    let spanning: Vec<&Scores<'_>> =
        scores.iter().filter(|scores| scores.points.iter().any(Option::is_some)).collect();
    if spanning.len() < 2 {
        return None;
    }
    let (points, candidates) = points
        .iter()
        .enumerate()
        .filter_map(|(position, point)| Some((point, candidate(&spanning, position, point)?)))
        .unzip();
    Some(TradeOff { axes: spanning.iter().map(|scores| axis(scores)).collect(), candidates, points })
}

fn axis(scores: &Scores<'_>) -> Axis {
    Axis {
        objective: scores.objective.identity().name.clone(),
        direction: scores.objective.direction(),
        unit: scores.objective.unit().into(),
    }
}

fn candidate(spanning: &[&Scores<'_>], position: usize, point: &Point) -> Option<Candidate> {
    let scores = spanning
        .iter()
        .map(|scores| Some(scores.points.get(position)?.as_ref()?.score.clone()))
        .collect::<Option<_>>()?;
    Some(Candidate { point_index: point.index, scores })
}

/// Asks the criterion for its front.
pub(crate) fn front(criterion: &dyn ParetoCriterion, trade_off: &TradeOff<'_>) -> Result<Front, Fault> {
    let TradeOff { axes, candidates, points } = trade_off;
    let judgements =
        criterion.judge(axes, candidates).map_err(|error| Fault::failed("the candidates", error))?;
    let members = judgements.into_iter().zip(points).filter_map(|(judgement, point)| {
        Some(FrontMember {
            point_index: point.index,
            parameters: point.parameters.clone(),
            standing: standing(judgement.standing, points)?,
            probability: judgement.probability,
        })
    });
    Ok(Front { criterion: criterion.identity().name.clone(), members: members.collect() })
}

/// How a candidate stands, with the other one named by its place in the plan. A criterion names only candidates.
fn standing(standing: Standing, points: &[&Point]) -> Option<MemberStanding> {
    match standing {
        Standing::Optimal => Some(MemberStanding::Optimal),
        Standing::Rejected(reason) => Some(MemberStanding::Rejected(reason)),
        Standing::DominatedBy(other) => {
            points.get(other as usize).map(|point| MemberStanding::DominatedBy(point.index))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scores;
    use crate::testing::{self, Dominance, Reader, Scripted};
    use aiperf_model::conclusion::{Direction, Judgement};
    use aiperf_model::plugin::PluginError;

    /// Two candidates, whose points stand at 5 and 7 in the plan.
    fn with_trade_off<T>(judge: impl FnOnce(&TradeOff<'_>) -> T) -> T {
        let points = [
            testing::point(5, &[("request_throughput_avg", &[10.0, 12.0]), ("ttft_p99_ms", &[1.0, 3.0])]),
            testing::point(6, &[("request_throughput_avg", &[99.0, 99.0])]),
            testing::point(7, &[("request_throughput_avg", &[10.0, 10.0]), ("ttft_p99_ms", &[4.0, 4.0])]),
        ];
        let throughput = Reader::new("throughput", Direction::Maximize, "request_throughput_avg");
        let latency = Reader::new("latency", Direction::Minimize, "ttft_p99_ms");
        let scores =
            [scores::score(&throughput, &points).unwrap(), scores::score(&latency, &points).unwrap()];
        judge(&trade_off(&scores, &points).unwrap())
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
            assert_eq!(candidate.scores[0].trials, [10.0, 12.0]);
            assert_eq!(
                (candidate.scores[1].mean, candidate.scores[1].trials.as_slice()),
                (2.0, [1.0, 3.0].as_slice())
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
        assert_eq!(front.members[0].probability, None);
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
