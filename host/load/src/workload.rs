//! The requests of a run, made and put into the wire format before the clock runs.
//!
//! The same specification gives the same bytes on every machine and with any number of threads: each request draws
//! from random streams of its own.

mod factory;
mod forms;
mod lengths;
mod prompts;
mod spill;
mod store;
mod synthetic;

pub use lengths::Length;
pub use spill::BodyMemory;

use crate::control::Control;
use crate::error::LoadError;
use aiperf_model::plugin::Endpoint;
use aiperf_model::record::Phase;
use bytes::Bytes;
use factory::Factory;
use forms::Form;
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use spill::Spill;
use std::io;
use std::sync::{Arc, OnceLock};
use store::{Facts, Store};

/// What the requests of a run are to be like.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkloadSpec {
    /// The model to ask.
    pub model: String,
    /// The seed of prompts and lengths.
    pub seed: u64,
    /// How many different profiling requests to make; at least 1. A run that sends more begins again from the first.
    pub requests: u32,
    /// How many warm-up requests to make.
    pub warmup_requests: u32,
    /// Tokens of a prompt.
    pub input_length: Length,
    /// The most tokens to ask for, or none to leave it to the server.
    pub output_length: Option<Length>,
    /// Whether to ask for server-sent events.
    pub streaming: bool,
    /// A JSON object of extra fields for the body.
    pub extra: Option<String>,
    /// Where the bodies are kept until they are sent.
    pub body_memory: BodyMemory,
}

/// One request, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct PreparedRequest {
    pub(crate) body: Bytes,
    /// The position of its path in [`Workload::paths`].
    pub(crate) path: usize,
    /// Headers that only this request has.
    pub(crate) headers: HeaderMap,
}

/// What a reader has to know of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Tokens of the prompt, if they are known.
    pub(crate) input_tokens: Option<u32>,
    pub(crate) max_output_tokens: Option<u32>,
}

/// The requests of a run. Clones share them.
#[derive(Clone, Debug)]
pub struct Workload {
    profiling: Arc<Store>,
    warmup: Arc<Store>,
    forms: Arc<[Form]>,
    paths: Arc<[Option<String>]>,
    streaming: bool,
    fault: Arc<OnceLock<io::Error>>,
}

impl Workload {
    /// Makes the requests, on all available cores.
    pub fn prepare(spec: &WorkloadSpec, endpoint: &dyn Endpoint) -> Result<Self, LoadError> {
        Self::prepare_under(spec, endpoint, &Control::new())
    }

    /// Makes the requests as [`prepare`](Self::prepare) does, and gives up with [`LoadError::Stopped`] when the handle
    /// says so.
    pub fn prepare_under(
        spec: &WorkloadSpec,
        endpoint: &dyn Endpoint,
        control: &Control,
    ) -> Result<Self, LoadError> {
        if spec.requests == 0 {
            return Err(LoadError::Empty("a run needs at least one request to send; ask for 1 or more"));
        }
        let factory = Factory::new(spec, endpoint, control)?;
        let spill = Arc::new(Spill::new(spec.body_memory.clone()));
        let fill = |phase, count| Store::fill(count, &spill, &|position| factory.make(phase, position));
        let profiling = fill(Phase::Profiling, spec.requests)?;
        let warmup = fill(Phase::Warmup, spec.warmup_requests)?;
        let forms = factory.into_forms();
        Ok(Self {
            profiling: Arc::new(profiling),
            warmup: Arc::new(warmup),
            paths: forms.iter().map(|form| form.path.clone()).collect(),
            forms: forms.into(),
            streaming: spec.streaming,
            fault: Arc::default(),
        })
    }

    /// The bodies of the profiling requests, in order. Those that are not in memory are read as they come.
    pub fn profiling_bodies(&self) -> impl Iterator<Item = io::Result<Bytes>> {
        self.profiling.bodies()
    }

    /// How many different profiling requests there are.
    #[must_use]
    pub fn profiling_requests(&self) -> u32 {
        self.profiling.count()
    }

    /// How many warm-up requests there are.
    #[must_use]
    pub fn warmup_requests(&self) -> u32 {
        self.warmup.count()
    }

    /// Whether the requests ask for server-sent events.
    #[must_use]
    pub fn streaming(&self) -> bool {
        self.streaming
    }

    /// The paths that requests ask for; none stands for the endpoint's default.
    pub(crate) fn paths(&self) -> &[Option<String>] {
        &self.paths
    }

    /// The request at a position of its phase; begins again after the last one. None if it cannot be had, which
    /// [`fault`](Self::fault) explains.
    pub(crate) fn request(&self, phase: Phase, position: u32) -> Option<PreparedRequest> {
        let store = self.store(phase);
        let form = store.facts(position)?.form as usize;
        let body = store.body(position)?.map_err(|error| self.fault.set(error)).ok()?;
        Some(PreparedRequest { body, path: form, headers: self.forms.get(form)?.headers.clone() })
    }

    /// What the request at a position of its phase asks for; begins again after the last one.
    pub(crate) fn asked(&self, phase: Phase, position: u32) -> Option<Asked> {
        let Facts { input_tokens, max_output_tokens, .. } = self.store(phase).facts(position)?;
        Some(Asked { input_tokens, max_output_tokens })
    }

    /// Brings the requests into memory that are sent from a position on.
    pub(crate) fn read_ahead(&self, phase: Phase, position: u32) {
        self.store(phase).read_ahead(position);
    }

    /// Why a request could not be had.
    pub(crate) fn fault(&self) -> Option<LoadError> {
        let error = self.fault.get()?;
        Some(LoadError::Bodies(io::Error::new(error.kind(), error.to_string())))
    }

    fn store(&self, phase: Phase) -> &Store {
        match phase {
            Phase::Warmup => &self.warmup,
            Phase::Ramp | Phase::Profiling => &self.profiling,
        }
    }
}

/// A header as HTTP sees it.
pub(crate) fn parse_header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), LoadError> {
    match (name.parse(), value.parse()) {
        (Ok(name), Ok(value)) => Ok((name, value)),
        _ => Err(LoadError::Header { name: name.to_owned() }),
    }
}
