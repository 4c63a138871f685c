//! Flags that are documented but that this version does not have yet.
//!
//! They are parsed, so that the answer can say more than "unknown flag", and always refused: no flag is accepted and
//! then ignored. `--help` does not show them.

use crate::error::ConfigError;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

/// A flag, or one value of a flag, that is refused for now.
#[derive(Debug, PartialEq, Eq)]
pub struct Later {
    /// The flag without its dashes.
    pub name: &'static str,
    /// The flag as messages show it, with its value if only that value is refused.
    pub flag: &'static str,
    /// What to do now, as a clause.
    pub instead: &'static str,
}

impl From<&'static Later> for ConfigError {
    fn from(later: &'static Later) -> Self {
        Self::Later { flag: later.flag, instead: later.instead }
    }
}

/// `--ui dashboard` for a single run.
pub(crate) static DASHBOARD: Later =
    Later { name: "ui", flag: "--ui dashboard", instead: "use --ui simple or --ui none" };

/// The flags that are refused whatever their value.
pub static LATER: &[Later] = &[
    Later {
        name: "gpu-telemetry-url",
        flag: "--gpu-telemetry-url",
        instead: "remove it; the benchmark itself does not depend on it",
    },
    Later {
        name: "server-metrics-url",
        flag: "--server-metrics-url",
        instead: "remove it; the benchmark itself does not depend on it",
    },
    Later {
        name: "tokenizer",
        flag: "--tokenizer",
        instead: "remove it; tokens are counted by the server, else by the built-in tokenizer",
    },
];

/// The flags of [`LATER`] that were given. Clap sees them all; `--help` shows none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LaterFlags {
    given: Option<&'static Later>,
}

impl LaterFlags {
    /// The first one that was given, as an error.
    pub(crate) fn refuse(&self) -> Result<(), ConfigError> {
        self.given.map_or(Ok(()), |later| Err(later.into()))
    }
}

impl Args for LaterFlags {
    fn augment_args(command: Command) -> Command {
        command.args(LATER.iter().map(|later| {
            // With or without a value: the answer is the same.
            Arg::new(later.name).long(later.name).hide(true).num_args(0..=1).action(ArgAction::Append)
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for LaterFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = LATER.iter().find(|later| matches.contains_id(later.name));
        Ok(Self { given })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Refuse a key of the configuration file that is the name of such a flag.
pub(crate) fn refuse_key(key: &str) -> Result<(), ConfigError> {
    LATER.iter().find(|later| later.name == key).map_or(Ok(()), |later| Err(later.into()))
}
