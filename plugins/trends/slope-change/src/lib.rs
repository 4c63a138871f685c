//! The detector `slope-change`: inflections where the slope turns, or changes by a factor between neighbouring
//! steps.
//!
//! Slopes are per unit of the parameter, so a straight line has no inflection however the values are spaced.
//! A slow-down is reported at the joint, where the old slope ends; a speed-up at the far end of the steeper
//! step, where its effect is first seen. Slopes below a floor, a share of the metric's range per mean step, are
//! noise: they count as the floor, and have no sign.

mod inflection;

use aiperf_plugin::trend::{Derived, Finding, Report, Series, TrendDetector};
use aiperf_plugin::{Result, register_trend};
use serde::Deserialize;

use crate::inflection::inflections;

/// What counts as a change.
#[derive(Debug, Deserialize)]
#[serde(default)]
struct SlopeChange {
    /// How many times steeper or flatter a slope must be; above 1.
    factor: f64,
    /// The least slope that counts, as a share of the metric's range per mean step; from 0 to 1.
    floor: f64,
}

impl Default for SlopeChange {
    fn default() -> Self {
        Self { factor: 2.0, floor: 0.01 }
    }
}

impl TrendDetector for SlopeChange {
    fn settings_schema() -> Option<String> {
        Some(include_str!("settings.schema.json").to_owned())
    }

    fn validate(&self) -> std::result::Result<(), String> {
        if self.factor <= 1.0 {
            return Err(format!("factor must be above 1, such as 2, not {}", self.factor));
        }
        if !(0.0..=1.0).contains(&self.floor) {
            return Err(format!("floor must lie between 0 and 1, such as 0.01, not {}", self.floor));
        }
        Ok(())
    }

    fn detect(&self, series: &Series) -> Result<Report> {
        let trials: Vec<_> = series.by_trial().iter().map(|curve| inflections(self, curve)).collect();
        let findings =
            inflections(self, series).into_iter().map(|found| found.into_finding(series, &trials)).collect();
        let derived = vec![
            Derived::new("rate_of_change", series.differences()),
            Derived::new("slopes", series.slopes()),
        ];
        Ok(Report { findings, derived })
    }
}

register_trend!(SlopeChange, name = "slope-change");

#[cfg(test)]
mod tests;
