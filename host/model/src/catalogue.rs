//! The metric catalogue: the one list of metrics, and of the columns, curves and judgements that show them.
//!
//! Every metric has a tag (the long name), a short name where the field uses one, a unit, the direction in which it
//! gets better and its definition. Everything a user types accepts both names. How a metric is computed from
//! records stands in the `metrics` crate, in a `match` over [`MetricId`] that the compiler keeps complete.
//!
//! The entries stand in `built_in`. A metric of telemetry or of a plugin is an [`OpenMetric`], which has the same
//! fields and comes in at run time.

mod built_in;
mod open;

pub use built_in::{CATALOGUE, COLUMNS, MetricId};
pub use open::{MetricError, OpenMetric};

use crate::conclusion::Direction;
use crate::metrics::Statistic;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// The unit of a metric as files and console show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Unit {
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Requests.
    Requests,
    /// Events of streams.
    Events,
    /// Tokens.
    Tokens,
    /// Requests per second.
    RequestsPerSecond,
    /// Tokens per second.
    TokensPerSecond,
    /// Tokens per second of one user.
    TokensPerSecondPerUser,
    /// Percent, from 0 to 100.
    Percent,
    /// A bare ratio.
    Ratio,
    /// One that no built-in metric has, such as `W`.
    Other(String),
}

impl Unit {
    const NAMED: [Self; 10] = [
        Self::Milliseconds,
        Self::Seconds,
        Self::Requests,
        Self::Events,
        Self::Tokens,
        Self::RequestsPerSecond,
        Self::TokensPerSecond,
        Self::TokensPerSecondPerUser,
        Self::Percent,
        Self::Ratio,
    ];

    /// The text in `unit` fields.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Milliseconds => "ms",
            Self::Seconds => "sec",
            Self::Requests => "requests",
            Self::Events => "events",
            Self::Tokens => "tokens",
            Self::RequestsPerSecond => "requests/sec",
            Self::TokensPerSecond => "tokens/sec",
            Self::TokensPerSecondPerUser => "tokens/sec/user",
            Self::Percent => "%",
            Self::Ratio => "ratio",
            Self::Other(name) => name,
        }
    }

    /// Whether it measures time; keys of the sweep file end in the unit then.
    #[must_use]
    pub fn is_time(&self) -> bool {
        matches!(self, Self::Milliseconds | Self::Seconds)
    }
}

impl From<String> for Unit {
    fn from(name: String) -> Self {
        Self::NAMED.into_iter().find(|unit| unit.name() == name).unwrap_or(Self::Other(name))
    }
}

impl From<Unit> for String {
    fn from(unit: Unit) -> Self {
        unit.name().to_owned()
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a metric is a property of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Each request has one value; a run has their distribution.
    Request,
    /// Each request has several values; a run has the distribution of all.
    Gaps,
    /// A run has the distribution over all its requests, of which another metric is the part that counts.
    AllRequests,
    /// A run has one value.
    Run,
}

/// One metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// The long name, such as `time_to_first_token`.
    pub tag: Cow<'static, str>,
    /// The name that the field uses, such as `ttft`, if it has one that is shorter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short: Option<Cow<'static, str>>,
    /// The name in tables.
    pub header: Cow<'static, str>,
    /// The unit of its values.
    pub unit: Unit,
    /// What it is a property of.
    pub scope: Scope,
    /// Which way it gets better, or none if neither way does.
    #[serde(default)]
    pub better: Option<Direction>,
    /// The statistics that stand in the sweep file by default.
    pub sweep: Cow<'static, [Statistic]>,
    /// Whether the console table of a run shows it.
    #[serde(default)]
    pub console: bool,
    /// Whether its values can be below 0, as those of lengths, counts, rates and times cannot.
    #[serde(default)]
    pub signed: bool,
    /// What it is, with its formula.
    pub definition: Cow<'static, str>,
}

/// A statistic that tables show in a column, and the report as a curve.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The metric.
    pub metric: MetricId,
    /// Which statistic of it.
    pub statistic: Statistic,
    /// The name over the column, without the unit of times.
    pub name: &'static str,
    /// Whether the table has it that fills in as runs end.
    pub live: bool,
    /// Whether its spread and drift over the trials are judged.
    pub judged: bool,
    /// Whether the summary tells its trends; the files have those of all metrics.
    pub trend: bool,
}

impl Column {
    /// The key in the sweep file.
    #[must_use]
    pub fn key(&self) -> String {
        self.metric.metric().key(self.statistic)
    }

    /// The name with the unit of times, for tables of more than times: `TTFT p50 ms`.
    #[must_use]
    pub fn header(&self) -> String {
        let unit = &self.metric.metric().unit;
        if unit.is_time() { format!("{} {unit}", self.name) } else { self.name.to_owned() }
    }
}

