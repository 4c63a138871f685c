//! The detector `relative-step`: inflections where a step changes its sign, or differs from the one before by
//! more than a share of it.
//!
//! The change is reported at the far end of the second step; a first step of zero is skipped. The rule is easy
//! to check by hand, and useful beside `slope-change` to see where both agree. It looks at plain differences,
//! so it takes unequal spacing for a change, and at their ratio, so it takes noise on a plateau for one.

use aiperf_plugin::trend::{Derived, Finding, Report, Series, TrendDetector};
use aiperf_plugin::{Result, register_trend};
use serde::Deserialize;

/// What counts as a change.
#[derive(Debug, Deserialize)]
#[serde(default)]
struct RelativeStep {
    /// The least share by which a step must differ; the share itself does not count.
    threshold: f64,
}

impl Default for RelativeStep {
    fn default() -> Self {
        Self { threshold: 0.5 }
    }
}

/// A change between two neighbouring steps.
struct Change {
    position: usize,
    before: f64,
    after: f64,
}

impl RelativeStep {
    fn changes(&self, series: &Series) -> Vec<Change> {
        let steps = series.differences();
        let changes = steps.windows(2).zip(2..).filter_map(|(pair, position)| match *pair {
            [before, after] if self.differ(before, after) => Some(Change { position, before, after }),
            _ => None,
        });
        changes.collect()
    }

    fn differ(&self, before: f64, after: f64) -> bool {
        before * after < 0.0 || (before != 0.0 && (after - before).abs() > self.threshold * before.abs())
    }
}

impl Change {
    fn message(&self, series: &Series) -> String {
        let place = series.samples.get(self.position).map_or(0.0, |sample| sample.x);
        let (before, after, unit, parameter) = (self.before, self.after, &series.unit, &series.parameter);
        format!("the step changes from {before:+.1} to {after:+.1} {unit} at {parameter} {place}")
    }

    fn into_finding(self, series: &Series, trials: &[Vec<Self>]) -> Finding {
        let same = |other: &Self| other.position == self.position;
        let agreeing = trials.iter().filter(|found| found.iter().any(same)).count();
        let certainty = if trials.is_empty() { 1.0 } else { agreeing as f64 / trials.len() as f64 };
        Finding { certainty, ..Finding::inflection(self.position, self.message(series)) }
    }
}

impl TrendDetector for RelativeStep {
    fn settings_schema() -> Option<String> {
        Some(include_str!("settings.schema.json").to_owned())
    }

    fn validate(&self) -> std::result::Result<(), String> {
        if self.threshold > 0.0 {
            Ok(())
        } else {
            Err(format!("threshold must be above 0, such as 0.5, not {}", self.threshold))
        }
    }

    fn detect(&self, series: &Series) -> Result<Report> {
        let trials: Vec<_> = series.by_trial().iter().map(|curve| self.changes(curve)).collect();
        let findings =
            self.changes(series).into_iter().map(|change| change.into_finding(series, &trials)).collect();
        Ok(Report { findings, derived: vec![Derived::new("rate_of_change", series.differences())] })
    }
}

register_trend!(RelativeStep, name = "relative-step");

#[cfg(test)]
mod tests {
    use aiperf_plugin::testing;

    use super::*;

    fn report(values: &[f64]) -> (Series, Report) {
        let samples: Vec<_> = (1..).map(|step| f64::from(step) * 10.0).zip(values.iter().copied()).collect();
        let series = testing::series(&samples);
        let report = RelativeStep::default().detect(&series).unwrap();
        (series, report)
    }

    #[test]
    fn rules_of_the_step() {
        let table: [(&[f64], &[f64]); 8] = [
            (&[95.2, 175.8, 245.3, 255.1], &[40.0]),
            (&[125.4, 145.2, 180.5, 285.7], &[30.0, 40.0]),
            (&[100.0, 180.0, 270.0, 285.0], &[40.0]),
            (&[100.0, 180.0, 270.0, 285.0, 290.0], &[40.0, 50.0]),
            (&[100.0, 101.0, 100.5, 100.2], &[30.0]),
            (&[100.0, 100.0, 150.0, 200.0], &[]),
            (&[0.0, 10.0, 25.0], &[]),
            (&[1.0, 9.0], &[]),
        ];
        for (values, expected) in table {
            let (series, report) = report(values);
            let places: Vec<_> =
                report.findings.iter().map(|finding| series.samples[finding.first as usize].x).collect();
            assert_eq!(places, expected, "{values:?}");
        }
    }

    #[test]
    fn the_message_and_the_differences_say_what_was_seen() {
        let (_, report) = report(&[0.0, 80.0, 90.0]);
        assert_eq!(
            report.findings[0].message,
            "the step changes from +80.0 to +10.0 requests/sec at concurrency 30"
        );
        assert_eq!(report.derived, [Derived::new("rate_of_change", vec![80.0, 10.0])]);
    }

    #[test]
    fn a_threshold_of_nothing_is_refused() {
        assert!(testing::configure::<RelativeStep>(r#"{"threshold":0}"#).unwrap().validate().is_err());
        assert!(RelativeStep::default().validate().is_ok());
    }
}
