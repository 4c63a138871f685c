//! Requests that are made up: prompts of random words, with lengths, numbers of turns and delays from distributions.

use super::factory::Script;
use super::lengths::Lengths;
use super::prompts::{self, Prompts};
use super::{WorkloadSpec, lengths::Delays};
use crate::error::LoadError;
use aiperf_model::limits::{MOST_PROMPT_TOKENS, MOST_TURNS};
use aiperf_model::record::Phase;
use aiperf_model::request::Turn;

/// Tokens of a block in a trace.
const BLOCK: u32 = 512;

/// Makes up the requests of one seed and salt.
///
/// Only so many of them differ in everything. What is sent beyond them has lengths and words of the one that is that many
/// positions before it, and an opening of its own.
#[derive(Debug)]
pub(super) struct Synthetic {
    requests: u32,
    prompts: Prompts,
    input_lengths: Lengths,
    output_lengths: Option<Lengths>,
    turns: Option<Lengths>,
    delays: Option<Delays>,
}

impl Synthetic {
    pub(super) fn new(spec: &WorkloadSpec) -> Result<Self, LoadError> {
        let lengths = |length, most, purpose| Lengths::new(length, most, spec.seed, purpose);
        let conversation = spec.conversation.as_ref();
        Ok(Self {
            requests: spec.requests,
            prompts: Prompts::new(spec.seed, &spec.prompt_salt),
            input_lengths: lengths(spec.input_length, MOST_PROMPT_TOKENS, "input length")?,
            output_lengths: spec
                .output_length
                .map(|length| lengths(length, u32::MAX, "output length"))
                .transpose()?,
            turns: conversation.map(|spec| lengths(spec.turns, MOST_TURNS, "turns")).transpose()?,
            delays: conversation.map(|of| Delays::new(of.delay_ms, spec.seed)).transpose()?,
        })
    }

    /// How many turns the conversation at a position has; a warm-up has no conversations.
    pub(super) fn turns(&self, phase: Phase, position: u32) -> u32 {
        match &self.turns {
            Some(turns) if phase != Phase::Warmup => turns.draw(self.place(phase, position, 0)),
            _ => 1,
        }
    }

    /// One turn of the conversation at a position of a phase, in a role.
    pub(super) fn script(&self, phase: Phase, position: u32, turn: u32, role: &str) -> Script {
        let place = self.place(phase, position, turn);
        let input_tokens = self.input_lengths.draw(place);
        let text = self.prompts.text(ordinal(phase, position, turn), place, input_tokens);
        Script {
            turns: vec![Turn::text(role, text)],
            input_tokens: Some(input_tokens),
            max_output_tokens: self.output_tokens(phase, position, turn),
            extra: None,
            stands_alone: false,
            delay: self.delays.as_ref().map_or(0, |delays| delays.draw(place)),
        }
    }

    /// How many tokens of an answer are asked for.
    pub(super) fn output_tokens(&self, phase: Phase, position: u32, turn: u32) -> Option<u32> {
        self.output_lengths.as_ref().map(|lengths| lengths.draw(self.place(phase, position, turn)))
    }

    /// The first words of the prompt at a position of a phase, whose first turn has so many tokens.
    pub(super) fn opening(&self, phase: Phase, position: u32, input_tokens: u32) -> String {
        self.prompts.opening(ordinal(phase, position, 0), input_tokens)
    }

    /// The place in the enumeration of what a turn has in common with the ones that many positions before it.
    fn place(&self, phase: Phase, position: u32, turn: u32) -> u64 {
        let position = if phase == Phase::Warmup { position } else { position % self.requests.max(1) };
        ordinal(phase, position, turn)
    }

    /// A prompt of so many words in which a block of a trace stands for the same words wherever it occurs; what the
    /// blocks do not fill is the prompt's own.
    pub(super) fn trace_text(
        &self,
        phase: Phase,
        position: u32,
        turn: u32,
        length: u32,
        blocks: &[u64],
    ) -> String {
        let mut text = String::with_capacity(length as usize * 8);
        let mut left = length;
        for block in blocks {
            let words = left.min(BLOCK);
            if words > 0 {
                append(&mut text, &self.prompts.block(*block, words));
            }
            left -= words;
        }
        if left > 0 {
            let ordinal = ordinal(phase, position, turn);
            append(&mut text, &self.prompts.text(ordinal, ordinal, left));
        }
        text
    }
}

fn append(text: &mut String, more: &str) {
    if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(more);
}

/// The place of a turn in the enumeration of prompts. Only the first turns need prefixes of their own.
fn ordinal(phase: Phase, position: u32, turn: u32) -> u64 {
    prompts::ordinal(phase, position) + (u64::from(turn) << 32)
}
