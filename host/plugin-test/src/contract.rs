//! What holds for every plugin of a kind.

use crate::outcome::Outcome;
use crate::samples;
use aiperf_model::conclusion::{Axis, Candidate};
use aiperf_model::plugin::{Kind, PluginError};
use aiperf_plugin_host::{Call, Callee, Description, PluginHost};
use serde_json::{Map, Value};

/// How many characters of an answer a message tells.
const MOST_TOLD: usize = 300;

/// A plugin under test, and settings that it accepts.
pub(crate) struct Subject<'a> {
    pub(crate) host: &'a PluginHost,
    pub(crate) plugin: &'a Description,
    /// `{}` if it accepts that, else the first of the fixtures'; none if it accepts no settings that are known.
    pub(crate) settings: Option<Map<String, Value>>,
    /// Configured with the settings, and asked every call: whatever it keeps of one shows in the answer to another.
    used: Option<Callee>,
}

impl<'a> Subject<'a> {
    pub(crate) fn new(
        host: &'a PluginHost,
        plugin: &'a Description,
        others: impl IntoIterator<Item = Map<String, Value>>,
    ) -> Self {
        let subject = Self { host, plugin, settings: None, used: None };
        let mut known = [Map::new()].into_iter().chain(others);
        let accepted = known.find_map(|settings| Some((subject.configured(&settings).ok()?, settings)));
        let (used, settings) = accepted.unzip();
        Self { settings, used, ..subject }
    }

    pub(crate) fn configured(&self, settings: &Map<String, Value>) -> Result<Callee, PluginError> {
        Callee::configure(self.host, self.plugin.kind, &self.plugin.name, settings)
    }

    /// Whether the plugin accepts settings.
    pub(crate) fn configure(&self, settings: &Map<String, Value>) -> Result<(), String> {
        self.configured(settings).map(drop).map_err(|error| error.to_string())
    }

    /// Makes a call on an input that no plugin may fail on. An endpoint may say that its format cannot express a
    /// request, and an objective that a measurement cannot be true.
    fn answer_to_valid(&self, call: &Call) -> Result<(), String> {
        match self.answer(call)? {
            Err(PluginError::Unsupported(_)) if self.plugin.kind == Kind::Endpoint => Ok(()),
            Err(PluginError::Malformed(_)) if self.plugin.kind == Kind::Objective => Ok(()),
            answer => answer.map(drop).map_err(|error| error.to_string()),
        }
    }

    /// Makes a call three times: of a new instance, and twice of the one that was asked everything before. A refusal in
    /// words is an answer; a crash and a broken contract are not.
    fn answer(&self, call: &Call) -> Result<Result<Value, PluginError>, String> {
        let Some(used) = &self.used else { return Err("it was never configured".to_owned()) };
        let settings = self.settings.clone().unwrap_or_default();
        let fresh = self.configured(&settings).map_err(|error| error.to_string())?.answer(call);
        if let Err(error @ (PluginError::Crashed(_) | PluginError::BrokeContract(_))) = fresh {
            return Err(error.to_string());
        }
        for _ in 0..2 {
            same(&fresh, &used.answer(call))?;
        }
        Ok(fresh)
    }
}

/// Whether an instance that was called before gives the answer of a new one.
pub(crate) fn same(
    new: &Result<Value, PluginError>,
    used: &Result<Value, PluginError>,
) -> Result<(), String> {
    if new == used {
        return Ok(());
    }
    let [new, used] = [new, used].map(told);
    Err(format!(
        "a new instance gives {new}, one that was called before {used}; nothing may be kept between calls"
    ))
}

/// An answer as a message tells it, and not all of a long one.
fn told(answer: &Result<Value, PluginError>) -> String {
    let text = match answer {
        Ok(answer) => answer.to_string(),
        Err(error) => format!("the error '{error}'"),
    };
    match text.char_indices().nth(MOST_TOLD) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
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
