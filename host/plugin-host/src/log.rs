//! Messages from plugins, and from the host about them.
//!
//! What a plugin logs is collected while its call runs and delivered when the call is over, so that the receiver
//! never runs inside a plugin's time limit.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::answer::shortened;
use crate::bindings::log;
use crate::limits::Limits;

/// How important a message is, least important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Detail for the author of the plugin.
    Trace,
    /// Detail for someone who looks into a surprising result.
    Debug,
    /// Progress worth showing by default.
    Info,
    /// The result stands, but the reader should know something about it.
    Warn,
    /// The plugin is about to fail.
    Error,
}

impl From<log::Level> for Level {
    fn from(level: log::Level) -> Self {
        match level {
            log::Level::Trace => Self::Trace,
            log::Level::Debug => Self::Debug,
            log::Level::Info => Self::Info,
            log::Level::Warn => Self::Warn,
            log::Level::Error => Self::Error,
        }
    }
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Who says it: a plugin such as `endpoint 'chat'`, a file, or `plugin host`.
    pub speaker: String,
    /// How important it is.
    pub level: Level,
    /// The text; a plugin's may have several lines.
    pub message: String,
}

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.speaker, self.message)
    }
}

/// Of all calls of one plugin, so many times the most messages of one call are kept.
const CALLS_WORTH: usize = 10;

/// Who receives the messages. Called from any thread that calls a plugin.
#[derive(Clone)]
pub struct LogSink {
    receive: Arc<dyn Fn(LogLine) + Send + Sync>,
    /// How many messages came from each speaker.
    delivered: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl LogSink {
    /// A sink that hands each message to `receive`.
    pub fn new(receive: impl Fn(LogLine) + Send + Sync + 'static) -> Self {
        Self { receive: Arc::new(receive), delivered: Arc::default() }
    }

    /// A sink that drops all messages.
    #[must_use]
    pub fn none() -> Self {
        Self::new(drop)
    }

    pub(crate) fn deliver(&self, line: LogLine) {
        (self.receive)(line);
    }

    /// Delivers messages of a plugin, up to `most` over all its calls. The last one is followed by a word that it was
    /// the last.
    fn deliver_of(
        &self,
        speaker: &str,
        messages: impl ExactSizeIterator<Item = (Level, String)>,
        most: usize,
    ) {
        let count = messages.len();
        let room = {
            let mut delivered = self.delivered.lock().unwrap_or_else(PoisonError::into_inner);
            let before = delivered.entry(speaker.to_owned()).or_default();
            let room = most.saturating_sub(*before);
            *before = before.saturating_add(count);
            room
        };
        for (level, message) in messages.take(room) {
            self.deliver(LogLine { speaker: speaker.to_owned(), level, message });
        }
        if (1..=count).contains(&room) {
            let message =
                format!("{most} messages are shown; all further ones are dropped, see --plugin-log-lines");
            self.deliver(LogLine { speaker: speaker.to_owned(), level: Level::Warn, message });
        }
    }

    /// A word of the host's own.
    pub(crate) fn notice(&self, message: String) {
        self.deliver(LogLine { speaker: "plugin host".to_owned(), level: Level::Warn, message });
    }
}

impl fmt::Debug for LogSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogSink")
    }
}

/// The messages of the call that is running.
#[derive(Debug)]
pub(crate) struct CallLog {
    most_lines: usize,
    lines: Vec<(Level, String)>,
    last_error: Option<String>,
    dropped: u64,
}

impl CallLog {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { most_lines: limits.log_lines, lines: Vec::new(), last_error: None, dropped: 0 }
    }

    pub(crate) fn add(&mut self, level: Level, message: String) {
        let message = shortened(message);
        // Kept even beyond the most lines: it often says why the call fails.
        if level == Level::Error {
            self.last_error = Some(message.clone());
        }
        if self.lines.len() < self.most_lines {
            self.lines.push((level, message));
        } else {
            self.dropped += 1;
        }
    }

    /// The last message of level [`Level::Error`].
    pub(crate) fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }

    /// Hands all messages to `sink` and makes room for those of the next call.
    pub(crate) fn deliver(&mut self, speaker: &str, sink: &LogSink) {
        self.last_error = None;
        if self.dropped > 0 {
            let message = format!("{} more messages of one call were dropped", self.dropped);
            self.dropped = 0;
            self.lines.push((Level::Warn, message));
        }
        // Most calls log nothing.
        if !self.lines.is_empty() {
            sink.deliver_of(speaker, self.lines.drain(..), self.most_lines.saturating_mul(CALLS_WORTH));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    fn delivered(log: &mut CallLog) -> Vec<String> {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let received = Arc::clone(&lines);
        log.deliver("x", &LogSink::new(move |line| received.lock().unwrap().push(line.message)));
        let lines = lines.lock().unwrap();
        lines.clone()
    }

    #[test]
    fn messages_beyond_the_most_are_counted_and_dropped() {
        let mut log = CallLog::new(&Limits { log_lines: 2, ..Limits::default() });
        for text in ["a", "b", "c", "d"] {
            log.add(Level::Info, text.to_owned());
        }
        assert_eq!(delivered(&mut log), ["a", "b", "2 more messages of one call were dropped"]);
        assert_eq!(delivered(&mut log), Vec::<String>::new());
    }

    #[test]
    fn a_long_message_is_cut() {
        let mut log = CallLog::new(&Limits::default());
        log.add(Level::Info, "x".repeat(1 << 20));
        assert!(delivered(&mut log)[0].len() < 5000);
    }

    #[test]
    fn of_all_calls_of_a_plugin_a_limited_number_of_messages_is_kept() {
        let texts = Arc::new(Mutex::new(Vec::new()));
        let received = Arc::clone(&texts);
        let sink = LogSink::new(move |line| received.lock().unwrap().push(line.message));
        let mut log = CallLog::new(&Limits { log_lines: 1, ..Limits::default() });
        for call in 0..1000 {
            log.add(Level::Info, call.to_string());
            log.deliver("x", &sink);
        }
        log.add(Level::Info, "another".to_owned());
        log.deliver("y", &sink);
        let texts = texts.lock().unwrap();
        assert_eq!(texts.len(), CALLS_WORTH + 2);
        assert_eq!(texts[CALLS_WORTH - 1], "9");
        assert!(texts[CALLS_WORTH].starts_with("10 messages are shown"), "{}", texts[CALLS_WORTH]);
        assert_eq!(texts[CALLS_WORTH + 1], "another");
    }

    #[test]
    fn the_last_error_is_known_even_if_its_line_was_dropped() {
        let mut log = CallLog::new(&Limits { log_lines: 0, ..Limits::default() });
        log.add(Level::Error, "why".to_owned());
        log.add(Level::Info, "later".to_owned());
        assert_eq!(log.last_error(), Some("why"));
    }
}
