//! Messages to the person who runs the benchmark.
//!
//! Inside of the host they go to the host; in the author's tests they go to standard error.

pub use crate::generated::base::aiperf::plugin::log::Level;

/// Sends `message` with a level chosen at run time.
pub fn emit(level: Level, message: &str) {
    #[cfg(target_arch = "wasm32")]
    crate::generated::base::aiperf::plugin::log::emit(level, message);
    #[cfg(not(target_arch = "wasm32"))]
    if !crate::native::table::emit(level, message) {
        eprintln!("{level:?}: {message}");
    }
}

/// Says something that only the author of the plugin wants to know.
pub fn trace(message: &str) {
    emit(Level::Trace, message);
}

/// Says something for someone who looks into a surprising result.
pub fn debug(message: &str) {
    emit(Level::Debug, message);
}

/// Says something worth showing by default.
pub fn info(message: &str) {
    emit(Level::Info, message);
}

/// Says something that the reader of the result should know.
pub fn warn(message: &str) {
    emit(Level::Warn, message);
}

/// Says why the plugin is about to fail. Return an [`Error`](crate::Error) as well.
pub fn error(message: &str) {
    emit(Level::Error, message);
}

/// Lets the message of a panic reach the host, which otherwise only sees that the plugin stopped.
pub(crate) fn report_panics() {
    #[cfg(target_arch = "wasm32")]
    {
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| std::panic::set_hook(Box::new(|panic| error(&panic.to_string()))));
    }
}
