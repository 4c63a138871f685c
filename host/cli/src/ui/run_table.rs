//! The metrics of one run as a table.

use super::format;
use super::table::table;
use aiperf_model::metrics::{RunMetrics, Statistic, Summary};
use comfy_table::Table;

const STATISTICS: [Statistic; 7] = [
    Statistic::Avg,
    Statistic::Min,
    Statistic::Max,
    Statistic::P99,
    Statistic::P90,
    Statistic::P50,
    Statistic::Std,
];

/// A row per metric that the catalogue marks for the console.
pub(crate) fn run_table(metrics: &RunMetrics) -> Table {
    let statistics = STATISTICS.iter().map(|statistic| statistic.name().to_owned());
    let header = std::iter::once("Metric".to_owned()).chain(statistics).collect();
    let shown = metrics.entries.iter().filter(|(id, _)| id.metric().console);
    let rows = shown.map(|(id, summary)| {
        let name = format!("{} ({})", id.metric().header, id.metric().unit);
        std::iter::once(name).chain(STATISTICS.iter().map(|statistic| cell(summary, *statistic))).collect()
    });
    table(header, rows)
}

fn cell(summary: &Summary, statistic: Statistic) -> String {
    summary.statistic(statistic).map_or_else(String::new, format::number)
}
