//! What was run, what failed, and which plugins took part.

use super::{Axes, ListedPoint, Named};
use crate::parameters;
use aiperf_model::catalogue::OpenMetric;
use aiperf_model::conclusion::{self, ExcludedValue};
use aiperf_model::convergence::{self, Convergences};
use aiperf_model::parameter::ParameterValue;
use aiperf_model::plugin::Identity;
use aiperf_model::sweep::{SweepResult, TimeBudget};
use aiperf_model::verdict::{Drift, Verdict};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Metadata<'a> {
    aggregation_type: &'static str,
    #[serde(flatten)]
    swept: Swept<'a>,
    parameter_values: Vec<ListedPoint<'a>>,
    num_values: usize,
    num_trials_per_value: u32,
    sweep_mode: &'static str,
    confidence_level: f64,
    num_successful_values: usize,
    failed_values: Vec<FailedValue<'a>>,
    failed_trials: Vec<FailedTrial<'a>>,
    verdicts: Vec<ValueVerdict<'a>>,
    drift: &'a [Drift],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    edited_files: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    convergence: Option<Convergence<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    budget: Option<Budget<'a>>,
    material: f64,
    excluded_values: Vec<Excluded<'a>>,
    pareto_criterion: Option<&'a str>,
    #[serde(skip_serializing_if = "<[OpenMetric]>::is_empty")]
    open_metrics: &'a [OpenMetric],
    plugins: &'a [Identity],
    plugin_failures: Vec<PluginFailure<'a>>,
    plugin_notes: Vec<PluginNote<'a>>,
}

/// What is swept: one name, or each name with its values.
#[derive(Serialize)]
#[serde(untagged)]
enum Swept<'a> {
    One { parameter_name: &'a str },
    Several { sweep_parameters: Vec<Axis<'a>> },
}

#[derive(Serialize)]
struct Axis<'a> {
    name: &'a str,
    values: Vec<parameters::Value<'a>>,
}

#[derive(Serialize)]
struct FailedValue<'a> {
    #[serde(flatten)]
    at: Named<'a>,
    error: &'a str,
    timestamp: &'a str,
}

#[derive(Serialize)]
struct FailedTrial<'a> {
    #[serde(flatten)]
    at: Named<'a>,
    trial: u32,
    error: &'a str,
    timestamp: &'a str,
}

#[derive(Serialize)]
struct ValueVerdict<'a> {
    #[serde(flatten)]
    at: Named<'a>,
    #[serde(flatten)]
    verdict: &'a Verdict,
}

#[derive(Serialize)]
struct PluginFailure<'a> {
    kind: &'static str,
    plugin: &'a str,
    error: &'a str,
}

#[derive(Serialize)]
struct PluginNote<'a> {
    kind: &'static str,
    plugin: &'a str,
    note: &'a str,
}

impl<'a> Metadata<'a> {
    pub(super) fn new(result: &'a SweepResult, axes: Axes) -> Self {
        let failed_values = result.failed_values.iter().map(|failed| FailedValue {
            at: axes.named(&failed.parameters),
            error: &failed.error,
            timestamp: &failed.timestamp,
        });
        let failed_trials = result.failed_trials.iter().map(|failed| FailedTrial {
            at: axes.named(&failed.parameters),
            trial: failed.trial,
            error: &failed.error,
            timestamp: &failed.timestamp,
        });
        let verdicts = result
            .verdicts
            .iter()
            .map(|value| ValueVerdict { at: axes.named(&value.parameters), verdict: &value.verdict });
        let plugin_failures = result.conclusions.failures.iter().map(|failure| PluginFailure {
            kind: failure.plugin.kind.name(),
            plugin: &failure.plugin.name,
            error: &failure.message,
        });
        let plugin_notes = result.conclusions.notes.iter().map(|note| PluginNote {
            kind: note.plugin.kind.name(),
            plugin: &note.plugin.name,
            note: &note.message,
        });
        Self {
            aggregation_type: "sweep",
            swept: Swept::new(result),
            parameter_values: result.values.iter().map(|value| axes.place(&value.parameters)).collect(),
            num_values: result.values.len(),
            num_trials_per_value: result.trials_per_value,
            sweep_mode: result.order.name(),
            confidence_level: result.confidence_level,
            num_successful_values: result.points.len(),
            failed_values: failed_values.collect(),
            failed_trials: failed_trials.collect(),
            verdicts: verdicts.collect(),
            drift: &result.drift,
            edited_files: &result.edited_files,
            convergence: result.convergence.as_ref().map(|all| Convergence::new(all, axes)),
            budget: result.time_budget.as_ref().map(|budget| Budget::new(budget, axes)),
            material: result.conclusions.material,
            excluded_values: result
                .conclusions
                .excluded
                .iter()
                .map(|value| Excluded::new(value, axes))
                .collect(),
            pareto_criterion: result.conclusions.chosen_criterion.as_deref(),
            open_metrics: &result.open_metrics,
            plugins: &result.plugins,
            plugin_failures: plugin_failures.collect(),
            plugin_notes: plugin_notes.collect(),
        }
    }
}

