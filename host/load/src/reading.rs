//! An exchange becomes a record: the endpoint plugin reads the response, the events' times stay ours.
//!
//! This happens on threads of its own, after the last byte of the response, in no particular order.

use crate::connection::EVENT_COST;
use crate::control::Control;
use crate::counting;
use crate::handover::Intake;
use crate::workload::{KnownLengths, Workload};
use aiperf_model::plugin::{Endpoint, PluginError};
use aiperf_model::record::{Answer, EventMark, Exchange, Failure, FailureKind, Record};
use aiperf_model::response::{Chunk, Event, Response};
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, PoisonError};

/// How many crashes of the plugin in a row end the run.
pub(crate) const CRASH_LIMIT: u32 = 3;
/// How many exchanges are read before their records are passed on together.
const BATCH_LENGTH: usize = 64;
/// The bytes beyond which a response is read alone.
const LARGE: usize = 4 << 20;
/// How much of a server's finish reason a message quotes, in bytes.
const LONGEST_REASON: usize = 40;

/// Crashes of the plugin in a row, over all readers.
#[derive(Debug, Default)]
pub(crate) struct Crashes {
    state: Mutex<(u32, Option<String>)>,
}

impl Crashes {
    /// Takes note of one response: the message of a crash, or none. True once there were too many in a row.
    fn note(&self, crash: Option<&str>) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.0 >= CRASH_LIMIT {
            return true;
        }
        match crash {
            None => *state = (0, None),
            Some(message) => *state = (state.0 + 1, Some(message.to_owned())),
        }
        state.0 >= CRASH_LIMIT
    }

    /// Whether there were too many in a row.
    fn are_too_many(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0 >= CRASH_LIMIT
    }

    /// The last message, if there were too many in a row.
    pub(crate) fn into_fatal(self) -> Option<String> {
        let (count, message) = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        message.filter(|_| count >= CRASH_LIMIT)
    }
}

/// What readers need.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) endpoint: &'a dyn Endpoint,
    pub(crate) workload: &'a Workload,
    pub(crate) control: &'a Control,
    pub(crate) crashes: &'a Crashes,
    /// Who reads a large response; one is read after the other, since each takes its size again several times while it
    /// is read.
    pub(crate) large: &'a Mutex<()>,
    /// Called once the plugin has crashed too often.
    pub(crate) give_up: &'a (dyn Fn() + Sync),
}

