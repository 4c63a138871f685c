//! What a plugin may use: memory, time, output and log lines; and the means that hold it to that.

use std::thread;
use std::time::Duration;

use aiperf_model::plugin::Kind;
use wasmtime::{Engine, ResourceLimiter};

/// How long one step of the clock lasts against which calls are timed. A call may run longer than its limit by up
/// to two steps; shorter ones would wake a thread more often beside those that measure.
const TICK: Duration = Duration::from_millis(25);

/// The most elements in all tables of one instance, eight bytes each.
const TABLE_ELEMENTS: usize = 1 << 20;

/// What each call of a plugin may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most memory of one instance, in bytes.
    pub memory: usize,
    /// The longest time of one call to an endpoint.
    pub endpoint_time: Duration,
    /// The longest time of one call to an objective, a criterion or a detector.
    pub analysis_time: Duration,
    /// The most bytes that one call returns, or that one log message has.
    pub output: usize,
    /// The most core instances of one instance of a plugin, and as many tables and memories. A component made from
    /// Python needs more than 32.
    pub instances: usize,
    /// The most log messages kept of one call; of all calls of a plugin together, ten times as many.
    pub log_lines: usize,
    /// The most findings kept of one answer of a detector, and as many lists of derived numbers.
    pub findings: usize,
    /// After how many calls an instance is replaced by a new one, so that memory it has grown to goes back.
    pub calls_per_instance: u32,
    /// The most processor time of compiling one component, in whole seconds.
    pub compile_time: Duration,
    /// The most memory of compiling one component, in bytes.
    pub compile_memory: usize,
    /// By how many bytes an instance may have grown for it to be kept.
    pub kept_growth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 64 << 20,
            endpoint_time: Duration::from_secs(1),
            analysis_time: Duration::from_secs(5),
            output: 32 << 20,
            instances: 128,
            log_lines: 100,
            findings: 100,
            calls_per_instance: 4096,
            compile_time: Duration::from_mins(2),
            compile_memory: 2 << 30,
            kept_growth: 16 << 20,
        }
    }
}

impl Limits {
    /// The longest time of one call to a plugin of this kind.
    #[must_use]
    pub fn time(&self, kind: Kind) -> Duration {
        match kind {
            Kind::Endpoint => self.endpoint_time,
            Kind::Objective | Kind::Pareto | Kind::Trend => self.analysis_time,
        }
    }
}

/// The number of clock steps after which a call has certainly run for `time`.
pub(crate) fn ticks(time: Duration) -> u64 {
    // The first step may come right after the call began.
    time.as_millis().div_ceil(TICK.as_millis()) as u64 + 1
}

/// Starts the thread that advances the engine's clock. It ends soon after the engine is gone.
pub(crate) fn start_clock(engine: &Engine) -> std::io::Result<()> {
    let engine = engine.weak();
    thread::Builder::new().name("plugin-clock".to_owned()).spawn(move || {
        loop {
            thread::sleep(TICK);
            let Some(engine) = engine.upgrade() else { break };
            engine.increment_epoch();
        }
    })?;
    Ok(())
}

/// What the store of one instance has used, over all its memories and tables.
#[derive(Debug)]
pub(crate) struct Budget {
    memory_limit: usize,
    instances: usize,
    memory: usize,
    table_elements: usize,
    /// Whether more memory was refused.
    pub(crate) exhausted: bool,
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            memory_limit: limits.memory,
            instances: limits.instances,
            memory: 0,
            table_elements: 0,
            exhausted: false,
        }
    }

    /// The bytes of all memories.
    pub(crate) fn memory(&self) -> usize {
        self.memory
    }
}

/// The text is for the trap alone; what the user reads is made from [`Budget::exhausted`].
const REFUSED: &str = "the plugin's memory limit is reached";

impl ResourceLimiter for Budget {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let memory = self.memory.saturating_add(desired.saturating_sub(current));
        if memory > self.memory_limit {
            self.exhausted = true;
            return Err(wasmtime::Error::msg(REFUSED));
        }
        self.memory = memory;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let elements = self.table_elements.saturating_add(desired.saturating_sub(current));
        if elements > TABLE_ELEMENTS {
            self.exhausted = true;
            return Err(wasmtime::Error::msg(REFUSED));
        }
        self.table_elements = elements;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.instances
    }

    fn memories(&self) -> usize {
        self.instances
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small_budget() -> Budget {
        Budget::new(&Limits { memory: 100, ..Limits::default() })
    }

    #[test]
    fn memory_is_counted_over_all_memories_of_a_store() {
        let mut budget = small_budget();
        assert!(budget.memory_growing(0, 60, None).unwrap());
        assert!(budget.memory_growing(0, 40, None).unwrap());
        assert!(!budget.exhausted);
        assert!(budget.memory_growing(40, 41, None).is_err());
        assert!(budget.exhausted);
    }

    #[test]
    fn growing_beyond_a_memory_s_own_maximum_fails_without_a_trap_and_counts_nothing() {
        let mut budget = small_budget();
        assert!(!budget.memory_growing(0, 60, Some(50)).unwrap());
        assert!(budget.memory_growing(0, 100, None).unwrap());
    }

    #[test]
    fn table_elements_are_counted_over_all_tables() {
        let mut budget = small_budget();
        assert!(budget.table_growing(0, TABLE_ELEMENTS, None).unwrap());
        assert!(budget.table_growing(0, 1, None).is_err());
    }

    #[test]
    fn a_deadline_is_never_shorter_than_the_limit() {
        assert_eq!(ticks(Duration::from_secs(1)), 41);
        assert_eq!(ticks(Duration::from_millis(26)), 3);
    }
}
