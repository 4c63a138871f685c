//! What a trap means, in words for the user.

use std::time::Duration;

use aiperf_model::plugin::PluginError;
use wasmtime::Trap;

use crate::limits::Limits;
use crate::sandbox::Context;

/// Which call it was, and what it was allowed.
pub(crate) struct CallSite<'a> {
    /// Who was called, such as `endpoint 'chat'`.
    pub(crate) speaker: &'a str,
    /// The function of the contract.
    pub(crate) function: &'static str,
    /// How long it may run.
    pub(crate) time: Duration,
    /// The other limits.
    pub(crate) limits: &'a Limits,
}

impl CallSite<'_> {
    /// The error for a call that did not come back.
    pub(crate) fn crashed(&self, error: &wasmtime::Error, context: &Context) -> PluginError {
        PluginError::Crashed(format!("{} {}", self.speaker, self.what_happened(error, context)))
    }

    fn what_happened(&self, error: &wasmtime::Error, context: &Context) -> String {
        let function = self.function;
        if context.budget.exhausted {
            return format!("tried to use more than {} of memory in {function}", size(self.limits.memory));
        }
        if is_output_limit(error) {
            return format!("logged or returned more than {} in {function}", size(self.limits.output));
        }
        if is_instance_limit(error) {
            return format!(
                "consists of more than {} WebAssembly instances, tables or memories",
                self.limits.instances
            );
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::Interrupt) => {
                format!("ran longer than {} in {function} and was stopped", seconds(self.time))
            }
            Some(Trap::StackOverflow) => format!("called itself too deeply in {function}"),
            Some(Trap::MemoryOutOfBounds) => {
                format!("reached outside of its memory in {function}, as endless recursion does")
            }
            Some(Trap::UnreachableCodeReached) => {
                format!("panicked in {function}{}", panic_message(context.log.last_error()))
            }
            Some(trap) => format!("failed in {function}: {trap}"),
            None => format!("broke the contract in {function}: {}", error.root_cause()),
        }
    }
}

/// A guest cannot pass on the text of a panic but by logging it before it stops.
pub(crate) fn panic_message(logged: Option<&str>) -> String {
    let Some(message) = logged else {
        return String::new();
    };
    format!(": {}", one_line(message.strip_prefix("panicked at ").unwrap_or(message)))
}

fn one_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join(" ")
}

/// wasmtime keeps the type of this error to itself, so it can only be known by its text.
fn is_output_limit(error: &wasmtime::Error) -> bool {
    error.root_cause().to_string().contains("fuel allocated for hostcalls")
}

/// The same holds for this one.
fn is_instance_limit(error: &wasmtime::Error) -> bool {
    error.root_cause().to_string().contains("count too high")
}

fn size(bytes: usize) -> String {
    const MIB: usize = 1 << 20;
    if bytes >= MIB && bytes.is_multiple_of(MIB) {
        format!("{} MiB", bytes / MIB)
    } else {
        format!("{bytes} bytes")
    }
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_read_as_they_are_written_in_flags() {
        assert_eq!(size(64 << 20), "64 MiB");
        assert_eq!(size(1000), "1000 bytes");
        assert_eq!(seconds(Duration::from_secs(1)), "1 s");
        assert_eq!(seconds(Duration::from_millis(50)), "0.05 s");
    }

    #[test]
    fn a_panic_message_becomes_one_line() {
        assert_eq!(
            panic_message(Some("panicked at src/lib.rs:10:9:\nno such sample: 2")),
            ": src/lib.rs:10:9: no such sample: 2"
        );
        assert_eq!(panic_message(None), "");
    }
}
