//! `profile_export_aiperf_sweep.csv`: the sweep as tables.
//!
//! The first table has one row per value and can be read alone up to the first empty row; a column is
//! `<key>_<statistic> (<unit>)`. Then follow the best configurations, the Pareto optimal points, the trends, the
//! verdicts, the drift where there are trials enough to test it, and the metadata, each under a row with its title. Numbers keep all their digits; an unknown one is an empty cell.

use crate::csv_tables::{self, Tables};
use crate::error::ArtifactError;
use crate::export::Exporter;
use crate::layout;
use crate::parameters;
use crate::rows::MeasurementRow;
use aiperf_model::catalogue;
use aiperf_model::conclusion::{Front, Trend};
use aiperf_model::parameter::Parameter;
use aiperf_model::point::{Measurement, Point};
use aiperf_model::sweep::SweepResult;
use std::collections::{BTreeMap, BTreeSet};

type Row = Vec<String>;

/// The sweep as tables.
#[derive(Clone, Copy, Debug)]
pub struct SweepCsv;

impl Exporter<SweepResult> for SweepCsv {
    fn file_name(&self) -> &'static str {
        layout::SWEEP_CSV
    }

    fn encode(&self, result: &SweepResult) -> Result<Vec<u8>, ArtifactError> {
        let mut tables = Tables::default();
        tables.table(metrics(result))?;
        tables.table(best_configurations(result))?;
        tables.table(pareto_optimal(result))?;
        tables.table(trends(result))?;
        tables.table(verdicts(result))?;
        if !result.drift.is_empty() {
            tables.table(drift(result))?;
        }
        tables.table(metadata(result))?;
        Ok(tables.into_bytes())
    }
}

/// A key of some point, with its unit.
struct Column<'a> {
    key: &'a str,
    unit: &'a str,
}

/// The statistics over the trials of one key, each with its unit.
fn headings(column: &Column<'_>) -> Row {
    let key = column.key;
    let with_unit = |statistic: &str| match column.unit {
        "" => format!("{key}_{statistic}"),
        unit => format!("{key}_{statistic} ({unit})"),
    };
    let [mean, std, min, max] = ["mean", "std", "min", "max"].map(with_unit);
    let [low, high] = ["ci_low", "ci_high"].map(with_unit);
    vec![mean, std, min, max, format!("{key}_cv"), low, high]
}

/// The same statistics as numbers; empty cells where a value lacks the key.
fn cells(row: Option<MeasurementRow<'_>>) -> Row {
    let numbers = row.map_or([None; 7], |row| {
        [Some(row.mean), row.std, row.min, row.max, row.cv, row.ci_low, row.ci_high]
    });
    numbers.map(csv_tables::number).to_vec()
}

fn metrics(result: &SweepResult) -> Vec<Row> {
    let columns = columns(&result.points);
    let headings = columns.iter().flat_map(headings);
    let first = result.axes.iter().cloned().chain(std::iter::once("trials".to_owned()));
    let mut rows = vec![first.chain(headings).collect()];
    for point in &result.points {
        let by_key: BTreeMap<&str, &Measurement> =
            point.measurements.iter().map(|m| (m.key.as_str(), m)).collect();
        let cells = columns.iter().flat_map(|column| {
            cells(by_key.get(column.key).map(|measurement| MeasurementRow::new(point, measurement)))
        });
        let trials = std::iter::once(point.trials.to_string());
        rows.push(values(&point.parameters).chain(trials).chain(cells).collect());
    }
    rows
}

/// The keys of all points in the order of the catalogue; those it does not know come last, as they first appear.
fn columns(points: &[Point]) -> Vec<Column<'_>> {
    let mut columns: Vec<Column<'_>> = Vec::new();
    let mut seen = BTreeSet::new();
    for measurement in points.iter().flat_map(|point| &point.measurements) {
        if seen.insert(measurement.key.as_str()) {
            columns.push(Column { key: &measurement.key, unit: &measurement.unit });
        }
    }
    columns.sort_by_cached_key(|column| {
        let known = catalogue::find_key(column.key);
        (known.is_none(), known)
    });
    columns
}

fn best_configurations(result: &SweepResult) -> Vec<Row> {
    let headings = ["Metric", "Unit", "Metric Name", "CI Low", "CI High"].map(str::to_owned);
    let first = std::iter::once("Configuration".to_owned());
    let mut rows = vec![
        title("Best Configurations"),
        first.chain(result.axes.iter().cloned()).chain(headings).collect(),
    ];
    for best in &result.conclusions.best {
        let cells = [
            csv_tables::number(Some(best.value)),
            best.unit.clone(),
            best.metric.clone().unwrap_or_default(),
            csv_tables::number(best.confidence.map(|interval| interval.low)),
            csv_tables::number(best.confidence.map(|interval| interval.high)),
        ];
        let name = std::iter::once(format!("Best {}", title_case(&best.objective)));
        rows.push(name.chain(values(&best.parameters)).chain(cells).collect());
    }
    rows
}

fn pareto_optimal(result: &SweepResult) -> Vec<Row> {
    let mut rows = vec![title("Pareto Optimal Points"), result.axes.clone()];
    let optimal = result.conclusions.chosen_front().into_iter().flat_map(Front::optimal);
    rows.extend(optimal.map(|member| values(&member.parameters).collect::<Row>()));
    if rows.len() == 2 {
        rows.push(vec!["None".to_owned()]);
    }
    rows
}

