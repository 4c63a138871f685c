//! Points become best configurations, Pareto fronts and trends.
//!
//! The host arranges and checks, plugins judge. Objectives say what a point is worth (`scores`), which gives the
//! `best` point by each of them and the candidates of a `pareto` criterion. Detectors look at one metric along one
//! parameter at a time (`trends`). The `differences` of neighbours are the host's own, since the files hold them
//! whatever the detector.
//!
//! What the trials leave open is asked by giving plugins means by `bootstrap`, and comparing the `answers`.
//!
//! The analysis is pure and never fails: a plugin that crashes, refuses, or answers what cannot be true becomes a
//! failure in the conclusions, its part is missing, and the rest stands. Answers are checked before they come here; what
//! is odd in those that can be true becomes a note (`notes`).

#![cfg_attr(test, expect(clippy::float_cmp, reason = "the tests state which numbers come out exactly"))]

mod answers;
mod best;
mod bootstrap;
mod comparison;
mod differences;
mod excluded;
mod fault;
mod inflections;
mod membership;
mod notes;
mod pareto;
mod room;
mod scores;
mod trends;

#[cfg(test)]
mod testing;

pub use crate::answers::{Influence, influences, open_answers};

use crate::comparison::Rule;
use crate::fault::Fault;
use aiperf_model::conclusion::{Conclusions, ExcludedValue, PluginFailure, PluginNote};
use aiperf_model::plugin::{AnalysisPlugins, Identity};
use aiperf_model::point::Point;
use aiperf_model::verdict::ValueVerdict;

/// What is analysed.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The names of the swept parameters, in the order of the configuration.
    pub axes: &'a [String],
    /// Ascending by their parameters.
    pub points: &'a [Point],
    /// How far each point can be believed; invalid ones are neither best nor optimal.
    pub verdicts: &'a [ValueVerdict],
    /// The coverage of the intervals by which values are told apart.
    pub confidence_level: f64,
}

impl<'a> Subject<'a> {
    /// The same of other points.
    #[must_use]
    pub fn with_points<'b>(self, points: &'b [Point]) -> Subject<'b>
    where
        'a: 'b,
    {
        Subject { points, ..self }
    }

    fn excluded(self) -> Vec<ExcludedValue> {
        excluded::excluded(self.points, self.verdicts)
    }

    fn rule(self, plugins: &AnalysisPlugins) -> Rule {
        Rule { level: self.confidence_level, material: plugins.material }
    }
}

/// What these plugins say of these points.
///
/// The answers come in the order of the points; of those that cannot be told apart the first one is best.
#[must_use]
pub fn analyze(subject: Subject<'_>, plugins: &AnalysisPlugins) -> Conclusions {
    let mut failures = Vec::new();
    let mut notes = Vec::new();
    let excluded = subject.excluded();
    let rule = subject.rule(plugins);
    let points = subject.points;

    let mut scores = Vec::new();
    let mut spanning = 0;
    for (position, objective) in plugins.objectives.iter().enumerate() {
        let answer = scores::score(objective.as_ref(), points);
        if let Some(of_objective) = keep(answer, objective.identity(), &mut failures) {
            notes.extend(noted(objective.identity(), notes::of_objective(&of_objective, points)));
            scores.push(of_objective.without(&excluded, points));
        }
        if position < plugins.trade_off {
            spanning = scores.len();
        }
    }

    let mut fronts = Vec::new();
    if let Some(trade_off) = pareto::trade_off(scores.get(..spanning).unwrap_or_default(), points, rule) {
        for criterion in &plugins.criteria {
            let answer = pareto::front(criterion.as_ref(), &trade_off);
            fronts.extend(keep(answer, criterion.identity(), &mut failures));
        }
    }

    let lines = trends::lines(subject.axes, subject.points);
    let tested = trends::test(&lines, &excluded, rule);
    let mut trends = Vec::new();
    for detector in &plugins.detectors {
        let answer = trends::detect(detector.as_ref(), &lines, &tested);
        if let Some(of_detector) = keep(answer, detector.identity(), &mut failures) {
            notes.extend(noted(detector.identity(), notes::of_detector(&of_detector)));
            trends.push(of_detector);
        }
    }

    Conclusions {
        best: scores.iter().filter_map(|scores| best::best(scores, points, rule)).collect(),
        fronts,
        chosen_criterion: Some(plugins.chosen_criterion.clone()).filter(|name| !name.is_empty()),
        trends: trends::by_metric(trends),
        failures,
        notes,
        excluded,
        material: plugins.material,
    }
}

/// Notes on a plugin from sentences that lack their subject.
fn noted(plugin: &Identity, sentences: Vec<String>) -> impl Iterator<Item = PluginNote> {
    let note = move |sentence| PluginNote { plugin: plugin.clone(), message: format!("{plugin} {sentence}") };
    sentences.into_iter().map(note)
}

