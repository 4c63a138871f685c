//! Text on its way to a person, line by line.
//!
//! Much of it was written by others: plugins, servers, and whoever named the files. A terminal obeys some characters
//! instead of showing them, and others are shown in another order than they stand, or not at all. Here, and nowhere
//! else, these become escapes that everybody can see; and no text from elsewhere begins a line of its own.

use std::borrow::Cow;
use std::fmt::{self, Display, Write as _};

/// Whole lines of which a terminal shows every character.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lines(String);

impl Lines {
    /// One line, whatever the text holds.
    pub(crate) fn of(line: impl Display) -> Self {
        let mut lines = Self::default();
        lines.push(line);
        lines
    }

    /// Text that is lines already, as tables are, and whose parts from elsewhere hold no line breaks.
    pub(crate) fn laid_out(text: &str) -> Self {
        let mut lines = String::with_capacity(text.len() + 1);
        for line in text.lines() {
            lines.push_str(&in_line(line));
            lines.push('\n');
        }
        Self(lines)
    }

    /// A JSON text, which stays one: what a terminal would obey can only stand in its strings, and becomes their escapes.
    pub(crate) fn json(text: &str) -> Self {
        let mut lines = String::with_capacity(text.len() + 1);
        for character in text.chars() {
            if character == '\n' || !is_obeyed(character) {
                lines.push(character);
            } else {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // Writing to a string cannot fail.
                    let _ = write!(lines, "\\u{unit:04x}");
                }
            }
        }
        if !lines.ends_with('\n') {
            lines.push('\n');
        }
        Self(lines)
    }

    /// Adds one line, whatever the text holds.
    pub(crate) fn push(&mut self, line: impl Display) {
        self.0.push_str(&in_line(&line.to_string()));
        self.0.push('\n');
    }

    /// Adds lines below.
    pub(crate) fn append(&mut self, lines: &Self) {
        self.0.push_str(&lines.0);
    }

    /// Lines under a title, or nothing without lines.
    pub(crate) fn under(self, title: impl Display) -> Self {
        if self.is_empty() {
            return self;
        }
        let mut titled = Self::of(title);
        titled.append(&self);
        titled
    }

    /// The sections that have something to say, with an empty line between them.
    pub(crate) fn sections(sections: impl IntoIterator<Item = Self>) -> Self {
        let sections = sections.into_iter().filter(|section| !section.is_empty());
        Self(sections.map(|section| section.0).collect::<Vec<_>>().join("\n"))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<T: Display> FromIterator<T> for Lines {
    fn from_iter<I: IntoIterator<Item = T>>(texts: I) -> Self {
        let mut lines = Self::default();
        texts.into_iter().for_each(|line| lines.push(line));
        lines
    }
}

/// Text as a part of a line: what a terminal would obey, line breaks too, as escapes such as `\u{1b}` and `\n`.
pub(crate) fn in_line(text: &str) -> Cow<'_, str> {
    if !text.contains(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_obeyed(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// Whether a character steers the terminal, the order of the text or the eye instead of being seen: the controls of
/// ASCII and of Latin-1, those of bidirectional text, separators of lines, and what has no width and joins nothing.
fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{061C}'
                | '\u{180E}'
                | '\u{200B}'
                | '\u{200E}'
                | '\u{200F}'
                | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}'
                | '\u{FEFF}'
                | '\u{FFF9}'..='\u{FFFB}'
                | '\u{E0000}'..='\u{E007F}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_shown_and_begins_no_line() {
        let hostile = "a\x1b[2Jb\u{9b}1mc\rd\te\u{202e}f\nsandbox   yes\u{200b}\u{2028}\x7f";
        assert_eq!(
            Lines::of(hostile).to_string(),
            "a\\u{1b}[2Jb\\u{9b}1mc\\rd\\te\\u{202e}f\\nsandbox   yes\\u{200b}\\u{2028}\\u{7f}\n"
        );
        assert_eq!(Lines::laid_out("a\x07\nb").to_string(), "a\\u{7}\nb\n");
    }

    #[test]
    fn words_of_all_languages_stay() {
        // The last ones are joined by characters without width.
        for text in ["größer, 更大, أكبر", "x ± 1 → y", "👩\u{200d}🔬", "می\u{200c}خواهم"]
        {
            assert_eq!(in_line(text), text);
        }
    }

    #[test]
    fn json_stays_the_same_json() {
        let value = serde_json::json!({ "a\u{9b}": ["\x1b[2J", "\u{202e}", "\u{e0041}", "ä"] });
        let shown = Lines::json(&format!("{value:#}")).to_string();
        assert!(!shown.contains(|character: char| character != '\n' && is_obeyed(character)), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }

    #[test]
    fn sections_without_lines_are_left_out() {
        let lines =
            Lines::sections([Lines::of("a"), Lines::default().under("title"), Lines::of("b").under("c")]);
        assert_eq!(lines.to_string(), "a\n\nc\nb\n");
    }
}
