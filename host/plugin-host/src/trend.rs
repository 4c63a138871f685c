//! Detector plugins: series into findings.

use std::collections::BTreeSet;

use aiperf_model::conclusion::{Derived, Finding, Report, Sample, Series};
use aiperf_model::plugin::{Identity, Plugin, PluginError, TrendDetector};
use aiperf_model::point::Interval;

use crate::answer::{Answer, LONGEST_NAME, is_name, quoted, shortened};
use crate::bindings::trend as wit;
use crate::case::Call;
use crate::configured::Configured;
use crate::interface;
use crate::limits::Limits;
use crate::native::Function;

const DETECT: Function = Function { name: "detect", place: 0 };

/// A plugin behind [`TrendDetector`].
pub(crate) struct DetectorPlugin(pub(crate) Configured<interface::Trend>);

impl Plugin for DetectorPlugin {
    fn identity(&self) -> &Identity {
        &self.0.identity
    }
}

impl TrendDetector for DetectorPlugin {
    fn detect(&self, series: &Series) -> Result<Report, PluginError> {
        self.0.traced(self.detected(series), || Call::Detect(series.clone()))
    }
}

impl DetectorPlugin {
    fn detected(&self, series: &Series) -> Result<Report, PluginError> {
        let samples: Vec<wit::Sample<'_>> = series.samples.iter().map(lend_sample).collect();
        let lent = wit::Series {
            parameter: &series.parameter,
            key: &series.key,
            metric: &series.metric,
            statistic: &series.statistic,
            unit: &series.unit,
            better: series.better.map(Into::into),
            samples: &samples,
        };
        self.0.ask_reproducibly(DETECT, lent, series, |guest, store, lent| {
            Ok(guest.call_detect(store, lent)?.map(take_report))
        })
    }
}

fn lend_sample(sample: &Sample) -> wit::Sample<'_> {
    wit::Sample {
        point_index: sample.point_index,
        x: sample.x,
        y: sample.y,
        trials: &sample.trials,
        confidence: sample.confidence.map(Into::into),
    }
}

fn take_report(report: wit::Report) -> Report {
    let take_finding = |finding: wit::Finding| Finding {
        kind: finding.kind,
        message: finding.message,
        first: finding.first,
        last: finding.last,
        location: finding.location.map(Into::into),
        certainty: finding.certainty,
    };
    let take_derived = |derived: wit::Derived| Derived { name: derived.name, values: derived.values };
    Report {
        findings: report.findings.into_iter().map(take_finding).collect(),
        derived: report.derived.into_iter().map(take_derived).collect(),
        left_out: 0,
    }
}

impl Answer<&Series> for Report {
    fn shorten(mut self, limits: &Limits) -> Self {
        let too_many = |count: usize| count.saturating_sub(limits.findings);
        self.left_out = too_many(self.findings.len()) + too_many(self.derived.len());
        self.findings.truncate(limits.findings);
        self.derived.truncate(limits.findings);
        for finding in &mut self.findings {
            finding.message = shortened(std::mem::take(&mut finding.message));
        }
        self
    }

    fn check(&self, series: &Series) -> Result<(), String> {
        let samples = series.samples.len();
        let mut earliest = 0;
        for finding in &self.findings {
            check_finding(finding, samples)?;
            if finding.first < earliest {
                return Err(format!(
                    "the finding at sample {} after one at sample {earliest}",
                    finding.first
                ));
            }
            earliest = finding.first;
        }
        self.derived.iter().try_for_each(|derived| check_derived(derived, samples))?;
        let mut names = BTreeSet::new();
        match self.derived.iter().find(|derived| !names.insert(&derived.name)) {
            Some(twice) => Err(format!("two lists of numbers named '{}'", twice.name)),
            None => Ok(()),
        }
    }
}

fn check_finding(finding: &Finding, samples: usize) -> Result<(), String> {
    let Finding { kind, first, last, certainty, .. } = finding;
    if !is_name(kind) {
        return Err(format!(
            "{} as a kind of finding, which is not kebab-case of at most {LONGEST_NAME} letters",
            quoted(kind)
        ));
    }
    if first > last || *last as usize >= samples {
        return Err(format!("a finding from sample {first} to {last} of {samples}"));
    }
    if !(0.0..=1.0).contains(certainty) {
        return Err(format!("{certainty:?} as a certainty, which is not between 0 and 1"));
    }
    match &finding.location {
        Some(location) if !is_interval(location) => {
            Err(format!("a finding between {:?} and {:?}", location.low, location.high))
        }
        _ => Ok(()),
    }
}

fn is_interval(interval: &Interval) -> bool {
    let Interval { low, high, level } = *interval;
    low.is_finite() && high.is_finite() && low <= high && level > 0.0 && level < 1.0
}

