//! What criteria and detectors see and say, and what the analysis concludes.

use crate::parameter::Parameter;
use crate::plugin::Identity;
use crate::point::Interval;
use serde::{Deserialize, Serialize};

/// Which way a number gets better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Lower values are better.
    Minimize,
    /// Higher values are better.
    Maximize,
}

/// What an objective says of one point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The value of the objective; finite.
    pub value: f64,
    /// The key of the measurement that the value was read from, such as `ttft_p99_ms`, or none if it was computed
    /// from several.
    pub metric: Option<String>,
}

/// One axis of a trade-off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Axis {
    /// The name of the objective.
    pub objective: String,
    /// Which way is better.
    pub direction: Direction,
    /// The unit of the values.
    pub unit: String,
}

/// What one objective says of a point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The value at the means of the point.
    pub mean: f64,
    /// The value in each successful trial; never empty.
    #[serde(default)]
    pub trials: Vec<f64>,
    /// Where the true value plausibly lies, or none for a single trial.
    pub confidence: Option<Interval>,
}

/// A sweep point seen through the objectives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The position of the point in the plan.
    pub point_index: u32,
    /// One score for each axis, in the order of the axes.
    pub scores: Vec<Score>,
}

/// How a candidate stands among the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// No other candidate is preferable.
    Optimal,
    /// The candidate at this position is preferable.
    DominatedBy(u32),
    /// The candidate is out of the question, for this reason.
    Rejected(String),
}

/// The judgement on one candidate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// How it stands when the means are taken as exact.
    pub standing: Standing,
    /// The probability that it is optimal given the spread of the trials, or none if not computed.
    pub probability: Option<f64>,
}

/// One measured position on a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The position of the point in the plan.
    pub point_index: u32,
    /// The value of the swept parameter.
    pub x: f64,
    /// The mean of the metric over the trials.
    pub y: f64,
    /// The value in each successful trial; never empty.
    #[serde(default)]
    pub trials: Vec<f64>,
    /// Where the true mean plausibly lies, or none for a single trial.
    pub confidence: Option<Interval>,
}

/// One statistic of one metric along one parameter, with every other parameter held fixed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// The swept parameter, such as `concurrency`.
    pub parameter: String,
    /// The key in the sweep file, such as `ttft_p99_ms`.
    pub key: String,
    /// The metric's tag in the catalogue.
    pub metric: String,
    /// The statistic, such as `avg`.
    pub statistic: String,
    /// The unit of `y`.
    pub unit: String,
    /// Which way the metric gets better, or none if neither way does.
    pub better: Option<Direction>,
    /// At least two samples, with strictly increasing `x`.
    pub samples: Vec<Sample>,
}

/// A number for each step between neighbouring samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Derived {
    /// The key in the files, in snake case.
    pub name: String,
    /// One value less than there are samples.
    pub values: Vec<f64>,
}

/// A shape found in a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The kind of shape in kebab case; `inflection` at one sample is what files list under `inflection_points`.
    pub kind: String,
    /// One sentence for the report.
    pub message: String,
    /// The position in the samples where the shape starts.
    pub first: u32,
    /// The position in the samples where it ends, inclusive.
    pub last: u32,
    /// Where on the x axis the shape plausibly lies, if the detector computes it.
    pub location: Option<Interval>,
    /// How sure the detector is, from 0 to 1.
    pub certainty: f64,
}

/// What a detector says of a series.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The shapes, ordered by `first`.
    pub findings: Vec<Finding>,
    /// The numbers the detector worked from.
    pub derived: Vec<Derived>,
    /// How many findings and derived lists there were beyond the most that are kept. The host counts them.
    #[serde(skip)]
    pub left_out: usize,
}

/// What is known of how far figures can be off, by which values are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Uncertainty {
    /// How they vary over trials.
    Trials,
    /// How they vary within the only trial.
    WithinRun,
    /// Nothing: only whether a difference is large enough to matter.
    #[default]
    Unknown,
}

/// A value that cannot be told apart from the best one.
#[derive(Clone, Debug, PartialEq)]
pub struct TiedValue {
    /// The position of the point in the plan.
    pub point_index: u32,
    /// The parameters of the point.
    pub parameters: Vec<Parameter>,
    /// The objective's value there.
    pub value: f64,
    /// That value less the one of the best configuration.
    pub difference: f64,
    /// Where the true difference plausibly lies, together with those of all others, or none where nothing is known of the uncertainty.
    pub interval: Option<Interval>,
}

/// The best point by one objective: the first one of those that cannot be told apart from the one with the best mean.
#[derive(Clone, Debug, PartialEq)]
pub struct BestConfiguration {
    /// The name of the objective, such as `latency-p99`.
    pub objective: String,
    /// Which way the objective is better.
    pub direction: Direction,
    /// The position of the point in the plan.
    pub point_index: u32,
    /// The parameters of the point.
    pub parameters: Vec<Parameter>,
    /// The objective's value there.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// The key of the measurement behind it, if it is one measurement.
    pub metric: Option<String>,
    /// Where the true value plausibly lies, or none for a single trial.
    pub confidence: Option<Interval>,
    /// The others that cannot be told apart from the one with the best mean, ascending.
    pub tied_with: Vec<TiedValue>,
    /// By what they were told apart.
    pub uncertainty: Uncertainty,
}

/// What one criterion says of all points.
#[derive(Clone, Debug, PartialEq)]
pub struct Front {
    /// The name of the criterion.
    pub criterion: String,
    /// The points in ascending order of their parameters, each with its judgement. Points that an objective has no
    /// value for are absent.
    pub members: Vec<FrontMember>,
}

