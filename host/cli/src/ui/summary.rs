//! What a sweep says, as text: the table of values, the best configurations, the fronts and the trends.

use super::columns::{Shown, columns, tells_trend};
use super::failures;
use super::format;
use super::table::table;
use super::verdicts::verdicts;
use crate::lines::Lines;
use aiperf_model::conclusion::{
    BestConfiguration, Conclusions, Derived, Direction, ExcludedValue, Front, FrontMember, MemberStanding,
    Question, Trend, Uncertainty,
};
use aiperf_model::convergence::{Convergence, Convergences};
use aiperf_model::figure;
use aiperf_model::parameter;
use aiperf_model::point::{Measurement, Point};
use aiperf_model::sweep::{SweepResult, TimeBudget};
use std::fmt::Write as _;

/// How many findings of one trend are shown, and how many of its derived numbers; the files have all.
const MOST_FINDINGS: usize = 5;
const MOST_DERIVED: usize = 12;

/// What stands over the files of runs that are not as they were written.
pub(super) const EDITED: &str = "Edited since the benchmark, so that this is not what was measured";

/// The whole summary: the sections that have something to say, with an empty line between them.
pub(crate) fn summary(result: &SweepResult) -> Lines {
    let conclusions = &result.conclusions;
    Lines::sections([
        values(result),
        failures::section(result),
        failures::request_errors(result),
        best(conclusions),
        excluded(&conclusions.excluded),
        pareto(conclusions, &result.points),
        trends(&conclusions.trends),
        result.convergence.as_ref().map(convergence).unwrap_or_default(),
        result.time_budget.as_ref().map(open_answers).unwrap_or_default(),
        verdicts(&result.verdicts),
        failed_plugins(conclusions),
        plugin_notes(conclusions),
        edited_files(result),
    ])
}

fn failed_plugins(conclusions: &Conclusions) -> Lines {
    let lines = conclusions.failures.iter().map(|failure| format!("  {}", failure.message));
    lines.collect::<Lines>().under("Failed plugins")
}

/// The files of runs that are not as they were written.
pub(crate) fn edited_files(result: &SweepResult) -> Lines {
    let lines = result.edited_files.iter().map(|line| format!("  {line}"));
    lines.collect::<Lines>().under(EDITED)
}

fn plugin_notes(conclusions: &Conclusions) -> Lines {
    let lines = conclusions.notes.iter().map(|note| format!("  {}", note.message));
    lines.collect::<Lines>().under("Notes on plugins")
}

fn values(result: &SweepResult) -> Lines {
    if result.points.is_empty() {
        return Lines::default();
    }
    let mut lines = Lines::of(title(result));
    lines.push("");
    lines.append(&values_table(result));
    if result.verdicts.iter().any(|value| value.verdict.has("sample_size")) {
        lines.push(format_args!("{} from too few requests, see sample_size below", format::OPEN));
    }
    lines
}

fn best(conclusions: &Conclusions) -> Lines {
    let lines = conclusions.best.iter().map(best_line);
    lines.chain(unknown_uncertainty(conclusions)).collect::<Lines>().under("Best configurations")
}

/// What single trials cannot say.
fn unknown_uncertainty(conclusions: &Conclusions) -> Option<String> {
    let is_unknown = |best: &BestConfiguration| best.uncertainty == Uncertainty::Unknown;
    let material = figure::chosen(100.0 * conclusions.material);
    (!conclusions.best.is_empty() && conclusions.best.iter().all(is_unknown)).then(|| {
        format!(
            "  {:<18} from single trials, whose uncertainty is unknown: differences up to {material} % count as none",
            ""
        )
    })
}

/// Invalid values, and why.
fn excluded(excluded: &[ExcludedValue]) -> Lines {
    let lines = excluded.iter().map(|value| {
        let name = format::group_if_several(&value.parameters);
        format!("  {name:<18} INVALID: {}", value.reasons.join(", "))
    });
    lines.collect::<Lines>().under("Excluded: neither best nor optimal")
}

