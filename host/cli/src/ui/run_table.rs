//! The metrics of one run as a table.

use super::format;
use super::table::table;
use crate::lines::Lines;
use aiperf_metrics::bounds;
use aiperf_model::catalogue::Unit;
use aiperf_model::figure;
use aiperf_model::metrics::{RunMetrics, Statistic, Summary};
use format::OPEN;

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
pub(crate) fn run_table(metrics: &RunMetrics) -> Lines {
    let statistics = STATISTICS.iter().map(|statistic| statistic.name().to_owned());
    let header: Vec<_> = std::iter::once("Metric".to_owned()).chain(statistics).collect();
    let shown = || metrics.all().filter(|(metric, _)| metric.console);
    let rows = shown().map(|(metric, summary)| {
        let unit = &metric.unit;
        let name = format!("{} ({unit})", metric.header);
        std::iter::once(name)
            .chain(STATISTICS.iter().map(|statistic| cell(unit, summary, *statistic)))
            .collect()
    });
    let mut table = table(&header, rows);
    let any_open = shown().any(|(metric, summary)| {
        STATISTICS.iter().any(|statistic| is_open(&metric.unit, summary, *statistic))
    });
    if any_open {
        table.push("");
        table.push(open_bounds_note());
    }
    table
}

/// Times are what is read off the percentiles; lengths and counts are mostly as they were asked for.
fn is_open(unit: &Unit, summary: &Summary, statistic: Statistic) -> bool {
    unit.is_time() && summary.is_open(statistic)
}

fn cell(unit: &Unit, summary: &Summary, statistic: Statistic) -> String {
    let mark = if is_open(unit, summary, statistic) { OPEN } else { "" };
    summary.statistic(statistic).map_or_else(String::new, |value| figure::number(value) + mark)
}

/// What the mark means.
fn open_bounds_note() -> String {
    let [p90, p95, p99] = [0.9, 0.95, 0.99].map(bounds::needed);
    format!(
        "{OPEN} from too few requests for a 95 % bound on each side (p90 needs {p90}, p95 {p95}, p99 {p99}): send more, or measure for longer"
    )
}
