//! Turns that are text and nothing else.

use super::{Part, Turn};
use crate::{Error, Result};

impl Turn {
    /// The text of the turn: all parts, joined; refused if one is no text.
    pub fn text(&self) -> Result<String> {
        self.parts.iter().map(Part::text).collect()
    }
}

impl Part {
    /// The text of the part; refused if it is an image, audio or video.
    pub fn text(&self) -> Result<&str> {
        if self.kind == "text" {
            Ok(&self.value)
        } else {
            Err(Error::Unsupported(format!("this endpoint takes text only, not {}", self.kind)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(kind: &str, value: &str) -> Part {
        Part { kind: kind.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn the_text_of_a_turn_is_its_parts_in_order() {
        let turn = Turn { role: "user".to_owned(), parts: vec![part("text", "a "), part("text", "b")] };
        assert_eq!(turn.text(), Ok("a b".to_owned()));
    }

    #[test]
    fn an_image_is_no_text() {
        let turn = Turn { role: "user".to_owned(), parts: vec![part("text", "a"), part("image", "data:")] };
        assert_eq!(
            turn.text(),
            Err(Error::Unsupported("this endpoint takes text only, not image".to_owned()))
        );
    }
}