fn check_derived(derived: &Derived, samples: usize) -> Result<(), String> {
    let Derived { name, values } = derived;
    if !is_name(&name.replace('_', "-")) || name.contains('-') {
        return Err(format!(
            "{} as the name of numbers, which is not snake case of at most {LONGEST_NAME} letters",
            quoted(name)
        ));
    }
    if values.len() + 1 != samples {
        return Err(format!("{} values of '{name}' for {samples} samples", values.len()));
    }
    match values.iter().find(|value| !value.is_finite()) {
        Some(value) => Err(format!("{value} as a value of '{name}', which is not a finite number")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(first: u32, last: u32) -> Finding {
        Finding {
            kind: "inflection".to_owned(),
            message: "a knee".to_owned(),
            first,
            last,
            location: Some(Interval { low: 1.0, high: 2.0, level: 0.95 }),
            certainty: 1.0,
        }
    }

    fn report(findings: Vec<Finding>) -> Report {
        Report {
            findings,
            derived: vec![Derived { name: "rate_of_change".to_owned(), values: vec![1.0, 2.0] }],
            left_out: 0,
        }
    }

    /// Three samples.
    fn series() -> Series {
        let sample = |x: f64| Sample { point_index: 0, x, y: x, trials: vec![x], confidence: None };
        let word = || "k".to_owned();
        Series {
            parameter: word(),
            key: word(),
            metric: word(),
            statistic: word(),
            unit: word(),
            better: None,
            samples: [1.0, 2.0, 3.0].map(sample).to_vec(),
        }
    }

    #[test]
    fn of_many_findings_the_first_are_kept_and_the_others_counted() {
        let limits = Limits { findings: 2, ..Limits::default() };
        let list = |name: &str| Derived { name: name.to_owned(), values: vec![1.0, 2.0] };
        let long = Finding { message: "x".repeat(1 << 20), ..finding(0, 0) };
        let report = Report {
            derived: ["a", "b", "c"].map(list).to_vec(),
            ..report(vec![long.clone(), finding(1, 1), finding(2, 2), finding(2, 2)])
        };
        let report = report.shorten(&limits);
        assert_eq!((report.findings.len(), report.derived.len(), report.left_out), (2, 2, 3));
        assert!(report.findings[0].message.len() < 5000);
        assert_eq!(report.findings[1], finding(1, 1));
        assert_eq!(report.check(&series()), Ok(()));
    }

    #[test]
    fn findings_ascend_within_the_samples() {
        assert_eq!(report(vec![finding(0, 2), finding(0, 0), finding(1, 1)]).check(&series()), Ok(()));
        for (findings, told) in [
            (vec![finding(1, 1), finding(0, 0)], "sample 0 after one at sample 1"),
            (vec![finding(1, 0)], "from sample 1 to 0 of 3"),
            (vec![finding(0, 3)], "from sample 0 to 3 of 3"),
            (vec![Finding { kind: "Knee".to_owned(), ..finding(0, 0) }], "not kebab-case"),
            (vec![Finding { certainty: f64::NAN, ..finding(0, 0) }], "NaN as a certainty"),
            (
                vec![Finding {
                    location: Some(Interval { low: 2.0, high: 1.0, level: 0.95 }),
                    ..finding(0, 0)
                }],
                "a finding between 2.0 and 1.0",
            ),
        ] {
            let problem = report(findings).check(&series()).unwrap_err();
            assert!(problem.contains(told), "{problem}");
        }
    }

    #[test]
    fn each_list_of_numbers_has_a_name_of_its_own() {
        let list = Derived { name: "slopes".to_owned(), values: vec![1.0, 2.0] };
        let report = Report { derived: vec![list.clone(), list], ..Report::default() };
        assert_eq!(report.check(&series()), Err("two lists of numbers named 'slopes'".to_owned()));
    }

    #[test]
    fn numbers_stand_between_neighbouring_samples() {
        let derived = |name: &str, values: &[f64]| Derived { name: name.to_owned(), values: values.to_vec() };
        assert_eq!(check_derived(&derived("slopes", &[1.0]), 2), Ok(()));
        for (bad, told) in [
            (derived("slopes", &[1.0, 2.0]), "2 values of 'slopes' for 2 samples"),
            (derived("slopes", &[f64::INFINITY]), "inf as a value"),
            (derived("Slopes", &[1.0]), "not snake case"),
            (derived("my-slopes", &[1.0]), "not snake case"),
        ] {
            let problem = check_derived(&bad, 2).unwrap_err();
            assert!(problem.contains(told), "{problem}");
        }
    }
}
