//! The traits behind which plugins stand, whatever they are made of.

use crate::conclusion::{Axis, Candidate, Direction, Evaluation, Judgement, Report, Series};
use crate::point::Point;
use crate::request::{Payload, Request};
use crate::response::{Event, Response};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// The kinds of plugins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A wire format of inference servers.
    Endpoint,
    /// A number to optimise.
    Objective,
    /// A criterion for a trade-off.
    Pareto,
    /// A detector of shapes.
    Trend,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Endpoint, Self::Objective, Self::Pareto, Self::Trend];

    /// The name in files and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::Objective => "objective",
            Self::Pareto => "pareto",
            Self::Trend => "trend",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which plugin it is, down to its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The kind it is used as.
    pub kind: Kind,
    /// The name users select it by.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// The SHA-256 of its file, in lower-case hexadecimal.
    pub sha256: String,
    /// `built-in`, or the path of the file.
    pub source: String,
    /// Whether the sandbox held it; not if it was a native library.
    #[serde(default = "yes")]
    pub sandboxed: bool,
    /// The settings it was configured with, a JSON object.
    pub settings: String,
}

/// What holds where a file says nothing.
fn yes() -> bool {
    true
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} '{}'", self.kind, self.name)
    }
}

/// Why a plugin could not do what it was asked. The text is a lower-case fragment for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PluginError {
    /// The settings are not what the plugin accepts.
    #[error("{0}")]
    InvalidSettings(String),
    /// The request asks for something the plugin does not offer.
    #[error("{0}")]
    Unsupported(String),
    /// The input is not what it must be, says the plugin.
    #[error("{0}")]
    Malformed(String),
    /// The plugin's answer is not what it must be, says the host.
    #[error("{0}")]
    BrokeContract(String),
    /// The server reported a failure inside a response that HTTP called a success.
    #[error("{0}")]
    Server(String),
    /// Anything else that the plugin said.
    #[error("{0}")]
    Other(String),
    /// The plugin broke a limit or trapped; it said nothing itself.
    #[error("{0}")]
    Crashed(String),
}

/// What all plugins have in common.
pub trait Plugin: Send + Sync {
    /// Which plugin it is.
    fn identity(&self) -> &Identity;
}

/// What a wire format can do under its settings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct EndpointInfo {
    /// The path appended to the server URL unless the user sets one.
    pub default_path: String,
    /// Whether the server can answer with server-sent events.
    pub supports_streaming: bool,
    /// Whether answers consist of tokens.
    pub produces_tokens: bool,
}

/// One wire format of inference servers. Called from several threads at once, never on one that measures.
pub trait Endpoint: Plugin {
    /// What the format can do.
    fn info(&self) -> &EndpointInfo;
    /// Put one request into the format.
    fn build(&self, request: &Request) -> Result<Payload, PluginError>;
    /// Read the events of one successful response: of an event stream if it was `streamed`, else the one event that
    /// is the whole body.
    fn parse(&self, events: &[Event<'_>], streamed: bool) -> Result<Response, PluginError>;
}

/// One number to optimise. Its answers keep the contract: they are finite, and a metric that they name is one of the
/// point's.
pub trait Objective: Plugin {
    /// Which way is better.
    fn direction(&self) -> Direction;
    /// The unit of the value, or an empty string for a bare number.
    fn unit(&self) -> &str;
    /// The value at a point, or none if the point has none.
    fn evaluate(&self, point: &Point) -> Result<Option<Evaluation>, PluginError>;
}

/// A criterion for the trade-off between competing objectives. Its answers keep the contract: there is one judgement for
/// each candidate, dominators are other candidates, and who dominates whom has no circles.
pub trait ParetoCriterion: Plugin {
    /// One judgement for each candidate, in their order.
    fn judge(&self, axes: &[Axis], candidates: &[Candidate]) -> Result<Vec<Judgement>, PluginError>;
}

/// A detector of shapes in a metric as one swept parameter grows. Its answers keep the contract: findings lie within the
/// samples, in the order of their place, and derived lists have one value for each step.
pub trait TrendDetector: Plugin {
    /// The shapes in one series.
    fn detect(&self, series: &Series) -> Result<Report, PluginError>;
}

/// The plugins that analyse a sweep, and what they are asked about.
#[derive(Clone, Default)]
pub struct AnalysisPlugins {
    /// The objectives; the best configuration is told for each.
    pub objectives: Vec<Arc<dyn Objective>>,
    /// How many of the objectives, from the first, span the trade-off.
    pub trade_off: usize,
    /// The criteria; each gives a front.
    pub criteria: Vec<Arc<dyn ParetoCriterion>>,
    /// The criterion that fills `pareto_optimal`, by name.
    pub chosen_criterion: String,
    /// The detectors; the first one fills `inflection_points`.
    pub detectors: Vec<Arc<dyn TrendDetector>>,
    /// The least difference that matters, relative to the larger of two values.
    pub material: f64,
}

impl AnalysisPlugins {
    /// The identities of all plugins, in order.
    pub fn identities(&self) -> impl Iterator<Item = &Identity> {
        let objectives = self.objectives.iter().map(|plugin| plugin.identity());
        let criteria = self.criteria.iter().map(|plugin| plugin.identity());
        let detectors = self.detectors.iter().map(|plugin| plugin.identity());
        objectives.chain(criteria).chain(detectors)
    }
}
