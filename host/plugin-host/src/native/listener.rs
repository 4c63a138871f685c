//! Messages of native plugins: a call and what it logs are on one thread.

use std::cell::RefCell;

use crate::limits::Limits;
use crate::log::{CallLog, Level};

thread_local! {
    /// The messages of the call that this thread makes, if it makes one.
    static CALL: RefCell<Option<CallLog>> = const { RefCell::new(None) };
}

/// Runs a call, and tells what it logged.
pub(crate) fn listen<T>(limits: &Limits, call: impl FnOnce() -> T) -> (T, CallLog) {
    CALL.set(Some(CallLog::new(limits)));
    let result = call();
    (result, CALL.take().unwrap_or_else(|| CallLog::new(limits)))
}

/// Takes a message. Those of a thread that a plugin made for itself belong to no call and are dropped.
pub(crate) fn hear(level: u32, message: &str) {
    CALL.with_borrow_mut(|call| {
        if let Some(log) = call {
            log.add(level_of(level), message.to_owned());
        }
    });
}

fn level_of(number: u32) -> Level {
    match number {
        0 => Level::Trace,
        1 => Level::Debug,
        2 => Level::Info,
        3 => Level::Warn,
        _ => Level::Error,
    }
}
