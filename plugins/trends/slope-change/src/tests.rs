use aiperf_plugin::testing;

use super::*;

/// The values of the parameter at which something is reported.
fn places(samples: &[(f64, f64)]) -> Vec<f64> {
    let series = testing::series(samples);
    let report = SlopeChange::default().detect(&series).unwrap();
    report.findings.iter().map(|finding| series.samples[finding.first as usize].x).collect()
}

fn by_tens(values: &[f64]) -> Vec<(f64, f64)> {
    (1..).map(|step| f64::from(step) * 10.0).zip(values.iter().copied()).collect()
}

fn message(samples: &[(f64, f64)]) -> String {
    SlopeChange::default().detect(&testing::series(samples)).unwrap().findings[0].message.clone()
}

#[test]
fn a_plateau_is_reported_where_it_starts_and_a_rise_where_it_is_seen() {
    let throughput = by_tens(&[95.2, 175.8, 245.3, 255.1]);
    let latency = by_tens(&[125.4, 145.2, 180.5, 285.7]);
    assert_eq!(places(&throughput), [30.0]);
    assert_eq!(places(&latency), [40.0]);
    assert_eq!(message(&throughput), "slope falls to 1/7.1 after concurrency 30 (saturation)");
    assert_eq!(message(&latency), "slope increases 3-fold at concurrency 40");
}

#[test]
fn rules_of_the_inflection() {
    let table: [(&str, &[f64], &[f64]); 8] = [
        ("flattens", &[100.0, 180.0, 270.0, 285.0], &[30.0]),
        ("steady", &[100.0, 110.0, 121.0, 133.0], &[]),
        ("a peak", &[1.0, 2.0, 3.0, 2.0], &[30.0]),
        ("a valley", &[3.0, 2.0, 1.0, 2.0], &[30.0]),
        ("constant", &[5.0, 5.0, 5.0, 5.0], &[]),
        ("noise after a jump", &[0.0, 1000.0, 1001.0, 1000.0, 1001.0], &[20.0]),
        ("two samples", &[1.0, 9.0], &[]),
        ("falls faster", &[100.0, 99.0, 98.0, 90.0], &[40.0]),
    ];
    for (name, values, expected) in table {
        assert_eq!(places(&by_tens(values)), expected, "{name}");
    }
}

#[test]
fn a_straight_line_has_no_inflection_however_it_is_spaced() {
    let line: Vec<_> = [5.0, 10.0, 20.0, 40.0, 80.0].map(|x| (x, 3.0 * x + 7.0)).into();
    assert_eq!(places(&line), [0.0_f64; 0]);
}

#[test]
fn turns_and_declines_are_said_in_words() {
    assert_eq!(message(&by_tens(&[1.0, 3.0, 1.0])), "peak at concurrency 20");
    assert_eq!(message(&by_tens(&[3.0, 1.0, 3.0])), "valley at concurrency 20");
    assert_eq!(message(&by_tens(&[100.0, 99.0, 90.0])), "decline steepens 9-fold at concurrency 30");
}

#[test]
fn trials_that_disagree_lower_the_certainty() {
    let mut series = testing::series(&by_tens(&[0.0, 10.0, 12.0]));
    for (sample, trials) in series.samples.iter_mut().zip([[0.0, 0.0], [10.0, 10.0], [11.0, 20.0]]) {
        sample.trials = trials.to_vec();
    }
    let findings = SlopeChange::default().detect(&series).unwrap().findings;
    assert!((findings[0].certainty - 0.5).abs() < 1e-12, "{findings:?}");
}

#[test]
fn the_numbers_behind_the_findings_are_reported() {
    let report =
        SlopeChange::default().detect(&testing::series(&[(5.0, 1.0), (10.0, 3.0), (20.0, 4.0)])).unwrap();
    assert_eq!(
        report.derived,
        [Derived::new("rate_of_change", vec![2.0, 1.0]), Derived::new("slopes", vec![0.4, 0.1])]
    );
}

#[test]
fn settings_change_the_factor_and_nonsense_is_refused() {
    let strict: SlopeChange = testing::configure(r#"{"factor":10}"#).unwrap();
    let series = testing::series(&by_tens(&[95.2, 175.8, 245.3, 255.1]));
    assert_eq!(strict.detect(&series).unwrap().findings, []);
    let refused = |settings| testing::configure::<SlopeChange>(settings).unwrap().validate().is_err();
    assert!(refused(r#"{"factor":1}"#));
    assert!(refused(r#"{"floor":-0.1}"#));
    assert!(!refused("{}"));
}
