//! How far a measurement can be believed, and why not farther.

use crate::parameter::Parameter;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Whether a measurement is what it seems to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Validity {
    /// Nothing speaks against it.
    #[default]
    Valid,
    /// It may be wrong, or say less than it seems to.
    Suspect,
    /// It is not the server's, or not that of the load that was asked for.
    Invalid,
}

impl Validity {
    /// The name in files and on the console.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Valid => "VALID",
            Self::Suspect => "SUSPECT",
            Self::Invalid => "INVALID",
        }
    }
}

impl fmt::Display for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One reason to doubt a measurement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// The name of the rule, such as `client_delay`.
    pub reason: String,
    /// What the rule looked at, where it looks at several things, such as `ttft p99`.
    pub subject: Option<String>,
    /// How grave it is; never valid.
    pub verdict: Validity,
    /// What was found.
    pub figure: f64,
    /// The limit that the figure is on the wrong side of.
    pub threshold: f64,
    /// The unit of both; empty for pure numbers.
    pub unit: String,
    /// The whole as a sentence.
    pub message: String,
    /// What to do.
    pub advice: String,
}

/// What is to be believed of a run or of a value, the worst reason deciding.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The worst of the reasons.
    pub verdict: Validity,
    /// All reasons, the worst ones first.
    pub reasons: Vec<Reason>,
    /// What is worth knowing and no reason to doubt.
    #[serde(default)]
    pub notes: Vec<String>,
}

impl Verdict {
    /// The verdict that follows from reasons.
    #[must_use]
    pub fn new(mut reasons: Vec<Reason>, notes: Vec<String>) -> Self {
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.verdict));
        let verdict = reasons.first().map_or(Validity::Valid, |worst| worst.verdict);
        Self { verdict, reasons, notes }
    }

    /// Whether this rule speaks against the measurement.
    #[must_use]
    pub fn has(&self, rule: &str) -> bool {
        self.reasons.iter().any(|reason| reason.reason == rule)
    }
}

/// The verdict of one value of a sweep, over all its trials.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueVerdict {
    /// The position of the value in the plan.
    pub index: u32,
    /// The swept parameters.
    pub parameters: Vec<Parameter>,
    /// What is to be believed of it.
    pub verdict: Verdict,
}

/// How one statistic changes with time over all runs of a sweep together, whatever the value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// The key in the sweep file, such as `ttft_p99_ms`.
    pub metric: String,
    /// The change from the first run to the last, relative to the mean: 0.02 is 2 % more.
    pub relative_change: f64,
    /// The change in an hour, relative to the mean.
    pub relative_change_per_hour: f64,
    /// How probable a slope at least this steep is without any drift.
    pub p_value: f64,
    /// The same, corrected for the number of metrics that were looked at.
    pub adjusted_p_value: f64,
    /// The degrees of freedom of the test.
    pub degrees_of_freedom: u32,
    /// Whether it is a reason to doubt the values.
    pub significant: bool,
}
