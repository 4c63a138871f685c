//! How many tokens a prompt has and how many are asked for.

use crate::error::LoadError;
use crate::random::Stream;
use rand_distr::{Distribution as _, Normal};

/// A number of tokens, normally distributed, rounded up and at least 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Length {
    /// The mean, in tokens; at least 0.
    pub mean: f64,
    /// The standard deviation, in tokens; 0 for always the mean.
    pub std_dev: f64,
}

/// Draws the lengths of one purpose.
#[derive(Clone, Debug)]
pub(super) struct Lengths {
    distribution: Normal<f64>,
    most: u32,
    random: Stream,
}

impl Lengths {
    /// Lengths of at most `most`, however far their distribution reaches.
    pub(super) fn new(length: Length, most: u32, seed: u64, purpose: &str) -> Result<Self, LoadError> {
        let Length { mean, std_dev } = length;
        let distribution = distribution(length).ok_or(LoadError::Length { mean, std_dev })?;
        Ok(Self { distribution, most, random: Stream::new(seed, purpose) })
    }

    pub(super) fn draw(&self, ordinal: u64) -> u32 {
        let drawn = self.distribution.sample(&mut self.random.of_item(ordinal));
        (drawn.ceil().max(1.0) as u32).min(self.most)
    }
}

/// Draws the pauses between the turns of conversations.
#[derive(Clone, Debug)]
pub(super) struct Delays {
    milliseconds: Normal<f64>,
    random: Stream,
}

impl Delays {
    /// Pauses in milliseconds, normally distributed and at least 0.
    pub(super) fn new(milliseconds: Length, seed: u64) -> Result<Self, LoadError> {
        let Length { mean, std_dev } = milliseconds;
        let milliseconds = distribution(milliseconds).ok_or(LoadError::Length { mean, std_dev })?;
        Ok(Self { milliseconds, random: Stream::new(seed, "turn delay") })
    }

    /// The pause before a turn, in nanoseconds.
    pub(super) fn draw(&self, ordinal: u64) -> u64 {
        (self.milliseconds.sample(&mut self.random.of_item(ordinal)).max(0.0) * 1e6).round() as u64
    }
}

fn distribution(Length { mean, std_dev }: Length) -> Option<Normal<f64>> {
    Normal::new(mean, std_dev).ok().filter(|_| mean.is_finite() && mean >= 0.0 && std_dev >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(mean: f64, std_dev: f64) -> Vec<u32> {
        let lengths = Lengths::new(Length { mean, std_dev }, u32::MAX, 42, "test").unwrap();
        (0..10_000).map(|ordinal| lengths.draw(ordinal)).collect()
    }

    #[test]
    fn without_deviation_every_length_is_the_mean() {
        assert!(draws(550.0, 0.0).iter().all(|&length| length == 550));
        assert!(draws(549.2, 0.0).iter().all(|&length| length == 550));
        assert!(draws(0.0, 0.0).iter().all(|&length| length == 1));
    }

    #[test]
    fn lengths_have_the_mean_and_deviation_asked_for_and_never_fall_below_1() {
        let lengths = draws(100.0, 20.0);
        let mean = lengths.iter().copied().map(f64::from).sum::<f64>() / 10_000.0;
        let variance =
            lengths.iter().map(|&length| (f64::from(length) - mean).powi(2)).sum::<f64>() / 9_999.0;
        // Rounding up adds half a token to the mean.
        assert!((mean - 100.5).abs() < 1.0, "{mean}");
        assert!((variance.sqrt() - 20.0).abs() < 1.0, "{variance}");
        assert!(draws(1.0, 50.0).contains(&1));
    }

    #[test]
    fn no_length_exceeds_the_most_there_may_be() {
        let lengths = Lengths::new(Length { mean: 100.0, std_dev: 80.0 }, 120, 42, "test").unwrap();
        let drawn: Vec<_> = (0..1000).map(|ordinal| lengths.draw(ordinal)).collect();
        assert!(drawn.contains(&120) && drawn.contains(&1) && drawn.iter().all(|length| *length <= 120));
    }

    #[test]
    fn what_is_no_distribution_is_refused() {
        for (mean, std_dev) in [(-1.0, 0.0), (f64::NAN, 0.0), (10.0, -1.0), (f64::INFINITY, 1.0)] {
            assert!(Lengths::new(Length { mean, std_dev }, u32::MAX, 1, "test").is_err(), "{mean} {std_dev}");
        }
    }
}
