//! How long a call has run: the processor time of its thread, since a thread that waits for a processor runs nothing.
//!
//! Readers give way to the threads that measure. On a busy machine a call of a microsecond may last a second, and is no
//! call that hangs.

use std::time::{Duration, Instant};

use cpu_time::ThreadTime;
use wasmtime::UpdateDeadline;

use crate::limits::ticks;

/// How much longer than its limit a call may last, for want of a processor.
const PATIENCE: Duration = Duration::from_mins(1);

/// The time of the call that is under way, on the thread that makes it.
pub(crate) struct CallTime {
    limit: Duration,
    began: Instant,
    /// The processor time of the thread so far; none where the system does not tell, and the clock on the wall counts.
    processor: Option<Duration>,
}

impl CallTime {
    /// A call that begins now, on this thread, and may run for `limit`.
    pub(crate) fn begin(limit: Duration) -> Self {
        Self { limit, began: Instant::now(), processor: processor_time() }
    }

    /// What becomes of the call, on the same thread: it is stopped, or goes on for as long as it has left.
    pub(crate) fn update(&self) -> UpdateDeadline {
        let lasted = self.began.elapsed();
        let ran = self.processor.zip(processor_time());
        let ran = ran.map_or(lasted, |(before, now)| now.saturating_sub(before));
        match remaining(self.limit, ran, lasted) {
            Some(remaining) => UpdateDeadline::Continue(ticks(remaining)),
            None => UpdateDeadline::Interrupt,
        }
    }
}

/// Of this thread.
fn processor_time() -> Option<Duration> {
    ThreadTime::try_now().ok().map(|time| time.as_duration())
}

/// How long a call may still run that ran for `ran` of the `lasted` since it began; none if no longer.
fn remaining(limit: Duration, ran: Duration, lasted: Duration) -> Option<Duration> {
    let remaining = limit.checked_sub(ran).filter(|remaining| !remaining.is_zero())?;
    (lasted < limit + PATIENCE).then_some(remaining)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_without_a_processor_does_not_count_until_it_is_very_long() {
        let seconds = Duration::from_secs;
        for (ran, lasted, left) in
            [(0, 1, Some(1)), (0, 60, Some(1)), (0, 61, None), (1, 1, None), (2, 2, None)]
        {
            assert_eq!(
                remaining(seconds(1), seconds(ran), seconds(lasted)),
                left.map(seconds),
                "{ran} s of {lasted} s"
            );
        }
    }
}
