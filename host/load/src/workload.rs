//! The requests of a run, made and put into the wire format before the clock runs.
//!
//! The same specification gives the same bytes on every machine and with any number of threads: each request draws
//! from random streams of its own.

mod lengths;
mod prompts;

pub use lengths::Length;

use crate::control::Control;
use crate::error::LoadError;
use aiperf_model::plugin::Endpoint;
use aiperf_model::record::Phase;
use aiperf_model::request::{Payload, Request, Turn};
use bytes::Bytes;
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use lengths::Lengths;
use prompts::Prompts;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

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
}

/// One request, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct PreparedRequest {
    pub(crate) body: Bytes,
    /// The position of its path in [`Workload::paths`].
    pub(crate) path: usize,
    /// Headers that only this request has.
    pub(crate) headers: HeaderMap,
    pub(crate) input_tokens: u32,
    pub(crate) max_output_tokens: Option<u32>,
}

/// The requests of a run. Clones share them.
#[derive(Clone, Debug)]
pub struct Workload {
    profiling: Arc<[PreparedRequest]>,
    warmup: Arc<[PreparedRequest]>,
    paths: Arc<[Option<String>]>,
    streaming: bool,
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
        let mut paths = vec![None];
        let profiling = with_paths(factory.make(Phase::Profiling, spec.requests)?, &mut paths);
        let warmup = with_paths(factory.make(Phase::Warmup, spec.warmup_requests)?, &mut paths);
        Ok(Self { profiling, warmup, paths: paths.into(), streaming: spec.streaming })
    }

    /// The bodies of the profiling requests, in order.
    pub fn profiling_bodies(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.profiling.iter().map(|request| &*request.body)
    }

    /// How many warm-up requests there are.
    #[must_use]
    pub fn warmup_requests(&self) -> u32 {
        self.warmup.len() as u32
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

    /// The request at a position of its phase; begins again after the last one.
    pub(crate) fn request(&self, phase: Phase, position: u32) -> Option<&PreparedRequest> {
        let requests = match phase {
            Phase::Warmup => &self.warmup,
            Phase::Profiling => &self.profiling,
        };
        requests.get((position as usize).checked_rem(requests.len())?)
    }
}

/// Makes single requests of a workload.
struct Factory<'a> {
    spec: &'a WorkloadSpec,
    endpoint: &'a dyn Endpoint,
    control: &'a Control,
    role: &'static str,
    prompts: Prompts,
    input_lengths: Lengths,
    output_lengths: Option<Lengths>,
}

impl<'a> Factory<'a> {
    fn new(
        spec: &'a WorkloadSpec,
        endpoint: &'a dyn Endpoint,
        control: &'a Control,
    ) -> Result<Self, LoadError> {
        let output_lengths =
            spec.output_length.map(|length| Lengths::new(length, spec.seed, "output length"));
        Ok(Self {
            spec,
            endpoint,
            control,
            role: if endpoint.info().produces_tokens { "user" } else { "input" },
            prompts: Prompts::new(spec.seed),
            input_lengths: Lengths::new(spec.input_length, spec.seed, "input length")?,
            output_lengths: output_lengths.transpose()?,
        })
    }

    /// The first `count` requests of a phase.
    fn make(&self, phase: Phase, count: u32) -> Result<Vec<(PreparedRequest, Option<String>)>, LoadError> {
        // Below this, a thread costs more than it saves.
        const FEWEST_PER_THREAD: u32 = 64;
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get) as u32;
        let threads = cores.min(count.div_ceil(FEWEST_PER_THREAD)).max(1);
        let share = count.div_ceil(threads).max(1);
        let make_from = |first: u32| {
            let last = first.saturating_add(share).min(count);
            (first..last).map(|position| self.make_one(phase, position)).collect::<Result<Vec<_>, _>>()
        };
        thread::scope(|scope| {
            let others: Vec<_> = (share..count)
                .step_by(share as usize)
                .map(|first| scope.spawn(move || make_from(first)))
                .collect();
            let mut requests = make_from(0)?;
            for thread in others {
                match thread.join() {
                    Ok(made) => requests.extend(made?),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            Ok(requests)
        })
    }

    fn make_one(&self, phase: Phase, position: u32) -> Result<(PreparedRequest, Option<String>), LoadError> {
        if self.control.is_stopping() {
            return Err(LoadError::Stopped);
        }
        let ordinal = prompts::ordinal(phase, position);
        let input_tokens = self.input_lengths.draw(ordinal);
        let max_output_tokens = self.output_lengths.as_ref().map(|lengths| lengths.draw(ordinal));
        let request = Request {
            model: self.spec.model.clone(),
            turns: vec![Turn::text(self.role, self.prompts.text(ordinal, input_tokens))],
            max_output_tokens,
            streaming: self.spec.streaming,
            extra: self.spec.extra.clone(),
        };
        let Payload { path, headers, body } = self.endpoint.build(&request).map_err(|source| {
            let plugin = Box::new(self.endpoint.identity().clone());
            LoadError::Build { plugin, request: position, source }
        })?;
        let headers = headers
            .iter()
            .map(|header| parse_header(&header.name, &header.value))
            .collect::<Result<HeaderMap, _>>()?;
        let prepared =
            PreparedRequest { body: body.into(), path: 0, headers, input_tokens, max_output_tokens };
        Ok((prepared, path))
    }
}

/// A header as HTTP sees it.
pub(crate) fn parse_header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), LoadError> {
    match (name.parse(), value.parse()) {
        (Ok(name), Ok(value)) => Ok((name, value)),
        _ => Err(LoadError::Header { name: name.to_owned() }),
    }
}

/// Replaces the paths of requests by positions in `paths`, of which there are only a few different ones.
fn with_paths(
    requests: Vec<(PreparedRequest, Option<String>)>,
    paths: &mut Vec<Option<String>>,
) -> Arc<[PreparedRequest]> {
    let mut position_of = |path: Option<String>| {
        paths.iter().position(|known| *known == path).unwrap_or_else(|| {
            paths.push(path);
            paths.len() - 1
        })
    };
    requests
        .into_iter()
        .map(|(request, path)| PreparedRequest { path: position_of(path), ..request })
        .collect()
}
