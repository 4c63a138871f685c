//! Numbers as a person reads them: one rule for the console, the page and what verdicts say.
//!
//! A number has four significant digits, and whole ones all of theirs; with an interval, the digits that the second one
//! of its half-width reaches. Files have all digits.

/// From here on, zeros would fill the line.
const LARGE: f64 = 1e15;
/// Below this too.
const SMALL: f64 = 1e-4;
/// A percentage beyond this is a multiple.
const MULTIPLE: f64 = 1000.0;

/// `12,345`, `255.1`, `9.800`, `0.04123`, `20`, `4.123e-5`.
#[must_use]
pub fn number(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(SMALL..LARGE).contains(&size) || !size.is_finite() {
        return if size.is_finite() { format!("{value:.3e}") } else { value.to_string() };
    }
    let decimals = if value.fract() == 0.0 { 0 } else { decimals_from(3 - exponent(size)) };
    grouped(value, decimals)
}

/// `95.2 ± 3.8`, `12,300 ± 1,200`, or the mean alone where nothing is known of its spread.
#[must_use]
pub fn with_half_width(mean: f64, half_width: Option<f64>) -> String {
    match half_width {
        None => number(mean),
        Some(half_width) => {
            format!("{} ± {}", at(mean, half_width, mean), at(half_width, half_width, mean))
        }
    }
}

/// `91.4 to 99.0`: the ends of an interval, as exact as its half-width is.
#[must_use]
pub fn interval(low: f64, high: f64) -> String {
    let half_width = (high - low) / 2.0;
    format!("{} to {}", at(low, half_width, high), at(high, half_width, high))
}

/// `31.20 %`, and above 1,000 % `27-fold`.
#[must_use]
pub fn percent(value: f64) -> String {
    if value > MULTIPLE { format!("{}-fold", whole(value / 100.0)) } else { format!("{} %", number(value)) }
}

/// A limit or another number that somebody chose, as it was written: `5`, `0.01`, `99.5`.
#[must_use]
pub fn chosen(value: f64) -> String {
    let text = number(value);
    if text.contains('.') && !text.contains('e') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A multiple, which is no more exact than what it was computed of.
fn whole(value: f64) -> String {
    if value < LARGE { grouped(value.round(), 0) } else { number(value) }
}

/// `value` to the second significant digit of `half_width`, of an interval around `mean`.
fn at(value: f64, half_width: f64, mean: f64) -> String {
    let is_shown_plainly = |size: f64| size == 0.0 || (SMALL..LARGE).contains(&size);
    if half_width == 0.0 || !is_shown_plainly(half_width.abs()) || !is_shown_plainly(mean.abs()) {
        return number(value);
    }
    let second = 1 - exponent(half_width.abs());
    if second >= 0 {
        return grouped(value, decimals_from(second));
    }
    let step = 10_f64.powi(-second);
    grouped((value / step).round() * step, 0)
}

/// The power of ten of the first digit.
fn exponent(size: f64) -> i32 {
    size.log10().floor() as i32
}

fn decimals_from(decimals: i32) -> usize {
    usize::try_from(decimals).unwrap_or(0)
}

/// With so many decimals, and separators between thousands.
fn grouped(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    // What rounds to nothing has no sign.
    let sign = if digits.bytes().all(|byte| b"0.".contains(&byte)) { "" } else { sign };
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut grouped = String::from(sign);
    for (position, digit) in whole.chars().enumerate() {
        if position > 0 && (whole.len() - position) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits_and_whole_ones_all() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (0.04123, "0.04123"),
            (9.8, "9.800"),
            (57.604, "57.60"),
            (255.1, "255.1"),
            (20.0, "20"),
            (1234.5, "1,234"),
            (-1_234_567.0, "-1,234,567"),
            (0.000_041_234, "4.123e-5"),
            (1.7e308, "1.700e308"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn an_interval_says_how_many_digits_mean_something() {
        for (mean, half_width, text) in [
            (95.2, Some(3.849), "95.2 ± 3.8"),
            (12_345.6, Some(1_234.5), "12,300 ± 1,200"),
            (1_234.56, Some(56.7), "1,235 ± 57"),
            (0.412_34, Some(0.001_23), "0.4123 ± 0.0012"),
            (50.0, Some(0.0), "50 ± 0"),
            (95.2, None, "95.20"),
            (1e300, Some(1e299), "1.000e300 ± 1.000e299"),
        ] {
            assert_eq!(with_half_width(mean, half_width), text);
        }
        assert_eq!(interval(91.351, 99.049), "91.4 to 99.0");
        assert_eq!(interval(0.0, 1e300), "0 to 1.000e300");
        assert_eq!(interval(5.0, 5.0), "5 to 5");
    }

    #[test]
    fn large_percentages_are_multiples() {
        assert_eq!(percent(31.2), "31.20 %");
        assert_eq!(percent(1000.0), "1,000 %");
        assert_eq!(percent(2712.0), "27-fold");
        assert_eq!(percent(21_375.0), "214-fold");
        assert_eq!(percent(1e300), "1.000e298-fold");
    }

    #[test]
    fn limits_read_as_they_were_chosen() {
        for (value, text) in
            [(5.0, "5"), (0.01, "0.01"), (99.5, "99.5"), (1000.0, "1,000"), (1e-6, "1.000e-6")]
        {
            assert_eq!(chosen(value), text);
        }
    }

    #[test]
    fn no_number_fills_the_line() {
        for exponent in -320..=308 {
            for factor in [1.0, -9.999_999, 3.3] {
                let value = factor * 10_f64.powi(exponent);
                let text = number(value);
                assert!(text.len() <= 25, "{text}");
                let text = with_half_width(value, Some(1e-3));
                assert!(text.len() <= 40, "{text}");
            }
        }
    }
}
