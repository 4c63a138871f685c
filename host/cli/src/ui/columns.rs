//! Which columns tables have, and the report curves of: what the catalogue says, as far as it was measured.

use aiperf_model::catalogue::{self, COLUMNS, MetricId, OpenMetric};
use aiperf_model::sweep::SweepResult;

/// A column of the table of values.
pub(super) struct Shown {
    /// The key in the sweep file.
    pub(super) key: String,
    /// What stands over it.
    pub(super) header: String,
}

/// The columns that some value has: those of the catalogue, and those of other metrics that the console shows.
pub(super) fn columns(result: &SweepResult) -> Vec<Shown> {
    let is_measured = |key: &str| result.points.iter().any(|point| point.measurement(key).is_some());
    let built_in = COLUMNS.iter().map(|column| Shown { key: column.key(), header: column.header() });
    let open = result.open_metrics.iter().map(OpenMetric::metric).filter(|metric| metric.console);
    let open = open.flat_map(|metric| {
        metric.sweep.iter().map(|statistic| Shown {
            key: metric.key(*statistic),
            header: format!("{} {} {}", metric.header, statistic.name(), metric.unit),
        })
    });
    built_in.chain(open).filter(|column| is_measured(&column.key)).collect()
}

/// The name of a metric in tables, by its tag.
pub(super) fn header<'a>(result: &'a SweepResult, tag: &str) -> Option<&'a str> {
    let built_in = catalogue::find(tag).map(MetricId::metric);
    let mut open = result.open_metrics.iter().map(OpenMetric::metric);
    built_in.or_else(|| open.find(|metric| metric.tag == tag)).map(|metric| metric.header.as_ref())
}

/// Whether the summary tells the trends of a key; the files have those of all.
pub(super) fn tells_trend(key: &str) -> bool {
    COLUMNS.iter().any(|column| column.trend && column.key() == key)
}
