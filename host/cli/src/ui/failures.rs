//! What failed: values, and requests of those that did not.

use crate::lines::Lines;
use aiperf_model::parameter::{self, Parameter};
use aiperf_model::request_error::{RequestErrors, ValueErrors};
use aiperf_model::sweep::{FailedValue, SweepResult};

/// How many different errors of a value are told; the files have all.
const MOST_ERRORS: usize = 5;

/// The values without a successful run, each with its reason.
pub(super) fn section(result: &SweepResult) -> Lines {
    let line = |failed: &FailedValue| format!("  {}: {}", name(&failed.parameters), failed.error);
    let lines: Lines = result.failed_values.iter().map(line).collect();
    lines.under("Failed values (excluded from statistics)")
}

/// Why nothing succeeded, for standard error: each reason once.
pub(crate) fn failed_values(result: &SweepResult) -> Lines {
    let mut reasons: Vec<&str> = Vec::new();
    for failed in &result.failed_values {
        if !reasons.contains(&failed.error.as_str()) {
            reasons.push(&failed.error);
        }
    }
    reasons.into_iter().map(|reason| format!("error: {reason}")).collect()
}

/// The errors of requests at values that have a result, most frequent first.
pub(crate) fn request_errors(result: &SweepResult) -> Lines {
    let lines: Lines = result.request_errors.iter().flat_map(of_value).collect();
    lines.under("Failed requests (excluded from latencies)")
}

fn of_value(value: &ValueErrors) -> Vec<String> {
    let place = if value.parameters.is_empty() {
        String::new()
    } else {
        format!("{}: ", parameter::describe(&value.parameters))
    };
    let told = value.errors.iter().take(MOST_ERRORS).map(|errors| format!("  {place}{}", described(errors)));
    let rest: u64 = value.errors.iter().skip(MOST_ERRORS).map(|errors| errors.count).sum();
    let rest =
        (rest > 0).then(|| format!("  {place}{rest} with other messages; see error_summary in the files"));
    told.chain(rest).collect()
}

/// `12 × 503 status: overloaded`.
pub(super) fn described(errors: &RequestErrors) -> String {
    let RequestErrors { code, kind, message, count } = errors;
    let code = code.map(|code| format!("{code} ")).unwrap_or_default();
    format!("{count} × {code}{kind}: {message}")
}

/// A value by its parameters.
fn name(parameters: &[Parameter]) -> String {
    if parameters.is_empty() { "the run".to_owned() } else { parameter::describe(parameters) }
}
