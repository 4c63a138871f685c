//! Which charts a report has.

use super::chart::{Chart, Labelled, Line, Sample};
use crate::ui::columns::{columns, header, tells_trend};
use crate::ui::format;
use aiperf_model::conclusion::Conclusions;
use aiperf_model::parameter::{self, Parameter};
use aiperf_model::point::{Measurement, Point};
use aiperf_model::sweep::SweepResult;
use maud::{Markup, PreEscaped, html};

/// More lines than these cannot be told apart in one chart.
const MOST_LINES: usize = 7;
/// The objectives whose trade-off has a chart: the ones that are always there.
const TRADE_OFF: [&str; 2] = ["throughput", "latency-p99"];

/// The trade-off and one chart for each column of the summary; nothing where nothing is swept.
pub(super) fn figures(result: &SweepResult) -> Markup {
    if result.points.len() < 2 {
        return html! {};
    }
    let columns = columns(result);
    let curves = columns.iter().filter_map(|column| curve(result, &column.key));
    let figures: Vec<_> = trade_off(result).into_iter().chain(curves).collect();
    html! {
        @if !figures.is_empty() {
            h2 { "Curves" }
            div.figures { @for figure in &figures { (figure) } }
        }
    }
}

fn figure(chart: &Chart, caption: &str) -> Option<Markup> {
    let svg = chart.svg()?;
    Some(html! { figure { (PreEscaped(svg)) figcaption { (caption) } } })
}

fn trade_off(result: &SweepResult) -> Option<Markup> {
    let Conclusions { best, .. } = &result.conclusions;
    let key_of = |name: &str| best.iter().find(|best| best.objective == name)?.metric.as_deref();
    let [x_key, y_key] = TRADE_OFF.map(key_of);
    let (x_key, y_key) = (x_key?, y_key?);
    let front = result.conclusions.chosen_front();
    let point = |point: &Point| {
        Some(Labelled {
            x: point.measurement(x_key)?.mean,
            y: point.measurement(y_key)?.mean,
            label: format::values(&point.parameters),
            is_chosen: front
                .is_some_and(|front| front.optimal().any(|member| member.point_index == point.index)),
        })
    };
    let points: Vec<_> = result.points.iter().filter_map(point).collect();
    let unit = |key: &str| result.points.iter().find_map(|point| point.measurement(key));
    let chart = Chart {
        x_name: named(result, x_key, unit(x_key)?),
        y_name: named(result, y_key, unit(y_key)?),
        points,
        ..Chart::default()
    };
    let filled = front.map(|front| format!("; filled: optimal by {}", front.criterion));
    figure(
        &chart,
        &format!("Each point is a value of {}{}", result.axes.join(", "), filled.unwrap_or_default()),
    )
}

/// One metric over the first parameter, with a line for each combination of the others.
fn curve(result: &SweepResult, key: &str) -> Option<Markup> {
    let axis = result.axes.first()?;
    let mut lines: Vec<(Vec<&Parameter>, Line)> = Vec::new();
    let mut points: Vec<(f64, &Point)> =
        result.points.iter().filter_map(|point| Some((position(point, axis)?, point))).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (x, point) in points {
        let Some(measurement) = point.measurement(key) else { continue };
        let others: Vec<_> = point.parameters.iter().filter(|parameter| parameter.name != *axis).collect();
        let place = lines.iter().position(|(fixed, _)| *fixed == others);
        let sample = sample(x, measurement);
        match place.and_then(|place| lines.get_mut(place)) {
            Some((_, line)) => line.samples.push(sample),
            None => lines.push((others, Line { name: String::new(), samples: vec![sample] })),
        }
    }
    // Where nothing ever happened there is nothing to see.
    let is_flat_zero = lines.iter().flat_map(|(_, line)| &line.samples).all(|sample| sample.y == 0.0);
    if is_flat_zero {
        return None;
    }
    let all = lines.len();
    lines.truncate(MOST_LINES);
    let is_single = all == 1;
    let lines = lines.into_iter().map(|(others, line)| Line {
        name: if is_single { String::new() } else { describe(&others) },
        ..line
    });
    let measurement = result.points.iter().find_map(|point| point.measurement(key))?;
    let knees = knees(result, key);
    let chart = Chart {
        x_name: axis.clone(),
        y_name: named(result, key, measurement),
        lines: lines.collect(),
        marks: if is_single { knees.clone() } else { Vec::new() },
        points: Vec::new(),
    };
    let mut caption = vec![named(result, key, measurement)];
    if result.trials_per_value > 1 {
        let level = result.confidence_level * 100.0;
        caption.push(format!("mean with its {level:.0} % interval; small dots are trials"));
    }
    if is_single && !knees.is_empty() {
        let at: Vec<_> = knees.iter().map(ToString::to_string).collect();
        caption.push(format!("dashed: inflection at {}", at.join(", ")));
    }
    if all > MOST_LINES {
        caption.push(format!("the first {MOST_LINES} of {all} lines; the table has all"));
    }
    figure(&chart, &caption.join(" · "))
}

fn position(point: &Point, axis: &str) -> Option<f64> {
    point.parameters.iter().find(|parameter| parameter.name == axis)?.value.as_number()
}

fn sample(x: f64, measurement: &Measurement) -> Sample {
    Sample {
        x,
        y: measurement.mean,
        interval: measurement.confidence.map(|interval| (interval.low, interval.high)),
        trials: if measurement.trials.len() > 1 { measurement.trials.clone() } else { Vec::new() },
    }
}

fn describe(parameters: &[&Parameter]) -> String {
    parameter::describe(&parameters.iter().map(|parameter| (*parameter).clone()).collect::<Vec<_>>())
}

/// Where detectors found inflections, ascending; only for what the summary tells the trends of.
fn knees(result: &SweepResult, key: &str) -> Vec<f64> {
    let trends = result.conclusions.trends.iter().filter(|trend| trend.key == key && tells_trend(key));
    let mut knees: Vec<_> = trends.flat_map(aiperf_model::conclusion::Trend::inflection_points).collect();
    knees.sort_by(f64::total_cmp);
    knees.dedup();
    knees
}

/// `Time to First Token p99 (ms)`.
fn named(result: &SweepResult, key: &str, measurement: &Measurement) -> String {
    let header = header(result, &measurement.metric).unwrap_or(key);
    let statistic =
        if measurement.statistic.is_empty() { String::new() } else { format!(" {}", measurement.statistic) };
    format!("{header}{statistic} ({})", measurement.unit)
}
