//! What plugins answer, and how far it is believed: texts and lists are cut to their limits, and what cannot be true is
//! refused. This is the one place that does so; the stages take answers as they come from here.

use std::fmt;

use crate::limits::Limits;

/// The most bytes of a name: of a plugin, a version, a unit, a kind of finding or a list of numbers.
///
/// A name that was cut would be another one, so a longer one is refused.
pub(crate) const LONGEST_NAME: usize = 64;

/// The most bytes kept of a text for people: a log message, a finding, a reason, an error.
pub(crate) const LONGEST_TEXT: usize = 4096;

/// The most bytes of a plugin's text that a message quotes.
const LONGEST_QUOTE: usize = 100;

/// How many names a message lists.
const MOST_LISTED: usize = 20;

/// What a function of the contract answers to a question `Q`.
pub(crate) trait Answer<Q> {
    /// Cuts texts for people, and leaves out what is too much; the answer says how much.
    fn shorten(self, limits: &Limits) -> Self;

    /// # Errors
    ///
    /// What cannot be true, as the object of "returned".
    fn check(&self, question: Q) -> Result<(), String>;
}

/// Whether it is lower-case letters, digits and hyphens, starting with a letter, and no longer than a name may be.
pub(crate) fn is_name(name: &str) -> bool {
    name.len() <= LONGEST_NAME
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Whether it is one line that is no longer than a name may be. It may be empty.
pub(crate) fn is_label(text: &str) -> bool {
    text.len() <= LONGEST_NAME && !text.chars().any(char::is_control)
}

/// A text for people, with the end of a long one left out.
pub(crate) fn shortened(text: String) -> String {
    if text.len() <= LONGEST_TEXT { text } else { beginning(&text, LONGEST_TEXT) }
}

/// A text as a message quotes it: on one line, and not all of a long one.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", beginning(text, LONGEST_QUOTE).escape_debug())
}

/// A text up to the last character that fits, and how much is left out.
fn beginning(text: &str, most: usize) -> String {
    match text.split_at_checked(text.floor_char_boundary(most)) {
        Some((beginning, rest)) if !rest.is_empty() => format!("{beginning}… ({} more bytes)", rest.len()),
        _ => text.to_owned(),
    }
}

/// Names of a component's own choice: of many only the first, and of long ones only the beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The first.
    pub first: Vec<String>,
    /// How many more there are.
    pub more: usize,
}

impl Names {
    pub(crate) fn of(names: &[String]) -> Self {
        let first = names.iter().take(MOST_LISTED).map(|name| beginning(name, LONGEST_QUOTE)).collect();
        Self { first, more: names.len().saturating_sub(MOST_LISTED) }
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.first.as_slice(), self.more) {
            ([], _) => f.write_str("none"),
            (first, 0) => f.write_str(&first.join(", ")),
            (first, more) => write!(f, "{} and {more} more", first.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_spelling_and_an_end() {
        for name in ["a", "latency-p99", "x2-"] {
            assert!(is_name(name), "{name}");
        }
        let long = "a".repeat(LONGEST_NAME + 1);
        for name in ["", "9a", "-a", "A", "a_b", "a b", "é", &long] {
            assert!(!is_name(name), "{name}");
        }
        assert!(is_name(&long[1..]));
    }

    #[test]
    fn units_are_one_short_line() {
        for unit in ["", "USD/1M tokens", "µs"] {
            assert!(is_label(unit), "{unit}");
        }
        for unit in ["a\nb", "\u{1b}[2J", &"x".repeat(LONGEST_NAME + 1)] {
            assert!(!is_label(unit), "{unit}");
        }
    }

    #[test]
    fn a_text_is_cut_between_characters_and_says_so() {
        assert_eq!(beginning("abc", 3), "abc");
        assert_eq!(beginning("abcéf", 4), "abc… (3 more bytes)");
        assert_eq!(shortened("x".repeat(LONGEST_TEXT)).len(), LONGEST_TEXT);
        assert!(shortened("x".repeat(1 << 20)).ends_with("x… (1044480 more bytes)"));
        assert_eq!(quoted("a\n'"), "'a\\n\\''");
        assert!(quoted(&"x".repeat(1 << 20)).len() < 2 * LONGEST_QUOTE);
    }

    #[test]
    fn of_many_names_some_are_listed() {
        let names = |count: usize| -> Vec<String> { (0..count).map(|n| n.to_string()).collect() };
        let listed = |names: &[String]| Names::of(names).to_string();
        assert_eq!(listed(&[]), "none");
        assert_eq!(listed(&names(2)), "0, 1");
        assert!(listed(&names(MOST_LISTED)).ends_with("18, 19"));
        assert!(listed(&names(500_000)).ends_with("18, 19 and 499980 more"));
        assert!(listed(&["x".repeat(1 << 20)]).len() < 2 * LONGEST_QUOTE);
    }
}
