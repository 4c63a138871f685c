//! Whether requests arrived as the process says that was asked for.

use super::rules::{ARRIVAL_PROCESS, SCHEDULE_RATE};
use crate::timeline::ConcurrencyTimeline;
use aiperf_model::arrival::{ArrivalPattern, RequestRate};
use aiperf_model::verdict::{Reason, Validity};

/// The fewest gaps from which the band is close to what it says.
const FEWEST_GAPS: u64 = 100;
/// The two-sided 99 % quantile of the normal distribution.
const Z: f64 = 2.575_829;
/// What jitter may add to the square of the coefficient. Waiting in a queue grows with the sum of the squared
/// coefficients of arrivals and service (Kingman 1961), and 0.01 is little beside what any server brings.
const JITTER: f64 = 0.01;

pub(super) fn reasons(rate: Option<RequestRate>, timeline: &ConcurrencyTimeline) -> Vec<Reason> {
    let Some(rate) = rate else { return Vec::new() };
    schedule_rate(rate.per_second, timeline).into_iter().chain(process(rate.pattern, timeline)).collect()
}

/// Whether the schedule itself had the rate, over the whole run. Its arrivals are conditioned on that, but a run may end
/// at a moment that nobody knew beforehand.
fn schedule_rate(asked: f64, timeline: &ConcurrencyTimeline) -> Option<Reason> {
    let (rate, _) = timeline.schedule_rate().filter(|(_, gaps)| *gaps >= FEWEST_GAPS)?;
    SCHEDULE_RATE.judge(None, 100.0 * (rate / asked - 1.0).abs())
}

fn process(pattern: ArrivalPattern, timeline: &ConcurrencyTimeline) -> Option<Reason> {
    let (sent, due, gaps) = timeline.variation().filter(|(_, _, gaps)| *gaps >= FEWEST_GAPS)?;
    let (low, high) = band(pattern, gaps);
    // One seed of a hundred gives a schedule outside of the band, which is no fault of whoever keeps to it.
    let (low, high) = (low.min(due), high.max(due));
    let (low, high) = ((low * low - JITTER).max(0.0).sqrt(), (high * high + JITTER).sqrt());
    let (is_inside, edge) = ((low..=high).contains(&sent), if sent > high { high } else { low });
    let name = pattern.to_string();
    (!is_inside).then(|| ARRIVAL_PROCESS.speak(Some(&name), sent, edge, Validity::Suspect))
}

/// Between which values the coefficient of variation of so many gaps lies in 99 of 100 cases. For gamma-distributed
/// gaps with coefficient c, of which exponential ones are the case c = 1, its variance is c² (1 + c²) / 2n (the delta
/// method on the first four moments).
fn band(pattern: ArrivalPattern, gaps: u64) -> (f64, f64) {
    let asked = match pattern {
        ArrivalPattern::Poisson => 1.0,
        ArrivalPattern::Constant => 0.0,
        ArrivalPattern::Gamma { smoothness } => 1.0 / smoothness.sqrt(),
    };
    let half = Z * asked * ((1.0 + asked * asked) / (2.0 * gaps as f64)).sqrt();
    ((asked - half).max(0.0), asked + half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_band_narrows_with_the_number_of_gaps() {
        let (low, high) = band(ArrivalPattern::Poisson, 10_000);
        assert!((low - 0.974_241).abs() < 1e-5 && (high - 1.025_758).abs() < 1e-5, "{low} {high}");
        assert_eq!(band(ArrivalPattern::Constant, 100), (0.0, 0.0));
        let (low, high) = band(ArrivalPattern::Gamma { smoothness: 4.0 }, 10_000);
        assert!((high - low - 2.0 * 2.575_829 * 0.5 * (1.25_f64 / 20_000.0).sqrt()).abs() < 1e-9);
    }
}
