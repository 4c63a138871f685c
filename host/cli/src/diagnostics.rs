//! What the program tells about itself on standard error where it is asked to: `--verbose`, or `AIPERF_LOG` with a level.
//!
//! Only this project's own crates speak. Libraries stay silent: some of them have a word for every frame on the wire, and
//! one that is never heard costs a request nothing.

use crate::lines::Lines;
use std::fmt::{self, Write as _};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, set_global_default};
use tracing::{Event, Metadata, Subscriber};

/// The variable that names the level.
pub(crate) const VARIABLE: &str = "AIPERF_LOG";

/// Tells from now on what a level lets through; nothing without one.
///
/// # Errors
///
/// The variable holds no level; the text says which there are.
pub(crate) fn begin(verbose: bool, variable: Option<&str>) -> Result<(), String> {
    let level = level(verbose, variable)?;
    if level != LevelFilter::OFF {
        // There is none yet: a process comes here once.
        let _ = set_global_default(Diagnostics { level });
    }
    Ok(())
}

/// What is wanted: the flag is the level `debug`, and a variable that asks for more is heard.
fn level(verbose: bool, variable: Option<&str>) -> Result<LevelFilter, String> {
    let asked = match variable.map(str::trim).filter(|text| !text.is_empty()) {
        None => LevelFilter::OFF,
        Some(text) => text.parse().map_err(|_| {
            format!("{VARIABLE}='{text}' is no level; write error, warn, info, debug, trace or off")
        })?,
    };
    Ok(if verbose { asked.max(LevelFilter::DEBUG) } else { asked })
}

/// Writes each event as a line.
struct Diagnostics {
    level: LevelFilter,
}

impl Diagnostics {
    fn hears(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with("aiperf") && *metadata.level() <= self.level
    }
}

impl Subscriber for Diagnostics {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.hears(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.hears(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn event(&self, event: &Event<'_>) {
        crate::console::say_lines(&line(event));
    }

    // Nothing here happens within something else that its line would not name; so there are no spans.
    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}
    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}
    fn enter(&self, _span: &Id) {}
    fn exit(&self, _span: &Id) {}
}

/// Level, part of the program, message, and fields with their names.
fn line(event: &Event<'_>) -> Lines {
    let metadata = event.metadata();
    let part = metadata.target().split("::").next().unwrap_or_default();
    let mut text = Text::default();
    event.record(&mut text);
    let level = metadata.level().as_str().to_ascii_lowercase();
    Lines::of(format_args!("{level}: {part}: {}{}", text.message, text.fields))
}

/// The message and the fields of an event, as text.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flag_and_variable_add_up() {
        assert_eq!(level(false, None), Ok(LevelFilter::OFF));
        assert_eq!(level(false, Some("")), Ok(LevelFilter::OFF));
        assert_eq!(level(false, Some("warn")), Ok(LevelFilter::WARN));
        assert_eq!(level(true, Some("off")), Ok(LevelFilter::DEBUG));
        assert_eq!(level(true, Some("trace")), Ok(LevelFilter::TRACE));
        let told = level(true, Some("loud")).unwrap_err();
        assert_eq!(told, "AIPERF_LOG='loud' is no level; write error, warn, info, debug, trace or off");
    }
}
