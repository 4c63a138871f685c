//! What the host must know of each kind of plugin to make instances of it: one exported interface each.

use aiperf_model::plugin::{EndpointInfo, Kind};
use serde::de::DeserializeOwned;
use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

use crate::bindings::types::{Error, PluginInfo};
use crate::bindings::{endpoint, objective, pareto, trend};
use crate::objective::ObjectiveInfo;
use crate::sandbox::Context;

/// One interface that components export. Its implementors are only names for it.
pub(crate) trait Interface: 'static {
    /// The kind of plugin that exports it.
    const KIND: Kind;
    /// Where its functions are in one component.
    type Indices: Send + Sync;
    /// Its functions in one instance.
    type Guest: Send;
    /// What a plugin answers to its settings, in the words of the model.
    type Info: DeserializeOwned + Send + Sync;

    /// Finds the functions in a component.
    fn indices(component: &InstancePre<Context>) -> wasmtime::Result<Self::Indices>;

    /// Finds the functions in an instance, and checks their types.
    fn guest(
        indices: &Self::Indices,
        store: &mut Store<Context>,
        instance: &Instance,
    ) -> wasmtime::Result<Self::Guest>;

    /// Calls `describe`.
    fn describe(guest: &Self::Guest, store: &mut Store<Context>) -> wasmtime::Result<PluginInfo>;

    /// Calls `configure`.
    fn configure(
        guest: &Self::Guest,
        store: &mut Store<Context>,
        settings: &str,
    ) -> wasmtime::Result<Result<Self::Info, Error>>;
}

/// The four modules that wasmtime made have functions of the same names and no trait in common.
macro_rules! interface {
    ($(#[$doc:meta])* $name:ident, $module:ident, $info:ty) => {
        $(#[$doc])*
        pub(crate) enum $name {}

        impl Interface for $name {
            const KIND: Kind = Kind::$name;
            type Indices = $module::GuestIndices;
            type Guest = $module::Guest;
            type Info = $info;

            fn indices(component: &InstancePre<Context>) -> wasmtime::Result<Self::Indices> {
                $module::GuestIndices::new(component)
            }

            fn guest(
                indices: &Self::Indices,
                store: &mut Store<Context>,
                instance: &Instance,
            ) -> wasmtime::Result<Self::Guest> {
                indices.load(store, instance)
            }

            fn describe(guest: &Self::Guest, store: &mut Store<Context>) -> wasmtime::Result<PluginInfo> {
                guest.call_describe(store)
            }

            fn configure(
                guest: &Self::Guest,
                store: &mut Store<Context>,
                settings: &str,
            ) -> wasmtime::Result<Result<Self::Info, Error>> {
                Ok(guest.call_configure(store, settings)?.map(Into::into))
            }
        }
    };
}

interface!(
    /// The interface `endpoint`.
    Endpoint, endpoint, EndpointInfo
);
interface!(
    /// The interface `objective`.
    Objective, objective, ObjectiveInfo
);
interface!(
    /// The interface `pareto`.
    Pareto, pareto, ()
);
interface!(
    /// The interface `trend`.
    Trend, trend, ()
);
