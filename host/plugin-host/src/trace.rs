//! Failed calls, kept with their input so that they can be repeated.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use aiperf_model::plugin::{Kind, PluginError};
use aiperf_model::secret::Secrets;

use crate::case::{Call, Case};
use crate::log::LogSink;
use crate::unsaid::hide_in_events;

/// After how many files no more are written: what fails a thousand times fails in few ways.
const MOST_FILES: u32 = 20;

/// Where failed calls are kept.
#[derive(Clone, Debug)]
pub(crate) struct Traces {
    directory: PathBuf,
    secrets: Secrets,
    written: Arc<AtomicU32>,
}

impl Traces {
    pub(crate) fn new(directory: PathBuf, secrets: Secrets) -> Self {
        Self { directory, secrets, written: Arc::default() }
    }

    /// The call without secrets that a server may have spread over the events of its response.
    fn hidden(&self, call: Call) -> Call {
        match call {
            Call::Parse { mut events, streamed } => {
                hide_in_events(&mut events, &self.secrets);
                Call::Parse { events, streamed }
            }
            other => other,
        }
    }

    /// Writes a failed call into a file of its own. A file that cannot be written is told and changes nothing else.
    pub(crate) fn keep(
        &self,
        (kind, name): (Kind, &str),
        settings: &str,
        call: Call,
        error: &PluginError,
        log: &LogSink,
    ) {
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        if number >= MOST_FILES {
            return;
        }
        let file = format!("{kind}-{name}-{}-{}.json", call.function(), number + 1);
        let path = self.directory.join(file);
        let case = Case {
            plugin: Some(name.to_owned()),
            call: self.hidden(call),
            settings: serde_json::from_str(settings).unwrap_or_default(),
            error: Some(error.to_string()),
            answer: None,
        };
        let write = |text: String| {
            aiperf_files::replace_in_folder(&path, self.secrets.hide(&text).as_bytes())
                .map_err(io::Error::from)
        };
        let written = serde_json::to_string_pretty(&case).map_err(Into::into).and_then(write);
        match written {
            Ok(()) => log.notice(format!(
                "the failed call is kept; repeat it with `aiperf plugin test --trace {}`",
                path.display()
            )),
            Err(error) => {
                log.notice(format!("the failed call cannot be kept in '{}': {error}", path.display()));
            }
        }
    }
}