impl Front {
    /// The members that are optimal, in ascending order.
    pub fn optimal(&self) -> impl Iterator<Item = &FrontMember> {
        self.members.iter().filter(|member| member.standing == MemberStanding::Optimal)
    }
}

/// One point under a criterion.
#[derive(Clone, Debug, PartialEq)]
pub struct FrontMember {
    /// The position of the point in the plan.
    pub point_index: u32,
    /// The parameters of the point.
    pub parameters: Vec<Parameter>,
    /// How it stands.
    pub standing: MemberStanding,
    /// The probability that it is optimal: what the criterion says, else the share of draws in which it is. None where
    /// nothing is known of the uncertainty of any point.
    pub probability: Option<f64>,
}

/// How a point stands, with the other point named by its place in the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberStanding {
    /// No other point is preferable.
    Optimal,
    /// The point at this position in the plan is preferable.
    DominatedBy(u32),
    /// Neither is established: it cannot be told apart from the point at this position in the plan where the criterion
    /// decides between them.
    TiedWith(u32),
    /// Out of the question, for this reason.
    Rejected(String),
}

impl MemberStanding {
    /// The name in files.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Optimal => "optimal",
            Self::DominatedBy(_) => "dominated",
            Self::TiedWith(_) => "tied",
            Self::Rejected(_) => "rejected",
        }
    }
}

/// What one detector found in one metric along one parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Trend {
    /// The key of the metric in the sweep file.
    pub key: String,
    /// The swept parameter.
    pub parameter: String,
    /// The other parameters and their values, if there are several axes.
    pub fixed: Vec<Parameter>,
    /// The other parameters that change along with this one, where lists were taken element by element.
    pub along_with: Vec<String>,
    /// The x position of each sample, ascending.
    pub positions: Vec<f64>,
    /// Differences of neighbouring means; one value less than there are positions.
    pub rate_of_change: Vec<f64>,
    /// The same per unit of the parameter.
    pub slopes: Vec<f64>,
    /// The name of the detector.
    pub detector: String,
    /// What it found, without the inflections that are not told from noise.
    pub findings: Vec<Finding>,
    /// How many inflections it claimed that are not told from noise, or too small to matter.
    pub not_significant: usize,
    /// The range of the means relative to their mean, if no two of them can be told apart.
    pub flat_within: Option<f64>,
    /// By what its inflections were told from noise.
    pub uncertainty: Uncertainty,
    /// The numbers that it worked from, but for those that `rate_of_change` and `slopes` already are.
    pub derived: Vec<Derived>,
    /// How many findings and derived lists of it are not kept.
    pub left_out: usize,
}

impl Trend {
    /// The positions of the findings that are inflections at one sample, ascending and without repetition.
    #[must_use]
    pub fn inflection_points(&self) -> Vec<f64> {
        let mut points: Vec<f64> = self
            .findings
            .iter()
            .filter(|finding| finding.kind == "inflection" && finding.first == finding.last)
            .filter_map(|finding| self.positions.get(finding.first as usize).copied())
            .collect();
        points.sort_by(f64::total_cmp);
        points.dedup();
        points
    }
}

/// An analysis plugin that could not do its work; its part of the conclusions is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginFailure {
    /// The plugin.
    pub plugin: Identity,
    /// What it was asked and why it failed, one line.
    pub message: String,
}

/// What a reader of the conclusions has to know of an analysis plugin that did its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginNote {
    /// The plugin.
    pub plugin: Identity,
    /// One sentence that begins with the plugin's kind and name.
    pub message: String,
}

/// A value that is neither best nor optimal, whatever its figures.
#[derive(Clone, Debug, PartialEq)]
pub struct ExcludedValue {
    /// The position of the point in the plan.
    pub point_index: u32,
    /// The parameters of the point.
    pub parameters: Vec<Parameter>,
    /// The rules by which it is invalid, such as `client_delay`.
    pub reasons: Vec<String>,
}

/// Everything the analysis says of the points.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conclusions {
    /// The best point by each objective, in the order the objectives were given.
    pub best: Vec<BestConfiguration>,
    /// What each criterion says, in the order the criteria were given.
    pub fronts: Vec<Front>,
    /// The criterion whose optimal points fill `pareto_optimal`.
    pub chosen_criterion: Option<String>,
    /// What each detector says of each metric, in the order of the metrics and then of the detectors.
    pub trends: Vec<Trend>,
    /// Plugins that failed.
    pub failures: Vec<PluginFailure>,
    /// What else there is to know of plugins, such as an objective that has no value anywhere.
    pub notes: Vec<PluginNote>,
    /// Invalid values, which are neither best nor optimal, ascending.
    pub excluded: Vec<ExcludedValue>,
    /// The least difference that matters, relative to the larger of two values.
    pub material: f64,
}

impl Conclusions {
    /// The front that fills `pareto_optimal`.
    #[must_use]
    pub fn chosen_front(&self) -> Option<&Front> {
        let chosen = self.chosen_criterion.as_deref()?;
        self.fronts.iter().find(|front| front.criterion == chosen)
    }
}

/// Something that the analysis says of one point.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// Whether it is optimal by this criterion.
    Optimal {
        /// The name of the criterion.
        criterion: String,
    },
    /// Whether it is the best one by this objective.
    Best {
        /// The name of the objective.
        objective: String,
    },
    /// Whether this metric turns there.
    Inflection {
        /// The key of the metric in the sweep file.
        key: String,
        /// The parameter along which it turns.
        parameter: String,
    },
}

/// A question that the trials do not answer yet.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenAnswer {
    /// What is asked.
    pub question: Question,
    /// The position of the point in the plan.
    pub point_index: u32,
    /// The parameters of the point.
    pub parameters: Vec<Parameter>,
    /// How probable a yes is.
    pub probability: f64,
}
