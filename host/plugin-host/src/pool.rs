//! The instances of one configured plugin.
//!
//! Each call takes an idle instance, or makes one, and puts it back: so there are as many as threads have called at
//! once. An instance that crashed is dropped, as is one that has served its calls or has grown much for one, since the
//! memory of an instance only grows.

use std::sync::{Mutex, MutexGuard, PoisonError};

use aiperf_model::plugin::PluginError;
use wasmtime::Store;

use crate::bindings::types::Error;
use crate::instance::{Instance, InstanceFactory};
use crate::interface::Interface;
use crate::sandbox::Context;

/// The instances of one plugin under one set of settings.
pub(crate) struct Pool<I: Interface> {
    factory: InstanceFactory<I>,
    settings: String,
    idle: Mutex<Vec<Instance<I>>>,
}

impl<I: Interface> Pool<I> {
    /// A pool with one instance, and what the plugin answered to `settings`.
    pub(crate) fn new(factory: InstanceFactory<I>, settings: String) -> Result<(Self, I::Info), PluginError> {
        let (instance, info) = factory.configured(&settings)?;
        Ok((Self { factory, settings, idle: Mutex::new(vec![instance]) }, info))
    }

    /// Calls `function` of the contract by `run` on one of the instances.
    ///
    /// # Errors
    ///
    /// What the plugin said, or [`PluginError::Crashed`] if it did not come back.
    pub(crate) fn call<T>(
        &self,
        function: &'static str,
        run: impl FnOnce(&I::Guest, &mut Store<Context>) -> wasmtime::Result<Result<T, Error>>,
    ) -> Result<T, PluginError> {
        let mut instance = self.take()?;
        let answer = instance.call(&self.factory, function, run)?;
        if self.factory.keeps(&instance) {
            self.idle().push(instance);
        }
        answer.map_err(PluginError::from)
    }

    /// Calls `function` on an instance that was asked nothing before, and drops it.
    ///
    /// # Errors
    ///
    /// As those of [`call`](Self::call).
    pub(crate) fn call_new_instance<T>(
        &self,
        function: &'static str,
        run: impl FnOnce(&I::Guest, &mut Store<Context>) -> wasmtime::Result<Result<T, Error>>,
    ) -> Result<T, PluginError> {
        let (mut instance, _) = self.factory.configured(&self.settings)?;
        instance.call(&self.factory, function, run)?.map_err(PluginError::from)
    }

    fn take(&self) -> Result<Instance<I>, PluginError> {
        let idle = self.idle().pop();
        match idle {
            Some(instance) => Ok(instance),
            None => self.factory.configured(&self.settings).map(|(instance, _)| instance),
        }
    }

    /// The list is whole at every moment, so a panic elsewhere does not spoil it.
    fn idle(&self) -> MutexGuard<'_, Vec<Instance<I>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
