//! What lists in the notation of other programs, `10-40`, `10:40:10` or `10 20 30`, would be here.

/// More steps than these are better taken by factors.
const MOST_STEPS: f64 = 20.0;
/// What stands between the ends of a range elsewhere, longest first.
const RANGES: [&str; 7] = ["...", "..=", "..", "to", "-", ":", "~"];

/// The list in our grammar that somebody may have meant, or none if that is not clear. Its values need not be ones that
/// a parameter accepts.
pub(super) fn meant(text: &str) -> Option<String> {
    let bare = text.trim().trim_start_matches(['[', '(', '{']).trim_end_matches([']', ')', '}']);
    let items: Vec<&str> =
        bare.split([',', ';', '|', ' ', '\t', '\n']).map(str::trim).filter(|item| !item.is_empty()).collect();
    let ours: Vec<String> = items.iter().map(|item| item_meant(item)).collect::<Option<_>>()?;
    let list = ours.join(",");
    (!ours.is_empty() && list != text).then_some(list)
}

fn item_meant(item: &str) -> Option<String> {
    if number(item).is_some() {
        return Some(item.to_owned());
    }
    RANGES.iter().find_map(|sign| {
        let parts: Vec<&str> = item.split(sign).map(str::trim).collect();
        let numbers: Vec<f64> = parts.iter().map(|part| number(part)).collect::<Option<_>>()?;
        match (numbers.as_slice(), parts.as_slice()) {
            ([start, end], [from, to]) if end > start => Some(format!("{from}..{to}{}", step(*start, *end))),
            // Start, end and step, as slices have them, or start, step and end.
            ([start, end, step], [from, to, by]) if *end > *start && *step <= end - start => {
                Some(format!("{from}..{to}+{by}"))
            }
            ([start, step, end], [from, by, to]) if *end > *start && *step <= end - start => {
                Some(format!("{from}..{to}+{by}"))
            }
            _ => None,
        }
    })
}

/// A step from one end to the other with few values: by as much as the first one where that fits, else by doubling.
fn step(start: f64, end: f64) -> String {
    let steps = (end - start) / start;
    if steps.fract() == 0.0 && steps <= MOST_STEPS {
        format!("+{start}")
    } else if steps >= 3.0 {
        "*2".to_owned()
    } else {
        format!("+{}", ((end - start) / 4.0).ceil())
    }
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_notations_are_understood() {
        for (text, list) in [
            ("10 20 30", "10,20,30"),
            ("[10, 20, 30]", "10,20,30"),
            ("10;20", "10,20"),
            ("10-40", "10..40+10"),
            ("10:40", "10..40+10"),
            ("10..40", "10..40+10"),
            ("10...40", "10..40+10"),
            ("10 to 40", ""),
            ("10to40", "10..40+10"),
            ("10:40:10", "10..40+10"),
            ("10:5:40", "10..40+5"),
            ("1-64", "1..64*2"),
            ("100-150", "100..150+13"),
            ("5,10-40", "5,10..40+10"),
            ("10,,20", "10,20"),
        ] {
            assert_eq!(meant(text).unwrap_or_default(), list, "{text}");
        }
    }

    #[test]
    fn what_is_no_list_anywhere_is_not_guessed_at() {
        for text in ["", "abc", "10,abc", "-5", "40-10", "0", "10-", "1e999", "10"] {
            assert_eq!(meant(text), None, "{text}");
        }
    }
}