/// The answer of a plugin, or none and an entry among the failures.
fn keep<T>(answer: Result<T, Fault>, plugin: &Identity, failures: &mut Vec<PluginFailure>) -> Option<T> {
    answer
        .map_err(|fault| {
            failures.push(PluginFailure { plugin: plugin.clone(), message: format!("{plugin} {fault}") });
        })
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, Detector, Dominance, Reader, Scripted, identity};
    use aiperf_model::conclusion::{Direction, MemberStanding};
    use aiperf_model::plugin::{Kind, PluginError};
    use aiperf_model::verdict::{Reason, Validity, Verdict};
    use std::sync::Arc;

    fn plugins() -> AnalysisPlugins {
        AnalysisPlugins {
            objectives: vec![
                Arc::new(Reader::new("throughput", Direction::Maximize, "request_throughput_avg")),
                Arc::new(Reader::new("latency-p99", Direction::Minimize, "ttft_p99_ms")),
            ],
            trade_off: 3,
            criteria: vec![Arc::new(Dominance::new())],
            chosen_criterion: "dominance".into(),
            detectors: vec![Arc::new(Detector::inflection_at(2))],
            material: 0.01,
        }
    }

    fn subject<'a>(axes: &'a [String], points: &'a [Point]) -> Subject<'a> {
        Subject { axes, points, verdicts: &[], confidence_level: 0.95 }
    }

    fn axes() -> Vec<String> {
        vec!["concurrency".into()]
    }

    #[test]
    fn the_example_of_the_specification() {
        let conclusions = analyze(subject(&axes(), &testing::specification()), &plugins());
        assert_eq!(conclusions.failures, []);

        let best: Vec<_> = conclusions
            .best
            .iter()
            .map(|b| (b.objective.as_str(), b.point_index, b.value, b.unit.as_str()))
            .collect();
        assert_eq!(best, [("throughput", 3, 255.1, "requests/sec"), ("latency-p99", 0, 125.4, "ms")]);

        let front = conclusions.chosen_front().unwrap();
        let optimal: Vec<u32> = front.optimal().map(|member| member.point_index).collect();
        assert_eq!(optimal, [0, 1, 2, 3], "by the definition, 20 is optimal");

        let trends: Vec<_> =
            conclusions.trends.iter().map(|t| (t.key.as_str(), t.rate_of_change.as_slice())).collect();
        assert_eq!(
            trends,
            [
                ("request_throughput_avg", [80.6, 69.5, 9.8].as_slice()),
                ("ttft_p99_ms", [19.8, 35.3, 105.2].as_slice()),
            ]
        );
        assert_eq!(conclusions.trends[0].slopes, [8.06, 6.95, 0.98]);
        assert_eq!(conclusions.trends[0].positions, [10.0, 20.0, 30.0, 40.0]);
        assert_eq!(conclusions.trends[0].inflection_points(), [30.0]);
    }

    #[test]
    fn invalid_values_are_neither_best_nor_optimal_and_named() {
        let points = testing::specification();
        let reason = |rule: &str, verdict| Reason {
            reason: rule.into(),
            subject: None,
            verdict,
            figure: 1.0,
            threshold: 0.5,
            unit: String::new(),
            message: String::new(),
            advice: String::new(),
        };
        let verdict = |index, reasons| ValueVerdict {
            index,
            parameters: Vec::new(),
            verdict: Verdict::new(reasons, Vec::new()),
        };
        let invalid = vec![reason("client_cpu", Validity::Invalid), reason("drift", Validity::Suspect)];
        let verdicts = [verdict(3, invalid), verdict(0, vec![reason("drift", Validity::Suspect)])];
        let axes = axes();
        let conclusions = analyze(Subject { verdicts: &verdicts, ..subject(&axes, &points) }, &plugins());
        let best: Vec<_> = conclusions.best.iter().map(|best| best.point_index).collect();
        assert_eq!(best, [2, 0]);
        assert!(conclusions.best[0].tied_with.is_empty());
        assert!(conclusions.fronts[0].members.iter().all(|member| member.point_index != 3));
        let excluded: Vec<_> =
            conclusions.excluded.iter().map(|value| (value.point_index, value.reasons.clone())).collect();
        assert_eq!(excluded, [(3, vec!["client_cpu".to_owned()])]);
        // The inflection at 30 lies beside the invalid value.
        assert!(conclusions.trends.iter().all(|trend| trend.inflection_points().is_empty()));
        assert!(conclusions.trends.iter().all(|trend| trend.not_significant == 1));
    }

    #[test]
    fn the_same_points_give_the_same_conclusions() {
        let points = testing::specification();
        assert_eq!(
            analyze(subject(&axes(), &points), &plugins()),
            analyze(subject(&axes(), &points), &plugins())
        );
    }

    #[test]
    fn no_points_and_no_plugins_give_no_conclusions() {
        let empty = analyze(subject(&axes(), &[]), &plugins());
        assert!(empty.best.is_empty() && empty.fronts.is_empty() && empty.trends.is_empty());
        assert_eq!(empty.failures, []);
        assert_eq!(
            analyze(subject(&axes(), &testing::specification()), &AnalysisPlugins::default()),
            Conclusions::default()
        );
    }

    #[test]
    fn a_failing_plugin_takes_only_its_own_part_along() {
        let mut plugins = plugins();
        let broken = || PluginError::BrokeContract("it returned NaN".into());
        plugins.objectives.insert(0, Arc::new(Scripted::objective(Err(broken()))));
        plugins.criteria.insert(0, Arc::new(Scripted::refusing_criterion(broken())));
        plugins.detectors.insert(0, Arc::new(Scripted::refusing_detector()));
        let conclusions = analyze(subject(&axes(), &testing::specification()), &plugins);

        let failed: Vec<&Identity> = conclusions.failures.iter().map(|failure| &failure.plugin).collect();
        assert_eq!(
            failed,
            [
                &identity(Kind::Objective, "scripted"),
                &identity(Kind::Pareto, "scripted"),
                &identity(Kind::Trend, "scripted"),
            ]
        );
        let messages: Vec<&str> =
            conclusions.failures.iter().map(|failure| failure.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "objective 'scripted' failed on concurrency 10: it returned NaN",
                "pareto 'scripted' failed on the candidates: it returned NaN",
                "trend 'scripted' failed on request_throughput_avg along concurrency: out of fuel",
            ]
        );

        let expected = analyze(subject(&axes(), &testing::specification()), &self::plugins());
        assert_eq!(Conclusions { failures: Vec::new(), ..conclusions }, expected);
    }

    #[test]
    fn a_point_that_an_objective_has_no_value_for_is_no_candidate() {
        let mut points = testing::specification();
        points[1].measurements.retain(|measurement| measurement.key != "ttft_p99_ms");
        let conclusions = analyze(subject(&axes(), &points), &plugins());
        let members: Vec<u32> =
            conclusions.fronts[0].members.iter().map(|member| member.point_index).collect();
        assert_eq!(members, [0, 2, 3]);
        let keys: Vec<&str> = conclusions.trends.iter().map(|trend| trend.key.as_str()).collect();
        assert_eq!(keys, ["request_throughput_avg"], "a trend needs every point");
    }

    #[test]
    fn one_objective_is_no_trade_off() {
        let mut plugins = plugins();
        plugins.objectives.truncate(1);
        let conclusions = analyze(subject(&axes(), &testing::specification()), &plugins);
        assert_eq!(conclusions.best.len(), 1);
        assert!(conclusions.fronts.is_empty());
        assert_eq!(conclusions.failures, []);
    }

    #[test]
    fn objectives_behind_those_of_the_trade_off_are_only_reported() {
        let mut plugins = plugins();
        let itself = Reader::new("slowest", Direction::Maximize, "ttft_p99_ms");
        plugins.objectives.push(Arc::new(itself));
        let conclusions = |trade_off| {
            analyze(
                subject(&axes(), &testing::specification()),
                &AnalysisPlugins { trade_off, ..plugins.clone() },
            )
        };
        assert_eq!(conclusions(2).best.len(), 3);
        // With three axes nothing is dominated by construction; with the first one alone there is no trade-off.
        assert_eq!(conclusions(3).fronts[0].optimal().count(), 4);
        assert!(conclusions(1).fronts.is_empty());
    }

    #[test]
    fn an_objective_without_any_value_is_no_axis() {
        let mut plugins = plugins();
        plugins.objectives.push(Arc::new(Reader::new("goodput", Direction::Maximize, "goodput_avg")));
        let conclusions = analyze(subject(&axes(), &testing::specification()), &plugins);
        assert_eq!(conclusions.best.len(), 2);
        let optimal = conclusions.fronts[0].members.iter();
        assert!(optimal.clone().all(|member| member.standing == MemberStanding::Optimal));
        assert_eq!(optimal.count(), 4);
        let notes: Vec<&str> = conclusions.notes.iter().map(|note| note.message.as_str()).collect();
        assert_eq!(notes.len(), 1);
        assert!(
            notes[0].starts_with("objective 'goodput' has no value for any of the 4 values"),
            "{notes:?}"
        );
    }

    #[test]
    fn what_a_detector_found_too_much_of_is_noted() {
        let detector = Detector::inflection_at(2).leaving_out(9900);
        let plugins = AnalysisPlugins { detectors: vec![Arc::new(detector)], ..plugins() };
        let conclusions = analyze(subject(&axes(), &testing::specification()), &plugins);
        let notes: Vec<&str> = conclusions.notes.iter().map(|note| note.message.as_str()).collect();
        let told = "trend 'detector' found more than is kept: 19800 findings and derived lists of 2 metrics are left \
                    out, see --plugin-findings";
        assert_eq!(notes, [told]);
    }
}
