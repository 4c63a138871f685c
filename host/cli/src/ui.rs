//! What the user sees: progress while the benchmark runs, tables when it is done.

mod columns;
mod failures;
pub(crate) mod format;
mod none;
mod page;
mod run_table;
mod simple;
mod summary;
mod table;
mod verdicts;

pub(crate) use failures::{failed_values, request_errors};
pub(crate) use none::Silent;
pub(crate) use page::page;
pub(crate) use run_table::run_table;
pub(crate) use simple::Simple;
pub(crate) use summary::{edited_files, summary};
pub(crate) use table::text_table;
pub(crate) use verdicts::verdicts;
