//! Pareto criteria: which sweep points are worth keeping when objectives compete.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::generated::pareto::exports::aiperf::plugin::pareto::Guest;
pub use crate::generated::pareto::exports::aiperf::plugin::pareto::{
    Axis, Candidate, Judgement, Score, Standing,
};
use crate::register::{self, Registered};
use crate::{PluginInfo, Result};

/// A criterion for the trade-off between objectives. The fields of the implementing struct are its settings.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is registered as a Pareto criterion but does not implement `ParetoCriterion`",
    note = "write `impl aiperf_plugin::pareto::ParetoCriterion for {Self}` and derive `serde::Deserialize`"
)]
pub trait ParetoCriterion: DeserializeOwned + Send + Sync + 'static {
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

    /// One judgement for each candidate, in their order. The answer must not depend on that order.
    fn judge(&self, axes: &[Axis], candidates: &[Candidate]) -> Result<Vec<Judgement>>;
}

/// Whether `left` is at least as good as `right` on every axis, and better on one.
pub fn dominates(axes: &[Axis], left: &Candidate, right: &Candidate) -> bool {
    let mut better = false;
    for (axis, (left, right)) in axes.iter().zip(left.scores.iter().zip(&right.scores)) {
        if axis.direction.prefers(right.mean, left.mean) {
            return false;
        }
        better |= axis.direction.prefers(left.mean, right.mean);
    }
    better
}

/// For each candidate the position of one that dominates it, or none if it is on the front.
///
/// The named one is itself on the front, so that a reader is not sent to a point that is out as well.
pub fn dominators(axes: &[Axis], candidates: &[Candidate]) -> Vec<Option<usize>> {
    let beaten = |right: &Candidate| candidates.iter().any(|left| dominates(axes, left, right));
    let front: Vec<_> = candidates.iter().enumerate().filter(|(_, candidate)| !beaten(candidate)).collect();
    candidates
        .iter()
        .map(|right| {
            front.iter().find(|(_, left)| dominates(axes, left, right)).map(|(position, _)| *position)
        })
        .collect()
}

impl Judgement {
    /// No other candidate is preferable.
    pub fn optimal() -> Self {
        Self { standing: Standing::Optimal, probability: None }
    }

    /// The candidate at `position` is preferable.
    pub fn dominated_by(position: usize) -> Self {
        Self { standing: Standing::DominatedBy(position as u32), probability: None }
    }

    /// The candidate is out of the question.
    pub fn rejected(reason: &str) -> Self {
        Self { standing: Standing::Rejected(reason.to_owned()), probability: None }
    }
}

/// This kind of plugin.
#[doc(hidden)]
pub enum Kind {}

/// Says at compile time, and in words, that a registered type lacks the trait.
#[doc(hidden)]
pub const fn check<T: ParetoCriterion>() {}

/// The functions of the contract over the trait.
#[doc(hidden)]
pub struct Adapter<T>(PhantomData<T>);

impl<T: ParetoCriterion + Registered<Kind>> Guest for Adapter<T> {
    fn describe() -> PluginInfo {
        register::describe(&T::MANIFEST, T::settings_schema())
    }

    fn configure(settings: String) -> Result<()> {
        register::configure::<Kind, T>(&settings, T::validate).map(|_| ())
    }

    fn judge(axes: Vec<Axis>, candidates: Vec<Candidate>) -> Result<Vec<Judgement>> {
        register::configured::<Kind, T>()?.judge(&axes, &candidates)
    }
}