fn pareto(conclusions: &Conclusions, points: &[Point]) -> Lines {
    let fronts = conclusions.fronts.iter().zip(marks(&conclusions.fronts));
    let lines = fronts.flat_map(|(front, mark)| {
        let chosen = conclusions.chosen_criterion.as_deref() == Some(front.criterion.as_str());
        front_lines(front, &mark, chosen, points)
    });
    lines.collect::<Lines>().under("Pareto optimal")
}

fn trends(trends: &[Trend]) -> Lines {
    let shown = trends.iter().filter(|trend| tells_trend(&trend.key));
    shown.flat_map(trend_lines).collect::<Lines>().under("Trends")
}

/// How well the metric is known that ends the trials, at each value.
fn convergence(convergences: &Convergences) -> Lines {
    let Convergence { metric, threshold, .. } = &convergences.rule;
    let lines = convergences.values.iter().map(|value| {
        let width = value
            .relative_half_width
            .map_or("unknown".into(), |width| format!("±{}", figure::percent(100.0 * width)));
        let not_yet = if value.converged { "" } else { ", not converged" };
        let name = if value.parameters.is_empty() {
            "all".into()
        } else {
            format::group_if_several(&value.parameters)
        };
        format!("  {name:<18} {width} after {}{not_yet}", format::count(value.trials as usize, "trial"))
    });
    let title = format!("Convergence of {metric} (to ±{} %)", figure::chosen(100.0 * threshold));
    lines.collect::<Lines>().under(title)
}

/// What the time was not enough for.
fn open_answers(budget: &TimeBudget) -> Lines {
    let too_few = budget.too_few.iter().map(|value| {
        let name = parameter::describe(&value.parameters);
        match value.trials {
            0 => format!("  {name}: not run"),
            _ => format!("  {name}: one trial, so its spread is unknown"),
        }
    });
    let open = budget.open.iter().flatten().map(|open| {
        let value = parameter::describe(&open.parameters);
        let percent = format!("{:.0} %", 100.0 * open.probability);
        match &open.question {
            Question::Optimal { criterion } => {
                format!("  whether {value} is optimal by {criterion}: {percent} probable")
            }
            Question::Best { objective } => {
                format!("  whether {value} is the best by {objective}: {percent} probable")
            }
            Question::Inflection { key, .. } => {
                format!("  whether {key} turns at {value}: {percent} probable")
            }
        }
    });
    let not_asked = budget.open.is_none().then(|| {
        "  every answer: the plugins take too long to be asked within --budget how certain it is".to_owned()
    });
    let lines: Lines = too_few.chain(open).chain(not_asked).collect();
    if lines.is_empty() { Lines::of("Every answer is certain to 95 %") } else { lines.under("Unresolved") }
}

/// Over what, from how many trials.
pub(super) fn title(result: &SweepResult) -> String {
    let axes =
        if result.axes.is_empty() { "one configuration".to_owned() } else { result.axes.join(" and ") };
    if result.trials_per_value == 1 {
        return format!("Results over {axes} (1 trial per value, no intervals)");
    }
    let level = figure::chosen(result.confidence_level * 100.0);
    let trials = if trials_differ(result) { "the".to_owned() } else { trials_of_each(result).to_string() };
    format!("Results over {axes} (mean of {trials} trials ± half of the {level} % interval)")
}

/// Whether the values have different numbers of successful trials.
fn trials_differ(result: &SweepResult) -> bool {
    result.points.iter().any(|point| point.trials != trials_of_each(result))
}

fn trials_of_each(result: &SweepResult) -> u32 {
    result.points.first().map_or(result.trials_per_value, |point| point.trials)
}

