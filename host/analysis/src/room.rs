//! How much the conclusions hold of what one detector answers in all its calls.
//!
//! One answer is limited by the host. A sweep asks for some hundred metrics along each of its lines, so their sum would
//! still fill the memory and the files.

use aiperf_model::conclusion::{Derived, Finding, Trend};

/// The most bytes that all answers of a detector hold; as much as one answer may have.
const MOST_BYTES: usize = 32 << 20;

/// What is left of it.
pub(crate) struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Self(MOST_BYTES)
    }
}

impl Room {
    /// Leaves out of a trend what has no more room, and counts it there.
    pub(crate) fn furnish(&mut self, mut trend: Trend) -> Trend {
        let before = trend.findings.len() + trend.derived.len();
        trend.findings.retain(|finding| self.holds(size_of_finding(finding)));
        trend.derived.retain(|derived| self.holds(size_of_derived(derived)));
        trend.left_out += before - trend.findings.len() - trend.derived.len();
        trend
    }

    fn holds(&mut self, size: usize) -> bool {
        let left = self.0.checked_sub(size);
        // What comes after something that had no room has none either, so that the first ones are kept.
        self.0 = left.unwrap_or(0);
        left.is_some()
    }
}

fn size_of_finding(Finding { kind, message, .. }: &Finding) -> usize {
    size_of::<Finding>() + kind.len() + message.len()
}

fn size_of_derived(Derived { name, values }: &Derived) -> usize {
    size_of::<Derived>() + name.len() + size_of_val(values.as_slice())
}
