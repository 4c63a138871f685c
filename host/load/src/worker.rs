//! One measuring thread: an event loop of its own with its share of the slots.

use crate::arrivals::Arrivals;
use crate::clock::nanoseconds;
use crate::deadline::watch;
use crate::slot::{Shared, Slot};
use aiperf_model::record::Phase;
use std::io;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};

/// A worker between two phases. During a phase it has a thread.
pub(crate) struct Worker {
    shared: Arc<Shared>,
    runtime: Runtime,
    slots: Vec<Slot>,
}

impl Worker {
    pub(crate) fn new(shared: Arc<Shared>, slots: Vec<Slot>) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        Ok(Self { shared, runtime, slots })
    }

    /// Runs one phase to its end on this thread.
    pub(crate) fn run(&mut self, phase: Phase, arrivals: &Arc<dyn Arrivals>) {
        let Self { shared, runtime, slots } = self;
        let deadlines: Vec<_> = slots.iter_mut().map(Slot::begin_phase).collect();
        let tasks: Vec<_> = std::mem::take(slots)
            .into_iter()
            .map(|slot| runtime.spawn(slot.run(phase, Arc::clone(arrivals))))
            .collect();
        let all_slots = async {
            for task in tasks {
                match task.await {
                    Ok(slot) => slots.push(slot),
                    Err(error) => std::panic::resume_unwind(error.into_panic()),
                }
            }
        };
        let timeout = nanoseconds(shared.timeout);
        runtime.block_on(async {
            tokio::select! {
                () = all_slots => {}
                () = watch(&deadlines, timeout, shared.clock, &shared.brake) => {}
            }
        });
    }
}