fn values_table(result: &SweepResult) -> Lines {
    let columns = columns(result);
    let mut header = vec![if result.axes.is_empty() { "value".into() } else { result.axes.join(", ") }];
    let trials_differ = trials_differ(result);
    header.extend(trials_differ.then(|| "trials".to_owned()));
    header.extend(columns.iter().map(|column| column.header.clone()));
    header.push("optimal".into());
    let rows = result.points.iter().map(|point| {
        let mut row = vec![format::values(&point.parameters)];
        row.extend(trials_differ.then(|| point.trials.to_string()));
        row.extend(
            columns
                .iter()
                .map(|Shown { key, .. }| measurement(point.measurement(key), open(result, point, key))),
        );
        row.push(optimal_under(&result.conclusions, point.index));
        row
    });
    table(&header, rows)
}

/// The mean, with half of its interval.
pub(super) fn measurement(measurement: Option<&Measurement>, is_open: bool) -> String {
    let Some(measurement) = measurement else { return "-".into() };
    let half_width = measurement.confidence.map(|interval| interval.high - measurement.mean);
    let mark = if is_open { format::OPEN } else { "" };
    figure::with_half_width(measurement.mean, half_width) + mark
}

/// Whether a measurement is a percentile from too few requests, which the verdict says.
pub(super) fn open(result: &SweepResult, point: &Point, key: &str) -> bool {
    let judged = result.verdicts.iter().find(|judged| judged.index == point.index);
    let reasons = judged.into_iter().flat_map(|judged| &judged.verdict.reasons);
    let statistic = point.measurement(key).map(|measurement| measurement.statistic.as_str());
    let mut open = reasons
        .filter(|reason| reason.reason == "sample_size")
        .filter_map(|reason| reason.subject.as_deref());
    open.any(|percentiles| percentiles.split(", ").any(|percentile| Some(percentile) == statistic))
}

/// The marks of the criteria under which a point is optimal.
pub(super) fn optimal_under(conclusions: &Conclusions, point_index: u32) -> String {
    let marked = conclusions.fronts.iter().zip(marks(&conclusions.fronts));
    let optimal = marked.filter(|(front, _)| front.optimal().any(|member| member.point_index == point_index));
    optimal.map(|(_, mark)| mark).collect::<Vec<_>>().join(" ")
}

/// A letter for each criterion, its first one, or its number where another begins alike.
pub(super) fn marks(fronts: &[Front]) -> Vec<String> {
    let letter = |front: &Front| front.criterion.chars().next().map(|first| first.to_ascii_uppercase());
    let marks = (1..).zip(fronts).map(|(number, front)| {
        let alike = fronts.iter().filter(|other| letter(other) == letter(front)).count();
        letter(front).filter(|_| alike == 1).map_or_else(|| number.to_string(), String::from)
    });
    marks.collect()
}

fn best_line(best: &BestConfiguration) -> String {
    let at = if best.parameters.is_empty() {
        "the configuration".into()
    } else {
        parameter::describe(&best.parameters)
    };
    let way = match best.direction {
        Direction::Minimize => "lowest",
        Direction::Maximize => "highest",
    };
    let mut line = format!("  {:<18} {at}: {}", best.objective, figure::number(best.value));
    if !best.unit.is_empty() {
        let _ = write!(line, " {}", best.unit);
    }
    if let Some(metric) = &best.metric {
        let among = if best.tied_with.is_empty() { "" } else { "among the " };
        let _ = write!(line, " ({among}{way} {metric})");
    }
    if let Some(interval) = best.confidence {
        let _ = write!(line, ", interval {}", figure::interval(interval.low, interval.high));
    }
    if !best.tied_with.is_empty() {
        let _ = write!(line, "; tied with {}", ties(best));
    }
    line
}

/// The values that cannot be told apart from the best one: `50, 60, 70`.
pub(super) fn ties(best: &BestConfiguration) -> String {
    let tied = best.tied_with.iter().map(|tied| format::group_if_several(&tied.parameters));
    tied.collect::<Vec<_>>().join(", ")
}

/// A value of a front, with the probability that it is optimal unless that is as good as certain: `40 (64 %)`.
pub(super) fn with_probability(name: String, member: &FrontMember) -> String {
    match member.probability {
        Some(probability) if probability < 0.95 => format!("{name} ({:.0} %)", 100.0 * probability),
        _ => name,
    }
}

