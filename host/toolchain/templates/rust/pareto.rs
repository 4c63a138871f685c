//! Keeps every point that no other point beats by a clear margin on all objectives at once.

use aiperf_plugin::pareto::{Axis, Candidate, Judgement, ParetoCriterion};
use aiperf_plugin::schemars::{self, JsonSchema};
use aiperf_plugin::{Direction, Result, register_pareto};
use serde::Deserialize;

/// The settings, as in `--pareto '{{name}}:{"margin":0.1}'`.
#[derive(Deserialize, JsonSchema)]
#[serde(default)]
struct ClearMargin {
    /// The share of a value by which another must be better.
    margin: f64,
}

impl Default for ClearMargin {
    fn default() -> Self {
        Self { margin: 0.05 }
    }
}

impl ClearMargin {
    fn beats(&self, axes: &[Axis], left: &Candidate, right: &Candidate) -> bool {
        axes.iter().zip(left.scores.iter().zip(&right.scores)).all(|(axis, (left, right))| {
            let gain = match axis.direction {
                Direction::Maximize => left.mean - right.mean,
                Direction::Minimize => right.mean - left.mean,
            };
            gain > self.margin * right.mean.abs()
        })
    }
}

impl ParetoCriterion for ClearMargin {
    fn settings_schema() -> Option<String> {
        aiperf_plugin::schema_of::<Self>()
    }

    fn judge(&self, axes: &[Axis], candidates: &[Candidate]) -> Result<Vec<Judgement>> {
        let winner = |right: &Candidate| candidates.iter().position(|left| self.beats(axes, left, right));
        let judge = |right| winner(right).map_or_else(Judgement::optimal, Judgement::dominated_by);
        Ok(candidates.iter().map(judge).collect())
    }
}

register_pareto!(ClearMargin);

#[cfg(test)]
mod tests {
    use super::*;
    use aiperf_plugin::testing;

    #[test]
    fn a_narrow_win_drops_nobody() {
        let axes = testing::axes(&[("throughput", Direction::Maximize), ("latency", Direction::Minimize)]);
        let candidates = testing::candidates(&[[100.0, 50.0], [104.0, 48.0], [200.0, 10.0]]);
        let judgements = ClearMargin { margin: 0.05 }.judge(&axes, &candidates[..2]).unwrap();
        assert_eq!(judgements, [Judgement::optimal(), Judgement::optimal()]);
        let judgements = ClearMargin { margin: 0.05 }.judge(&axes, &candidates).unwrap();
        assert_eq!(judgements[0], Judgement::dominated_by(2));
    }
}
