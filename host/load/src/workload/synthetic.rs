//! Requests that are made up: prompts of random words, with lengths drawn from distributions.

use super::WorkloadSpec;
use super::factory::Script;
use super::lengths::Lengths;
use super::prompts::{self, Prompts};
use crate::error::LoadError;
use aiperf_model::record::Phase;
use aiperf_model::request::Turn;

/// Makes up the requests of one seed.
#[derive(Debug)]
pub(super) struct Synthetic {
    prompts: Prompts,
    input_lengths: Lengths,
    output_lengths: Option<Lengths>,
}

impl Synthetic {
    pub(super) fn new(spec: &WorkloadSpec) -> Result<Self, LoadError> {
        let output_lengths =
            spec.output_length.map(|length| Lengths::new(length, spec.seed, "output length"));
        Ok(Self {
            prompts: Prompts::new(spec.seed),
            input_lengths: Lengths::new(spec.input_length, spec.seed, "input length")?,
            output_lengths: output_lengths.transpose()?,
        })
    }

    /// The request at a position of a phase, in the role of the user of an endpoint.
    pub(super) fn script(&self, phase: Phase, position: u32, role: &str) -> Script {
        let ordinal = prompts::ordinal(phase, position);
        let input_tokens = self.input_lengths.draw(ordinal);
        Script {
            turns: vec![Turn::text(role, self.prompts.text(ordinal, input_tokens))],
            input_tokens: Some(input_tokens),
            max_output_tokens: self.output_lengths.as_ref().map(|lengths| lengths.draw(ordinal)),
        }
    }
}