impl Metric {
    /// The name in keys of the sweep file: the short one, or the tag where the field has none.
    #[must_use]
    pub fn short(&self) -> &str {
        self.short.as_ref().unwrap_or(&self.tag)
    }

    /// The names that users may give it, as `time_to_first_token (ttft)`.
    #[must_use]
    pub fn names(&self) -> String {
        match &self.short {
            Some(short) => format!("{} ({short})", self.tag),
            None => self.tag.to_string(),
        }
    }

    /// One statistic of it as a sentence names it: `ttft p99`.
    #[must_use]
    pub fn name_of(&self, statistic: Statistic) -> String {
        format!("{} {}", self.short(), statistic.name())
    }

    /// The key of one statistic in the sweep file: `request_throughput_avg`, `ttft_p99_ms`.
    #[must_use]
    pub fn key(&self, statistic: Statistic) -> String {
        let (short, statistic) = (self.short(), statistic.name());
        if self.unit.is_time() {
            format!("{short}_{statistic}_{}", self.unit)
        } else {
            format!("{short}_{statistic}")
        }
    }
}

/// The built-in metric with this tag or short name.
#[must_use]
pub fn find(name: &str) -> Option<MetricId> {
    MetricId::ALL.iter().copied().find(|id| id.metric().tag == name || id.metric().short() == name)
}

/// The built-in metric and statistic behind a key of the sweep file. Keys with the long name, as
/// `time_to_first_token_p99`, are understood too.
#[must_use]
pub fn find_key(key: &str) -> Option<(MetricId, Statistic)> {
    MetricId::ALL.iter().find_map(|id| Some((*id, statistic_of_key(id.metric(), key)?)))
}

/// The statistic, if the key is one of this metric. Nothing is allocated: sweep files hold many thousand keys.
#[must_use]
pub fn statistic_of_key(metric: &Metric, key: &str) -> Option<Statistic> {
    let after = |name: &str| key.strip_prefix(name)?.strip_prefix('_');
    let named = |name: &str| Statistic::ALL.into_iter().find(|statistic| statistic.name() == name);
    let with_unit = |rest: &str| named(rest.strip_suffix(metric.unit.name())?.strip_suffix('_')?);
    let short = after(metric.short())
        .and_then(|rest| if metric.unit.is_time() { with_unit(rest) } else { named(rest) });
    short.or_else(|| after(&metric.tag).and_then(named))
}

impl MetricId {
    /// The catalogue's entry.
    #[must_use]
    pub fn metric(self) -> &'static Metric {
        // The macro writes ids and entries in one order, so the entry always exists.
        #[expect(clippy::indexing_slicing, reason = "ids and entries come from one list")]
        &CATALOGUE[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_id_leads_to_its_own_entry() {
        for (id, metric) in MetricId::ALL.iter().zip(CATALOGUE) {
            assert_eq!(find(&metric.tag), Some(*id));
            assert_eq!(id.metric(), metric);
        }
        assert_eq!(MetricId::TimeToFirstToken.metric().tag, "time_to_first_token");
    }

    #[test]
    fn no_entry_is_without_what_all_metrics_have() {
        for metric in CATALOGUE {
            assert!(!metric.tag.is_empty() && !metric.header.is_empty(), "{metric:?}");
            assert!(metric.definition.ends_with('.'), "{metric:?}");
        }
    }

    #[test]
    fn every_column_stands_in_the_sweep_file() {
        for column in COLUMNS {
            assert!(column.metric.metric().sweep.contains(&column.statistic), "{column:?}");
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> =
            CATALOGUE.iter().flat_map(|metric| std::iter::once(&metric.tag).chain(&metric.short)).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn keys_are_those_of_the_specification() {
        assert_eq!(MetricId::RequestThroughput.metric().key(Statistic::Avg), "request_throughput_avg");
        assert_eq!(MetricId::TimeToFirstToken.metric().key(Statistic::P99), "ttft_p99_ms");
    }

    #[test]
    fn every_key_leads_back_to_its_metric_and_statistic() {
        for id in MetricId::ALL {
            for statistic in Statistic::ALL {
                let metric = id.metric();
                for key in [metric.key(statistic), format!("{}_{}", metric.tag, statistic.name())] {
                    assert_eq!(find_key(&key), Some((*id, statistic)), "{key}");
                }
            }
        }
    }

    #[test]
    fn unknown_names_are_not_found() {
        assert!(find("throughput_of_nothing").is_none());
        assert!(find_key("ttft_p98_ms").is_none());
    }
}
