//! How load grows at the beginning of a phase, as pure functions of time.

/// A request rate that grows linearly from 0: the arrivals of a constant rate, later.
///
/// A process of rate r that has had s seconds' worth of its arrivals has them at s = t² / 2d of a ramp of length d,
/// since that is the integral of t / d. So due times are moved from s to t, whatever the law of their gaps; behind the
/// ramp they are late by d / 2.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RateRamp {
    /// In nanoseconds; 0 for no ramp.
    length: f64,
}

impl RateRamp {
    pub(super) fn new(nanoseconds: u64) -> Self {
        Self { length: nanoseconds as f64 }
    }

    /// The time, in nanoseconds since the start, of what a constant rate has at `due`.
    pub(super) fn delayed(self, due: f64) -> f64 {
        let half = self.length / 2.0;
        if due < half { (2.0 * self.length * due).sqrt() } else { due + half }
    }

    /// What a constant rate has at the time that [`delayed`](Self::delayed) gives, the other way round.
    pub(super) fn undelayed(self, at: f64) -> f64 {
        if at < self.length { at * at / (2.0 * self.length) } else { at - self.length / 2.0 }
    }

    /// How much of the time of a constant rate the whole ramp stands for.
    pub(super) fn content(self) -> f64 {
        self.length / 2.0
    }
}

/// A concurrency that grows linearly from 1: when each of the slots of one worker begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SlotRamp {
    start: u64,
    /// Between one slot and the next one of all workers, in nanoseconds.
    step: f64,
    worker: u32,
    workers: u32,
}

impl SlotRamp {
    /// The ramp of each worker, to so many slots of all of them, which are dealt out in turn. The first slot begins
    /// at `start`, the last one when the ramp ends.
    pub(crate) fn of_workers(
        start: u64,
        length: u64,
        slots: u32,
        workers: u32,
    ) -> impl Iterator<Item = Self> {
        let step = length as f64 / f64::from(slots.saturating_sub(1).max(1));
        (0..workers).map(move |worker| Self { start, step, worker, workers })
    }

    /// When the slot at a position among those of this worker, from 0, begins.
    pub(crate) fn begin(&self, slot: u32) -> u64 {
        let before = f64::from(slot) * f64::from(self.workers) + f64::from(self.worker);
        self.start.saturating_add((before * self.step).round() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_rate_grows_to_its_value_and_stays_there() {
        let ramp = RateRamp::new(10_000_000_000);
        let delayed = |seconds: f64| ramp.delayed(seconds * 1e9) / 1e9;
        // At 100/s, 500 requests of 1000 are due within 10 s, of which 125 within the first half.
        for (asked, expected) in [(0.0, 0.0), (1.25, 5.0), (5.0, 10.0), (7.0, 12.0)] {
            assert!((delayed(asked) - expected).abs() < 1e-12, "{asked}");
        }
        assert!((RateRamp::default().delayed(3.5) - 3.5).abs() < 1e-12);
    }

    #[test]
    fn slots_of_all_workers_begin_one_after_the_other() {
        let begins = |workers, slots: u32| {
            let ramps: Vec<_> = SlotRamp::of_workers(1000, 900, slots, workers).collect();
            let mut begins: Vec<_> =
                (0..slots).map(|slot| ramps[(slot % workers) as usize].begin(slot / workers)).collect();
            begins.sort_unstable();
            begins
        };
        assert_eq!(begins(1, 4), [1000, 1300, 1600, 1900]);
        assert_eq!(begins(3, 4), begins(1, 4));
        assert_eq!(begins(1, 1), [1000]);
    }

    proptest! {
        #[test]
        fn due_times_keep_their_order(length in 0..u64::from(u32::MAX), due in 0.0..1e10_f64, later in 0.0..1e10_f64) {
            let ramp = RateRamp::new(length);
            prop_assert!(ramp.delayed(due) <= ramp.delayed(due + later));
            prop_assert!(ramp.delayed(due) >= due);
            prop_assert!((ramp.undelayed(ramp.delayed(due)) - due).abs() <= 1e-6 * due + 1e-6);
        }
    }
}
