//! The lines that make a struct the plugin of its crate.
//!
//! What can be generic stands in the adapters of the kinds; the macros supply what cannot: the author's
//! package, a static for the configured plugin, and what is exported: in WebAssembly the functions of the contract,
//! whose names are none that a native linker accepts, and elsewhere one table of functions.

use std::sync::OnceLock;

use serde::de::DeserializeOwned;

use crate::{Error, PluginInfo, Result, log, settings};

/// What a plugin is called, from the author's `Cargo.toml`.
pub struct Manifest {
    /// The name users select it by.
    pub name: &'static str,
    /// The version of the author's crate.
    pub version: &'static str,
    /// The description of the author's crate.
    pub summary: &'static str,
}

/// A type that one of the macros registered as `Kind`; one type may be of several kinds.
pub trait Registered<Kind>: DeserializeOwned + Send + Sync + 'static {
    /// What the plugin is called.
    const MANIFEST: Manifest;

    /// Where the instance keeps its configured plugin: an instance is configured once.
    fn slot() -> &'static OnceLock<Self>;
}

/// What `describe` answers.
pub(crate) fn describe(manifest: &Manifest, settings_schema: Option<String>) -> PluginInfo {
    log::report_panics();
    PluginInfo {
        name: manifest.name.to_owned(),
        version: manifest.version.to_owned(),
        summary: manifest.summary.to_owned(),
        settings_schema,
    }
}

/// Makes the plugin from its settings, once.
pub(crate) fn configure<Kind, T: Registered<Kind>>(
    text: &str,
    validate: impl FnOnce(&T) -> std::result::Result<(), String>,
) -> Result<&'static T> {
    log::report_panics();
    T::slot()
        .set(made(text, validate)?)
        .map_err(|_| Error::Other("the plugin is configured already".to_owned()))?;
    configured::<Kind, T>()
}

/// The plugin that its settings describe.
pub(crate) fn made<T: DeserializeOwned>(
    text: &str,
    validate: impl FnOnce(&T) -> std::result::Result<(), String>,
) -> Result<T> {
    let plugin: T = settings::read(text)?;
    validate(&plugin).map_err(Error::InvalidSettings)?;
    Ok(plugin)
}

/// The plugin that `configure` made.
pub(crate) fn configured<Kind, T: Registered<Kind>>() -> Result<&'static T> {
    T::slot().get().ok_or_else(|| Error::Other("the plugin is not configured yet".to_owned()))
}

/// Makes a type that implements [`Endpoint`](crate::endpoint::Endpoint) the endpoint of this crate.
#[macro_export]
macro_rules! register_endpoint {
    ($($plugin:tt)*) => { $crate::__register!(endpoint, $($plugin)*); };
}

/// Makes a type that implements [`Objective`](crate::objective::Objective) the objective of this crate.
#[macro_export]
macro_rules! register_objective {
    ($($plugin:tt)*) => { $crate::__register!(objective, $($plugin)*); };
}

/// Makes a type that implements [`ParetoCriterion`](crate::pareto::ParetoCriterion) the criterion of this
/// crate.
#[macro_export]
macro_rules! register_pareto {
    ($($plugin:tt)*) => { $crate::__register!(pareto, $($plugin)*); };
}

/// Makes a type that implements [`TrendDetector`](crate::trend::TrendDetector) the detector of this crate.
#[macro_export]
macro_rules! register_trend {
    ($($plugin:tt)*) => { $crate::__register!(trend, $($plugin)*); };
}

/// What the four macros share.
#[doc(hidden)]
#[macro_export]
macro_rules! __register {
    ($kind:ident, $plugin:ty $(,)?) => {
        $crate::__register!($kind, $plugin, name = env!("CARGO_PKG_NAME"));
    };
    ($kind:ident, $plugin:ty, name = $name:expr $(,)?) => {
        #[allow(unsafe_code, reason = "exported functions are unsafe attributes")]
        const _: () = {
            const _: () = $crate::$kind::check::<$plugin>();
            const _: () = assert!(
                !env!("CARGO_PKG_DESCRIPTION").is_empty(),
                "set `description` in Cargo.toml: it is what users see in `aiperf plugin list`"
            );

            impl $crate::__private::Registered<$crate::$kind::Kind> for $plugin {
                const MANIFEST: $crate::__private::Manifest = $crate::__private::Manifest {
                    name: $name,
                    version: env!("CARGO_PKG_VERSION"),
                    summary: env!("CARGO_PKG_DESCRIPTION"),
                };

                fn slot() -> &'static $crate::__private::OnceLock<Self> {
                    static SLOT: $crate::__private::OnceLock<$plugin> = $crate::__private::OnceLock::new();
                    &SLOT
                }
            }

            #[cfg(target_arch = "wasm32")]
            type Plugin = $crate::$kind::Adapter<$plugin>;
            #[cfg(target_arch = "wasm32")]
            $crate::__private::bindings::$kind::export!(Plugin with_types_in $crate::__private::bindings::$kind);

            #[cfg(not(target_arch = "wasm32"))]
            #[unsafe(export_name = concat!("aiperf_plugin_", stringify!($kind)))]
            pub static TABLE: $crate::__private::Table =
                $crate::__private::Table::of::<$crate::$kind::Kind, $plugin>();
        };
    };
}
