//! Says what each request is, and puts it into the wire format with the endpoint plugin.

use super::synthetic::Synthetic;
use super::{DatasetOrder, WorkloadSpec};
use crate::dataset::Row;
use crate::error::LoadError;
use aiperf_model::plugin::{Endpoint, PluginError};
use aiperf_model::record::Phase;
use aiperf_model::request::{Part, Payload, Request, Turn};
use serde_json::{Map, Value};

/// One request, before the endpoint plugin has seen it; of a conversation, what one turn adds.
#[derive(Clone, Debug, Default)]
pub(super) struct Script {
    pub(super) turns: Vec<Turn>,
    /// Tokens of the turns, if they are known.
    pub(super) input_tokens: Option<u32>,
    pub(super) max_output_tokens: Option<u32>,
    /// A JSON object of extra fields.
    pub(super) extra: Option<String>,
    /// Whether it is sent without the turns that went before it.
    pub(super) stands_alone: bool,
    /// How long after the end of the turn before it is due, in nanoseconds.
    pub(super) delay: u64,
}

/// Makes single requests of a workload.
#[derive(Debug)]
pub(super) struct Factory {
    spec: WorkloadSpec,
    role: &'static str,
    synthetic: Synthetic,
}

impl Factory {
    pub(super) fn new(spec: &WorkloadSpec, endpoint: &dyn Endpoint) -> Result<Self, LoadError> {
        Ok(Self {
            role: if endpoint.info().produces_tokens { "user" } else { INPUT },
            synthetic: Synthetic::new(spec)?,
            spec: spec.clone(),
        })
    }

    /// How many turns the conversation at a position of a phase has; 1 for a request by itself.
    pub(super) fn turns(&self, phase: Phase, position: u32) -> u32 {
        match self.entry(phase, position) {
            Some((order, entry)) => order.dataset.turns(entry),
            None => self.synthetic.turns(phase, position),
        }
    }

    /// One turn of the conversation at a position of a phase.
    pub(super) fn script(&self, phase: Phase, position: u32, turn: u32) -> Result<Script, LoadError> {
        match self.entry(phase, position) {
            Some((order, entry)) => {
                let row = order.dataset.row(entry, turn)?;
                Ok(self.of_row(row, phase, position % self.spec.requests.max(1), turn))
            }
            None => Ok(Script {
                extra: self.spec.extra.clone(),
                ..self.synthetic.script(phase, position, turn, self.role)
            }),
        }
    }

    /// Puts turns into the wire format, with what a script says beside its own turns.
    pub(super) fn build(
        &self,
        endpoint: &dyn Endpoint,
        turns: Vec<Turn>,
        script: &Script,
    ) -> (Result<Payload, PluginError>, Vec<Turn>) {
        let request = Request {
            model: self.spec.model.clone(),
            turns,
            max_output_tokens: script.max_output_tokens,
            streaming: self.spec.streaming,
            extra: script.extra.clone(),
        };
        (endpoint.build(&request), request.turns)
    }

    /// The first words of the prompt at a position of a phase, which has so many tokens; none if it is not made up.
    pub(super) fn opening(&self, phase: Phase, position: u32, input_tokens: Option<u32>) -> Option<String> {
        let is_made_up = self.entry(phase, position).is_none();
        Some(self.synthetic.opening(phase, position, input_tokens.filter(|_| is_made_up)?))
    }

    /// The entry of the dataset at a position; none if the request is made up, as those of a warm-up always are.
    fn entry(&self, phase: Phase, position: u32) -> Option<(&DatasetOrder, u32)> {
        let order = self.spec.dataset.as_ref().filter(|_| phase != Phase::Warmup)?;
        let index = position.checked_rem(self.spec.requests)? as usize;
        Some((order, *order.entries.get(index)?))
    }

    fn of_row(&self, row: Row, phase: Phase, position: u32, turn: u32) -> Script {
        let drawn_output = || self.synthetic.output_tokens(phase, position, turn);
        let max_output_tokens = row.output_length.or_else(drawn_output);
        let extra = merged(self.spec.extra.as_deref(), &row.extra);
        let delay = row.delay.map_or(0, |milliseconds| (milliseconds * 1e6).round() as u64);
        let (input_tokens, stands_alone) = (row.input_length, row.stands_alone);
        let turns = match input_tokens {
            Some(length) => {
                let text = self.synthetic.trace_text(phase, position, turn, length, &row.hash_ids);
                vec![Turn::text(self.role, text)]
            }
            None if !row.messages.is_empty() => row.messages,
            None => prompt(row, self.role),
        };
        Script { turns, input_tokens, max_output_tokens, extra, stands_alone, delay }
    }
}

/// The role of what an endpoint without answers takes.
const INPUT: &str = "input";

/// The turn of a row; where texts are inputs of their own, one for each.
fn prompt(row: Row, role: &str) -> Vec<Turn> {
    let role = row.role.as_deref().unwrap_or(role);
    let texts = row.texts.into_iter().map(|text| Part { kind: "text".into(), value: text });
    if role == INPUT {
        return texts
            .chain(row.media)
            .map(|part| Turn { role: role.to_owned(), parts: vec![part] })
            .collect();
    }
    vec![Turn { role: role.to_owned(), parts: texts.chain(row.media).collect() }]
}

/// The fields of the user, and those of the row, which win.
fn merged(user: Option<&str>, row: &Map<String, Value>) -> Option<String> {
    if row.is_empty() {
        return user.map(str::to_owned);
    }
    let mut fields: Map<String, Value> =
        user.and_then(|user| serde_json::from_str(user).ok()).unwrap_or_default();
    fields.extend(row.iter().map(|(name, value)| (name.clone(), value.clone())));
    Some(Value::Object(fields).to_string())
}
