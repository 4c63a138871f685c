//! How early to be woken for a deadline, learnt from how late wake-ups come.

use std::time::Duration;

/// The time between the alarm and the deadline it is for; the rest of it is spent spinning.
///
/// A wake-up takes a few microseconds on a busy machine and hundreds where an idle processor has to leave a deep sleep
/// or a hypervisor. A late one raises the lead at once, punctual ones lower it little by little.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lead(Duration);

/// Below this a lead saves nothing.
const SHORTEST: Duration = Duration::from_micros(50);
/// Above this a lead takes more of the processor than it is worth: such a delay is another program's doing.
const LONGEST: Duration = Duration::from_millis(1);

impl Lead {
    pub(crate) fn new() -> Self {
        Self(LONGEST)
    }

    pub(crate) fn time(self) -> Duration {
        self.0
    }

    /// A wake-up came this much after the alarm's time.
    pub(crate) fn learn(&mut self, delay: Duration) {
        let wanted = delay.saturating_mul(3) / 2;
        let lowered = self.0.saturating_sub(self.0.saturating_sub(wanted) / 16);
        self.0 = wanted.max(lowered).clamp(SHORTEST, LONGEST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_at_once_and_sinks_slowly() {
        let mut lead = Lead::new();
        for _ in 0..200 {
            lead.learn(Duration::from_micros(100));
        }
        let learnt = lead.time();
        assert!((150..160).contains(&learnt.as_micros()), "{learnt:?}");
        lead.learn(Duration::from_micros(300));
        assert_eq!(lead.time(), Duration::from_micros(450));
        lead.learn(Duration::from_micros(100));
        assert!((400..450).contains(&lead.time().as_micros()));
    }

    #[test]
    fn stays_within_its_bounds() {
        let mut lead = Lead::new();
        lead.learn(Duration::MAX);
        assert_eq!(lead.time(), LONGEST);
        for _ in 0..200 {
            lead.learn(Duration::ZERO);
        }
        assert_eq!(lead.time(), SHORTEST);
    }
}
