//! What the analysis says: best configurations, fronts and trends.

use super::{Axes, ListedPoint, Named};
use crate::json::Position;
use crate::parameters::Object;
use aiperf_model::conclusion::{
    BestConfiguration, Derived, Front, FrontMember, MemberStanding, TiedValue, Trend, Uncertainty,
};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// `{"best_throughput": {…}, …}`.
pub(super) struct BestConfigurations<'a> {
    pub(super) best: &'a [BestConfiguration],
    pub(super) axes: Axes,
}

#[derive(Serialize)]
struct Best<'a> {
    #[serde(flatten)]
    at: Named<'a>,
    metric: f64,
    unit: &'a str,
    metric_name: Option<&'a str>,
    ci_low: Option<f64>,
    ci_high: Option<f64>,
    tied_with: Vec<ListedPoint<'a>>,
    uncertainty: Uncertainty,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ties: Vec<Tie<'a>>,
}

/// What speaks for a tie.
#[derive(Serialize)]
struct Tie<'a> {
    #[serde(flatten)]
    at: Named<'a>,
    metric: f64,
    difference: f64,
    difference_ci_low: Option<f64>,
    difference_ci_high: Option<f64>,
}

impl Serialize for BestConfigurations<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = |best: &BestConfiguration| format!("best_{}", best.objective.replace('-', "_"));
        serializer.collect_map(self.best.iter().map(|best| (name(best), Best::new(best, self.axes))))
    }
}

impl<'a> Best<'a> {
    fn new(best: &'a BestConfiguration, axes: Axes) -> Self {
        Self {
            at: axes.named(&best.parameters),
            metric: best.value,
            unit: &best.unit,
            metric_name: best.metric.as_deref(),
            ci_low: best.confidence.map(|interval| interval.low),
            ci_high: best.confidence.map(|interval| interval.high),
            tied_with: best.tied_with.iter().map(|tied| axes.place(&tied.parameters)).collect(),
            uncertainty: best.uncertainty,
            ties: best.tied_with.iter().map(|tied| Tie::new(tied, axes)).collect(),
        }
    }
}

impl<'a> Tie<'a> {
    fn new(tied: &'a TiedValue, axes: Axes) -> Self {
        Self {
            at: axes.named(&tied.parameters),
            metric: tied.value,
            difference: tied.difference,
            difference_ci_low: tied.interval.map(|interval| interval.low),
            difference_ci_high: tied.interval.map(|interval| interval.high),
        }
    }
}

/// The optimal points by each criterion: `{"dominance": [10, 20], …}`.
pub(super) struct Points<'a> {
    pub(super) fronts: &'a [Front],
    pub(super) axes: Axes,
}

impl Serialize for Points<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.fronts.iter().map(|front| {
            let optimal = front.optimal().map(|member| self.axes.place(&member.parameters));
            (&front.criterion, optimal.collect::<Vec<_>>())
        }))
    }
}

/// How every point stands by each criterion.
pub(super) struct Standings<'a> {
    pub(super) fronts: &'a [Front],
    pub(super) axes: Axes,
}

#[derive(Serialize)]
struct Standing<'a> {
    #[serde(flatten)]
    at: Named<'a>,
    #[serde(rename = "standing")]
    name: &'static str,
    optimal: bool,
    dominated_by: Option<ListedPoint<'a>>,
    tied_with: Option<ListedPoint<'a>>,
    rejected: Option<&'a str>,
    probability_optimal: Option<f64>,
}

impl Serialize for Standings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.fronts.iter().map(|front| {
            let members = front.members.iter();
            let standings: Vec<_> = members.map(|member| standing(front, member, self.axes)).collect();
            (&front.criterion, standings)
        }))
    }
}

fn standing<'a>(front: &'a Front, member: &'a FrontMember, axes: Axes) -> Standing<'a> {
    let place = |index: u32| {
        let other = front.members.iter().find(|other| other.point_index == index);
        other.map(|other| axes.place(&other.parameters))
    };
    let (dominated_by, tied_with, rejected) = match &member.standing {
        MemberStanding::Optimal => (None, None, None),
        MemberStanding::DominatedBy(index) => (place(*index), None, None),
        MemberStanding::TiedWith(index) => (None, place(*index), None),
        MemberStanding::Rejected(reason) => (None, None, Some(reason.as_str())),
    };
    Standing {
        at: axes.named(&member.parameters),
        name: member.standing.name(),
        optimal: member.standing == MemberStanding::Optimal,
        dominated_by,
        tied_with,
        rejected,
        probability_optimal: member.probability,
    }
}

