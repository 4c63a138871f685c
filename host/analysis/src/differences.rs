//! Differences between neighbouring numbers, without the digits that subtraction makes up.
//!
//! 175.8 - 95.2 is 80.60000000000001 in binary floating point, although both numbers have one decimal. A binary
//! double carries between 15 and 17 significant decimal digits, and a difference is never more exact than the
//! larger of its operands, so what stands behind that operand's last digits is noise. The rule: a difference is
//! rounded to the decimal place of the 12th significant digit of the operand that is larger in magnitude. Twelve
//! digits of a latency in milliseconds still are less than a nanosecond up to a quarter of an hour, and three
//! digits or more are left for the rounding of the operands themselves, which are means.

/// How many significant decimal digits of a number are taken for real.
const SIGNIFICANT_DIGITS: i32 = 12;

/// The differences of neighbours; one less than there are numbers.
pub(crate) fn of_neighbours(numbers: &[f64]) -> Vec<f64> {
    numbers.iter().zip(numbers.iter().skip(1)).map(|(before, after)| difference(*before, *after)).collect()
}

/// `after - before`, rounded by the rule of this module.
fn difference(before: f64, after: f64) -> f64 {
    let larger = before.abs().max(after.abs());
    round_to_decimals(after - before, SIGNIFICANT_DIGITS - 1 - decimal_exponent(larger))
}

/// `rise / run`, rounded to 12 significant digits of its own. `run` is not 0.
pub(crate) fn slope(rise: f64, run: f64) -> f64 {
    let slope = rise / run;
    round_to_decimals(slope, SIGNIFICANT_DIGITS - 1 - decimal_exponent(slope))
}

/// The exponent of 10 in scientific notation: 2 for 285.7, -3 for 0.004; 0 for 0.
///
/// Read from the number's decimal form, since a logarithm may differ in its last digit between machines.
fn decimal_exponent(number: f64) -> i32 {
    format!("{number:e}").rsplit('e').next().and_then(|exponent| exponent.parse().ok()).unwrap_or(0)
}

/// The number with this many decimals, or without any if `decimals` is negative.
///
/// Formatting rounds the exact binary value and parsing finds the nearest double, whereas scaling by a power of 10
/// and back would bring in two more rounding errors.
fn round_to_decimals(number: f64, decimals: i32) -> f64 {
    let decimals = usize::try_from(decimals).unwrap_or(0);
    let rounded: f64 = format!("{number:.decimals$}").parse().unwrap_or(number);
    // A zero that was rounded from below would print as -0.
    rounded + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_differences_of_the_specification() {
        assert_eq!(of_neighbours(&[95.2, 175.8, 245.3, 255.1]), [80.6, 69.5, 9.8]);
        assert_eq!(of_neighbours(&[125.4, 145.2, 180.5, 285.7]), [19.8, 35.3, 105.2]);
    }

    #[test]
    fn differences_of_all_magnitudes() {
        let table = [
            (0.1, 0.3, 0.2),
            (0.3, 0.1, -0.2),
            (1e-9, 4e-9, 3e-9),
            (0.0, 0.0, 0.0),
            (-0.1, 0.2, 0.3),
            (1e15, 1e15 + 2.0, 2.0),
            (1e300, 3e300, 2e300),
            (5e-324, 0.0, -5e-324),
            (999.9, 1000.2, 0.3),
            (1.000_000_000_01, 1.000_000_000_03, 0.000_000_000_02),
            (1.0, 1.0 + f64::EPSILON, 0.0),
        ];
        for (before, after, expected) in table {
            assert_eq!(difference(before, after), expected, "{after} - {before}");
        }
    }

    #[test]
    fn no_difference_is_not_negative() {
        assert!(difference(0.1 + 0.2, 0.3).is_sign_positive());
    }

    #[test]
    fn fewer_than_two_numbers_have_no_difference() {
        assert!(of_neighbours(&[]).is_empty());
        assert!(of_neighbours(&[1.0]).is_empty());
    }

    #[test]
    fn slopes_are_as_exact_as_their_parts() {
        assert_eq!(slope(80.6, 10.0), 8.06);
        assert_eq!(slope(0.3, 3.0), 0.1);
        assert_eq!(slope(-9.8, 10.0), -0.98);
        assert_eq!(slope(1.0, 3.0), 0.333_333_333_333);
        assert_eq!(slope(0.0, 5.0), 0.0);
    }

    #[test]
    fn exponents_are_those_of_scientific_notation() {
        let table = [(285.7, 2), (0.004, -3), (1000.0, 3), (999.999, 2), (0.0, 0), (-12.0, 1)];
        for (number, expected) in table {
            assert_eq!(decimal_exponent(number), expected, "{number}");
        }
    }

    proptest! {
        #[test]
        fn rounding_moves_a_difference_by_less_than_matters(before in -1e6..1e6_f64, after in -1e6..1e6_f64) {
            let larger = before.abs().max(after.abs());
            prop_assert!((difference(before, after) - (after - before)).abs() <= 1e-11 * larger);
        }

        #[test]
        fn differences_of_short_decimals_are_short(before in -1_000_000..1_000_000_i64, after in -1_000_000..1_000_000_i64) {
            let decimal = |thousandths: i64| format!("{thousandths}e-3").parse::<f64>().unwrap();
            prop_assert_eq!(difference(decimal(before), decimal(after)), decimal(after - before));
        }

        #[test]
        fn turning_a_difference_round_turns_its_sign(before in -1e6..1e6_f64, after in -1e6..1e6_f64) {
            prop_assert_eq!(difference(before, after), -difference(after, before));
        }
    }
}
