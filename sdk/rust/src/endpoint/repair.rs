//! Events that a strict reader refuses though it is plain what they say.

use serde_json::Value;

use super::{Delta, Event};
use crate::{Error, Result};

/// The longest data that is repaired: a copy of more would not fit beside it.
const LONGEST: usize = 1 << 20;

const BYTE_ORDER_MARK: &str = "\u{FEFF}";
const REPLACEMENT: &str = "\\ufffd";

impl Event {
    /// What `read` makes of the event. Where it calls the data malformed, and the data is JSON but for a byte order
    /// mark, bytes that are no UTF-8, halves of surrogate pairs or members that stand in an object twice (the last
    /// one counts), `read` is asked again with these put right, and the event is odd.
    pub fn read(&self, read: impl Fn(&Self) -> Result<Delta>) -> Result<Delta> {
        read(self).or_else(|error| match (&error, self.repaired()) {
            (Error::Malformed(_), Some(repaired)) => Ok(Delta { odd: true, ..read(&repaired)? }),
            _ => Err(error),
        })
    }

    /// The same event with its JSON in the form that strict readers take; none if it is no JSON at all.
    fn repaired(&self) -> Option<Self> {
        let value = self.lenient_json()?;
        Some(Self { name: self.name.clone(), data: serde_json::to_vec(&value).ok()? })
    }

    /// The data as JSON of any kind, read with leniency.
    pub(crate) fn lenient_json(&self) -> Option<Value> {
        let data = self.data.as_slice();
        if data.len() > LONGEST {
            return None;
        }
        let text = String::from_utf8_lossy(data);
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text);
        serde_json::from_str(&without_lone_surrogates(text)).ok()
    }
}

/// JSON in which halves of surrogate pairs, as a server leaves them that cuts UTF-16 in two, are U+FFFD.
fn without_lone_surrogates(json: &str) -> String {
    let mut whole = String::with_capacity(json.len());
    let mut rest = json;
    while let Some((before, escape)) = rest.find('\\').and_then(|start| rest.split_at_checked(start)) {
        whole.push_str(before);
        let (is_kept, length) = match (code_unit(escape), escape.get(6..).and_then(code_unit)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => (true, 12),
            (Some(0xD800..=0xDFFF), _) => (false, 6),
            // With the character behind it, which may be a backslash that escapes nothing itself.
            _ => (true, 2),
        };
        let (escape, after) = escape.split_at_checked(length).unwrap_or((escape, ""));
        whole.push_str(if is_kept { escape } else { REPLACEMENT });
        rest = after;
    }
    whole.push_str(rest);
    whole
}

/// The code unit of an escape such as `\ud83d`, if the text begins with one.
fn code_unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_surrogate_pairs_are_replaced_and_whole_ones_are_not() {
        for (json, expected) in [
            (r"\ud83d\ude00", r"\ud83d\ude00"),
            (r"a\ud83d", r"a\ufffd"),
            (r"\ude00b", r"\ufffdb"),
            (r"\ud83d\ud83d\ude00", r"\ufffd\ud83d\ude00"),
            (r"\\ud83d", r"\\ud83d"),
            (r"\\\ud83d", r"\\\ufffd"),
            (r"\ud83d\n", r"\ufffd\n"),
            (r"\u00e9\", r"\u00e9\"),
            (r"\é", r"\é"),
            ("", ""),
        ] {
            assert_eq!(without_lone_surrogates(json), expected, "{json}");
        }
    }

    #[test]
    fn what_is_json_in_spirit_is_read_and_odd() {
        #[derive(serde::Deserialize)]
        struct Answer {
            text: String,
        }
        let read = |data: &[u8]| {
            let event = Event { name: None, data: data.to_vec() };
            event.read(|event| {
                let Answer { text } = event.json()?;
                Ok(Delta { text: Some(text), ..Delta::default() })
            })
        };
        for (data, text, odd) in [
            (br#"{"text":"a"}"#.as_slice(), "a", false),
            (b"\xEF\xBB\xBF{\"text\":\"a\"}", "a", true),
            (b"{\"text\":\"a\xFF\"}", "a\u{FFFD}", true),
            (br#"{"text":"a\ud83d"}"#, "a\u{FFFD}", true),
            (br#"{"text":"a","text":"b"}"#, "b", true),
        ] {
            let expected = Delta { text: Some(text.to_owned()), odd, ..Delta::default() };
            assert_eq!(read(data), Ok(expected), "{}", String::from_utf8_lossy(data));
        }
        for data in [br#"{"text":1}"#.as_slice(), b"{", b"", br#"{"text":"a}"#] {
            assert!(matches!(read(data), Err(Error::Malformed(_))), "{}", String::from_utf8_lossy(data));
        }
    }
}
