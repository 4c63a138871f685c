//! What the program takes from its surroundings beside its arguments.

use crate::diagnostics::VARIABLE;
use aiperf_plan::Environment;
use aiperf_plugin_host::user_plugin_dir;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::{env, io, thread};

/// The variables, the terminal and the machine as they are now.
pub(crate) fn read() -> Environment {
    Environment {
        openai_api_key: env::var("OPENAI_API_KEY").ok().map(Into::into),
        variables: env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?.into())))
            .collect(),
        plugin_dir: plugin_dir(),
        stdout_is_terminal: io::stdout().is_terminal(),
        cores: thread::available_parallelism().map_or(1, |cores| cores.get() as u32),
    }
}

/// What `AIPERF_LOG` holds, whatever that is.
pub(crate) fn log_level() -> Option<String> {
    env::var_os(VARIABLE).map(|level| level.to_string_lossy().into_owned())
}

/// The command line. A path of it that is no text cannot be written into a file of text, and loses what is none.
pub(crate) fn arguments() -> impl Iterator<Item = String> {
    env::args_os().map(|argument| argument.to_string_lossy().into_owned())
}

/// `AIPERF_PLUGIN_DIR`, which names none if it is empty, else the user's own directory if there is one.
pub(crate) fn plugin_dir() -> Option<PathBuf> {
    match env::var_os("AIPERF_PLUGIN_DIR") {
        Some(directory) if directory.is_empty() => None,
        Some(directory) => Some(directory.into()),
        None => user_plugin_dir().filter(|directory| directory.is_dir()),
    }
}
