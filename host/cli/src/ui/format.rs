//! Numbers as a person reads them.

use aiperf_model::parameter::Parameter;
use std::time::Duration;

/// Stands after a percentile from so few requests that it may well be another.
pub(crate) const OPEN: &str = "?";

/// A number with about four significant digits and thousands separators: `12,345`, `255.1`, `9.80`, `0.0412`.
pub(crate) fn number(value: f64) -> String {
    let magnitude = value.abs();
    let digits = match magnitude {
        m if m == 0.0 || m >= 1000.0 => 0,
        m if m >= 100.0 => 1,
        m if m >= 1.0 => 2,
        _ => 4,
    };
    let text = format!("{value:.digits$}");
    if magnitude >= 1000.0 { group(&text) } else { text }
}

/// A number, or `-` where there is none.
pub(crate) fn optional(value: Option<f64>) -> String {
    value.map_or_else(|| "-".into(), number)
}

/// `95.20 ± 3.85`, or the mean alone where nothing is known of its spread.
pub(crate) fn with_half_width(mean: f64, half_width: Option<f64>) -> String {
    match half_width {
        Some(half_width) => format!("{} ± {}", number(mean), number(half_width)),
        None => number(mean),
    }
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

fn group(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let mut grouped = String::from(sign);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_four_digits_or_so() {
        let cases = [
            (0.0, "0"),
            (0.04123, "0.0412"),
            (9.8, "9.80"),
            (255.1, "255.1"),
            (1234.5, "1,234"),
            (-1_234_567.0, "-1,234,567"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text);
        }
    }

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
    fn the_spread_is_shown_where_it_is_known() {
        assert_eq!(with_half_width(95.2, Some(3.849)), "95.20 ± 3.85");
        assert_eq!(with_half_width(95.2, None), "95.20");
    }
}
