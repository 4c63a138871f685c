//! How far the values can be believed, in plain words: values with the same reason are told together.

use super::format;
use crate::lines::Lines;
use aiperf_model::verdict::{Reason, Validity, ValueVerdict};
use std::fmt::Write as _;

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
        lines.push(format_args!("{}: all checks passed", Validity::Valid));
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

/// Where the gravest case of a rule is, ` at 30`, and of what and where the others are, `; also ttft p50 at 10, 20`.
pub(super) fn also(group: &[(&ValueVerdict, &Reason)]) -> String {
    let Some(((value, worst), others)) = group.split_first() else { return String::new() };
    let mut subjects: Vec<(Option<&str>, Vec<&ValueVerdict>)> = Vec::new();
    for (value, reason) in others {
        let subject = reason.subject.as_deref();
        match subjects.iter_mut().find(|(known, _)| *known == subject) {
            Some((_, values)) => values.push(value),
            None => subjects.push((subject, vec![value])),
        }
    }
    let mut text = whose(&[value]);
    for (subject, mut values) in subjects {
        values.sort_by_key(|value| value.index);
        values.dedup_by_key(|value| value.index);
        let subject = subject.filter(|subject| Some(*subject) != worst.subject.as_deref());
        let subject = subject.map(|subject| format!(" {subject}")).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = write!(text, "; also{subject}{}", whose(&values));
    }
    text
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

/// ` at 10, 20`, or with several parameters ` at (10, 128), (20, 128)`; nothing where nothing is swept.
fn whose(values: &[&ValueVerdict]) -> String {
    let named: Vec<String> = values
        .iter()
        .filter(|value| !value.parameters.is_empty())
        .map(|value| format::group_if_several(&value.parameters))
        .collect();
    if named.is_empty() { String::new() } else { format!(" at {}", named.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aiperf_model::parameter::{Parameter, ParameterValue};
    use aiperf_model::verdict::Verdict;

    fn reason(subject: &str, figure: f64) -> Reason {
        Reason {
            reason: "client_delay".into(),
            subject: Some(subject.into()),
            verdict: Validity::Suspect,
            figure,
            threshold: 5.0,
            unit: "%".into(),
            message: format!("up to {figure} % of {subject}"),
            advice: "rest".into(),
        }
    }

    fn value(index: u32, concurrency: i64, reasons: Vec<Reason>) -> ValueVerdict {
        let parameters =
            vec![Parameter { name: "concurrency".into(), value: ParameterValue::Integer(concurrency) }];
        ValueVerdict { index, parameters, verdict: Verdict::new(reasons, Vec::new()) }
    }

    #[test]
    fn reasons_that_are_told_together_keep_their_values() {
        let values = [
            value(0, 10, vec![reason("ttft p50", 6.0)]),
            value(1, 20, vec![reason("ttft p99", 9.0), reason("ttft p50", 7.0)]),
            value(2, 30, vec![reason("ttft p99", 12.0)]),
        ];
        let text = verdicts(&values).to_string();
        let told = "  client_delay: up to 12 % of ttft p99 at 30; also at 20; also ttft p50 at 10, 20\n";
        assert!(text.contains(told), "{text}");
    }
}