/// A value that is neither best nor optimal, and why.
#[derive(Serialize)]
struct Excluded<'a> {
    #[serde(flatten)]
    at: Named<'a>,
    reasons: &'a [String],
}

impl<'a> Excluded<'a> {
    fn new(value: &'a ExcludedValue, axes: Axes) -> Self {
        Self { at: axes.named(&value.parameters), reasons: &value.reasons }
    }
}

/// The rule, and how far each value has come.
#[derive(Serialize)]
struct Convergence<'a> {
    #[serde(flatten)]
    rule: &'a convergence::Convergence,
    values: Vec<ValueConvergence<'a>>,
}

#[derive(Serialize)]
struct ValueConvergence<'a> {
    #[serde(flatten)]
    at: Named<'a>,
    trials: u32,
    relative_half_width: Option<f64>,
    converged: bool,
}

impl<'a> Convergence<'a> {
    fn new(all: &'a Convergences, axes: Axes) -> Self {
        let values = all.values.iter().map(|value| ValueConvergence {
            at: axes.named(&value.parameters),
            trials: value.trials,
            relative_half_width: value.relative_half_width,
            converged: value.converged,
        });
        Self { rule: &all.rule, values: values.collect() }
    }
}

/// The time for all trials, and what they leave open.
#[derive(Serialize)]
struct Budget<'a> {
    seconds: f64,
    too_few_trials: Vec<TooFew<'a>>,
    open_answers: Option<Vec<OpenAnswer<'a>>>,
}

#[derive(Serialize)]
struct TooFew<'a> {
    #[serde(flatten)]
    at: Named<'a>,
    trials: u32,
}

#[derive(Serialize)]
struct OpenAnswer<'a> {
    #[serde(flatten)]
    question: Question<'a>,
    #[serde(flatten)]
    at: Named<'a>,
    probability: f64,
}

#[derive(Serialize)]
#[serde(tag = "question", rename_all = "snake_case")]
enum Question<'a> {
    ParetoOptimal { criterion: &'a str },
    BestConfiguration { objective: &'a str },
    InflectionPoint { metric: &'a str, parameter: &'a str },
}

impl<'a> Budget<'a> {
    fn new(budget: &'a TimeBudget, axes: Axes) -> Self {
        let answer = |open: &'a conclusion::OpenAnswer| OpenAnswer {
            question: Question::new(&open.question),
            at: axes.named(&open.parameters),
            probability: open.probability,
        };
        let too_few = budget
            .too_few
            .iter()
            .map(|value| TooFew { at: axes.named(&value.parameters), trials: value.trials });
        let open_answers = budget.open.as_ref().map(|open| open.iter().map(answer).collect());
        Self { seconds: budget.seconds, too_few_trials: too_few.collect(), open_answers }
    }
}

impl<'a> Question<'a> {
    fn new(question: &'a conclusion::Question) -> Self {
        match question {
            conclusion::Question::Optimal { criterion } => Self::ParetoOptimal { criterion },
            conclusion::Question::Best { objective } => Self::BestConfiguration { objective },
            conclusion::Question::Inflection { key, parameter } => {
                Self::InflectionPoint { metric: key, parameter }
            }
        }
    }
}

impl<'a> Swept<'a> {
    fn new(result: &'a SweepResult) -> Self {
        if let [name] = result.axes.as_slice() {
            return Self::One { parameter_name: name };
        }
        let axes = result.axes.iter().map(|name| Axis { name, values: values_of(result, name) });
        Self::Several { sweep_parameters: axes.collect() }
    }
}

/// The different values of one parameter, in the order of the values of the sweep.
fn values_of<'a>(result: &'a SweepResult, name: &str) -> Vec<parameters::Value<'a>> {
    let mut values: Vec<&'a ParameterValue> = Vec::new();
    let all = result.values.iter().flat_map(|value| &value.parameters);
    for parameter in all.filter(|parameter| parameter.name == name) {
        if !values.contains(&&parameter.value) {
            values.push(&parameter.value);
        }
    }
    values.into_iter().map(parameters::Value).collect()
}
