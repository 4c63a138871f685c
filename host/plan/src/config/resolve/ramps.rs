//! How long the load grows before it is measured.

use super::seconds;
use crate::error::ConfigError;
use crate::options::Options;
use crate::sweepable::Values;
use std::time::Duration;

/// The lengths of the ramps; 0 for none.
pub(super) struct Ramps {
    pub(super) concurrency: Duration,
    pub(super) request_rate: Duration,
}

/// The ramps that the options ask for, each shorter than the shortest run.
pub(super) fn resolve(options: &Options, durations: Option<&Values<f64>>) -> Result<Ramps, ConfigError> {
    let concurrency = options.concurrency_ramp_duration;
    let request_rate = options.request_rate_ramp_duration;
    let has_count = options.num_prompts.is_some() || options.conversation_num.is_some();
    let has_end = has_count || options.input_file.is_some() || durations.is_some();
    for (flag, ramp, needed) in [
        ("--concurrency-ramp-duration", concurrency, (options.concurrency.is_some(), "--concurrency 50")),
        ("--request-rate-ramp-duration", request_rate, (options.request_rate.is_some(), "--request-rate 10")),
        // A run that ends by itself may well do so before a ramp is over.
        ("--concurrency-ramp-duration", concurrency, (has_end, "--benchmark-duration 60")),
        ("--request-rate-ramp-duration", request_rate, (has_end, "--benchmark-duration 60")),
    ] {
        let (is_given, example) = needed;
        if ramp.is_some_and(|ramp| ramp > 0.0) && !is_given {
            return Err(ConfigError::NeedsFlag { flag, example });
        }
    }
    Ok(Ramps {
        concurrency: length("--concurrency-ramp-duration", concurrency, durations)?,
        request_rate: length("--request-rate-ramp-duration", request_rate, durations)?,
    })
}

fn length(
    flag: &'static str,
    ramp: Option<f64>,
    durations: Option<&Values<f64>>,
) -> Result<Duration, ConfigError> {
    let shortest = durations.map(|durations| durations.iter().fold(f64::INFINITY, f64::min));
    if let (Some(ramp), Some(shortest)) = (ramp, shortest)
        && ramp >= shortest
    {
        let problem = format!(
            "it is {ramp} s, which leaves nothing of a run of --benchmark-duration {shortest} to measure"
        );
        return Err(ConfigError::value(flag, problem, format!("{flag} {}", shortest / 4.0)));
    }
    seconds(flag, ramp, "10")
}
