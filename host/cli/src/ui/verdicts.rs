//! How far the values can be believed, in plain words: values with the same reason are told together.

use super::format;
use crate::lines::Lines;
use aiperf_model::verdict::{Reason, Validity, ValueVerdict};

/// A section for the values that are not valid, or a line if all are; nothing without verdicts.
pub(crate) fn verdicts(values: &[ValueVerdict]) -> Lines {
    let mut lines = Lines::default();
    for validity in [Validity::Invalid, Validity::Suspect] {
        let judged: Vec<_> = values.iter().filter(|value| value.verdict.verdict == validity).collect();
        if !judged.is_empty() {
            lines.push(format_args!("{validity}{}", whose(&judged)));
        }
    }
    if lines.is_empty() && !values.is_empty() {
        lines.push(format_args!("{}: nothing speaks against these results", Validity::Valid));
    }
    for group in groups(values) {
        let Some((_, worst)) = group.first() else { continue };
        lines.push(format_args!("  {}: {}{}", worst.reason, worst.message, also(&group)));
        lines.push(format_args!("    → {}", worst.advice));
    }
    lines.append(&notes(values));
    lines
}

/// The cases of each rule, the gravest one first; the gravest rule first.
pub(super) fn groups(values: &[ValueVerdict]) -> Vec<Vec<(&ValueVerdict, &Reason)>> {
    let mut groups: Vec<Vec<(&ValueVerdict, &Reason)>> = Vec::new();
    let all = values.iter().flat_map(|value| value.verdict.reasons.iter().map(move |reason| (value, reason)));
    for (value, reason) in all {
        let same = |group: &&mut Vec<(&ValueVerdict, &Reason)>| {
            group.first().is_some_and(|(_, first)| first.reason == reason.reason)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push((value, reason)),
            None => groups.push(vec![(value, reason)]),
        }
    }
    for group in &mut groups {
        group.sort_by(|(_, a), (_, b)| b.verdict.cmp(&a.verdict).then(distance(b).total_cmp(&distance(a))));
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.iter().map(|(_, reason)| reason.verdict).max()));
    groups
}

/// Which values a rule speaks against, ` (at 10, 20)`, and what else it found there.
pub(super) fn also(group: &[(&ValueVerdict, &Reason)]) -> String {
    let mut values: Vec<&ValueVerdict> = group.iter().map(|(value, _)| *value).collect();
    values.sort_by_key(|value| value.index);
    values.dedup_by_key(|value| value.index);
    let worst = group.first().and_then(|(_, worst)| worst.subject.as_deref());
    let mut subjects: Vec<&str> = Vec::new();
    for subject in group.iter().filter_map(|(_, reason)| reason.subject.as_deref()) {
        if Some(subject) != worst && !subjects.contains(&subject) {
            subjects.push(subject);
        }
    }
    // Lists of percentiles differ from value to value, and the longest one is that of the gravest case.
    let is_list = worst.is_some_and(|worst| subjects.iter().any(|subject| worst.contains(subject)));
    let others = if subjects.is_empty() || is_list {
        String::new()
    } else {
        format!(", also {}", subjects.join(", "))
    };
    format!("{others}{}", whose(&values))
}

/// How far a figure lies beyond its limit.
fn distance(reason: &Reason) -> f64 {
    (reason.figure - reason.threshold).abs()
}

fn notes(values: &[ValueVerdict]) -> Lines {
    let mut lines = Lines::default();
    let mut told: Vec<&String> = Vec::new();
    for note in values.iter().flat_map(|value| &value.verdict.notes) {
        if !told.contains(&note) {
            told.push(note);
            lines.push(format_args!("note: {note}"));
        }
    }
    lines
}

/// ` at 10; 20`, or nothing where nothing is swept.
fn whose(values: &[&ValueVerdict]) -> String {
    let named: Vec<String> = values
        .iter()
        .filter(|value| !value.parameters.is_empty())
        .map(|value| format::values(&value.parameters))
        .collect();
    if named.is_empty() { String::new() } else { format!(" at {}", named.join("; ")) }
}
