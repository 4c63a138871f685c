//! One instance of a plugin in a store of its own, and the one way to call it.

use std::sync::Arc;

use aiperf_model::plugin::PluginError;
use wasmtime::Store;
use wasmtime::component::InstancePre;

use crate::call_time::CallTime;
use crate::component::Component;
use crate::crash::CallSite;
use crate::error::HostError;
use crate::interface::Interface;
use crate::limits::ticks;
use crate::sandbox::{Context, Sandbox};

/// How to make instances of one plugin.
pub(crate) struct InstanceFactory<I: Interface> {
    sandbox: Arc<Sandbox>,
    linked: InstancePre<Context>,
    indices: I::Indices,
    speaker: String,
}

impl<I: Interface> InstanceFactory<I> {
    /// The factory of one interface of a component. `speaker` is who its instances are in messages.
    pub(crate) fn new(
        sandbox: Arc<Sandbox>,
        component: &Component,
        speaker: String,
    ) -> Result<Self, HostError> {
        let linked = component.linked(&sandbox)?.clone();
        let indices = I::indices(&linked).map_err(|error| HostError::Unusable {
            source_name: component.source().clone(),
            reason: format!("{error:#}"),
        })?;
        Ok(Self { sandbox, linked, indices, speaker })
    }

    /// Whether an instance may serve another call: it has neither served too many nor grown too much, since what it
    /// has grown to goes back with it alone.
    pub(crate) fn keeps(&self, instance: &Instance<I>) -> bool {
        let limits = &self.sandbox.limits;
        let growth = instance.store.data().budget.memory().saturating_sub(instance.memory_at_start);
        instance.calls < limits.calls_per_instance && growth <= limits.kept_growth
    }

    /// Makes an instance that has not been configured.
    pub(crate) fn instance(&self) -> Result<Instance<I>, PluginError> {
        let mut store = self.sandbox.store();
        let guest = self.guarded(&mut store, "its start", |store| {
            let instance = self.linked.instantiate(&mut *store)?;
            I::guest(&self.indices, store, &instance)
        })?;
        let memory_at_start = store.data().budget.memory();
        Ok(Instance { store, guest, calls: 0, memory_at_start })
    }

    /// Makes an instance and configures it.
    pub(crate) fn configured(&self, settings: &str) -> Result<(Instance<I>, I::Info), PluginError> {
        let mut instance = self.instance()?;
        let info = instance
            .call(self, "configure", |guest, store| I::configure(guest, store, settings))?
            .map_err(PluginError::from)?;
        Ok((instance, info))
    }

    /// Runs something in the store under the limits, and delivers what it logs.
    fn guarded<T>(
        &self,
        store: &mut Store<Context>,
        function: &'static str,
        run: impl FnOnce(&mut Store<Context>) -> wasmtime::Result<T>,
    ) -> Result<T, PluginError> {
        let limits = &self.sandbox.limits;
        let time = limits.time(I::KIND);
        store.data_mut().time = CallTime::begin(time);
        store.set_epoch_deadline(ticks(time));
        let result = run(store).map_err(|error| {
            let site = CallSite { speaker: &self.speaker, function, time, limits };
            site.crashed(&error, store.data())
        });
        store.data_mut().log.deliver(&self.speaker, &self.sandbox.log);
        result
    }
}

/// One instance of a plugin.
pub(crate) struct Instance<I: Interface> {
    store: Store<Context>,
    guest: I::Guest,
    calls: u32,
    memory_at_start: usize,
}

impl<I: Interface> Instance<I> {
    /// Calls `function` of the contract by `run`.
    ///
    /// # Errors
    ///
    /// [`PluginError::Crashed`] if the call did not come back. The instance must not be used again then.
    pub(crate) fn call<T>(
        &mut self,
        factory: &InstanceFactory<I>,
        function: &'static str,
        run: impl FnOnce(&I::Guest, &mut Store<Context>) -> wasmtime::Result<T>,
    ) -> Result<T, PluginError> {
        self.calls += 1;
        let Self { store, guest, .. } = self;
        factory.guarded(store, function, |store| run(guest, store))
    }
}
