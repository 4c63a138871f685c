//! The requests of a run, made and put into the wire format before the clock runs.
//!
//! The same specification gives the same bytes on every machine and with any number of threads: each request draws
//! from random streams of its own.

mod body_file;
mod conversation;
mod factory;
mod forms;
mod lengths;
mod opening;
mod prompts;
mod store;
mod synthetic;

pub use body_file::BodyMemory;
pub(crate) use conversation::{Continued, Dialogue};
pub use lengths::Length;

use crate::control::Control;
use crate::dataset::Dataset;
use crate::error::LoadError;
use crate::tokenizer;
use aiperf_model::plugin::{Endpoint, PluginError};
use aiperf_model::record::Phase;
use aiperf_model::request::{Header, Payload, Turn};
use body_file::BodyFile;
use bytes::Bytes;
use factory::{Factory, Script};
use forms::{Form, Forms};
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use std::sync::{Arc, Mutex, PoisonError};
use store::{Facts, Made, Store};

/// What the requests of a run are to be like.
#[derive(Clone, Debug)]
pub struct WorkloadSpec {
    /// The model to ask.
    pub model: String,
    /// The seed of lengths and prompts.
    pub seed: u64,
    /// What the texts of prompts follow from beside the seed: with another one lengths are the same, and no text is.
    pub prompt_salt: String,
    /// How many different profiling requests, or conversations, to make; at least 1. A run that sends more begins again
    /// from the first; prompts that are made up begin with other words then.
    pub requests: u32,
    /// How many warm-up requests to make; they are made up, whatever the others are.
    pub warmup_requests: u32,
    /// The requests of a file; none for requests that are made up.
    pub dataset: Option<DatasetOrder>,
    /// Conversations of several turns that are made up; none for single requests.
    pub conversation: Option<ConversationSpec>,
    /// Tokens of a prompt that is made up.
    pub input_length: Length,
    /// The most tokens to ask for, or none to leave it to the server. A request of a file may say otherwise.
    pub output_length: Option<Length>,
    /// Whether to ask for server-sent events.
    pub streaming: bool,
    /// A JSON object of extra fields for the body.
    pub extra: Option<String>,
    /// Where the bodies are kept until they are sent.
    pub body_memory: BodyMemory,
}

/// Which requests of a file are sent.
#[derive(Clone, Debug)]
pub struct DatasetOrder {
    /// The file.
    pub dataset: Arc<Dataset>,
    /// Its entries, in the order in which they are sent; not empty.
    pub entries: Arc<[u32]>,
}

