//! Whether what a run's file says can have been measured.

use super::StoredRun;
use crate::contradiction::{Contradiction, check_size};
use aiperf_model::catalogue::{Metric, MetricId, Scope};
use aiperf_model::metrics::{Distribution, Summary};

/// How far a sum and what it is of may be apart, as a part of the largest summand: both were rounded.
const TOLERANCE: f64 = 1e-6;

/// Whether all that a run says can be true at once.
pub(super) fn check(run: &StoredRun) -> Result<(), Contradiction> {
    let requests = run.metrics.get(MetricId::RequestCount).and_then(scalar);
    for (id, summary) in &run.metrics.entries {
        let metric = id.metric();
        let checked = match summary {
            Summary::Scalar(value) => check_scalar(metric, *value),
            Summary::Distribution(distribution) => check_distribution(metric, distribution, requests),
        };
        checked.map_err(|(field, problem)| Contradiction::new(format!("{}.{field}", metric.tag), problem))?;
    }
    check_errors(run)
}

fn scalar(summary: &Summary) -> Option<f64> {
    match summary {
        Summary::Scalar(value) => Some(*value),
        Summary::Distribution(_) => None,
    }
}

/// Names the field that is wrong.
type Wrong = (&'static str, String);

fn check_scalar(metric: &Metric, value: f64) -> Result<(), Wrong> {
    check_size(value).map_err(|problem| ("avg", problem))?;
    let is_count = metric.tag.ends_with("_count");
    if is_count && (value < 0.0 || value.fract() != 0.0) {
        return Err(("avg", format!("found {value}, expected a whole number of {}", metric.unit)));
    }
    Ok(())
}

fn check_distribution(
    metric: &Metric,
    distribution: &Distribution,
    requests: Option<f64>,
) -> Result<(), Wrong> {
    let Distribution { avg, p1, p5, p10, p25, p50, p75, p90, p95, p99, min, max, std, count, sum, .. } =
        *distribution;
    let ascending = [
        ("min", min),
        ("p1", p1),
        ("p5", p5),
        ("p10", p10),
        ("p25", p25),
        ("p50", p50),
        ("p75", p75),
        ("p90", p90),
        ("p95", p95),
        ("p99", p99),
        ("max", max),
    ];
    for (field, number) in ascending.into_iter().chain([("avg", avg), ("std", std), ("sum", sum)]) {
        check_size(number).map_err(|problem| (field, problem))?;
    }
    for [(lower, low), (field, high)] in ascending.array_windows() {
        if low > high {
            return Err((field, format!("found {high}, expected at least `{lower}`, which is {low}")));
        }
    }
    let slack = TOLERANCE * min.abs().max(max.abs());
    if avg < min - slack || avg > max + slack {
        return Err(("avg", format!("found {avg}, expected a number between `min` and `max`")));
    }
    if std < 0.0 {
        return Err(("std", format!("found {std}, expected at least 0")));
    }
    if count == 0 {
        return Err(("count", "found 0, expected at least 1".into()));
    }
    let summed = avg * count as f64;
    if (sum - summed).abs() > slack * count as f64 {
        return Err(("sum", format!("found {sum}, expected {summed}, which is `avg` times `count`")));
    }
    match requests.filter(|requests| metric.scope == Scope::Request && count as f64 > *requests) {
        Some(requests) => {
            let problem = format!("found {count}, expected at most `request_count`, which is {requests}");
            Err(("count", problem))
        }
        None => Ok(()),
    }
}

/// The errors that are told are those that are counted.
fn check_errors(run: &StoredRun) -> Result<(), Contradiction> {
    let count = |id| run.metrics.get(id).and_then(scalar);
    let counted = count(MetricId::ErrorRequestCount).zip(count(MetricId::CancelledRequestCount));
    let told: u64 = run.errors.iter().fold(0, |sum, errors| sum.saturating_add(errors.count));
    match counted.map(|(failed, cancelled)| failed + cancelled) {
        Some(counted) if counted as u64 != told => {
            let problem = format!(
                "found {told} errors, expected {counted}, as `error_request_count` and `cancelled_request_count` have it"
            );
            Err(Contradiction::new("error_summary", problem))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use crate::export::Exporters;
    use crate::{fixture, layout, read_run};
    use serde_json::{Value, json};
    use std::fs;

    /// A place in the file, what is put there, and what is said of it.
    type Edit = (&'static str, fn() -> Value, &'static str);

    const EDITS: &[Edit] = &[
        ("/time_to_first_token/avg", || json!(1e300), "`time_to_first_token.avg`: found 1e300"),
        (
            "/time_to_first_token/avg",
            || json!(-1e6),
            "`time_to_first_token.avg`: found -1000000, expected a number between `min` and `max`",
        ),
        (
            "/time_to_first_token/p50",
            || json!(3.5),
            "`time_to_first_token.p50`: found 3.5, expected at least `p25`, which is 4",
        ),
        (
            "/time_to_first_token/max",
            || json!(9),
            "`time_to_first_token.max`: found 9, expected at least `p99`",
        ),
        ("/time_to_first_token/std", || json!(-1), "`time_to_first_token.std`: found -1"),
        ("/time_to_first_token/count", || json!(0), "`time_to_first_token.count`: found 0"),
        (
            "/time_to_first_token/count",
            || json!(21),
            "`time_to_first_token.count`: found 21, expected at most `request_count`, which is 20",
        ),
        (
            "/time_to_first_token/sum",
            || json!(1e12),
            "`time_to_first_token.sum`: found 1000000000000, expected 6",
        ),
        (
            "/request_count/avg",
            || json!(20.5),
            "`request_count.avg`: found 20.5, expected a whole number of requests",
        ),
        ("/error_request_count", || json!({"avg": -1}), "`error_request_count.avg`: found -1"),
        ("/error_request_count", || json!({"avg": 7}), "`error_summary`: found 1 errors, expected 7"),
    ];

    #[test]
    fn each_contradiction_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(layout::RUN_JSON);
        fixture::with_run_report(&fixture::run_metrics(), |report| {
            Exporters::built_in().export_run(folder.path(), report).unwrap();
        });
        let written: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        for (place, new, expected) in EDITS {
            let mut edited = written.clone();
            edited["cancelled_request_count"] = json!({"avg": 0});
            match edited.pointer_mut(place) {
                Some(old) => *old = new(),
                None => edited[&place[1..]] = new(),
            }
            fs::write(&file, edited.to_string()).unwrap();
            let text = read_run::read(folder.path()).unwrap_err().to_string();
            assert!(text.contains(expected), "{place}: {text}");
        }
    }

    #[test]
    fn a_metric_is_there_once() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{"request_count": {"avg": 20}, "request_count": {"avg": 40}}"#;
        fs::write(folder.path().join(layout::RUN_JSON), text).unwrap();
        let text = read_run::read(folder.path()).unwrap_err().to_string();
        assert!(text.contains("request_count is there twice"), "{text}");
    }
}
