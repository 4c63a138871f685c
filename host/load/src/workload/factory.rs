//! Puts requests into the wire format, one at a time, with the endpoint plugin.

use super::WorkloadSpec;
use super::forms::{Form, Forms};
use super::store::Facts;
use super::synthetic::Synthetic;
use crate::control::Control;
use crate::error::LoadError;
use aiperf_model::plugin::Endpoint;
use aiperf_model::record::Phase;
use aiperf_model::request::{Payload, Request, Turn};

/// One request, before the endpoint plugin has seen it.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) turns: Vec<Turn>,
    /// Tokens of the turns, if they are known.
    pub(super) input_tokens: Option<u32>,
    pub(super) max_output_tokens: Option<u32>,
}

/// One request in its wire format.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) body: Vec<u8>,
    pub(super) facts: Facts,
}

/// Makes single requests of a workload.
pub(super) struct Factory<'a> {
    spec: &'a WorkloadSpec,
    endpoint: &'a dyn Endpoint,
    control: &'a Control,
    role: &'static str,
    source: Synthetic,
    forms: Forms,
}

impl<'a> Factory<'a> {
    pub(super) fn new(
        spec: &'a WorkloadSpec,
        endpoint: &'a dyn Endpoint,
        control: &'a Control,
    ) -> Result<Self, LoadError> {
        Ok(Self {
            spec,
            endpoint,
            control,
            role: if endpoint.info().produces_tokens { "user" } else { "input" },
            source: Synthetic::new(spec)?,
            forms: Forms::default(),
        })
    }

    /// The request at a position of a phase.
    pub(super) fn make(&self, phase: Phase, position: u32) -> Result<Made, LoadError> {
        if self.control.is_stopping() {
            return Err(LoadError::Stopped);
        }
        let Script { turns, input_tokens, max_output_tokens } =
            self.source.script(phase, position, self.role);
        let request = Request {
            model: self.spec.model.clone(),
            turns,
            max_output_tokens,
            streaming: self.spec.streaming,
            extra: self.spec.extra.clone(),
        };
        let Payload { path, headers, body } = self.endpoint.build(&request).map_err(|source| {
            let plugin = Box::new(self.endpoint.identity().clone());
            LoadError::Build { plugin, request: position, source }
        })?;
        let form = self.forms.position_of(path, headers)?;
        Ok(Made { body, facts: Facts { form, input_tokens, max_output_tokens } })
    }

    /// The paths and headers of the requests that were made.
    pub(super) fn into_forms(self) -> Vec<Form> {
        self.forms.into_list()
    }
}
