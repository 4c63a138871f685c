//! What was measured of one request.
//!
//! An [`Exchange`] is the wire's side: bytes and the time of each event. A [`Record`] is what is left when an
//! endpoint plugin has read it: times of content, token counts, or the failure. All times are nanoseconds on the
//! monotonic clock since the origin of the run; [`RunClock`] turns them into wall-clock time.

use crate::response::Usage;
use crate::secret::Secrets;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// Which part of a run a request belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Sent to warm the server up; in the records, in no statistic.
    Warmup,
    /// Due while the load still grew to what was asked for; in the records, in no statistic.
    Ramp,
    /// Measured.
    Profiling,
}

/// The wall-clock time of a run's origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunClock {
    /// Nanoseconds between the Unix epoch and the origin of the run.
    pub origin_unix_ns: u64,
}

impl RunClock {
    /// The wall-clock time, in nanoseconds since the Unix epoch, of a time of the run.
    #[must_use]
    pub fn unix_ns(self, at: u64) -> u64 {
        self.origin_unix_ns.saturating_add(at)
    }
}

/// Where one event stands in the buffer of its response, as (start, end), and when the read that completed it returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventMark {
    /// Where the event's name stands in the buffer; empty if it has none.
    pub name: (u32, u32),
    /// Where the event's data stands in the buffer.
    pub data: (u32, u32),
    /// The time of the read that completed the event.
    pub at: u64,
}

/// The times and circumstances of one request that do not depend on what the answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// The position of the request in its phase, from 0; the turns of a conversation have the same.
    pub request: u32,
    /// Its position in the workload of its phase, from 0; a run that is longer than the workload begins again.
    pub conversation: u32,
    /// Which turn of its conversation it is, from 0.
    pub turn: u32,
    /// The part of the run.
    pub phase: Phase,
    /// The worker thread that sent it.
    pub worker: u32,
    /// When it should have been sent; in a closed loop, when its slot became free.
    pub due: u64,
    /// Whether `due` is a time of a schedule, as in an open loop, which the slowness of a server does not move.
    pub scheduled: bool,
    /// From when on nothing but this program kept it from being sent: `due`, or later, when the limit of requests in
    /// flight had room for it.
    pub ready: u64,
    /// When its first byte was handed to the socket; none if it never was.
    pub send: Option<u64>,
    /// When the first byte of the response was read, if one was.
    pub first_byte: Option<u64>,
    /// When the response ended or failed.
    pub end: u64,
    /// The HTTP status, if a response began.
    pub status: Option<u16>,
    /// How long it took to open the connection, TLS handshake included, in nanoseconds; none for a request on a
    /// connection that had served an earlier one. Whenever that was, it was before `send`.
    pub connect: Option<u64>,
    /// How much of the time from `ready` to `send` it waited for its connection to open, in nanoseconds.
    pub connect_wait: u64,
    /// Whether the connection had served an earlier request.
    pub reused_connection: bool,
    /// How often it was sent again because a reused connection turned out to be dead before any response byte.
    pub retries: u32,
}

/// One request as the wire showed it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Times and circumstances.
    pub timing: Timing,
    /// The response: names and data of the events one after the other, or the body as it came.
    pub buffer: Vec<u8>,
    /// The events, in order of arrival; a response that was not streamed is one event.
    pub events: Vec<EventMark>,
    /// Whether the response came as server-sent events.
    pub streamed: bool,
    /// What went wrong on the wire, if anything.
    pub failure: Option<Failure>,
}

/// How a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// No connection could be opened, or it broke before the response began.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// The answer did not end in time.
    Timeout,
    /// The server answered with an HTTP status other than success.
    Status,
    /// The response ended before the end that its format defines.
    Incomplete,
    /// The response is not what its format allows.
    Malformed,
    /// The connection brought bytes that nobody had asked for, so that the response may be that to another request.
    Desynchronized,
    /// The response is whole, and has not a single token.
    Empty,
    /// The server reported a failure inside a response that HTTP called a success.
    Server,
    /// This machine had no room for one more connection, so that the server never saw the request.
    Client,
    /// The benchmark stopped before the response ended.
    Cancelled,
    /// The endpoint plugin crashed on the response, or answered with nonsense.
    Plugin,
}

