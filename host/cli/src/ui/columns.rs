//! Which columns tables have, and the report curves of: what the catalogue says, as far as it was measured.

use aiperf_model::catalogue::{COLUMNS, Column};
use aiperf_model::sweep::SweepResult;

/// A column of the table of values.
pub(super) struct Shown {
    /// The key in the sweep file.
    pub(super) key: String,
    /// What stands over it.
    pub(super) header: String,
}

impl From<&Column> for Shown {
    fn from(column: &Column) -> Self {
        Self { key: column.key(), header: column.header() }
    }
}

/// The columns that some value has.
pub(super) fn columns(result: &SweepResult) -> Vec<Shown> {
    let is_measured = |key: &str| result.points.iter().any(|point| point.measurement(key).is_some());
    COLUMNS.iter().map(Shown::from).filter(|column| is_measured(&column.key)).collect()
}

/// Whether the summary tells the trends of a key; the files have those of all.
pub(super) fn tells_trend(key: &str) -> bool {
    COLUMNS.iter().any(|column| column.trend && column.key() == key)
}
