//! What can be wrong with the answer of a plugin.

use aiperf_model::parameter;
use aiperf_model::plugin::PluginError;
use aiperf_model::point::Point;

/// Why the answer of a plugin is not used. The text goes after the kind and name of the plugin.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum Fault {
    /// The plugin said so itself, or the host stopped it.
    #[error("failed on {subject}: {error}")]
    Failed { subject: String, error: PluginError },
    #[error("returned {value} for {point}, which is not a finite number")]
    ValueNotFinite { point: String, value: f64 },
    #[error("names the measurement '{key}' for {point}, which has no such measurement")]
    UnknownMeasurement { point: String, key: String },
    #[error("returned {judgements} {} for {candidates} {}",
        plural(*judgements, "judgement"), plural(*candidates, "candidate"))]
    JudgementCount { judgements: usize, candidates: usize },
    #[error("says that candidate {candidate} is dominated by candidate {other}, but there are {candidates} {}, counted from 0",
        plural(*candidates, "candidate"))]
    UnknownDominator { candidate: usize, other: u32, candidates: usize },
    #[error("says that candidate {candidate} is dominated by itself")]
    DominatedByItself { candidate: usize },
    #[error("gives candidate {candidate} the probability {probability}, which is not between 0 and 1")]
    Probability { candidate: usize, probability: f64 },
    #[error(
        "found '{kind}' in {series} at samples {first} to {last}, but there are {samples} samples, counted from 0"
    )]
    FindingOutside { series: String, kind: String, first: u32, last: u32, samples: usize },
    #[error("found '{kind}' in {series} with the certainty {certainty}, which is not between 0 and 1")]
    Certainty { series: String, kind: String, certainty: f64 },
    #[error("found '{kind}' in {series} between {low} and {high}, which is not an interval")]
    Location { series: String, kind: String, low: f64, high: f64 },
}

impl Fault {
    /// The plugin could not evaluate or judge this.
    pub(crate) fn failed(subject: impl Into<String>, error: PluginError) -> Self {
        Self::Failed { subject: subject.into(), error }
    }
}

/// A point as messages name it.
pub(crate) fn name(point: &Point) -> String {
    if point.parameters.is_empty() {
        format!("point {}", point.index)
    } else {
        parameter::describe(&point.parameters)
    }
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { noun.into() } else { format!("{noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_read_naturally() {
        let text = |judgements, candidates| Fault::JudgementCount { judgements, candidates }.to_string();
        assert_eq!(text(3, 4), "returned 3 judgements for 4 candidates");
        assert_eq!(text(1, 0), "returned 1 judgement for 0 candidates");
    }
}