impl Reader<'_> {
    /// Reads exchanges until no more come.
    pub(crate) fn run(self, intake: &Intake, records: &SyncSender<Vec<Record>>) {
        let mut batch = Vec::with_capacity(BATCH_LENGTH);
        while intake.take(&mut batch, BATCH_LENGTH) {
            let read = batch.drain(..).map(|exchange| self.read_single(&exchange)).collect();
            // Nobody takes records any more only if the run has failed already.
            let _ = records.send(read);
        }
    }

    fn read_single(&self, exchange: &Exchange) -> Record {
        let (phase, position) = (exchange.timing.phase, exchange.timing.request);
        let count_input = || self.workload.count_input_tokens(phase, position);
        self.read(exchange, self.workload.asked(phase, position), &count_input).0
    }

    /// Reads one exchange; where it went well, also what the response says. `count_input` counts the tokens of the
    /// prompt where nobody else knows them.
    pub(crate) fn read(
        &self,
        exchange: &Exchange,
        asked: Option<KnownLengths>,
        count_input: &dyn Fn() -> Option<u32>,
    ) -> (Record, Option<Response>) {
        let is_large = exchange.buffer.len() + exchange.events.len() * EVENT_COST > LARGE;
        let _turn = is_large.then(|| self.large.lock().unwrap_or_else(PoisonError::into_inner));
        let timing = exchange.timing;
        let failed =
            |(kind, message)| Failure { kind, status: timing.status, retry_after_seconds: None, message };
        let read = match &exchange.failure {
            Some(failure) => Err(failure.clone()),
            None => self
                .response(exchange)
                .and_then(|response| Ok((self.answer(exchange, &response, asked, count_input)?, response)))
                .map_err(failed),
        };
        self.control.count_read(read.is_ok());
        let requested_output_tokens = asked.and_then(|asked| asked.max_output_tokens);
        let (outcome, response) = match read {
            Ok((answer, response)) => (Ok(answer), Some(response)),
            Err(failure) => (Err(failure), None),
        };
        (Record { timing, requested_output_tokens, outcome }, response)
    }

    /// What a whole response says, to the plugin.
    fn response(&self, exchange: &Exchange) -> Result<Response, (FailureKind, String)> {
        // A plugin that hangs costs its limit with each call, and what waits for it may be thousands of responses.
        if self.crashes.are_too_many() {
            let message = format!("not read, since the endpoint plugin crashed {CRASH_LIMIT} times in a row");
            return Err((FailureKind::Plugin, message));
        }
        let events: Vec<_> = exchange.events.iter().map(|mark| event(&exchange.buffer, mark)).collect();
        let parsed = self.endpoint.parse(&events, exchange.streamed);
        let crash = match &parsed {
            Err(PluginError::Crashed(message)) => Some(message.as_str()),
            _ => None,
        };
        if self.crashes.note(crash) {
            (self.give_up)();
        }
        let response = parsed.map_err(|error| (failure_kind(&error), error.to_string()))?;
        if !response.complete {
            let events = events.len();
            let message = format!("the response ended after {events} events without the end of its format");
            return Err((FailureKind::Incomplete, message));
        }
        Ok(response)
    }

    /// The times and tokens of what a response says.
    fn answer(
        &self,
        exchange: &Exchange,
        response: &Response,
        asked: Option<KnownLengths>,
        count_input: &dyn Fn() -> Option<u32>,
    ) -> Result<Answer, (FailureKind, String)> {
        let made_of = asked.and_then(|asked| asked.input_tokens);
        let input_tokens = counting::input_tokens(response.usage, made_of, count_input);
        let whole = Answer {
            content: vec![exchange.timing.end],
            input_tokens,
            usage: response.usage,
            odd_events: response.chunks.iter().filter(|chunk| chunk.is_mark()).count() as u32,
            finish_reason: response.finish_reason.clone(),
            ..Answer::default()
        };
        if !self.endpoint.info().produces_tokens {
            return Ok(whole);
        }
        let requested = asked.and_then(|asked| asked.max_output_tokens);
        let (content, first_output) = if exchange.streamed {
            content_times(&response.chunks, &exchange.events)?
        } else {
            let at = exchange.events.last().map_or(exchange.timing.end, |mark| mark.at);
            let has_content = response.chunks.iter().any(has_content);
            (
                has_content.then_some(at).into_iter().collect(),
                response.chunks.iter().any(has_output).then_some(at),
            )
        };
        if content.is_empty() {
            return Err((FailureKind::Empty, emptiness(response)));
        }
        Ok(Answer {
            content,
            first_output,
            streamed: exchange.streamed,
            output_tokens: Some(counting::output_tokens(response, requested)),
            ..whole
        })
    }
}

/// An event as the plugin is given it.
pub(crate) fn event<'a>(buffer: &'a [u8], mark: &EventMark) -> Event<'a> {
    let slice = |(start, end): (u32, u32)| buffer.get(start as usize..end as usize).unwrap_or_default();
    let name = std::str::from_utf8(slice(mark.name)).ok().filter(|name| !name.is_empty());
    Event { name, data: slice(mark.data) }
}

fn failure_kind(error: &PluginError) -> FailureKind {
    match error {
        PluginError::Server(_) => FailureKind::Server,
        PluginError::Crashed(_) | PluginError::BrokeContract(_) => FailureKind::Plugin,
        _ => FailureKind::Malformed,
    }
}