fn trends(result: &SweepResult) -> Vec<Row> {
    let headings =
        ["Metric", "Parameter", "Fixed", "Detector", "Inflection Points", "Rate of Change", "Derived"];
    let mut rows = vec![title("Trends"), headings.map(str::to_owned).to_vec()];
    rows.extend(result.conclusions.trends.iter().map(|trend| {
        vec![
            trend.key.clone(),
            parameter_of(trend),
            parameters::label(&trend.fixed),
            trend.detector.clone(),
            csv_tables::numbers(&trend.inflection_points()),
            csv_tables::numbers(&trend.rate_of_change),
            derived(trend),
        ]
    }));
    rows
}

/// The numbers that only this detector has, as `curvature: 0.5, 0.25; steps: 1, 2`.
fn derived(trend: &Trend) -> String {
    let lists = trend.derived.iter();
    let named = lists.map(|derived| format!("{}: {}", derived.name, csv_tables::numbers(&derived.values)));
    named.collect::<Vec<_>>().join("; ")
}

/// `concurrency`, or `concurrency with isl` where others change along with it.
fn parameter_of(trend: &Trend) -> String {
    std::iter::once(&trend.parameter)
        .chain(&trend.along_with)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(" with ")
}

fn verdicts(result: &SweepResult) -> Vec<Row> {
    let headings = ["Verdict", "Reasons"].map(str::to_owned);
    let mut rows = vec![title("Verdicts"), result.axes.iter().cloned().chain(headings).collect()];
    rows.extend(result.verdicts.iter().map(|value| {
        let reasons: Vec<&str> = value.verdict.reasons.iter().map(|reason| reason.message.as_str()).collect();
        values(&value.parameters).chain([value.verdict.verdict.to_string(), reasons.join("; ")]).collect()
    }));
    rows
}

fn drift(result: &SweepResult) -> Vec<Row> {
    let headings = [
        "Metric",
        "Relative Change",
        "Relative Change per Hour",
        "P Value",
        "Adjusted P Value",
        "Significant",
    ];
    let mut rows = vec![title("Drift"), headings.map(str::to_owned).to_vec()];
    rows.extend(result.drift.iter().map(|drift| {
        let figures =
            [drift.relative_change, drift.relative_change_per_hour, drift.p_value, drift.adjusted_p_value];
        let figures = figures.map(|figure| csv_tables::number(Some(figure)));
        std::iter::once(drift.metric.clone()).chain(figures).chain([drift.significant.to_string()]).collect()
    }));
    rows
}

fn metadata(result: &SweepResult) -> Vec<Row> {
    let failed: Vec<String> =
        result.failed_values.iter().map(|failed| parameters::label(&failed.parameters)).collect();
    let fields = [
        ("Aggregation Type", "sweep".to_owned()),
        ("Parameter Name", result.axes.join(", ")),
        ("Number of Values", result.values.len().to_string()),
        ("Number of Successful Values", result.points.len().to_string()),
        ("Failed Values", failed.join("; ")),
        ("Failed Trials", result.failed_trials.len().to_string()),
        ("Trials per Value", result.trials_per_value.to_string()),
        ("Sweep Mode", result.order.name().to_owned()),
        ("Confidence Level", result.confidence_level.to_string()),
        ("Pareto Criterion", result.conclusions.chosen_criterion.clone().unwrap_or_default()),
    ];
    let mut rows = vec![title("Metadata"), vec!["Field".to_owned(), "Value".to_owned()]];
    rows.extend(fields.map(|(field, value)| vec![field.to_owned(), value]));
    rows
}

fn title(text: &str) -> Row {
    vec![text.to_owned()]
}

fn values(parameters: &[Parameter]) -> impl Iterator<Item = String> {
    parameters.iter().map(|parameter| parameter.value.to_string())
}

/// `latency-p99` as `Latency P99`.
fn title_case(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| first.to_uppercase().chain(letters).collect::<String>())
            .unwrap_or_default()
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn text(result: &SweepResult) -> String {
        String::from_utf8(SweepCsv.encode(result).unwrap()).unwrap()
    }

    #[test]
    fn a_sweep_with_trials() {
        insta::assert_snapshot!(text(&fixture::sweep(3)));
    }

    #[test]
    fn a_sweep_over_two_parameters() {
        insta::assert_snapshot!(text(&fixture::two_axes()));
    }

    #[test]
    fn the_first_table_reads_alone() {
        let text = text(&fixture::sweep(2));
        let first = text.split("\r\n\r\n").next().unwrap();
        let mut reader = csv::Reader::from_reader(first.as_bytes());
        let at = reader.headers().unwrap().iter().position(|h| h == "ttft_p99_ms_mean (ms)").unwrap();
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 2);
        assert_eq!((&rows[1][0], &rows[1][at]), ("20", "145.75"));
    }

    #[test]
    fn a_metric_that_only_some_values_have_leaves_empty_cells() {
        let mut result = fixture::sweep(1);
        result.points[0].measurements.remove(0);
        let text = text(&result);
        let mut lines = text.lines();
        assert!(
            lines
                .next()
                .unwrap()
                .starts_with("concurrency,trials,request_throughput_avg_mean (requests/sec)")
        );
        assert!(lines.next().unwrap().starts_with("10,1,,,,,,,,125.5"));
    }

    #[test]
    fn a_sweep_without_a_front_says_none() {
        let mut result = fixture::sweep(1);
        result.conclusions.fronts.clear();
        assert!(text(&result).contains("Pareto Optimal Points\r\nconcurrency\r\nNone\r\n"));
    }
}