fn front_lines(front: &Front, mark: &str, chosen: bool, points: &[Point]) -> Vec<String> {
    let optimal: Vec<_> = front
        .optimal()
        .map(|member| with_probability(format::group_if_several(&member.parameters), member))
        .collect();
    let name = format!("{} {mark}", front.criterion);
    let chosen = if chosen { " (pareto_optimal)" } else { "" };
    let optimal = if optimal.is_empty() { "none".to_owned() } else { optimal.join(", ") };
    let mut lines = vec![format!("  {name:<18} {optimal}{chosen}")];
    let standings = front.members.iter().filter_map(|member| standing(member, points));
    lines.extend(standings.map(|standing| format!("  {:<18} {standing}", "")));
    lines
}

/// Why a value is not optimal.
fn standing(member: &FrontMember, points: &[Point]) -> Option<String> {
    let value = format::group_if_several(&member.parameters);
    let other = |index: u32| {
        let point = points.iter().find(|point| point.index == index)?;
        Some(format::group_if_several(&point.parameters))
    };
    match &member.standing {
        MemberStanding::Optimal => None,
        MemberStanding::DominatedBy(by) => Some(format!("{value} is dominated by {}", other(*by)?)),
        MemberStanding::TiedWith(with) => {
            Some(format!("{} is tied with {}", with_probability(value, member), other(*with)?))
        }
        MemberStanding::Rejected(reason) => Some(format!("{value} is rejected: {reason}")),
    }
}

fn trend_lines(trend: &Trend) -> Vec<String> {
    let place = if trend.fixed.is_empty() && trend.along_with.is_empty() {
        trend.key.clone()
    } else if trend.fixed.is_empty() {
        format!("{} along {} with {}", trend.key, trend.parameter, trend.along_with.join(" with "))
    } else {
        format!("{} at {}", trend.key, parameter::describe(&trend.fixed))
    };
    let derived = trend.derived.iter().map(|derived| format!("  {:<30} {}", "", derived_values(derived)));
    let found = format!("  {place:<30} {} [{}]", findings(trend), trend.detector);
    std::iter::once(found).chain(derived).collect()
}

/// What a detector found, and how much more it found than is shown.
fn findings(trend: &Trend) -> String {
    let shown: Vec<_> =
        trend.findings.iter().take(MOST_FINDINGS).map(|finding| finding.message.as_str()).collect();
    match (shown.len(), trend.findings.len() - shown.len() + trend.left_out) {
        (0, 0) => nothing_found(trend),
        (_, 0) => shown.join("; "),
        (_, more) => format!("{}; … and {more} more", shown.join("; ")),
    }
}

/// What is to be said of a trend in which nothing was found.
pub(super) fn nothing_found(trend: &Trend) -> String {
    match (trend.flat_within, trend.not_significant) {
        (Some(range), _) => format!("flat within {}", figure::percent(100.0 * range)),
        (None, 0) => "no inflection in this range".to_owned(),
        (None, more) => {
            format!("no inflection beyond noise ({} not significant)", format::count(more, "claim"))
        }
    }
}

/// `curvature: 0.50, 0.25`, or its beginning.
pub(super) fn derived_values(derived: &Derived) -> String {
    let shown: Vec<_> =
        derived.values.iter().take(MOST_DERIVED).map(|value| figure::number(*value)).collect();
    let more = if derived.values.len() > shown.len() { ", …" } else { "" };
    format!("{}: {}{more}", derived.name, shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn front(criterion: &str) -> Front {
        Front { criterion: criterion.into(), members: Vec::new() }
    }

    #[test]
    fn criteria_are_marked_by_letters_unless_those_collide() {
        assert_eq!(marks(&[front("dominance"), front("efficient")]), ["D", "E"]);
        assert_eq!(marks(&[front("dominance"), front("efficient"), front("epsilon")]), ["D", "2", "3"]);
    }
}
