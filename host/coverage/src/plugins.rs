//! The plugins of the simulated sweeps: the rules of the built-in ones, and a detector that claims everything.

use aiperf_model::conclusion::{
    Axis, Candidate, Direction, Evaluation, Finding, Judgement, Report, Series, Standing,
};
use aiperf_model::plugin::{
    AnalysisPlugins, Identity, Kind, Objective, ParetoCriterion, Plugin, PluginError, TrendDetector,
};
use aiperf_model::point::Point;
use std::sync::Arc;

/// The metrics behind the two objectives.
pub(crate) const THROUGHPUT: &str = "request_throughput_avg";
pub(crate) const LATENCY: &str = "ttft_p99_ms";

/// Throughput against latency by dominance, a detector that claims an inflection at every value, and 1 % as the least
/// difference that matters.
pub(crate) fn plugins() -> AnalysisPlugins {
    AnalysisPlugins {
        objectives: vec![
            Arc::new(Reader::new("throughput", Direction::Maximize, THROUGHPUT)),
            Arc::new(Reader::new("latency-p99", Direction::Minimize, LATENCY)),
        ],
        trade_off: 2,
        criteria: vec![Arc::new(Dominance(identity(Kind::Pareto, "dominance")))],
        chosen_criterion: "dominance".into(),
        detectors: vec![Arc::new(EveryBend(identity(Kind::Trend, "every-bend")))],
        material: 0.01,
    }
}

fn identity(kind: Kind, name: &str) -> Identity {
    Identity {
        kind,
        name: name.into(),
        version: String::new(),
        sha256: String::new(),
        source: "built-in".into(),
        sandboxed: true,
        settings: "{}".into(),
    }
}

struct Reader {
    identity: Identity,
    direction: Direction,
    key: &'static str,
}

impl Reader {
    fn new(name: &str, direction: Direction, key: &'static str) -> Self {
        Self { identity: identity(Kind::Objective, name), direction, key }
    }
}

impl Plugin for Reader {
    fn identity(&self) -> &Identity {
        &self.identity
    }
}

impl Objective for Reader {
    fn direction(&self) -> Direction {
        self.direction
    }

    fn unit(&self) -> &'static str {
        ""
    }

    fn evaluate(&self, point: &Point) -> Result<Option<Evaluation>, PluginError> {
        let measurement = point.measurement(self.key);
        Ok(measurement.map(|one| Evaluation { value: one.mean, metric: Some(self.key.into()) }))
    }
}

struct Dominance(Identity);

impl Plugin for Dominance {
    fn identity(&self) -> &Identity {
        &self.0
    }
}

impl ParetoCriterion for Dominance {
    fn judge(&self, axes: &[Axis], candidates: &[Candidate]) -> Result<Vec<Judgement>, PluginError> {
        let goodness = |candidate: &Candidate| -> Vec<f64> {
            let signed = axes.iter().zip(&candidate.scores).map(|(axis, score)| match axis.direction {
                Direction::Minimize => -score.mean,
                Direction::Maximize => score.mean,
            });
            signed.collect()
        };
        let good: Vec<Vec<f64>> = candidates.iter().map(goodness).collect();
        let dominates = |a: &[f64], b: &[f64]| a != b && a.iter().zip(b).all(|(a, b)| a >= b);
        let standing = |one: &Vec<f64>| match good.iter().position(|other| dominates(other, one)) {
            Some(other) => Standing::DominatedBy(other as u32),
            None => Standing::Optimal,
        };
        Ok(good.iter().map(|one| Judgement { standing: standing(one), probability: None }).collect())
    }
}

/// Claims an inflection at every value, so that what is listed is what the host lets through of any detector.
struct EveryBend(Identity);

impl Plugin for EveryBend {
    fn identity(&self) -> &Identity {
        &self.0
    }
}

impl TrendDetector for EveryBend {
    fn detect(&self, series: &Series) -> Result<Report, PluginError> {
        let findings = (0..series.samples.len() as u32).map(|position| Finding {
            kind: "inflection".into(),
            message: String::new(),
            first: position,
            last: position,
            location: None,
            certainty: 1.0,
        });
        Ok(Report { findings: findings.collect(), ..Report::default() })
    }
}
