//! The engine that all components share, and the rules that it holds them to.
//!
//! Plugins are deterministic: no threads, no clock, no randomness, no relaxed SIMD, and one bit pattern for NaN.
//! Instances are made on demand rather than from wasmtime's pooling allocator, since they are kept and used again:
//! the 7 µs that pooling would save are paid once in thousands of calls, and it reserves its room ahead.

use std::path::Path;

use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, Engine, Store};

use crate::bindings::{self, log, types};
use crate::code_cache::CodeCache;
use crate::error::HostError;
use crate::limits::{Budget, Limits, start_clock};
use crate::log::{CallLog, LogSink};
use crate::trace::Traces;

/// What every component is compiled with, linked to and limited by.
#[derive(Clone)]
pub(crate) struct Sandbox {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<Context>,
    cache: Option<CodeCache>,
    pub(crate) limits: Limits,
    pub(crate) log: LogSink,
    pub(crate) traces: Option<Traces>,
}

impl Sandbox {
    pub(crate) fn new(
        limits: Limits,
        cache_dir: Option<&Path>,
        log: LogSink,
        traces: Option<Traces>,
    ) -> Result<Self, HostError> {
        let failed = |error: wasmtime::Error| HostError::Engine(format!("{error:#}"));
        let engine = Engine::new(&config()).map_err(failed)?;
        let cache = cache_dir.and_then(|directory| CodeCache::open(directory, &engine, &log));
        let mut linker = Linker::new(&engine);
        bindings::Plugin::add_to_linker::<_, HasSelf<Context>>(&mut linker, |context| context)
            .map_err(failed)?;
        start_clock(&engine)
            .map_err(|error| HostError::Engine(format!("no thread for its clock: {error}")))?;
        Ok(Self { engine, linker, cache, limits, log, traces })
    }

    /// The code of a component with this digest, from the cache or compiled.
    pub(crate) fn code(&self, bytes: &[u8], sha256: &str) -> wasmtime::Result<Component> {
        match &self.cache {
            Some(cache) => cache.code(&self.engine, bytes, sha256),
            None => Component::new(&self.engine, bytes),
        }
    }

    /// A new store with nothing in it and nothing used yet.
    pub(crate) fn store(&self) -> Store<Context> {
        let context = Context { budget: Budget::new(&self.limits), log: CallLog::new(&self.limits) };
        let mut store = Store::new(&self.engine, context);
        store.limiter(|context| &mut context.budget);
        store.set_hostcall_fuel(self.limits.output);
        store
    }
}

fn config() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        // Traps are told in words; nobody sees the frames.
        .wasm_backtrace_max_frames(None);
    config
}

/// What the host keeps beside each instance.
pub(crate) struct Context {
    pub(crate) budget: Budget,
    pub(crate) log: CallLog,
}

impl types::Host for Context {}

impl log::Host for Context {
    fn emit(&mut self, level: log::Level, message: String) {
        self.log.add(level.into(), message);
    }
}
