//! Records become metrics of a run, and runs become points with confidence intervals.
//!
//! Read the modules in the order of the data: [`formulas`] turns one record into the metrics of one request,
//! [`accumulator`] gathers requests into the metrics of a run, with [`steady`] for the part of it that counts,
//! [`distribution`] for the percentiles, [`bounds`] and [`within_run`] for how far they can be trusted, and
//! [`run_length`] for when that is enough. [`points`] takes the runs of one value together, with [`statistics`] for means
//! and intervals over trials, [`significance`] for how probable a difference is by chance and [`convergence`] for whether
//! there are enough of them.
//! [`timeline`] follows the load through a run, and [`verdict`] says from it how far the rest can be believed.
//!
//! Everything here is pure: the same records give the same bytes, whatever their order and whatever the machine.
//! A number that cannot be computed is absent; none is ever NaN, infinite, or 0 for want of knowledge. What the
//! numbers mean, which value is best and how a metric changes along a sweep, is the business of the analysis.

#![cfg_attr(test, expect(clippy::float_cmp, reason = "the tests state which numbers come out exactly"))]

pub mod accumulator;
pub mod bounds;
pub mod convergence;
pub mod distribution;
pub mod formulas;
pub mod points;
pub mod run_length;
mod sends;
pub mod significance;
pub mod statistics;
pub mod steady;
pub mod timeline;
pub mod verdict;
pub mod within_run;

#[cfg(test)]
mod testing;

pub use accumulator::Accumulator;
pub use formulas::record_metrics;
pub use run_length::RunLength;
pub use steady::LoadShape;
pub use timeline::{ConcurrencyTimeline, TimelineRecorder};
