//! The parts of a report that are text and tables.

use crate::ui::columns::{Shown, columns};
use crate::ui::format;
use crate::ui::summary::{
    EDITED, derived_values, marks, measurement, nothing_found, open, optimal_under, ties, title,
    with_probability,
};
use crate::ui::verdicts::{also, groups};
use Column::{Figures, Text};
use aiperf_artifacts::Manifest;
use aiperf_model::conclusion::{Conclusions, Direction, MemberStanding};
use aiperf_model::figure;
use aiperf_model::parameter::{self, Parameter};
use aiperf_model::sweep::SweepResult;
use aiperf_model::verdict::{Validity, ValueVerdict};
use maud::{Markup, html};

/// What was measured, when, and how far it can be believed.
pub(super) fn heading(model: &str, result: &SweepResult, manifest: &Manifest) -> Markup {
    html! {
        header {
            h1 { (model) }
            p.quiet { (title(result)) " · " (manifest.created) " · aiperf " (manifest.aiperf_version) }
            p {
                @for (validity, count) in tally(&result.verdicts) {
                    span class=(class(validity)) { (count) " " (validity) } " "
                }
            }
        }
    }
}

/// How many values have each verdict, the gravest first; those that no value has are left out.
fn tally(verdicts: &[ValueVerdict]) -> Vec<(Validity, usize)> {
    let count = |validity| verdicts.iter().filter(|value| value.verdict.verdict == validity).count();
    let all = [Validity::Invalid, Validity::Suspect, Validity::Valid];
    all.map(|validity| (validity, count(validity))).into_iter().filter(|(_, count)| *count > 0).collect()
}

fn class(validity: Validity) -> &'static str {
    match validity {
        Validity::Valid => "valid",
        Validity::Suspect => "suspect",
        Validity::Invalid => "invalid",
    }
}

