//! What holds for every plugin of a kind.

use crate::outcome::Outcome;
use crate::samples;
use aiperf_model::conclusion::{Axis, Candidate};
use aiperf_model::plugin::{Kind, PluginError};
use aiperf_plugin_host::{Call, Case, Description, PluginHost};
use serde_json::{Map, Value};

/// A plugin under test, and settings that it accepts.
pub(crate) struct Subject<'a> {
    pub(crate) host: &'a PluginHost,
    pub(crate) plugin: &'a Description,
    /// `{}` if it accepts that, else the first of the fixtures'; none if it accepts no settings that are known.
    pub(crate) settings: Option<Map<String, Value>>,
}

impl<'a> Subject<'a> {
    pub(crate) fn new(
        host: &'a PluginHost,
        plugin: &'a Description,
        others: impl IntoIterator<Item = Map<String, Value>>,
    ) -> Self {
        let subject = Self { host, plugin, settings: None };
        let mut known = [Map::new()].into_iter().chain(others);
        let settings = known.find(|settings| subject.configure(settings).is_ok());
        Self { settings, ..subject }
    }

    /// Whether the plugin accepts settings.
    pub(crate) fn configure(&self, settings: &Map<String, Value>) -> Result<(), String> {
        let choice = format!("{}:{}", self.plugin.name, Value::Object(settings.clone()));
        let result = match self.plugin.kind {
            Kind::Endpoint => self.host.endpoint(&choice).map(drop),
            Kind::Objective => self.host.objective(&choice).map(drop),
            Kind::Pareto => self.host.pareto(&choice).map(drop),
            Kind::Trend => self.host.trend(&choice).map(drop),
        };
        result.map_err(|error| error.to_string())
    }

    /// Makes a call under the settings.
    fn call(&self, call: Call) -> Result<Value, PluginError> {
        let settings = self.settings.clone().unwrap_or_default();
        Case { plugin: None, call, settings, error: None, answer: None }.run(self.host, &self.plugin.name)
    }

    /// Makes a call twice, on an input that no plugin may fail on. An endpoint may say that its format cannot express a
    /// request, and an objective that a measurement cannot be true.
    fn answer_to_valid(&self, call: &Call) -> Result<(), String> {
        match self.answer(call)? {
            Err(PluginError::Unsupported(_)) if self.plugin.kind == Kind::Endpoint => Ok(()),
            Err(PluginError::Malformed(_)) if self.plugin.kind == Kind::Objective => Ok(()),
            answer => answer.map(drop).map_err(|error| error.to_string()),
        }
    }

    /// Makes a call twice. A refusal in words is an answer; a crash and a broken contract are not.
    fn answer(&self, call: &Call) -> Result<Result<Value, PluginError>, String> {
        let first = self.call(call.clone());
        if let Err(error @ (PluginError::Crashed(_) | PluginError::BrokeContract(_))) = first {
            return Err(error.to_string());
        }
        let second = self.call(call.clone());
        if first != second {
            return Err(format!("the same input gives {first:?} and then {second:?}"));
        }
        Ok(first)
    }
}

/// What the plugin says of itself.
pub(crate) fn description(subject: &Subject) -> Vec<Outcome> {
    let again = subject.host.inspect_named(&subject.plugin.name).map_err(|error| error.to_string());
    let same = again.and_then(|components| {
        let descriptions = components.into_iter().filter_map(|component| component.plugins.ok()).flatten();
        let mut of_kind = descriptions.filter(|other| other.kind == subject.plugin.kind);
        match of_kind.find(|other| other != subject.plugin) {
            Some(other) => Err(format!("{:?} and then {other:?}", subject.plugin)),
            None => Ok(()),
        }
    });
    let summary = if subject.plugin.summary.trim().is_empty() {
        Err("the summary is empty; it is what users see in `aiperf plugin list`".to_owned())
    } else {
        Ok(())
    };
    vec![Outcome::new("describes itself the same twice", same), Outcome::new("has a summary", summary)]
}

/// What the plugin does with inputs that it must bear.
pub(crate) fn behaviour(subject: &Subject) -> Vec<Outcome> {
    if subject.settings.is_none() {
        let problem =
            "it does not accept {} as settings, and no fixture has settings that it accepts".to_owned();
        return vec![Outcome::new("can be tried", Err(problem))];
    }
    match subject.plugin.kind {
        Kind::Endpoint => endpoint(subject),
        Kind::Objective => {
            bears(subject, samples::points().into_iter().map(|(label, point)| (label, Call::Evaluate(point))))
        }
        Kind::Pareto => criterion(subject),
        Kind::Trend => {
            bears(subject, samples::series().into_iter().map(|(label, series)| (label, Call::Detect(series))))
        }
    }
}

/// One outcome for each input: the call is answered, within the contract, and twice the same.
fn bears(subject: &Subject, calls: impl Iterator<Item = (&'static str, Call)>) -> Vec<Outcome> {
    let outcome = |(label, call): (&str, Call)| {
        Outcome::new(format!("bears {label} in {}", call.function()), subject.answer_to_valid(&call))
    };
    calls.map(outcome).collect()
}

fn endpoint(subject: &Subject) -> Vec<Outcome> {
    let requests = samples::requests().into_iter().map(|(label, request)| (label, Call::Build(request)));
    let mut outcomes = bears(subject, requests);
    for (label, events) in samples::garbage() {
        for streamed in [true, false] {
            let call = Call::Parse { events: events.clone(), streamed };
            let kind = if streamed { "a stream" } else { "a body" };
            let refused = subject.answer(&call).and_then(|answer| match answer {
                Ok(answer) if answer.get("complete") == Some(&Value::Bool(true)) => {
                    Err(format!("it is taken for a complete answer: {answer}"))
                }
                _ => Ok(()),
            });
            outcomes.push(Outcome::new(format!("takes {label} for no answer, as {kind}"), refused));
        }
    }
    outcomes
}

fn criterion(subject: &Subject) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for (label, (axes, candidates)) in samples::trade_offs() {
        let judged = |candidates: &[Candidate]| judge(subject, &axes, candidates);
        outcomes.push(Outcome::new(format!("bears {label} in judge"), judged(&candidates).map(drop)));
        if candidates.len() > 1 {
            let same = order_is_without_effect(&candidates, judged);
            outcomes.push(Outcome::new(format!("judges {label} alike in any order"), same));
        }
    }
    outcomes
}

/// How each candidate stands, without who dominates it: of several any may be named.
fn judge(subject: &Subject, axes: &[Axis], candidates: &[Candidate]) -> Result<Vec<String>, String> {
    let call = Call::Judge { axes: axes.to_vec(), candidates: candidates.to_vec() };
    let answer = subject.answer(&call)?.map_err(|error| error.to_string())?;
    let standing = |judgement: &Value| match judgement.get("standing") {
        Some(Value::Object(named)) => named.keys().next().cloned().unwrap_or_default(),
        standing => standing.and_then(Value::as_str).unwrap_or_default().to_owned(),
    };
    Ok(answer.as_array().into_iter().flatten().map(standing).collect())
}

fn order_is_without_effect(
    candidates: &[Candidate],
    judged: impl Fn(&[Candidate]) -> Result<Vec<String>, String>,
) -> Result<(), String> {
    let straight = judged(candidates)?;
    let reversed: Vec<Candidate> = candidates.iter().rev().cloned().collect();
    let mut backward = judged(&reversed)?;
    backward.reverse();
    if straight == backward {
        Ok(())
    } else {
        Err(format!("{} forward, but {} backward", straight.join(", "), backward.join(", ")))
    }
}
