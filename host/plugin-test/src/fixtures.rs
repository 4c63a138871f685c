//! The author's files: inputs with the answers that are expected.

use crate::compare::difference;
use crate::contract::{Subject, same};
use crate::outcome::Outcome;
use crate::recorded::Recorded;
use aiperf_model::plugin::{Kind, PluginError};
use aiperf_plugin_host::{Case, PluginHost};
use serde_json::{Map, Value};
use std::fs;
use std::path::{Path, PathBuf};

/// A file, and what is in it or why that is nothing.
pub(crate) struct Fixture {
    name: String,
    content: Result<Content, String>,
}

struct Content {
    case: Case,
    /// The response that the input was read from.
    recorded: Option<Recorded>,
}

/// The most bytes of a fixture, and of the response in it.
pub(crate) const LARGEST: u64 = 64 << 20;

/// The `.json` files of a directory, by name.
pub(crate) fn read(directory: &Path) -> Vec<Fixture> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let name = |path: &Path| path.file_name().unwrap_or_default().display().to_string();
    paths.iter().map(|path| Fixture { name: name(path), content: read_file(path) }).collect()
}

fn read_file(path: &Path) -> Result<Content, String> {
    let text = aiperf_files::read(path, LARGEST).map_err(|error| error.to_string())?;
    let mut value: Value = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    let file = value.get("response").and_then(Value::as_str).map(str::to_owned);
    let recorded = file.map(|file| Recorded::read(&path.with_file_name(file))).transpose()?;
    if let (Some(recorded), Some(members)) = (&recorded, value.as_object_mut()) {
        members.insert("input".to_owned(), recorded.input());
    }
    Ok(Content { case: Case::from_value(value).map_err(|error| error.to_string())?, recorded })
}

/// The calls in the `.json` files of a directory, by the names of the files; those that cannot be read are left out.
pub(crate) fn cases(directory: &Path) -> Vec<(String, Case)> {
    let content = |Fixture { name, content }| Some((name, content.ok()?.case));
    read(directory).into_iter().filter_map(content).collect()
}

/// The settings of the fixtures for plugins of a kind.
pub(crate) fn settings(fixtures: &[Fixture], kind: Kind) -> Vec<Map<String, Value>> {
    let cases = fixtures.iter().filter_map(|fixture| Some(&fixture.content.as_ref().ok()?.case));
    cases.filter(|case| case.call.kind() == kind).map(|case| case.settings.clone()).collect()
}

/// Repeats the fixtures for plugins of the subject's kind, and tells of those that cannot be read.
pub(crate) fn replay(subject: &Subject, fixtures: &[Fixture]) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for Fixture { name, content } in fixtures {
        let named = |check: &str, result| Outcome::new(format!("{check} {name}"), result);
        match content {
            Err(problem) => outcomes.push(named("can read", Err(problem.clone()))),
            Ok(Content { case, .. }) if case.call.kind() != subject.plugin.kind => {}
            Ok(Content { case, recorded }) => {
                outcomes.push(named("answers as in", replay_case(subject, case)));
                if let Some(recorded) = recorded {
                    outcomes
                        .push(named("takes no part for the whole of", recorded.check_cuts(subject, case)));
                }
            }
        }
    }
    outcomes
}

fn replay_case(subject: &Subject, case: &Case) -> Result<(), String> {
    match (answer_to(subject, case)?, &case.error, &case.answer) {
        (Ok(answer), None, Some(expected)) => difference(expected, &answer),
        (Ok(answer), Some(expected), _) => {
            Err(format!("an error with '{expected}' is expected, but the answer is {answer}"))
        }
        (Err(error), Some(expected), _) if error.to_string().contains(expected) => Ok(()),
        (Err(error), _, _) => Err(error.to_string()),
        (Ok(_), None, None) => Ok(()),
    }
}

/// What the plugin answers, which must be the same when it is asked again.
fn answer_to(subject: &Subject, case: &Case) -> Result<Result<Value, PluginError>, String> {
    let callee = match subject.configured(&case.settings) {
        Ok(callee) => callee,
        Err(error) => return Ok(Err(error)),
    };
    let first = callee.answer(&case.call);
    match &first {
        // A crash ends the instance, and what it kept with it.
        Err(PluginError::Crashed(_)) => Ok(first),
        _ => same(&first, &callee.answer(&case.call)).map(|()| first),
    }
}

/// Makes the failed call of a trace again, on the plugin of the same name in `host`.
///
/// # Errors
///
/// If the file is no trace. What becomes of the call is in the outcome.
pub fn replay_trace(host: &PluginHost, path: &Path) -> Result<Outcome, String> {
    let Content { case, .. } =
        read_file(path).map_err(|problem| format!("{} is no trace: {problem}", path.display()))?;
    let Some(name) = &case.plugin else {
        return Err(format!("{} is no trace: it names no plugin", path.display()));
    };
    let answer = case.run(host, name).map(drop).map_err(|error| error.to_string());
    Ok(Outcome::new(format!("{} '{name}' answers {}", case.call.kind(), case.call.function()), answer))
}
