//! The user's wish to stop, from the signal handler to the load that is running.

use aiperf_load::Control;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How urgently the user wants to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Not at all.
    #[default]
    None,
    /// Send nothing more, let what is in flight end, write everything.
    Stop,
    /// Leave now; what is in flight is cancelled, files are still written.
    Abort,
}

#[derive(Default)]
struct State {
    urgency: Urgency,
    control: Option<Control>,
}

/// A handle shared by the driver and the signal handler.
#[derive(Clone, Default)]
pub struct Interrupt {
    shared: Arc<(Mutex<State>, Condvar)>,
}

impl Interrupt {
    /// One step more urgent: the first call stops, the second aborts.
    pub fn escalate(&self) {
        let (_, wake) = &*self.shared;
        let mut state = self.lock();
        state.urgency = if state.urgency == Urgency::None { Urgency::Stop } else { Urgency::Abort };
        if let Some(control) = &state.control {
            apply(state.urgency, control);
        }
        wake.notify_all();
    }

    /// How urgent it is now.
    pub fn urgency(&self) -> Urgency {
        self.lock().urgency
    }

    /// Waits for `duration`, or less if the user wants to stop.
    pub(crate) fn wait(&self, duration: Duration) {
        let deadline = Instant::now() + duration;
        let (_, wake) = &*self.shared;
        let mut state = self.lock();
        while state.urgency == Urgency::None {
            let Some(left) = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
            else {
                return;
            };
            state = wake.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Hands the running load over, so that a wish to stop reaches it; also a wish from before.
    pub(crate) fn watch(&self, control: &Control) {
        let mut state = self.lock();
        apply(state.urgency, control);
        state.control = Some(control.clone());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves the state usable: it is two plain fields.
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn apply(urgency: Urgency, control: &Control) {
    match urgency {
        Urgency::None => {}
        Urgency::Stop => control.stop(),
        Urgency::Abort => control.abort(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_wish_is_more_urgent() {
        let interrupt = Interrupt::default();
        assert_eq!(interrupt.urgency(), Urgency::None);
        interrupt.escalate();
        assert_eq!(interrupt.urgency(), Urgency::Stop);
        interrupt.escalate();
        interrupt.escalate();
        assert_eq!(interrupt.urgency(), Urgency::Abort);
    }

    #[test]
    fn a_wish_to_stop_ends_a_wait() {
        let interrupt = Interrupt::default();
        let waiting = interrupt.clone();
        let waiter = std::thread::spawn(move || waiting.wait(Duration::from_hours(1)));
        interrupt.escalate();
        waiter.join().unwrap();
    }
}
