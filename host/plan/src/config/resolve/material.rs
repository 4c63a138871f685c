//! The least difference that matters.

use crate::error::ConfigError;
use crate::options::Options;

const FLAG: &str = "--material";
const EXAMPLE: &str = "--material 1%";
const DEFAULT: f64 = 0.01;

/// The share that the options give, from 0 to below 1.
pub(super) fn resolve(options: &Options) -> Result<f64, ConfigError> {
    let Some(text) = options.material.as_deref().map(str::trim) else { return Ok(DEFAULT) };
    parse(text).ok_or_else(|| {
        let problem = format!("'{text}' is no share of a value, from 0 to below 1 or below 100%");
        ConfigError::value(FLAG, problem, EXAMPLE)
    })
}

fn parse(text: &str) -> Option<f64> {
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.trim_end().parse::<f64>().ok()? / 100.0,
        None => text.parse().ok()?,
    };
    (0.0..1.0).contains(&share).then_some(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_number_or_has_a_percent_sign() {
        for (text, share) in [("1%", 0.01), ("0.5 %", 0.005), ("0.02", 0.02), ("0", 0.0), ("99%", 0.99)] {
            assert_eq!(parse(text), Some(share), "{text}");
        }
        for text in ["", "%", "1", "-1%", "100%", "NaN", "inf", "one percent"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(resolve(&Options::default()), Ok(DEFAULT));
    }
}
