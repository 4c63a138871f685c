//! Trend detectors: shapes in a metric as one swept parameter grows.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::generated::trend::exports::aiperf::plugin::trend::Guest;
pub use crate::generated::trend::exports::aiperf::plugin::trend::{Derived, Finding, Report, Sample, Series};
use crate::register::{self, Registered};
use crate::{PluginInfo, Result};

/// A detector of shapes. The fields of the implementing struct are its settings.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is registered as a trend detector but does not implement `TrendDetector`",
    note = "write `impl aiperf_plugin::trend::TrendDetector for {Self}` and derive `serde::Deserialize`"
)]
pub trait TrendDetector: DeserializeOwned + Send + Sync + 'static {
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

    /// The shapes of `series`. Finding nothing is an answer.
    fn detect(&self, series: &Series) -> Result<Report>;
}

impl Series {
    /// The differences between neighbouring means; one less than there are samples.
    pub fn differences(&self) -> Vec<f64> {
        self.samples.windows(2).filter_map(step).map(|(_, dy)| dy).collect()
    }

    /// The differences between neighbouring means per unit of the parameter.
    pub fn slopes(&self) -> Vec<f64> {
        self.samples.windows(2).filter_map(step).map(|(dx, dy)| dy / dx).collect()
    }

    /// The series as each trial saw it alone, or nothing where that cannot be said: with a single trial, or
    /// where samples have different numbers of trials.
    pub fn by_trial(&self) -> Vec<Self> {
        let count = self.samples.iter().map(|sample| sample.trials.len()).min().unwrap_or(0);
        let even = self.samples.iter().all(|sample| sample.trials.len() == count);
        if count < 2 || !even {
            return Vec::new();
        }
        (0..count).map(|trial| self.of_trial(trial)).collect()
    }

    fn of_trial(&self, trial: usize) -> Self {
        let samples = self.samples.iter().filter_map(|sample| {
            let y = *sample.trials.get(trial)?;
            Some(Sample {
                point_index: sample.point_index,
                x: sample.x,
                y,
                trials: vec![y],
                confidence: None,
            })
        });
        Self { samples: samples.collect(), ..self.clone() }
    }
}

/// The step between two neighbours, along both axes.
fn step(pair: &[Sample]) -> Option<(f64, f64)> {
    match pair {
        [left, right] => Some((right.x - left.x, right.y - left.y)),
        _ => None,
    }
}

impl Finding {
    /// A change at the sample at `position`, with one sentence about it and no doubt.
    pub fn inflection(position: usize, message: String) -> Self {
        Self {
            kind: "inflection".to_owned(),
            message,
            first: position as u32,
            last: position as u32,
            location: None,
            certainty: 1.0,
        }
    }
}

impl Derived {
    /// Numbers for the artifacts, one for each step.
    pub fn new(name: &str, values: Vec<f64>) -> Self {
        Self { name: name.to_owned(), values }
    }
}

/// This kind of plugin.
#[doc(hidden)]
pub enum Kind {}

/// Says at compile time, and in words, that a registered type lacks the trait.
#[doc(hidden)]
pub const fn check<T: TrendDetector>() {}

/// The functions of the contract over the trait.
#[doc(hidden)]
pub struct Adapter<T>(PhantomData<T>);

impl<T: TrendDetector + Registered<Kind>> Guest for Adapter<T> {
    fn describe() -> PluginInfo {
        register::describe(&T::MANIFEST, T::settings_schema())
    }

    fn configure(settings: String) -> Result<()> {
        register::configure::<Kind, T>(&settings, T::validate).map(|_| ())
    }

    fn detect(series: Series) -> Result<Report> {
        register::configured::<Kind, T>()?.detect(&series)
    }
}

#[cfg(test)]
mod tests {
    use crate::testing;

    #[test]
    fn steps_are_differences_and_slopes() {
        let series = testing::series(&[(5.0, 1.0), (10.0, 3.0), (20.0, 3.0)]);
        assert_eq!(series.differences(), [2.0, 0.0]);
        assert_eq!(series.slopes(), [0.4, 0.0]);
    }

    #[test]
    fn trials_are_series_of_their_own_where_all_samples_have_them() {
        let mut series = testing::series(&[(5.0, 1.0), (10.0, 3.0)]);
        assert!(series.by_trial().is_empty());
        series.samples[0].trials = vec![0.0, 2.0];
        assert!(series.by_trial().is_empty());
        series.samples[1].trials = vec![4.0, 2.0];
        let curves = series.by_trial();
        assert_eq!(curves.iter().map(super::Series::differences).collect::<Vec<_>>(), [[4.0], [0.0]]);
    }
}
