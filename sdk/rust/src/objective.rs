//! Objectives: one number per sweep point, to minimize or to maximize.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::generated::objective::exports::aiperf::plugin::objective::Guest;
pub use crate::generated::objective::exports::aiperf::plugin::objective::{Evaluation, ObjectiveInfo};
use crate::register::{self, Registered};
use crate::{Direction, Measurement, PluginInfo, Point, Result};

/// One number to optimize. The fields of the implementing struct are its settings.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is registered as an objective but does not implement `Objective`",
    note = "write `impl aiperf_plugin::objective::Objective for {Self}` and derive `serde::Deserialize`"
)]
pub trait Objective: DeserializeOwned + Send + Sync + 'static {
    /// A JSON Schema of the settings, for the user's editor; none if there are no settings.
    ///
    /// With the feature `schema` and `schemars::JsonSchema` derived, it is `aiperf_plugin::schema_of::<Self>()`.
    fn settings_schema() -> Option<String> {
        None
    }

    /// Refuses settings that have the right types but make no sense, with a sentence for the user.
    fn validate(&self) -> std::result::Result<(), String> {
        Ok(())
    }

    /// Which way is better, and the unit of the value.
    fn info(&self) -> ObjectiveInfo;

    /// The value at `point`, or none if it has none.
    ///
    /// The host may ask for each trial alone: a point with one trial.
    fn evaluate(&self, point: &Point) -> Result<Option<Evaluation>>;
}

impl ObjectiveInfo {
    /// Lower values are better.
    pub fn minimize(unit: &str) -> Self {
        Self { direction: Direction::Minimize, unit: unit.to_owned() }
    }

    /// Higher values are better.
    pub fn maximize(unit: &str) -> Self {
        Self { direction: Direction::Maximize, unit: unit.to_owned() }
    }
}

impl Evaluation {
    /// The mean of a measurement as it stands. The host then reports the measurement's name, unit and
    /// confidence interval with the value.
    pub fn of(measurement: &Measurement) -> Self {
        Self { value: measurement.mean, metric: Some(measurement.key.clone()) }
    }

    /// A number that was computed from several measurements.
    pub fn computed(value: f64) -> Self {
        Self { value, metric: None }
    }
}

/// This kind of plugin.
#[doc(hidden)]
pub enum Kind {}

/// Says at compile time, and in words, that a registered type lacks the trait.
#[doc(hidden)]
pub const fn check<T: Objective>() {}

/// The functions of the contract over the trait.
#[doc(hidden)]
pub struct Adapter<T>(PhantomData<T>);

impl<T: Objective + Registered<Kind>> Guest for Adapter<T> {
    fn describe() -> PluginInfo {
        register::describe(&T::MANIFEST, T::settings_schema())
    }

    fn configure(settings: String) -> Result<ObjectiveInfo> {
        register::configure::<Kind, T>(&settings, T::validate).map(T::info)
    }

    fn evaluate(point: Point) -> Result<Option<Evaluation>> {
        register::configured::<Kind, T>()?.evaluate(&point)
    }
}
