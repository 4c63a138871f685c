//! One configured plugin of a kind, whatever it is made of.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use aiperf_model::plugin::{Identity, PluginError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasmtime::Store;

use crate::answer::Answer;
use crate::bindings::types::Error;
use crate::case::Call;
use crate::interface::Interface;
use crate::native::{Function, Instance};
use crate::pool::Pool;
use crate::sandbox::{Context, Sandbox};

/// A configured plugin, who it is, and where its failed calls are kept.
pub(crate) struct Configured<I: Interface> {
    pub(crate) identity: Identity,
    sandbox: Arc<Sandbox>,
    body: Body<I>,
    /// How often it was asked by [`ask_reproducibly`](Self::ask_reproducibly).
    asked: AtomicU32,
}

/// What a plugin is made of.
pub(crate) enum Body<I: Interface> {
    /// A component.
    Component(Pool<I>),
    /// A shared library.
    Library(Instance),
}

impl<I: Interface> Configured<I> {
    pub(crate) fn new(identity: Identity, sandbox: Arc<Sandbox>, body: Body<I>) -> Self {
        Self { identity, sandbox, body, asked: AtomicU32::new(0) }
    }

    /// Asks a function of the contract: that of an instance of the component by `run`, which puts the answer into the
    /// words of the model, or that of the library. The answer is cut to its limits, and checked against the question.
    ///
    /// # Errors
    ///
    /// What the plugin said, [`PluginError::Crashed`] if it did not come back, or [`PluginError::BrokeContract`] if the
    /// answer cannot be true.
    pub(crate) fn ask<A, T, Q>(
        &self,
        function: Function,
        arguments: A,
        question: Q,
        run: impl FnOnce(&I::Guest, &mut Store<Context>, A) -> wasmtime::Result<Result<T, Error>>,
    ) -> Result<T, PluginError>
    where
        A: Serialize,
        T: Answer<Q> + DeserializeOwned,
    {
        let answer: T = match &self.body {
            Body::Component(pool) => pool.call(function.name, |guest, store| run(guest, store, arguments)),
            Body::Library(instance) => instance.call(function, &arguments),
        }?;
        let answer = answer.shorten(&self.sandbox.limits);
        answer.check(question).map_err(|problem| self.contract_violation(&problem))?;
        Ok(answer)
    }

    /// Asks as [`ask`](Self::ask) does, and of the 2nd, 4th, 8th … time on also a new instance: what an instance keeps between calls shows in another answer.
    ///
    /// Twice the calls would cost twice the time; those of the powers of two cost next to nothing, and the later ones
    /// find what only shows after many calls.
    pub(crate) fn ask_reproducibly<A, T, Q>(
        &self,
        function: Function,
        arguments: A,
        question: Q,
        run: impl Fn(&I::Guest, &mut Store<Context>, A) -> wasmtime::Result<Result<T, Error>>,
    ) -> Result<T, PluginError>
    where
        A: Serialize + Clone,
        T: Answer<Q> + DeserializeOwned + PartialEq,
    {
        let answer = self.ask(function, arguments.clone(), question, &run)?;
        let times = self.asked.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        if times < 2 || !times.is_power_of_two() {
            return Ok(answer);
        }
        let again: Result<T, PluginError> = match &self.body {
            Body::Component(pool) => {
                pool.call_new_instance(function.name, |guest, store| run(guest, store, arguments))
            }
            Body::Library(instance) => instance.call_new_instance(function, &arguments),
        };
        let is_same = match again {
            Ok(again) => again.shorten(&self.sandbox.limits) == answer,
            // It may have met a limit of time that the first one just kept.
            Err(PluginError::Crashed(_)) => true,
            Err(_) => false,
        };
        if is_same {
            return Ok(answer);
        }
        Err(self.contract_violation(
            "another answer than a new instance of it to the same question; an answer must follow from the settings \
             and the arguments alone",
        ))
    }

    /// Passes on the result of a call, and keeps the call if it failed and failed calls are kept.
    pub(crate) fn traced<T>(
        &self,
        result: Result<T, PluginError>,
        call: impl FnOnce() -> Call,
    ) -> Result<T, PluginError> {
        let Identity { name, settings, .. } = &self.identity;
        if let (Err(error), Some(traces)) = (&result, &self.sandbox.traces) {
            traces.keep((I::KIND, name), settings, call(), error, &self.sandbox.log);
        }
        result
    }

    /// The error for an answer that is not what it must be.
    pub(crate) fn contract_violation(&self, problem: &str) -> PluginError {
        PluginError::BrokeContract(format!("{} returned {problem}", self.identity))
    }
}
