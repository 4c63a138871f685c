//! A conversation between two of its turns: the next request carries what was said before, answers included.

use super::{KnownLengths, PreparedRequest, Script, Workload, count_tokens, not_built, parse_plugin_header};
use crate::error::LoadError;
use aiperf_model::plugin::{Endpoint, PluginError};
use aiperf_model::record::Phase;
use aiperf_model::request::{Payload, Turn};
use hyper::HeaderMap;
use std::cell::Cell;

/// A conversation as far as it has come.
#[derive(Debug)]
pub(crate) struct Dialogue {
    /// The position of the conversation in its phase.
    request: u32,
    phase: Phase,
    /// The turn that was sent last, from 0.
    pub(crate) turn: u32,
    /// What was said until then, the last turn included; empty before the second turn, since the first one is prepared.
    said: Said,
    /// What the last turn asks for.
    pub(crate) asked: Option<KnownLengths>,
}

/// The next turn of a conversation.
#[derive(Debug)]
pub(crate) struct Continued {
    pub(crate) request: PreparedRequest,
    /// How long after the end of the turn before it is due, in nanoseconds.
    pub(crate) delay: u64,
    pub(crate) dialogue: Dialogue,
}

impl Dialogue {
    /// A conversation whose first turn is sent.
    pub(crate) fn begin(workload: &Workload, phase: Phase, request: u32) -> Self {
        Self { request, phase, turn: 0, said: Said::default(), asked: workload.asked(phase, request) }
    }

    /// The tokens of the last turn with all that went before, for servers that do not count them.
    pub(crate) fn count_input_tokens(&self, workload: &Workload) -> Option<u32> {
        if self.said.turns.is_empty() {
            workload.count_input_tokens(self.phase, self.request)
        } else {
            Some(self.said.tokens(count_tokens))
        }
    }
}

/// What was said in a conversation, with the tokens of it that were counted: each turn is counted once, though every
/// request carries all of them.
#[derive(Debug, Default)]
struct Said {
    turns: Vec<Turn>,
    counted: Cell<Counted>,
}

/// The tokens of the first turns.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    turns: usize,
    tokens: u32,
}

impl Said {
    /// The tokens of all turns, of which `count` is asked for those that came since.
    fn tokens(&self, count: impl FnOnce(&[Turn]) -> u32) -> u32 {
        let Counted { turns, tokens } = self.counted.get();
        let tokens = tokens.saturating_add(count(self.turns.get(turns..).unwrap_or_default()));
        self.counted.set(Counted { turns: self.turns.len(), tokens });
        tokens
    }
}

impl Workload {
    /// The turn that follows on an answer; none if it cannot be had, which [`take_fault`](Self::take_fault) explains.
    pub(crate) fn next_turn(
        &self,
        endpoint: &dyn Endpoint,
        dialogue: Dialogue,
        answer: Option<String>,
    ) -> Option<Continued> {
        self.continued(endpoint, dialogue, answer).map_err(|fault| self.note_fault(fault)).ok()
    }

    fn continued(
        &self,
        endpoint: &dyn Endpoint,
        dialogue: Dialogue,
        answer: Option<String>,
    ) -> Result<Continued, LoadError> {
        let Dialogue { request, phase, turn, mut said, .. } = dialogue;
        if said.turns.is_empty() {
            said.turns = self.factory.script(phase, request, 0)?.turns;
        }
        said.turns.extend(answer.map(|text| Turn::text("assistant", text)));
        let mut script = self.factory.script(phase, request, turn + 1)?;
        if script.stands_alone {
            said = Said::default();
        }
        said.turns.append(&mut script.turns);
        let (payload, turns) = self.factory.build(endpoint, said.turns, &script);
        let payload = payload.map_err(|source| not_built(endpoint, request, source))?;
        let prepared = self.with_known_path(payload, |source| not_built(endpoint, request, source))?;
        let Script { max_output_tokens, delay, .. } = script;
        // What was said before counts too, and only the server knows how it counts the answers.
        let asked = Some(KnownLengths { input_tokens: None, max_output_tokens });
        let said = Said { turns, counted: said.counted };
        let dialogue = Dialogue { request, phase, turn: turn + 1, said, asked };
        Ok(Continued { request: prepared, delay, dialogue })
    }

    /// A request in its wire format; its path must be that of some first turn, for which the servers are prepared.
    fn with_known_path(
        &self,
        payload: Payload,
        refused: impl Fn(PluginError) -> LoadError,
    ) -> Result<PreparedRequest, LoadError> {
        let Payload { path, headers, body } = payload;
        let position = self.paths.iter().position(|known| *known == path).ok_or_else(|| {
            let path = path.unwrap_or_default();
            refused(PluginError::Unsupported(format!(
                "a later turn goes to '{path}', where no first turn goes"
            )))
        })?;
        let headers = headers.iter().map(parse_plugin_header);
        Ok(PreparedRequest {
            body: body.into(),
            path: position,
            headers: headers.collect::<Result<HeaderMap, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_turn_of_a_conversation_is_counted_once() {
        let mut said = Said::default();
        let mut counted = 0;
        for turn in 1..=100 {
            said.turns.push(Turn::text("user", "two words".to_owned()));
            let tokens = said.tokens(|turns| {
                counted += turns.len();
                count_tokens(turns)
            });
            assert_eq!(tokens, 2 * turn);
        }
        assert_eq!(counted, 100);
        assert_eq!(said.tokens(|turns| turns.len() as u32), 200, "nothing new was said");
    }
}
