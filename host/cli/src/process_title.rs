//! Keys on the command line, kept from everybody who lists the processes of the machine.
//!
//! A process cannot change the arguments that others see, but it can begin anew with others: as the same process, with
//! placeholders for its keys, and the keys in its environment, which only its user can read.

use crate::redaction::without_secrets;
use crate::say;
use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::process::Command;

/// The arguments behind the placeholders, by position, as JSON.
const HIDDEN: &str = "AIPERF_HIDDEN_ARGUMENTS";

/// The arguments as the user wrote them. Where they hold secrets, this begins the program anew and does not return.
pub(crate) fn arguments() -> Vec<OsString> {
    let arguments: Vec<OsString> = env::args_os().collect();
    if let Some(hidden) = env::var(HIDDEN).ok().and_then(|hidden| serde_json::from_str(&hidden).ok()) {
        return restored(arguments, hidden);
    }
    if let Err(problem) = begin_anew(&arguments) {
        say!(
            "note: others on this machine can see the key in the list of processes, since {problem}; give it as OPENAI_API_KEY"
        );
    }
    arguments
}

/// Arguments with the hidden ones in place.
fn restored(arguments: Vec<OsString>, mut hidden: BTreeMap<usize, String>) -> Vec<OsString> {
    let argument = |(position, shown)| hidden.remove(&position).map_or(shown, Into::into);
    arguments.into_iter().enumerate().map(argument).collect()
}

/// Returns if there is nothing to hide, or if that is not possible.
fn begin_anew(arguments: &[OsString]) -> Result<(), String> {
    // What is no text is no key that could be sent.
    let texts = arguments.iter().map(|argument| argument.to_string_lossy().into_owned());
    let shown = without_secrets(texts.clone());
    let hidden: BTreeMap<usize, String> = texts
        .zip(&shown)
        .enumerate()
        .filter(|(_, (text, shown))| text != *shown)
        .map(|(position, (text, _))| (position, text))
        .collect();
    if hidden.is_empty() {
        return Ok(());
    }
    let shown = arguments.iter().zip(shown).enumerate().map(|(position, (argument, shown))| {
        if hidden.contains_key(&position) { shown.into() } else { argument.clone() }
    });
    let mut command = Command::new(env::current_exe().map_err(|error| error.to_string())?);
    command.env(HIDDEN, serde_json::to_string(&hidden).map_err(|error| error.to_string())?);
    become_this(command, shown.collect())
}

#[cfg(unix)]
fn become_this(mut command: Command, arguments: Vec<OsString>) -> Result<(), String> {
    use std::os::unix::process::CommandExt as _;
    let mut arguments = arguments.into_iter();
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    Err(command.args(arguments).exec().to_string())
}

/// Elsewhere a process cannot become another one.
#[cfg(not(unix))]
fn become_this(_command: Command, _arguments: Vec<OsString>) -> Result<(), String> {
    Err("this system cannot hide it".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_arguments_come_back_in_their_places() {
        let shown = ["aiperf", "--api-key", "<redacted>", "-H<redacted>"].map(OsString::from).to_vec();
        let hidden = BTreeMap::from([(2, "sk-1".to_owned()), (3, "-Hx: y".to_owned())]);
        assert_eq!(restored(shown, hidden), ["aiperf", "--api-key", "sk-1", "-Hx: y"]);
    }
}
