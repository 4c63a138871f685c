//! The time for all trials.

use super::convergence;
use crate::config::TimeBudgetConfig;
use crate::error::ConfigError;
use crate::options::Options;
use aiperf_model::limits::MOST_SECONDS;
use jiff::SignedDuration;
use std::time::Duration;

const FLAG: &str = "--budget";
const EXAMPLE: &str = "--budget 30m";

/// The most trials of a value unless the user says how many: more than any answer needs that can be had at all.
pub(super) const MOST_TRIALS: u32 = 100;

/// The time that the options give, or none.
pub(super) fn resolve(options: &Options) -> Result<Option<TimeBudgetConfig>, ConfigError> {
    let Some(text) = options.budget.as_deref().map(str::trim) else { return Ok(None) };
    let time = parse(text).ok_or_else(|| {
        let problem =
            format!("'{text}' is no time with a unit, such as 90s, 30m or 1h30m, of at most a year");
        ConfigError::value(FLAG, problem, EXAMPLE)
    })?;
    Ok(Some(TimeBudgetConfig { time, min_trials: convergence::min_trials(options)? }))
}

fn parse(text: &str) -> Option<Duration> {
    let time = Duration::try_from(text.parse::<SignedDuration>().ok()?).ok()?;
    (!time.is_zero() && time.as_secs_f64() <= f64::from(MOST_SECONDS)).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit() {
        for (text, seconds) in
            [("90s", 90), ("30m", 1800), ("1h30m", 5400), ("1h 30m", 5400), ("2 hours", 7200)]
        {
            assert_eq!(parse(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "30", "0s", "-5m", "half an hour", "9000h"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
