//! What must not reach a file, a log line or an error.

mod base64;
mod plain;

use plain::{Plain, plain};
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// What stands in place of a secret.
pub const REDACTED: &str = "<redacted>";

/// Whether a header or a query parameter of this name usually holds a secret.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["auth", "key", "token", "secret", "passw", "cookie", "credential", "signature", "session"]
        .iter()
        .any(|word| name.contains(word))
        || ["sig", "pass", "pwd", "jwt", "code"].contains(&name.as_str())
}

/// Headers whose values are names of formats and programs, however long these are.
const PUBLIC_HEADERS: [&str; 8] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "content-type",
    "host",
    "user-agent",
];
/// From this length on a word may well be a key, whatever it is called.
const LIKE_A_KEY: usize = 16;

/// Whether a header holds a secret as far as name and value tell.
#[must_use]
pub fn is_secret_header(name: &str, value: &str) -> bool {
    let like_a_key = |word: &str| {
        word.len() >= LIKE_A_KEY || (word.len() >= PIECE && word.bytes().any(|byte| byte.is_ascii_digit()))
    };
    is_secret_name(name)
        || (!PUBLIC_HEADERS.iter().any(|public| name.eq_ignore_ascii_case(public))
            && value.split_whitespace().any(like_a_key))
}

/// The name of the environment variable in `$NAME`, which may stand for a secret setting of a plugin.
#[must_use]
pub fn variable_name(text: &str) -> Option<&str> {
    let name = text.strip_prefix('$')?;
    let is_name = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
    (!name.is_empty() && name.bytes().all(is_name)).then_some(name)
}

/// The secrets of a benchmark, for texts that others wrote: a server may send back in an error what it was sent, whole
/// or in parts, and spelled in its own way.
#[derive(Clone, Default)]
pub struct Secrets {
    /// Every piece of [`PIECE`] bytes that a secret has, ascending.
    pieces: Vec<[u8; PIECE]>,
    /// The secrets in lower case, without escapes, and what base64 makes of them.
    whole: Vec<Vec<u8>>,
}

/// What is shorter is no secret, and part of too many words.
const LEAST_SECRET: usize = 4;
/// So many consecutive bytes of a secret are hidden wherever they stand.
const PIECE: usize = 8;

impl Secrets {
    /// Secrets as they are sent: keys, and the values of headers and query parameters. Of `Basic …` also the credentials
    /// in it are secret.
    pub fn new<S: AsRef<str>>(values: impl IntoIterator<Item = S>) -> Self {
        let mut whole: Vec<Vec<u8>> = Vec::new();
        for value in values {
            whole.extend(spellings(value.as_ref()));
            whole.extend(
                base64::credentials(value.as_ref()).iter().flatten().flat_map(|text| spellings(text)),
            );
        }
        whole.retain(|spelled| spelled.len() >= LEAST_SECRET);
        whole.sort_unstable();
        whole.dedup();
        let mut pieces: Vec<[u8; PIECE]> =
            whole.iter().flat_map(|secret| secret.array_windows().copied()).collect();
        pieces.sort_unstable();
        pieces.dedup();
        Self { pieces, whole }
    }

