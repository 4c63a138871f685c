//! What the user sees: progress while the benchmark runs, tables when it is done.

mod format;
mod none;
mod run_table;
mod simple;
mod summary;
mod table;

pub use none::Silent;
pub use run_table::run_table;
pub use simple::Simple;
pub use summary::summary;
