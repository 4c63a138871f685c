//! A text as it reads once every common spelling of a character is undone, with the place of each byte in the original.

/// Spellings within spellings, as JSON within JSON, that are undone.
const MOST_LEVELS: usize = 4;

/// One byte of the plain text, and the bytes of the original that stand for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plain {
    pub(super) byte: u8,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The text without JSON escapes and percent encoding, in lower case.
pub(super) fn plain(text: &str) -> Vec<Plain> {
    let mut bytes: Vec<Plain> = (0..)
        .zip(text.bytes())
        .map(|(at, byte)| Plain { byte: byte.to_ascii_lowercase(), start: at, end: at + 1 })
        .collect();
    for _ in 0..MOST_LEVELS {
        if !bytes.iter().any(|plain| matches!(plain.byte, b'\\' | b'%')) {
            break;
        }
        bytes = one_level(&bytes);
    }
    bytes
}

fn one_level(bytes: &[Plain]) -> Vec<Plain> {
    let (mut undone, mut rest) = (Vec::with_capacity(bytes.len()), bytes);
    while let [first, after @ ..] = rest {
        let (units, length) = match (first.byte, after) {
            (b'%', [high, low, ..]) => (hexadecimal(&[*high, *low]), 3),
            (b'\\', [letter, code @ ..]) if letter.byte == b'u' => (code.get(..4).and_then(character), 6),
            (b'\\', [letter, ..]) => (escaped(letter.byte), 2),
            _ => (None, 1),
        };
        let (Some(unit), Some((spelling, behind))) = (units, rest.split_at_checked(length)) else {
            undone.push(*first);
            rest = after;
            continue;
        };
        let end = spelling.last().map_or(first.end, |last| last.end);
        // `%C3%A9` are two bytes of one character, `\u00e9` is the character.
        let is_byte = first.byte == b'%';
        let mut buffer = [0; 4];
        let written = match char::from_u32(unit) {
            Some(character) if !is_byte => character.encode_utf8(&mut buffer).as_bytes(),
            _ => &[unit as u8],
        };
        let byte = |byte: &u8| Plain { byte: byte.to_ascii_lowercase(), start: first.start, end };
        undone.extend(written.iter().map(byte));
        rest = behind;
    }
    undone
}

fn hexadecimal(digits: &[Plain]) -> Option<u32> {
    digits.iter().try_fold(0, |number, digit| Some(number * 16 + char::from(digit.byte).to_digit(16)?))
}

/// Half of a surrogate pair is none.
fn character(digits: &[Plain]) -> Option<u32> {
    hexadecimal(digits).and_then(char::from_u32).map(u32::from)
}

fn escaped(letter: u8) -> Option<u32> {
    Some(u32::from(match letter {
        b'"' | b'\\' | b'/' | b'\'' => letter,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_are_undone_and_their_places_kept() {
        for (text, expected) in [
            ("Plain", "plain"),
            (r#"a\"b\\c\/d\ne"#, "a\"b\\c/d\ne"),
            ("a%2Fb%2fc%zz%", "a/b/c%zz%"),
            (r"\u0041\u00e9\ud83d\u12", "aé\\ud83d\\u12"),
            (r#"\\\"x"#, "\"x"),
            ("%252F", "/"),
            ("%C3%A9", "é"),
        ] {
            let read: Vec<u8> = plain(text).iter().map(|plain| plain.byte).collect();
            assert_eq!(String::from_utf8_lossy(&read), expected, "{text}");
        }
        assert_eq!(plain("x%2F")[1], Plain { byte: b'/', start: 1, end: 4 });
        assert_eq!(plain("%252F")[0], Plain { byte: b'/', start: 0, end: 5 });
    }
}
