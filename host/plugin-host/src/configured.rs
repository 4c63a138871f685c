//! One configured plugin of a kind, whatever it is made of.

use std::sync::Arc;

use aiperf_model::plugin::{Identity, PluginError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasmtime::Store;

use crate::bindings::types::Error;
use crate::case::Call;
use crate::interface::Interface;
use crate::native::{Function, Instance};
use crate::pool::Pool;
use crate::sandbox::{Context, Sandbox};

/// A configured plugin, who it is, and where its failed calls are kept.
pub(crate) struct Configured<I: Interface> {
    pub(crate) identity: Identity,
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) body: Body<I>,
}

/// What a plugin is made of.
pub(crate) enum Body<I: Interface> {
    /// A component.
    Component(Pool<I>),
    /// A shared library.
    Library(Instance),
}

impl<I: Interface> Configured<I> {
    /// Calls a function of the contract: that of an instance of the component by `run`, which puts the answer into the
    /// words of the model, or that of the library.
    ///
    /// # Errors
    ///
    /// What the plugin said, or [`PluginError::Crashed`] if it did not come back.
    pub(crate) fn call<A: Serialize, T: DeserializeOwned>(
        &self,
        function: Function,
        arguments: A,
        run: impl FnOnce(&I::Guest, &mut Store<Context>, A) -> wasmtime::Result<Result<T, Error>>,
    ) -> Result<T, PluginError> {
        match &self.body {
            Body::Component(pool) => pool.call(function.name, |guest, store| run(guest, store, arguments)),
            Body::Library(instance) => instance.call(function, &arguments),
        }
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
    pub(crate) fn lied(&self, problem: &str) -> PluginError {
        PluginError::BrokeContract(format!("{} returned {problem}", self.identity))
    }
}