/// What conversations are like that are made up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConversationSpec {
    /// The number of turns of the user.
    pub turns: Length,
    /// The time between an answer and the next turn, in milliseconds.
    pub delay_ms: Length,
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
pub(crate) struct KnownLengths {
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
    has_conversations: bool,
    factory: Arc<Factory>,
    fault: Arc<Mutex<Option<LoadError>>>,
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
        let (factory, forms) = (Factory::new(spec, endpoint)?, Forms::default());
        let first_turn = |phase, position| {
            proceed(control)?;
            let script = factory.script(phase, position, 0)?;
            let turns = factory.turns(phase, position);
            let Payload { path, headers, body } = built(&factory, endpoint, position, script.clone())?;
            let form = forms.position_of(path, headers)?;
            let Script { input_tokens, max_output_tokens, .. } = script;
            let opening = factory.opening(phase, position, input_tokens);
            let opening = opening.and_then(|opening| opening::found(&body, &opening));
            Ok(Made { body, facts: Facts { form, input_tokens, max_output_tokens, turns, opening } })
        };
        let body_file = Arc::new(BodyFile::new(spec.body_memory.clone()));
        let fill = |phase, count| Store::fill(count, &body_file, &|position| first_turn(phase, position));
        let profiling = fill(Phase::Profiling, spec.requests)?;
        let warmup = fill(Phase::Warmup, spec.warmup_requests)?;
        let forms = forms.into_list();
        let in_file = spec.dataset.as_ref().is_some_and(|order| order.dataset.has_conversations());
        Ok(Self {
            profiling: Arc::new(profiling),
            warmup: Arc::new(warmup),
            paths: forms.iter().map(|form| form.path.clone()).collect(),
            forms: forms.into(),
            streaming: spec.streaming,
            has_conversations: in_file || spec.conversation.is_some(),
            factory: Arc::new(factory),
            fault: Arc::default(),
        })
    }

    /// The bodies of the profiling requests, one list per conversation, in order. Those that are not in memory are read
    /// as they come. Later turns of a conversation are without what went before them, since the answers are not known.
    /// Gives up with [`LoadError::Stopped`] when the handle wants to stop.
    pub fn profiling_bodies<'a>(
        &'a self,
        endpoint: &'a dyn Endpoint,
        control: &'a Control,
    ) -> impl Iterator<Item = Result<Vec<Bytes>, LoadError>> + 'a {
        (0..).zip(self.profiling.bodies()).map(move |(position, first)| {
            let turns = self.profiling.facts(position).map_or(1, |facts| facts.turns);
            let later = (1..turns).map(|turn| {
                proceed(control)?;
                let script = self.factory.script(Phase::Profiling, position, turn)?;
                Ok(built(&self.factory, endpoint, position, script)?.body.into())
            });
            proceed(control)?;
            let later = later.collect::<Result<Vec<Bytes>, LoadError>>()?;
            Ok(std::iter::once(first.map_err(LoadError::Bodies)?).chain(later).collect())
        })
    }

    /// How many different profiling requests, or conversations, there are.
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

    /// Whether there are conversations of several turns.
    #[must_use]
    pub fn has_conversations(&self) -> bool {
        self.has_conversations
    }

    /// How many requests so many conversations are.
    pub(crate) fn requests_of(&self, conversations: u32) -> u64 {
        self.profiling.turns_of(conversations)
    }

    /// The paths that requests ask for; none stands for the endpoint's default.
    pub(crate) fn paths(&self) -> &[Option<String>] {
        &self.paths
    }

    /// The request at a position of its phase; begins again after the last one, with other words at the beginning of a
    /// prompt that is made up. None if it cannot be had, which [`take_fault`](Self::take_fault) explains.
    pub(crate) fn request(&self, phase: Phase, position: u32) -> Option<PreparedRequest> {
        let store = self.store(phase);
        let facts = store.facts(position)?;
        let form = facts.form as usize;
        let body = store.body(position)?.map_err(|error| self.note_fault(LoadError::Bodies(error))).ok()?;
        let body = if position < store.count() { body } else { self.refreshed(body, phase, position, facts) };
        Some(PreparedRequest { body, path: form, headers: self.forms.get(form)?.headers.clone() })
    }

    /// A body that was sent before, with the opening of its new position. The copy costs less than what the system does
    /// when it takes the body for sending.
    fn refreshed(&self, body: Bytes, phase: Phase, position: u32, facts: Facts) -> Bytes {
        let opening = self.factory.opening(phase, position, facts.input_tokens);
        match (facts.opening, opening) {
            (Some(at), Some(opening)) => opening::replaced(&body, at, &opening),
            _ => body,
        }
    }

    /// What the request at a position of its phase asks for; begins again after the last one.
    pub(crate) fn asked(&self, phase: Phase, position: u32) -> Option<KnownLengths> {
        let Facts { input_tokens, max_output_tokens, .. } = self.store(phase).facts(position)?;
        Some(KnownLengths { input_tokens, max_output_tokens })
    }

    /// How many turns the conversation has that begins at a position of a phase.
    pub(crate) fn turns(&self, phase: Phase, position: u32) -> u32 {
        self.store(phase).facts(position).map_or(1, |facts| facts.turns)
    }

    /// The position that the request at a position of its phase has within the workload, which may be shorter.
    pub(crate) fn place(&self, phase: Phase, position: u32) -> u32 {
        position.checked_rem(self.store(phase).count()).unwrap_or(0)
    }

    /// Counts the tokens of the prompt at a position, for servers that do not; those of a first turn.
    pub(crate) fn count_input_tokens(&self, phase: Phase, position: u32) -> Option<u32> {
        let script = self.factory.script(phase, position, 0).ok()?;
        Some(count_tokens(&script.turns))
    }

    /// Brings the requests into memory that are sent from a position on.
    pub(crate) fn read_ahead(&self, phase: Phase, position: u32) {
        self.store(phase).read_ahead(position);
    }

    /// Keeps the first reason why a request could not be had.
    fn note_fault(&self, fault: LoadError) {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(fault);
    }

    /// Why a request could not be had.
    pub(crate) fn take_fault(&self) -> Option<LoadError> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn store(&self, phase: Phase) -> &Store {
        match phase {
            Phase::Warmup => &self.warmup,
            Phase::Ramp | Phase::Profiling => &self.profiling,
        }
    }
}

/// Whether the requests are still wanted.
fn proceed(control: &Control) -> Result<(), LoadError> {
    if control.is_stopping() { Err(LoadError::Stopped) } else { Ok(()) }
}

/// The turns of a script in the wire format.
fn built(
    factory: &Factory,
    endpoint: &dyn Endpoint,
    position: u32,
    mut script: Script,
) -> Result<Payload, LoadError> {
    let turns = std::mem::take(&mut script.turns);
    let (payload, _) = factory.build(endpoint, turns, &script);
    payload.map_err(|source| not_built(endpoint, position, source))
}

fn not_built(endpoint: &dyn Endpoint, position: u32, source: PluginError) -> LoadError {
    LoadError::Build { plugin: Box::new(endpoint.identity().clone()), request: position, source }
}

fn count_tokens(turns: &[Turn]) -> u32 {
    let parts = turns.iter().flat_map(|turn| &turn.parts).filter(|part| part.kind == "text");
    parts.map(|part| tokenizer::count(&part.value)).sum()
}

/// A header of the endpoint plugin as HTTP sees it.
fn parse_plugin_header(header: &Header) -> Result<(HeaderName, HeaderValue), LoadError> {
    parse_header(&header.name, &header.value)
        .map_err(|_| LoadError::PluginHeader { name: header.name.clone() })
}

/// A header of the user as HTTP sees it.
pub(crate) fn parse_header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), LoadError> {
    match (name.parse(), value.parse()) {
        (Ok(name), Ok(value)) => Ok((name, value)),
        _ => Err(LoadError::Header { name: name.to_owned() }),
    }
}
