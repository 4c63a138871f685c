//! Numbers as a person reads them.

use aiperf_model::figure::number;
use aiperf_model::parameter::Parameter;
use std::time::Duration;

/// Stands after a percentile from so few requests that it may well be another.
pub(crate) const OPEN: &str = "?";

/// A number, or `-` where there is none.
pub(crate) fn optional(value: Option<f64>) -> String {
    value.map_or_else(|| "-".into(), number)
}

/// `1 run`, `2 runs`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// A time to the second below ten minutes, else to the minute: `12 s`, `3 min 20 s`, `1 h 5 min`.
pub(crate) fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    let parts = match seconds {
        0..60 => [(seconds, "s"), (0, "")],
        60..600 => [(seconds / 60, "min"), (seconds % 60, "s")],
        600..3600 => [((seconds + 30) / 60, "min"), (0, "")],
        3600..86_400 => [(seconds / 3600, "h"), (seconds % 3600 / 60, "min")],
        _ => [(seconds / 86_400, "d"), (seconds % 86_400 / 3600, "h")],
    };
    let [(first, unit), rest] = parts;
    match rest {
        (0, _) => format!("{first} {unit}"),
        (rest, smaller) => format!("{first} {unit} {rest} {smaller}"),
    }
}

/// The values alone, `10` or `10, 128`, for a column whose header names the parameters.
pub(crate) fn values(parameters: &[Parameter]) -> String {
    parameters.iter().map(|parameter| parameter.value.to_string()).collect::<Vec<_>>().join(", ")
}

/// The values alone, in brackets where they are several: `10` or `(10, 128)`.
pub(crate) fn group_if_several(parameters: &[Parameter]) -> String {
    let values = values(parameters);
    if parameters.len() > 1 { format!("({values})") } else { values }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_exact_as_they_are_short() {
        for (seconds, text) in [
            (0.4, "0 s"),
            (59.4, "59 s"),
            (59.6, "1 min"),
            (200.0, "3 min 20 s"),
            (600.0, "10 min"),
            (3541.0, "59 min"),
            (3900.0, "1 h 5 min"),
            (90_000.0, "1 d 1 h"),
        ] {
            assert_eq!(time(Duration::from_secs_f64(seconds)), text);
        }
    }

    #[test]
    fn one_is_singular() {
        assert_eq!([0, 1, 2].map(|runs| count(runs, "run")), ["0 runs", "1 run", "2 runs"]);
    }
}