    /// The text with [`REDACTED`] in place of every secret and of every eight consecutive bytes of one, whether they
    /// are escaped, percent-encoded, in the other case or in base64, alone or amid others; also of the beginning of a
    /// secret at the end of the text.
    #[must_use]
    pub fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let found = self.find(text);
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        without(text, 0, &found).into()
    }

    /// Parts of one text, as a server streams it, with [`REDACTED`] in place of what the whole would have it for; none
    /// if there is nothing to hide.
    #[must_use]
    pub fn hide_parts(&self, parts: &[&str]) -> Option<Vec<String>> {
        let found = self.find(&parts.concat());
        if found.is_empty() {
            return None;
        }
        let mut start = 0;
        let hidden = parts.iter().map(|part| {
            let hidden = without(part, start, &found);
            start += part.len();
            hidden
        });
        Some(hidden.collect())
    }

    /// Where secrets stand in the text, ascending and apart from each other.
    fn find(&self, text: &str) -> Vec<Range<usize>> {
        if self.whole.is_empty() || text.len() < LEAST_SECRET {
            return Vec::new();
        }
        let plain = plain(text);
        let mut found: Vec<Range<usize>> = plain
            .array_windows::<PIECE>()
            .filter(|window| self.pieces.binary_search(&window.map(|plain| plain.byte)).is_ok())
            .filter_map(|window| place(window))
            .collect();
        let short = self.whole.iter().filter(|secret| secret.len() < PIECE);
        found.extend(short.flat_map(|secret| {
            plain.windows(secret.len()).filter(|window| are(window, secret)).filter_map(place)
        }));
        found.extend(self.cut_off(&plain, text.trim_end_matches('…').len()));
        merged(text, found)
    }

    /// The beginning of a secret at the end of a text that was cut there.
    fn cut_off(&self, plain: &[Plain], end: usize) -> Option<Range<usize>> {
        let kept = plain.get(..plain.partition_point(|byte| byte.end <= end)).unwrap_or_default();
        let of_length = |length: usize| {
            let tail = kept.get(kept.len().checked_sub(length)?..)?;
            let begins = |secret: &Vec<u8>| secret.get(..length).is_some_and(|begin| are(tail, begin));
            self.whole.iter().any(begins).then(|| place(tail)).flatten()
        };
        (LEAST_SECRET..PIECE).rev().find_map(of_length)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// A secret as it is looked for: itself without escapes, and in base64; none of one that is too short.
fn spellings(secret: &str) -> Vec<Vec<u8>> {
    let secret = secret.trim();
    if secret.len() < LEAST_SECRET {
        return Vec::new();
    }
    let lower = |letters: Vec<u8>| letters.to_ascii_lowercase();
    let itself = plain(secret).iter().map(|plain| plain.byte).collect();
    base64::spellings(secret.as_bytes()).into_iter().map(lower).chain([itself]).collect()
}

fn are(plain: &[Plain], bytes: &[u8]) -> bool {
    plain.iter().map(|plain| plain.byte).eq(bytes.iter().copied())
}

/// The bytes of the original text that a part of the plain text stands for.
fn place(plain: &[Plain]) -> Option<Range<usize>> {
    Some(plain.first()?.start..plain.last()?.end)
}

/// Ranges that touch, as one; none of them cuts a character.
fn merged(text: &str, mut found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    found.sort_unstable_by_key(|range| range.start);
    let mut apart: Vec<Range<usize>> = Vec::new();
    for Range { start, end } in found {
        let (start, end) = (text.floor_char_boundary(start), text.ceil_char_boundary(end));
        match apart.last_mut() {
            Some(last) if start <= last.end => last.end = last.end.max(end),
            _ => apart.push(start..end),
        }
    }
    apart
}

/// A part of a text, which begins at `offset` there, without the ranges found in the whole.
fn without(part: &str, offset: usize, found: &[Range<usize>]) -> String {
    let (mut shown, mut kept) = (String::with_capacity(part.len()), 0);
    let end = offset + part.len();
    for range in found.iter().filter(|range| range.start.max(offset) < range.end.min(end)) {
        let start = range.start.saturating_sub(offset);
        shown.push_str(part.get(kept..start).unwrap_or_default());
        shown.push_str(REDACTED);
        kept = (range.end - offset).min(part.len());
    }
    shown.push_str(part.get(kept..).unwrap_or_default());
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_taken_for_keys() {
        assert!(is_secret_header("x-goog", "AIzaSyA-1234567890"));
        assert!(is_secret_header("authorization", "x"));
        assert!(!is_secret_header("x-team", "search"));
        assert!(!is_secret_header("x-note", "a long text of some words"));
    }

    #[test]
    fn secrets_are_hidden_however_they_are_spelled() {
        let secrets = Secrets::new(["Bearer sk-1234/56", "a=oneLongCookie; b=2", "q\"uote\\d", "kay"]);
        for (text, hidden) in [
            ("no key 'sk-1234/56' here, nor 'sk-1234/56'", "no key '<redacted>' here, nor '<redacted>'"),
            ("authorization: Bearer sk-1234/56", "authorization: <redacted>"),
            (r#"{"error": "sk-1234\/56"}"#, r#"{"error": "<redacted>"}"#),
            ("cookie oneLongCookie", "cookie <redacted>"),
            (r#"{"error": "q\"uote\\d"}"#, r#"{"error": "<redacted>"}"#),
            ("okay, b=2", "okay, b=2"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(secrets.hide(text), hidden, "{text}");
        }
    }

    #[test]
    fn a_secret_that_was_cut_off_is_hidden() {
        let secrets = Secrets::new(["sk-123456"]);
        for cut in ["sk-1", "sk-12345", "sk-123456", "sk-1234…"] {
            let hidden = secrets.hide(&format!("the key {cut}")).into_owned();
            assert_eq!(hidden.trim_end_matches('…'), "the key <redacted>", "{cut}");
        }
        assert_eq!(secrets.hide("the key sk-"), "the key sk-");
    }

    #[test]
    fn eight_consecutive_bytes_are_hidden_however_they_are_spelled() {
        let key = r#"sk-A1"b2\c3/d4+e5=f6"#;
        let secrets = Secrets::new([key]);
        let json = |text: &str| text.replace('\\', r"\\").replace('"', "\\\"");
        let percent = |text: &str| {
            let one = |byte: u8| {
                if byte.is_ascii_alphanumeric() { char::from(byte).into() } else { format!("%{byte:02X}") }
            };
            text.bytes().map(one).collect::<String>()
        };
        let escape = |byte: u8| format!("\\u{byte:04x}");
        let unicode = |text: &str| text.bytes().map(escape).collect::<String>();
        for start in 0..=key.len() - PIECE {
            for end in start + PIECE..=key.len() {
                let piece = &key[start..end];
                for spelled in [
                    piece.to_owned(),
                    json(piece),
                    json(&json(piece)),
                    json(piece).replace('/', r"\/"),
                    percent(piece),
                    percent(&percent(piece)),
                    unicode(piece),
                    piece.to_uppercase(),
                ] {
                    let hidden = secrets.hide(&format!("<{spelled}>")).into_owned();
                    assert_eq!(hidden, "<<redacted>>", "{spelled}");
                }
            }
        }
        assert_eq!(secrets.hide(r#"A1"b2\c"#), r#"A1"b2\c"#);
    }

    #[test]
    fn base64_hides_nothing() {
        let secrets = Secrets::new(["sk-0123456789", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="]);
        for (text, hidden) in [
            // `sk-0123456789`, `?sk-0123456789!` and `>>sk-0123456789`, of which the edges hold other characters, too.
            ("c2stMDEyMzQ1Njc4OQ==", "<redacted>Q=="),
            ("P3NrLTAxMjM0NTY3ODkh", "P3<redacted>kh"),
            ("Pj5zay0wMTIzNDU2Nzg5", "Pj5<redacted>"),
            ("c2stMDEyMzQ1Njc4OQ%3D%3D", "<redacted>Q%3D%3D"),
            ("QWxhZGRpbjpvcGVuIHNlc2FtZQ", "<redacted>"),
            ("Aladdin:open sesame", "<redacted>"),
            ("open sesame", "<redacted>"),
            ("MDEyMzQ1Ng", "<redacted>g"),
            ("c2stMDEx", "c2stMDEx"),
        ] {
            assert_eq!(secrets.hide(text), hidden, "{text}");
        }
        let parts = secrets.hide_parts(&["key=c2st", "MDEyMzQ1", "Njc4OQ=="]).unwrap();
        assert_eq!(parts, ["key=<redacted>", "<redacted>", "<redacted>Q=="]);
    }

    #[test]
    fn a_secret_in_several_parts_is_hidden_in_each() {
        let secrets = Secrets::new(["sk-0123456789"]);
        let hidden = secrets.hide_parts(&["x sk-", "0123", "", "4567", "89 y"]).unwrap();
        assert_eq!(hidden, ["x <redacted>", "<redacted>", "", "<redacted>", "<redacted> y"]);
        assert_eq!(secrets.hide_parts(&["sk-", "abc"]), None);
    }

    #[test]
    fn characters_are_whole() {
        assert_eq!(Secrets::new(["éàüöäâîô"]).hide("né éàüö n"), "né <redacted> n");
    }

    #[test]
    fn secrets_do_not_show_themselves() {
        assert_eq!(format!("{:?}", Secrets::new(["sk-123456"])), REDACTED);
    }

    #[test]
    fn names_of_secrets_are_recognised() {
        for name in
            ["Authorization", "Proxy-Authorization", "X-Api-Key", "api-key", "Cookie", "sig", "access_token"]
        {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["X-Team", "Accept", "api-version", "User-Agent"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
