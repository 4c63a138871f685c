//! Criterion plugins: scores into judgements.

use aiperf_model::conclusion::{Axis, Candidate, Judgement, Score, Standing};
use aiperf_model::plugin::{Identity, ParetoCriterion, Plugin, PluginError};

use crate::answer::{Answer, shortened};
use crate::bindings::pareto as wit;
use crate::case::Call;
use crate::configured::Configured;
use crate::interface;
use crate::limits::Limits;
use crate::native::Function;

const JUDGE: Function = Function { name: "judge", place: 0 };

/// A plugin behind [`ParetoCriterion`].
pub(crate) struct CriterionPlugin(pub(crate) Configured<interface::Pareto>);

impl Plugin for CriterionPlugin {
    fn identity(&self) -> &Identity {
        &self.0.identity
    }
}

impl ParetoCriterion for CriterionPlugin {
    fn judge(&self, axes: &[Axis], candidates: &[Candidate]) -> Result<Vec<Judgement>, PluginError> {
        self.0.traced(self.judged(axes, candidates), || Call::Judge {
            axes: axes.to_vec(),
            candidates: candidates.to_vec(),
        })
    }
}

impl CriterionPlugin {
    fn judged(&self, axes: &[Axis], candidates: &[Candidate]) -> Result<Vec<Judgement>, PluginError> {
        let lent_axes: Vec<wit::Axis<'_>> = axes.iter().map(lend_axis).collect();
        let scores: Vec<Vec<wit::Score<'_>>> =
            candidates.iter().map(|candidate| candidate.scores.iter().map(lend_score).collect()).collect();
        let lent_candidates: Vec<wit::Candidate<'_>> = candidates
            .iter()
            .zip(&scores)
            .map(|(candidate, scores)| wit::Candidate { point_index: candidate.point_index, scores })
            .collect();
        let lent = (lent_axes.as_slice(), lent_candidates.as_slice());
        self.0.ask_reproducibly(JUDGE, lent, candidates.len(), |guest, store, (axes, candidates)| {
            let judgements = guest.call_judge(store, axes, candidates)?;
            Ok(judgements.map(|judgements| judgements.into_iter().map(take_judgement).collect::<Vec<_>>()))
        })
    }
}

fn lend_axis(axis: &Axis) -> wit::Axis<'_> {
    wit::Axis { objective: &axis.objective, direction: axis.direction.into(), unit: &axis.unit }
}

fn lend_score(score: &Score) -> wit::Score<'_> {
    wit::Score { mean: score.mean, trials: &score.trials, confidence: score.confidence.map(Into::into) }
}

fn take_judgement(judgement: wit::Judgement) -> Judgement {
    let standing = match judgement.standing {
        wit::Standing::Optimal => Standing::Optimal,
        wit::Standing::DominatedBy(other) => Standing::DominatedBy(other),
        wit::Standing::Rejected(reason) => Standing::Rejected(reason),
    };
    Judgement { standing, probability: judgement.probability }
}

/// The answer to a number of candidates.
impl Answer<usize> for Vec<Judgement> {
    fn shorten(mut self, _limits: &Limits) -> Self {
        for judgement in &mut self {
            if let Standing::Rejected(reason) = &mut judgement.standing {
                *reason = shortened(std::mem::take(reason));
            }
        }
        self
    }

    fn check(&self, candidates: usize) -> Result<(), String> {
        if self.len() != candidates {
            return Err(format!("{} judgements on {candidates} candidates", self.len()));
        }
        for (position, judgement) in self.iter().enumerate() {
            check_judgement(judgement, position, candidates)?;
        }
        check_order(self)
    }
}

fn check_judgement(judgement: &Judgement, position: usize, candidates: usize) -> Result<(), String> {
    match judgement.standing {
        Standing::DominatedBy(other) if other as usize >= candidates => {
            return Err(format!("candidate {other} as a dominating one of {candidates} candidates"));
        }
        Standing::DominatedBy(other) if other as usize == position => {
            return Err(format!("candidate {other} as dominated by itself"));
        }
        _ => {}
    }
    match judgement.probability {
        Some(probability) if !(0.0..=1.0).contains(&probability) => {
            Err(format!("{probability:?} as a probability, which is not between 0 and 1"))
        }
        _ => Ok(()),
    }
}

