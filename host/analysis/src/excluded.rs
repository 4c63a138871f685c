//! Values that are neither best nor optimal: those that the verdict calls invalid.

use aiperf_model::conclusion::ExcludedValue;
use aiperf_model::point::Point;
use aiperf_model::verdict::{Validity, ValueVerdict};

/// The invalid ones of these points, in their order.
pub(crate) fn excluded(points: &[Point], verdicts: &[ValueVerdict]) -> Vec<ExcludedValue> {
    let invalid = |point: &Point| {
        let judged = verdicts.iter().find(|judged| judged.index == point.index)?;
        let verdict = (judged.verdict.verdict == Validity::Invalid).then_some(&judged.verdict)?;
        let mut reasons: Vec<String> = Vec::new();
        for reason in verdict.reasons.iter().filter(|reason| reason.verdict == Validity::Invalid) {
            if !reasons.contains(&reason.reason) {
                reasons.push(reason.reason.clone());
            }
        }
        Some(ExcludedValue { point_index: point.index, parameters: point.parameters.clone(), reasons })
    };
    points.iter().filter_map(invalid).collect()
}

/// Whether the point at this position of the plan is among them.
pub(crate) fn contains(excluded: &[ExcludedValue], point_index: u32) -> bool {
    excluded.iter().any(|value| value.point_index == point_index)
}
