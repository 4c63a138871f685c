//! How the simulated server changes while it runs, to test those who claim to notice. The default is not at all.

use std::time::Duration;

/// What makes one run differ from another.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Unsteadiness {
    /// What every second since the start adds to the prefill time, in milliseconds; at least 0.
    pub ttft_drift_ms: f64,
    /// The standard deviation, relative to the law, of the gap between tokens from one busy time to the next; from 0 to
    /// 0.5. A busy time ends when the server is idle for [`Unsteadiness::IDLE`].
    pub itl_noise: f64,
    /// The number of active sequences at which the gap is noisy; 0 for every number.
    pub itl_noise_at: usize,
}

impl Unsteadiness {
    /// The pause that ends a busy time: longer than a client needs to ask again, shorter than it needs to begin anew.
    pub const IDLE: Duration = Duration::from_millis(50);

    /// The prefill time of a sequence that is admitted at `at`.
    pub(crate) fn prefill(&self, by_law: Duration, at: Duration) -> Duration {
        let drift = Duration::try_from_secs_f64(self.ttft_drift_ms * at.as_secs_f64() / 1e3);
        by_law.saturating_add(drift.unwrap_or(Duration::MAX))
    }

    /// The gap in the busy time of this number while `active` sequences are admitted.
    pub(crate) fn gap(&self, by_law: Duration, active: usize, busy_time: u64) -> Duration {
        let is_noisy = self.itl_noise > 0.0 && (self.itl_noise_at == 0 || self.itl_noise_at == active);
        if is_noisy { by_law.mul_f64(1.0 + self.itl_noise * deviate(busy_time)) } else { by_law }
    }
}

/// A number that is evenly distributed with mean 0 and standard deviation 1, and so lies within √3: the finalizer of
/// `SplitMix64` (Steele, Lea and Flood 2014) turns neighbouring numbers into unrelated ones.
fn deviate(number: u64) -> f64 {
    let mut bits = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^= bits >> 31;
    // The 53 upper bits are a fraction without rounding.
    let fraction = (bits >> 11) as f64 / (1_u64 << 53) as f64;
    (2.0 * fraction - 1.0) * 3.0_f64.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Duration = Duration::from_millis(10);

    #[test]
    fn a_steady_server_keeps_the_law() {
        let steady = Unsteadiness::default();
        assert_eq!(steady.prefill(TEN, Duration::from_hours(1)), TEN);
        assert_eq!(steady.gap(TEN, 3, 7), TEN);
    }

    #[test]
    fn drift_grows_with_time() {
        let drifting = Unsteadiness { ttft_drift_ms: 0.5, ..Unsteadiness::default() };
        assert_eq!(drifting.prefill(TEN, Duration::from_secs(4)), Duration::from_millis(12));
    }

    #[test]
    fn noise_is_one_number_for_a_busy_time_at_the_number_of_sequences_that_has_it() {
        let noisy = Unsteadiness { itl_noise: 0.2, itl_noise_at: 4, ..Unsteadiness::default() };
        assert_eq!(noisy.gap(TEN, 3, 7), TEN);
        assert_ne!(noisy.gap(TEN, 4, 7), TEN);
        assert_eq!(noisy.gap(TEN, 4, 7), noisy.gap(TEN, 4, 7));
        assert_ne!(noisy.gap(TEN, 4, 7), noisy.gap(TEN, 4, 8));
        let everywhere = Unsteadiness { itl_noise_at: 0, ..noisy };
        assert_eq!(everywhere.gap(TEN, 3, 7), noisy.gap(TEN, 4, 7));
    }

    #[test]
    fn deviates_have_mean_0_and_deviation_1() {
        let drawn: Vec<f64> = (0..10_000).map(deviate).collect();
        let mean = drawn.iter().sum::<f64>() / 1e4;
        let variance = drawn.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 1e4;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
        assert!(drawn.iter().all(|x| x.abs() < 1.7321));
    }
}
