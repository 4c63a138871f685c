//! The engine that all components share, and the rules that it holds them to.
//!
//! Plugins are deterministic: no threads, no clock, no randomness, no relaxed SIMD, and one bit pattern for NaN.
//! Instances are made on demand rather than from wasmtime's pooling allocator, since they are kept and used again:
//! the 7 µs that pooling would save are paid once in thousands of calls, and it reserves its room ahead.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tracing::debug;

use aiperf_model::plugin::Kind;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, Engine, Store};

use crate::bindings::{self, log, types};
use crate::call_time::CallTime;
use crate::code_cache::{self, CodeCache};
use crate::compiler::Compiler;
use crate::error::{HostError, Source};
use crate::limits::{Budget, Limits, start_clock};
use crate::log::{CallLog, LogSink};
use crate::trace::Traces;

/// What every component is compiled with, linked to and limited by.
#[derive(Clone)]
pub(crate) struct Sandbox {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<Context>,
    cache: Option<CodeCache>,
    compiler: Option<Arc<Compiler>>,
    pub(crate) limits: Limits,
    pub(crate) log: LogSink,
    pub(crate) traces: Option<Traces>,
}

impl Sandbox {
    pub(crate) fn new(
        limits: Limits,
        cache_dir: Option<&Path>,
        compiler: Option<Compiler>,
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
        Ok(Self { engine, linker, cache, compiler: compiler.map(Arc::new), limits, log, traces })
    }

    /// The code of a component with this digest, from the cache or compiled.
    ///
    /// # Errors
    ///
    /// Why it cannot be compiled.
    pub(crate) fn code(&self, source: &Source, bytes: &[u8], sha256: &str) -> Result<Component, String> {
        let compile = || self.compile(source, bytes);
        match &self.cache {
            Some(cache) => cache.code(&self.engine, sha256, compile),
            None => code_cache::compiled(&self.engine, &compile()?),
        }
    }

    /// The kinds and names of the plugins in a component with this digest, if they were kept.
    pub(crate) fn names_of(&self, sha256: &str) -> Option<Vec<(Kind, String)>> {
        self.cache.as_ref()?.names(sha256)
    }

    /// Keeps the kinds and names of the plugins in a component, so that it need not be asked again.
    pub(crate) fn keep_names(&self, sha256: &str, names: &[(Kind, String)]) {
        if let Some(cache) = &self.cache {
            cache.keep_names(sha256, names);
        }
    }

    /// What the built-in plugins cost to compile is known; anybody else's component is compiled out of reach.
    fn compile(&self, source: &Source, bytes: &[u8]) -> Result<Vec<u8>, String> {
        debug!(%source, bytes = bytes.len(), "compiling a plugin");
        match (&self.compiler, source) {
            (Some(compiler), Source::File(_) | Source::Found(_)) => compiler.compile(&self.limits, bytes),
            (None, _) | (_, Source::BuiltIn) => {
                self.engine.precompile_component(bytes).map_err(|error| format!("{error:#}"))
            }
        }
    }

    /// A new store with nothing in it and nothing used yet.
    pub(crate) fn store(&self) -> Store<Context> {
        let context = Context {
            budget: Budget::new(&self.limits),
            log: CallLog::new(&self.limits),
            time: CallTime::begin(Duration::ZERO),
        };
        let mut store = Store::new(&self.engine, context);
        store.limiter(|context| &mut context.budget);
        store.epoch_deadline_callback(|store| Ok(store.data().time.update()));
        store.set_hostcall_fuel(self.limits.output);
        store
    }
}

/// The compiler's process and the one that runs the code have the same limits, and so the same settings.
pub(crate) fn config() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        // Traps are told in words; nobody sees the frames.
        .wasm_backtrace_max_frames(None);
    if is_address_space_limited() {
        // Each memory reserves 4 GiB of addresses, so that its bounds need no checks; here they get the checks.
        config.memory_reservation(0).memory_reservation_for_growth(1 << 20).memory_guard_size(64 << 10);
    }
    config
}

/// Whether `ulimit -v` is set, as on many clusters.
fn is_address_space_limited() -> bool {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit};
        getrlimit(Resource::As).current.is_some()
    }
    #[cfg(not(unix))]
    {
        false
    }
}

/// What the host keeps beside each instance.
pub(crate) struct Context {
    pub(crate) budget: Budget,
    pub(crate) log: CallLog,
    pub(crate) time: CallTime,
}

impl types::Host for Context {}

impl log::Host for Context {
    fn emit(&mut self, level: log::Level, message: String) {
        self.log.add(level.into(), message);
    }
}
