//! How late things came: many durations in little memory, written by one thread or several and read by any.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How late something came, many times.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Lateness {
    /// How often it was measured.
    pub count: u64,
    /// Half of the times it came within this many microseconds; read from a histogram, up to 3 % too high.
    pub p50_us: f64,
    /// 99 of 100 times it came within this many microseconds; read from a histogram, up to 3 % too high.
    pub p99_us: f64,
    /// The worst, in microseconds.
    pub max_us: f64,
}

/// Buckets per power of two of nanoseconds.
const STEPS: u64 = 32;
const STEP_BITS: u32 = STEPS.trailing_zeros();
/// Enough for every `u64`.
const BUCKETS: usize = (u64::BITS - STEP_BITS + 1) as usize * STEPS as usize;

/// A logarithmic histogram that threads write without waiting and any thread reads.
#[derive(Debug)]
pub struct LatenessRecorder {
    buckets: Box<[AtomicU64]>,
    max_ns: AtomicU64,
}

impl Default for LatenessRecorder {
    fn default() -> Self {
        Self::new()
    }
}

impl LatenessRecorder {
    /// A histogram of nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self { buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(), max_ns: AtomicU64::new(0) }
    }

    /// Takes one duration.
    pub fn record(&self, lateness: Duration) {
        let nanoseconds = u64::try_from(lateness.as_nanos()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get(bucket_of(nanoseconds)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.max_ns.fetch_max(nanoseconds, Ordering::Relaxed);
    }

    /// Forgets everything.
    pub fn reset(&self) {
        self.buckets.iter().for_each(|bucket| bucket.store(0, Ordering::Relaxed));
        self.max_ns.store(0, Ordering::Relaxed);
    }

    /// What was taken so far.
    pub fn summary(&self) -> Lateness {
        let counts: Vec<u64> = self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
        let max_ns = self.max_ns.load(Ordering::Relaxed);
        let count: u64 = counts.iter().sum();
        let percentile_us = |percent: u64| {
            let rank = (count * percent).div_ceil(100).max(1);
            let mut below = 0;
            let bucket = counts.iter().position(|in_bucket| {
                below += in_bucket;
                below >= rank
            });
            bucket.map_or(0.0, |bucket| upper_bound(bucket).min(max_ns) as f64 / 1e3)
        };
        Lateness { count, p50_us: percentile_us(50), p99_us: percentile_us(99), max_us: max_ns as f64 / 1e3 }
    }
}

/// Values below `2 * STEPS` have a bucket each; above, the leading bits of the value choose it.
fn bucket_of(nanoseconds: u64) -> usize {
    let shift = (u64::BITS - nanoseconds.leading_zeros()).saturating_sub(STEP_BITS + 1);
    (u64::from(shift) * STEPS + (nanoseconds >> shift)) as usize
}

/// The largest value in a bucket.
fn upper_bound(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let shift = (bucket / STEPS).saturating_sub(1);
    let leading = bucket - shift * STEPS;
    u64::try_from(((u128::from(leading) + 1) << shift) - 1).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_its_bucket_and_no_other() {
        for value in (0..5000).chain([u64::from(u32::MAX), u64::MAX / 2, u64::MAX - 1, u64::MAX]) {
            let bucket = bucket_of(value);
            assert!(bucket < BUCKETS, "{value}");
            assert!(value <= upper_bound(bucket), "{value}");
            assert!(bucket == 0 || value > upper_bound(bucket - 1), "{value}");
            assert!(upper_bound(bucket) as f64 <= value as f64 * 1.032, "{value}");
        }
    }

    #[test]
    fn summary_of_known_values() {
        let recorder = LatenessRecorder::new();
        assert_eq!(recorder.summary(), Lateness::default());
        for microseconds in 1..=1000 {
            recorder.record(Duration::from_micros(microseconds));
        }
        let seen = recorder.summary();
        assert_eq!((seen.count, seen.max_us), (1000, 1000.0));
        assert!((500.0..520.0).contains(&seen.p50_us), "{seen:?}");
        assert!((990.0..=1000.0).contains(&seen.p99_us), "{seen:?}");
        recorder.reset();
        assert_eq!(recorder.summary(), Lateness::default());
    }
}