/// Whether who is preferable to whom is an order: nobody is preferable to himself by way of others, and if anybody is
/// preferable, somebody is optimal. All candidates may be out of the question.
fn check_order(judgements: &[Judgement]) -> Result<(), String> {
    let dominator = |candidate: usize| match judgements.get(candidate)?.standing {
        Standing::DominatedBy(other) => Some(other as usize),
        Standing::Optimal | Standing::Rejected(_) => None,
    };
    // The last walk that came by each candidate, so that each is walked over once.
    let mut walks = vec![None; judgements.len()];
    for start in 0..judgements.len() {
        let mut at = Some(start);
        while let Some(candidate) = at
            && let Some(walk @ None) = walks.get_mut(candidate)
        {
            *walk = Some(start);
            at = dominator(candidate);
        }
        if let Some(candidate) = at.filter(|at| walks.get(*at) == Some(&Some(start)))
            && let Some(other) = dominator(candidate)
        {
            return Err(format!(
                "a circle: candidate {candidate} is dominated by {other}, and {other} in turn by {candidate}"
            ));
        }
    }
    let is_optimal = |judgement: &Judgement| judgement.standing == Standing::Optimal;
    match (0..judgements.len()).find(|candidate| dominator(*candidate).is_some()) {
        Some(dominated) if !judgements.iter().any(is_optimal) => {
            Err(format!("no optimal candidate at all, although candidate {dominated} is dominated"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judgement(standing: Standing, probability: Option<f64>) -> Judgement {
        Judgement { standing, probability }
    }

    #[test]
    fn each_candidate_has_one_judgement_that_makes_sense() {
        let good = vec![
            judgement(Standing::Optimal, Some(1.0)),
            judgement(Standing::DominatedBy(0), Some(0.0)),
            judgement(Standing::Rejected("too slow".to_owned()), None),
        ];
        assert_eq!(good.check(3), Ok(()));
        assert_eq!(good.check(2), Err("3 judgements on 2 candidates".to_owned()));
    }

    #[test]
    fn a_judgement_names_another_candidate_and_a_real_probability() {
        for (bad, told) in [
            (judgement(Standing::DominatedBy(0), None), "dominated by itself"),
            (judgement(Standing::DominatedBy(1), None), "candidate 1 as a dominating one"),
            (judgement(Standing::Optimal, Some(f64::NAN)), "NaN as a probability"),
            (judgement(Standing::Optimal, Some(1.5)), "1.5 as a probability"),
        ] {
            let problem = vec![bad].check(1).unwrap_err();
            assert!(problem.contains(told), "{problem}");
        }
    }

    fn standings(standings: &[Standing]) -> Result<(), String> {
        let judgements: Vec<Judgement> =
            standings.iter().map(|standing| judgement(standing.clone(), None)).collect();
        judgements.check(standings.len())
    }

    #[test]
    fn domination_is_an_order() {
        use Standing::{DominatedBy, Optimal};
        let rejected = || Standing::Rejected("too slow".to_owned());
        for good in [
            vec![],
            vec![rejected(), rejected()],
            vec![DominatedBy(1), DominatedBy(2), Optimal],
            vec![DominatedBy(2), DominatedBy(2), Optimal, DominatedBy(0)],
            vec![DominatedBy(1), rejected(), Optimal],
        ] {
            assert_eq!(standings(&good), Ok(()), "{good:?}");
        }
        for (bad, told) in [
            (vec![DominatedBy(1), DominatedBy(0)], "a circle: candidate 0 is dominated by 1"),
            (
                vec![Optimal, DominatedBy(2), DominatedBy(3), DominatedBy(1)],
                "a circle: candidate 1 is dominated by 2",
            ),
            (
                vec![Optimal, DominatedBy(2), DominatedBy(3), DominatedBy(2)],
                "a circle: candidate 2 is dominated by 3",
            ),
            (
                vec![rejected(), DominatedBy(0)],
                "no optimal candidate at all, although candidate 1 is dominated",
            ),
        ] {
            let problem = standings(&bad).unwrap_err();
            assert!(problem.starts_with(told), "{problem}");
        }
    }

    #[test]
    fn a_long_chain_is_walked_once() {
        let chain =
            (0..1_000_000).map(|at| if at == 0 { Standing::Optimal } else { Standing::DominatedBy(at - 1) });
        assert_eq!(standings(&chain.collect::<Vec<_>>()), Ok(()));
    }

    #[test]
    fn a_long_reason_is_cut() {
        let judgements = vec![judgement(Standing::Rejected("x".repeat(1 << 20)), None)];
        let Standing::Rejected(reason) = judgements.shorten(&Limits::default()).remove(0).standing else {
            panic!("another standing")
        };
        assert!(reason.len() < 5000);
    }
}
