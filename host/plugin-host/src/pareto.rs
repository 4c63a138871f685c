//! Criterion plugins: scores into judgements.

use aiperf_model::conclusion::{Axis, Candidate, Judgement, Score, Standing};
use aiperf_model::plugin::{Identity, ParetoCriterion, Plugin, PluginError};

use crate::bindings::pareto as wit;
use crate::case::Call;
use crate::configured::Configured;
use crate::interface;
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
        let judgements: Vec<Judgement> = self.0.call(JUDGE, lent, |guest, store, (axes, candidates)| {
            let judgements = guest.call_judge(store, axes, candidates)?;
            Ok(judgements.map(|judgements| judgements.into_iter().map(take_judgement).collect()))
        })?;
        check(&judgements, candidates.len()).map_err(|problem| self.0.lied(&problem))?;
        Ok(judgements)
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

fn check(judgements: &[Judgement], candidates: usize) -> Result<(), String> {
    if judgements.len() != candidates {
        return Err(format!("{} judgements on {candidates} candidates", judgements.len()));
    }
    for (position, judgement) in judgements.iter().enumerate() {
        match judgement.standing {
            Standing::DominatedBy(other) if other as usize >= candidates => {
                return Err(format!("candidate {other} as a dominating one of {candidates} candidates"));
            }
            Standing::DominatedBy(other) if other as usize == position => {
                return Err(format!("candidate {other} as dominated by itself"));
            }
            _ => {}
        }
        if let Some(probability) = judgement.probability
            && !(0.0..=1.0).contains(&probability)
        {
            return Err(format!("{probability} as a probability, which is not between 0 and 1"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judgement(standing: Standing, probability: Option<f64>) -> Judgement {
        Judgement { standing, probability }
    }

    #[test]
    fn each_candidate_has_one_judgement_that_makes_sense() {
        let good = [
            judgement(Standing::Optimal, Some(1.0)),
            judgement(Standing::DominatedBy(0), Some(0.0)),
            judgement(Standing::Rejected("too slow".to_owned()), None),
        ];
        assert_eq!(check(&good, 3), Ok(()));
        assert_eq!(check(&good, 2), Err("3 judgements on 2 candidates".to_owned()));
    }

    #[test]
    fn a_judgement_names_another_candidate_and_a_real_probability() {
        for (bad, told) in [
            (judgement(Standing::DominatedBy(0), None), "dominated by itself"),
            (judgement(Standing::DominatedBy(1), None), "candidate 1 as a dominating one"),
            (judgement(Standing::Optimal, Some(f64::NAN)), "NaN as a probability"),
            (judgement(Standing::Optimal, Some(1.5)), "1.5 as a probability"),
        ] {
            let problem = check(&[bad], 1).unwrap_err();
            assert!(problem.contains(told), "{problem}");
        }
    }
}