/// The trends of each metric: an object for one axis, a list along the axes for several.
pub(super) struct Trends<'a> {
    pub(super) trends: &'a [Trend],
    pub(super) axes: Axes,
}

impl Serialize for Trends<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The analysis lists the metrics one after the other, and within a metric the lines and their detectors.
        let by_key = self.trends.chunk_by(|a, b| a.key == b.key).filter_map(|trends| {
            let key = &trends.first()?.key;
            let lines = trends.chunk_by(|a, b| a.parameter == b.parameter && a.fixed == b.fixed);
            Some((key, Lines { lines: lines.filter_map(Line::new).collect(), axes: self.axes }))
        });
        serializer.collect_map(by_key)
    }
}

/// The trends of one metric.
struct Lines<'a> {
    lines: Vec<Line<'a>>,
    axes: Axes,
}

impl Serialize for Lines<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.axes, self.lines.as_slice()) {
            (Axes::One, [line]) => line.trend.serialize(serializer),
            (_, lines) => lines.serialize(serializer),
        }
    }
}

/// The trend of one metric along one parameter.
#[derive(Serialize)]
struct Line<'a> {
    parameter: &'a str,
    fixed: Object<'a>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    along_with: &'a [String],
    #[serde(flatten)]
    trend: AllDetectors<'a>,
}

/// What the first detector says, and what all say if there are several.
#[derive(Serialize)]
struct AllDetectors<'a> {
    values: Vec<Position>,
    inflection_points: Vec<Position>,
    rate_of_change: &'a [f64],
    slopes: &'a [f64],
    detector: &'a str,
    findings: Vec<Found<'a>>,
    #[serde(flatten)]
    more: More<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detectors: Option<Detectors<'a>>,
}

impl<'a> Line<'a> {
    fn new(trends: &'a [Trend]) -> Option<Self> {
        let first = trends.first()?;
        let trend = AllDetectors {
            values: positions(&first.positions),
            inflection_points: positions(&first.inflection_points()),
            rate_of_change: &first.rate_of_change,
            slopes: &first.slopes,
            detector: &first.detector,
            findings: found(first),
            more: More::new(first),
            detectors: (trends.len() > 1).then_some(Detectors(trends)),
        };
        Some(Self {
            parameter: &first.parameter,
            fixed: Object(&first.fixed),
            along_with: &first.along_with,
            trend,
        })
    }
}

/// What each detector says, by name.
struct Detectors<'a>(&'a [Trend]);

#[derive(Serialize)]
struct OneDetector<'a> {
    inflection_points: Vec<Position>,
    findings: Vec<Found<'a>>,
    #[serde(flatten)]
    more: More<'a>,
}

/// What follows from the test of a detector's inflections, and what few detectors have beside findings: numbers of their
/// own, by name, and more than is kept.
#[derive(Serialize)]
struct More<'a> {
    not_significant: usize,
    flat_within: Option<f64>,
    uncertainty: Uncertainty,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    derived: BTreeMap<&'a str, &'a [f64]>,
    #[serde(skip_serializing_if = "is_zero")]
    left_out: usize,
}

impl<'a> More<'a> {
    fn new(trend: &'a Trend) -> Self {
        let named = |derived: &'a Derived| (derived.name.as_str(), derived.values.as_slice());
        Self {
            not_significant: trend.not_significant,
            flat_within: trend.flat_within,
            uncertainty: trend.uncertainty,
            derived: trend.derived.iter().map(named).collect(),
            left_out: trend.left_out,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Serialize for Detectors<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|trend| {
            let inflection_points = positions(&trend.inflection_points());
            (
                &trend.detector,
                OneDetector { inflection_points, findings: found(trend), more: More::new(trend) },
            )
        }))
    }
}

/// A finding with the values of the parameter where the detector gave positions.
#[derive(Serialize)]
struct Found<'a> {
    kind: &'a str,
    message: &'a str,
    first: Option<Position>,
    last: Option<Position>,
    location: Option<Range>,
    certainty: f64,
}

#[derive(Serialize)]
struct Range {
    low: f64,
    high: f64,
    level: f64,
}

fn found(trend: &Trend) -> Vec<Found<'_>> {
    let at = |index: u32| trend.positions.get(index as usize).copied().map(Position);
    let findings = trend.findings.iter().map(|finding| Found {
        kind: &finding.kind,
        message: &finding.message,
        first: at(finding.first),
        last: at(finding.last),
        location: finding.location.map(|i| Range { low: i.low, high: i.high, level: i.level }),
        certainty: finding.certainty,
    });
    findings.collect()
}

fn positions(values: &[f64]) -> Vec<Position> {
    values.iter().copied().map(Position).collect()
}
