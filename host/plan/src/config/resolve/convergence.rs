//! When the trials of a value end early.

use crate::error::ConfigError;
use crate::options::Options;
use aiperf_model::catalogue::{self, Metric, MetricId, Scope};
use aiperf_model::convergence::Convergence;
use aiperf_model::metrics::Statistic;

const METRIC: &str = "--convergence-metric";
const STATISTIC: &str = "--convergence-stat";
const THRESHOLD: &str = "--convergence-threshold";
const MIN_RUNS: &str = "--convergence-min-runs";
const DEFAULT_THRESHOLD: f64 = 0.05;
/// With two trials the interval is 12.7 standard errors wide, and narrow by luck only.
const DEFAULT_MIN_RUNS: u32 = 3;

/// The rule that the options give, or none without a metric.
pub(super) fn resolve(options: &Options) -> Result<Option<Convergence>, ConfigError> {
    let Some(name) = options.convergence_metric.as_deref().map(str::trim) else {
        return refuse_without_metric(options);
    };
    let threshold = options.convergence_threshold.unwrap_or(DEFAULT_THRESHOLD);
    if !(threshold > 0.0 && threshold < 1.0) {
        let problem = format!("it is {threshold}, but must lie between 0 and 1");
        return Err(ConfigError::value(THRESHOLD, problem, format!("{THRESHOLD} {DEFAULT_THRESHOLD}")));
    }
    let min_trials = min_trials(options)?;
    let metric = key(name, options.convergence_stat.as_deref())?;
    Ok(Some(Convergence { metric, threshold, min_trials }))
}

/// The least number of trials before they end early.
pub(super) fn min_trials(options: &Options) -> Result<u32, ConfigError> {
    let min_trials = options.convergence_min_runs.unwrap_or(DEFAULT_MIN_RUNS);
    if min_trials < 2 {
        let problem = format!("it is {min_trials}, but an interval needs at least 2 trials");
        return Err(ConfigError::value(MIN_RUNS, problem, format!("{MIN_RUNS} {DEFAULT_MIN_RUNS}")));
    }
    if let Some(most) = options.num_profile_runs.filter(|most| *most < min_trials) {
        let problem =
            format!("{min_trials} trials are needed before they can end, but --num-profile-runs is {most}");
        return Err(ConfigError::value(MIN_RUNS, problem, "--num-profile-runs 10"));
    }
    Ok(min_trials)
}

fn refuse_without_metric(options: &Options) -> Result<Option<Convergence>, ConfigError> {
    let given = [
        (STATISTIC, options.convergence_stat.is_some()),
        (THRESHOLD, options.convergence_threshold.is_some()),
        (MIN_RUNS, options.convergence_min_runs.is_some() && options.budget.is_none()),
    ];
    match given.into_iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) => Err(ConfigError::NeedsFlag { flag, example: "--convergence-metric ttft" }),
        None => Ok(None),
    }
}

/// The key in the sweep file of a metric and a statistic, or of a key.
fn key(name: &str, statistic: Option<&str>) -> Result<String, ConfigError> {
    if let Some(metric) = catalogue::find(name).map(MetricId::metric) {
        let statistic = statistic_named(statistic.unwrap_or(Statistic::Avg.name()))?;
        if metric.scope == Scope::Run && statistic != Statistic::Avg {
            let problem = format!("{} is one number per run and has no {}", metric.tag, statistic.name());
            return Err(ConfigError::value(STATISTIC, problem, format!("{STATISTIC} avg")));
        }
        return Ok(metric.key(statistic));
    }
    match (catalogue::find_key(name), statistic) {
        (Some((metric, statistic)), None) => Ok(metric.metric().key(statistic)),
        (Some(_), Some(_)) => {
            let problem = format!("'{name}' says already which one");
            Err(ConfigError::value(STATISTIC, problem, format!("{METRIC} {name} alone")))
        }
        (None, _) => {
            let problem = format!("'{name}' is no metric; known are {}", known());
            Err(ConfigError::value(METRIC, problem, format!("{METRIC} ttft {STATISTIC} p99")))
        }
    }
}

fn statistic_named(name: &str) -> Result<Statistic, ConfigError> {
    Statistic::ALL.into_iter().find(|statistic| statistic.name() == name).ok_or_else(|| {
        let known: Vec<&str> = Statistic::ALL.iter().map(|statistic| statistic.name()).collect();
        let problem = format!("'{name}' is no statistic; known are {}", known.join(", "));
        ConfigError::value(STATISTIC, problem, format!("{STATISTIC} p99"))
    })
}

/// The metrics that stand in the sweep file.
fn known() -> String {
    let swept = catalogue::CATALOGUE.iter().filter(|metric| !metric.sweep.is_empty());
    swept.map(Metric::names).collect::<Vec<_>>().join(", ")
}