/// The times of events with content, and of the first one that is not only reasoning.
fn content_times(
    chunks: &[Chunk],
    events: &[EventMark],
) -> Result<(Vec<u64>, Option<u64>), (FailureKind, String)> {
    let mut with_content = Vec::with_capacity(chunks.len());
    let mut first_output: Option<u64> = None;
    for chunk in chunks.iter().filter(|chunk| has_content(chunk)) {
        let at = events.get(chunk.event_index as usize).map(|event| event.at).ok_or_else(|| {
            let (index, count) = (chunk.event_index, events.len());
            (FailureKind::Malformed, format!("the endpoint plugin named event {index} of {count}"))
        })?;
        if has_output(chunk) {
            first_output = Some(first_output.map_or(at, |earlier| earlier.min(at)));
        }
        with_content.push((chunk.event_index, at));
    }
    with_content.sort_unstable();
    // Two chunks of one event arrived together: one arrival.
    with_content.dedup();
    Ok((with_content.into_iter().map(|(_, at)| at).collect(), first_output))
}

/// What an answer without a token lacks, and what the server says of it.
fn emptiness(response: &Response) -> String {
    let counts_output = response.usage.and_then(|usage| usage.output_tokens).is_some_and(|tokens| tokens > 0);
    let usage = if counts_output { ", though its usage counts output tokens" } else { "" };
    let quoted = |reason: &String| {
        let end = reason.floor_char_boundary(LONGEST_REASON);
        format!(" (finish reason '{}')", reason.get(..end).unwrap_or_default())
    };
    let reason = response.finish_reason.as_ref().map(quoted).unwrap_or_default();
    format!("the response has no token: no text, no reasoning, no tool call{usage}{reason}")
}

fn has_content(chunk: &Chunk) -> bool {
    has_output(chunk) || has_reasoning(chunk)
}

fn has_output(chunk: &Chunk) -> bool {
    chunk.text.as_ref().is_some_and(|text| !text.is_empty())
}

fn has_reasoning(chunk: &Chunk) -> bool {
    chunk.reasoning.as_ref().is_some_and(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(event_index: u32, text: Option<&str>, reasoning: Option<&str>) -> Chunk {
        Chunk { event_index, text: text.map(str::to_owned), reasoning: reasoning.map(str::to_owned) }
    }

    fn marks() -> Vec<EventMark> {
        [10, 20, 20, 30].map(|at| EventMark { name: (0, 0), data: (0, 0), at }).into()
    }

    #[test]
    fn content_has_the_times_of_its_events_in_order() {
        for (chunks, content, first_output) in [
            (vec![], vec![], None),
            (vec![chunk(0, Some("a"), None), chunk(3, Some("b"), None)], vec![10, 30], Some(10)),
            // Two events of one read are two arrivals, two chunks of one event are one.
            (vec![chunk(1, Some("a"), None), chunk(2, Some("b"), None)], vec![20, 20], Some(20)),
            (vec![chunk(1, None, Some("a")), chunk(1, Some("b"), None)], vec![20], Some(20)),
            (vec![chunk(3, Some("b"), None), chunk(0, Some("a"), None)], vec![10, 30], Some(10)),
            (vec![chunk(0, None, Some("a")), chunk(3, Some("b"), Some("c"))], vec![10, 30], Some(30)),
            // Empty text is no content.
            (
                vec![chunk(0, Some(""), None), chunk(1, Some("a"), Some("")), chunk(3, None, None)],
                vec![20],
                Some(20),
            ),
        ] {
            assert_eq!(content_times(&chunks, &marks()), Ok((content, first_output)), "{chunks:?}");
        }
    }

    #[test]
    fn content_of_an_event_that_never_was_is_malformed() {
        let error = content_times(&[chunk(4, Some("a"), None)], &marks()).unwrap_err();
        assert_eq!(error, (FailureKind::Malformed, "the endpoint plugin named event 4 of 4".to_owned()));
    }

    #[test]
    fn crashes_count_only_in_a_row() {
        let crashes = Crashes::default();
        let notes = [Some("a"), Some("b"), None, Some("c"), Some("d"), Some("e"), None];
        assert_eq!(notes.map(|crash| crashes.note(crash)), [false, false, false, false, false, true, true]);
        assert_eq!(crashes.into_fatal().as_deref(), Some("e"));
    }
}