impl FailureKind {
    /// The name used in files and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Status => "status",
            Self::Incomplete => "incomplete",
            Self::Malformed => "malformed",
            Self::Desynchronized => "desynchronized",
            Self::Empty => "empty",
            Self::Server => "server",
            Self::Client => "client",
            Self::Cancelled => "cancelled",
            Self::Plugin => "plugin",
        }
    }
}

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The kind of failure.
    pub kind: FailureKind,
    /// The HTTP status, if a response began.
    pub status: Option<u16>,
    /// After how many seconds the server wants to be asked again, if it said so with its status. It was not asked
    /// again.
    pub retry_after_seconds: Option<u64>,
    /// One line for the user; for a status, the start of the body.
    pub message: String,
}

impl Failure {
    /// Whether the server refused the request because there were too many.
    #[must_use]
    pub fn is_rate_limit(&self) -> bool {
        const TOO_MANY_REQUESTS: u16 = 429;
        self.kind == FailureKind::Status && self.status == Some(TOO_MANY_REQUESTS)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) if self.kind == FailureKind::Status => write!(f, "HTTP {status}: {}", self.message),
            _ => write!(f, "{}: {}", self.kind.name(), self.message),
        }
    }
}

/// Where a token count comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenSource {
    /// The server's `usage`.
    Server,
    /// A tokenizer on this machine.
    Tokenizer,
    /// The length that was asked for, of a prompt that is made up of so many tokens.
    Synthetic,
}

/// A number of tokens and who counted them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenCount {
    /// How many.
    pub count: u32,
    /// Who says so.
    pub source: TokenSource,
}

/// What a successful response said and when.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// Arrival times of the events with content or reasoning, in order, at least one; one entry for a response that was
    /// not streamed, or that has no tokens by its nature.
    pub content: Vec<u64>,
    /// Arrival time of the first content that is not reasoning.
    pub first_output: Option<u64>,
    /// Whether the answer came as server-sent events whose times are those of its tokens.
    pub streamed: bool,
    /// Tokens of the prompt.
    pub input_tokens: Option<TokenCount>,
    /// Tokens generated, including reasoning; none where the endpoint produces no tokens.
    pub output_tokens: Option<TokenCount>,
    /// Token counts as the server reported them.
    pub usage: Option<Usage>,
    /// How many events were not quite what the format allows, and were read as far as they could be.
    pub odd_events: u32,
    /// Why the server stopped, in its own words.
    pub finish_reason: Option<String>,
}

impl Answer {
    /// Whether the server's token counts are not those that are used, since what was sent and received rules them out.
    #[must_use]
    pub fn contradicts_usage(&self) -> bool {
        let Usage { input_tokens, output_tokens, .. } = self.usage.unwrap_or_default();
        let is_server = |used: TokenCount| used.source == TokenSource::Server;
        let input_overruled = input_tokens.is_some() && !self.input_tokens.is_some_and(is_server);
        let output_overruled =
            output_tokens.is_some() && self.output_tokens.is_some_and(|used| !is_server(used));
        input_overruled || output_overruled
    }
}

/// One request, measured and read.
#[derive(Clone, Debug)]
pub struct Record {
    /// Times and circumstances.
    pub timing: Timing,
    /// The most output tokens that were asked for.
    pub requested_output_tokens: Option<u32>,
    /// What came back.
    pub outcome: Result<Answer, Failure>,
}

impl Record {
    /// Takes secrets out of what the server said, which may be what it was sent.
    pub fn hide(&mut self, secrets: &Secrets) {
        let said = match &mut self.outcome {
            Ok(answer) => answer.finish_reason.as_mut(),
            Err(failure) => Some(&mut failure.message),
        };
        if let Some(said) = said
            && let Cow::Owned(hidden) = secrets.hide(said)
        {
            *said = hidden;
        }
    }
}