/// A column of a table, by its name.
enum Column<'a> {
    Text(&'a str),
    Figures(&'a str),
}

/// A table under a title, or nothing without rows.
fn table(heading: &str, columns: &[Column<'_>], rows: &[Markup]) -> Markup {
    html! {
        @if !rows.is_empty() {
            h2 { (heading) }
            div.scroll {
                table {
                    thead {
                        tr {
                            @for column in columns {
                                @match column {
                                    Column::Text(name) => th.text { (name) },
                                    Column::Figures(name) => th { (name) },
                                }
                            }
                        }
                    }
                    tbody { @for row in rows { tr { (row) } } }
                }
            }
        }
    }
}

fn name(parameters: &[Parameter]) -> String {
    if parameters.is_empty() { "the configuration".into() } else { parameter::describe(parameters) }
}

pub(super) fn best(conclusions: &Conclusions) -> Markup {
    let rows = conclusions.best.iter().map(|best| {
        let way = match best.direction {
            Direction::Minimize => "lowest",
            Direction::Maximize => "highest",
        };
        html! {
            td { (best.objective) }
            td.text { (name(&best.parameters)) }
            td { (figure::number(best.value)) " " (best.unit) }
            td { @if let Some(interval) = best.confidence { (figure::interval(interval.low, interval.high)) } }
            td.text { (way) " " (best.metric.as_deref().unwrap_or_default()) }
            td.long { (ties(best)) }
        }
    });
    table(
        "Best configurations",
        &[
            Text("objective"),
            Text("configuration"),
            Figures("result"),
            Figures("interval"),
            Text("by"),
            Text("tied with"),
        ],
        &rows.collect::<Vec<_>>(),
    )
}

/// Invalid values, and why.
pub(super) fn excluded(conclusions: &Conclusions) -> Markup {
    let rows = conclusions.excluded.iter().map(|value| {
        html! {
            td { (name(&value.parameters)) }
            td.text.invalid { (value.reasons.join(", ")) }
        }
    });
    let columns = [Text("configuration"), Text("INVALID by")];
    table("Excluded: neither best nor optimal", &columns, &rows.collect::<Vec<_>>())
}

pub(super) fn values(result: &SweepResult) -> Markup {
    let columns = columns(result);
    let axes = if result.axes.is_empty() { "configuration".into() } else { result.axes.join(", ") };
    let verdict = |index: u32| result.verdicts.iter().find(|value| value.index == index);
    let rows = result.points.iter().map(|point| {
        html! {
            td { (if point.parameters.is_empty() { "the configuration".into() } else { format::values(&point.parameters) }) }
            td { (point.trials) }
            @for Shown { key, .. } in &columns { td { (measurement(point.measurement(key), open(result, point, key))) } }
            td.text { (optimal_under(&result.conclusions, point.index)) }
            td.text { @if let Some(value) = verdict(point.index) { span class=(class(value.verdict.verdict)) { (value.verdict.verdict) } } }
        }
    });
    let header: Vec<_> = [Text(&axes), Figures("trials")]
        .into_iter()
        .chain(columns.iter().map(|column| Figures(&column.header)))
        .chain([Text("optimal"), Text("verdict")])
        .collect();
    let any_open = result.verdicts.iter().any(|value| value.verdict.has("sample_size"));
    html! {
        (table("Configurations", &header, &rows.collect::<Vec<_>>()))
        @if any_open { p.quiet { (format::OPEN) " from too few requests: see sample_size below" } }
    }
}

pub(super) fn pareto(result: &SweepResult) -> Markup {
    let conclusions = &result.conclusions;
    let named = |index: u32| {
        let point = result.points.iter().find(|point| point.index == index);
        point.map_or_else(|| index.to_string(), |point| name(&point.parameters))
    };
    let rows = conclusions.fronts.iter().zip(marks(&conclusions.fronts)).map(|(front, mark)| {
        let optimal: Vec<_> =
            front.optimal().map(|member| with_probability(name(&member.parameters), member)).collect();
        let others = front.members.iter().filter_map(|member| match &member.standing {
            MemberStanding::Optimal => None,
            MemberStanding::DominatedBy(by) => {
                Some(format!("{} is dominated by {}", name(&member.parameters), named(*by)))
            }
            MemberStanding::TiedWith(with) => {
                let value = with_probability(name(&member.parameters), member);
                Some(format!("{value} is tied with {}", named(*with)))
            }
            MemberStanding::Rejected(reason) => Some(format!("{}: {reason}", name(&member.parameters))),
        });
        let is_chosen = conclusions.chosen_criterion.as_deref() == Some(front.criterion.as_str());
        html! {
            td { (front.criterion) " " (mark) @if is_chosen { span.quiet { " (pareto_optimal)" } } }
            td.long { (optimal.join(", ")) }
            td.long { (others.collect::<Vec<_>>().join("; ")) }
        }
    });
    table("Pareto optimal", &[Text("criterion"), Text("optimal"), Text("others")], &rows.collect::<Vec<_>>())
}

/// How many findings of one trend are shown; the files have all.
const MOST_FINDINGS: usize = 20;

pub(super) fn trends(conclusions: &Conclusions) -> Markup {
    let rows = conclusions.trends.iter().flat_map(|trend| {
        let messages = trend.findings.iter().take(MOST_FINDINGS).map(|finding| finding.message.clone());
        let is_flat = trend.findings.is_empty() && trend.flat_within.is_some();
        let messages = messages.chain(is_flat.then(|| nothing_found(trend)));
        let more = (trend.findings.len() + trend.left_out).saturating_sub(MOST_FINDINGS);
        let more = (more > 0).then(|| format!("… and {more} more"));
        let derived = trend.derived.iter().map(derived_values);
        messages.chain(more).chain(derived).map(move |text| {
            html! {
                td { (trend.key) @if !trend.fixed.is_empty() { " at " (parameter::describe(&trend.fixed)) } }
                td.long { (text) }
                td.text { (trend.detector) }
            }
        })
    });
    table("Trends", &[Text("metric"), Text("finding"), Text("detector")], &rows.collect::<Vec<_>>())
}

/// Why values can be doubted, the gravest reason first.
pub(super) fn verdicts(result: &SweepResult) -> Markup {
    let groups = groups(&result.verdicts);
    let mut notes: Vec<&String> = result.verdicts.iter().flat_map(|value| &value.verdict.notes).collect();
    notes.sort();
    notes.dedup();
    html! {
        @if !result.verdicts.is_empty() {
            h2 { "Validity" }
            @if groups.is_empty() { p.valid { "All checks passed." } }
            @for group in &groups {
                @if let Some((_, worst)) = group.first() {
                    div.reason.is-invalid[worst.verdict == Validity::Invalid] {
                        span class=(class(worst.verdict)) { (worst.verdict) " " (worst.reason) } ": " (worst.message) (also(group))
                        div.quiet { (worst.advice) }
                    }
                }
            }
            @for note in notes { p.quiet { "note: " (note) } }
        }
    }
}

/// What failed, and is in no number above.
pub(super) fn failures(result: &SweepResult) -> Markup {
    let values = result.failed_values.iter().map(|failed| (name(&failed.parameters), failed.error.as_str()));
    let trials = result.failed_trials.iter().map(|failed| {
        (format!("{}, trial {}", name(&failed.parameters), failed.trial), failed.error.as_str())
    });
    let plugins = result.conclusions.failures.iter().map(|failure| {
        (format!("{} '{}'", failure.plugin.kind, failure.plugin.name), failure.message.as_str())
    });
    let rows =
        values.chain(trials).chain(plugins).map(|(what, why)| html! { td { (what) } td.long { (why) } });
    table("Failed (excluded from statistics)", &[Text("what"), Text("why")], &rows.collect::<Vec<_>>())
}

/// What requests failed with at values that have a result.
pub(super) fn request_errors(result: &SweepResult) -> Markup {
    let rows = result.request_errors.iter().flat_map(|value| {
        value.errors.iter().map(|errors| {
            html! {
                td { (name(&value.parameters)) }
                td { (errors.count) }
                td.text { (errors.code.map(|code| code.to_string()).unwrap_or_default()) " " (errors.kind) }
                td.long { (errors.message) }
            }
        })
    });
    let columns = [Text("configuration"), Figures("requests"), Text("error"), Text("message")];
    table("Failed requests (excluded from latencies)", &columns, &rows.collect::<Vec<_>>())
}

/// What else there is to know of plugins.
pub(super) fn notes(conclusions: &Conclusions) -> Markup {
    html! {
        @if !conclusions.notes.is_empty() {
            h2 { "Notes on plugins" }
            @for note in &conclusions.notes { p.quiet { (note.message) } }
        }
    }
}

/// Files that say something else than they did when the benchmark ended.
pub(super) fn edited_files(files: &[String]) -> Markup {
    html! {
        @if !files.is_empty() {
            h2 { (EDITED) }
            @for file in files { p.quiet { (file) } }
        }
    }
}

/// How to do it again.
pub(super) fn origin(manifest: &Manifest) -> Markup {
    let host = &manifest.host;
    let facts = [
        ("command", manifest.command_line.join(" ")),
        (
            "client",
            format!("{} {} {}", host.os, host.architecture, host.cpu_model.as_deref().unwrap_or_default()),
        ),
        ("client's cores", host.cores.map(|cores| cores.to_string()).unwrap_or_default()),
    ];
    let facts = facts.into_iter().filter(|(_, fact)| !fact.trim().is_empty());
    let rows = facts.map(|(what, fact)| html! { td { (what) } td.long { code { (fact) } } });
    let client_errors = manifest.client_errors.iter().map(|record| {
        let client_error = &record.client_error;
        let parameters = manifest.plan.values.iter().find(|value| value.index == record.value);
        html! {
            td { "client's own error" @if let Some(value) = parameters { " at " (name(&value.parameters)) } }
            td.long { "TTFT +" (figure::number(client_error.ttft_ms.p50)) " ms p50"
                @if let Some(p99) = client_error.ttft_ms.p99 { ", +" (figure::number(p99)) " ms p99" }
            }
        }
    });
    let plugins = manifest.plugins.iter().map(|plugin| {
        html! {
            td { (plugin.kind) " " (plugin.name) " " (plugin.version) }
            td.long { (plugin.source) ", SHA-256 " code { (plugin.sha256) } @if !plugin.sandboxed { ", native: not sandboxed" } }
        }
    });
    table(
        "How it was measured",
        &[Text("what"), Text("")],
        &rows.chain(client_errors).chain(plugins).collect::<Vec<_>>(),
    )
}
