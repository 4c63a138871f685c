//! What must not reach a file, a log line or an error.

use std::borrow::Cow;
use std::fmt;

/// What stands in place of a secret.
pub const REDACTED: &str = "<redacted>";

/// Whether a header or a query parameter of this name usually holds a secret.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["auth", "key", "token", "secret", "password", "cookie", "credential", "signature"]
        .iter()
        .any(|word| name.contains(word))
        || name == "sig"
}

/// From this length on a value without a space may well be a key, whatever it is called.
const LIKE_A_KEY: usize = 16;

/// Whether a header holds a secret as far as name and value tell.
#[must_use]
pub fn is_secret_header(name: &str, value: &str) -> bool {
    is_secret_name(name) || (value.len() >= LIKE_A_KEY && !value.contains(char::is_whitespace))
}

/// The secrets of a benchmark, for texts that others wrote: a server may send back in an error what it was sent.
#[derive(Clone, Default)]
pub struct Secrets {
    /// All spellings, the longest ones first.
    spellings: Vec<String>,
}

/// What is shorter is no secret, and part of too many words.
const LEAST_SECRET: usize = 4;
/// From this length on a part of a value is a secret of its own: a token behind `Bearer`, or one cookie of several.
const LEAST_PART: usize = 8;

impl Secrets {
    /// Secrets as they are sent: keys, and the values of headers and query parameters.
    pub fn new<S: AsRef<str>>(values: impl IntoIterator<Item = S>) -> Self {
        let mut spellings: Vec<String> =
            values.into_iter().flat_map(|value| spellings(value.as_ref().trim())).collect();
        spellings.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        spellings.dedup();
        Self { spellings }
    }

    /// The text with [`REDACTED`] in place of every secret, also of one that was cut off at the end of the text.
    #[must_use]
    pub fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut hidden = Cow::Borrowed(text);
        for secret in &self.spellings {
            if hidden.contains(secret.as_str()) {
                hidden = hidden.replace(secret.as_str(), REDACTED).into();
            }
        }
        match self.spellings.iter().filter_map(|secret| cut_off(&hidden, secret)).min() {
            Some(start) => format!("{}{REDACTED}", hidden.get(..start).unwrap_or_default()).into(),
            None => hidden,
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// A secret and its parts, each plain, as JSON writes it, and as JSON within JSON does.
fn spellings(value: &str) -> Vec<String> {
    let parts = value.split([' ', ';', ',', '=']).filter(|part| part.len() >= LEAST_PART);
    let mut found: Vec<String> = parts.chain([value]).map(str::to_owned).collect();
    found.retain(|secret| secret.len() >= LEAST_SECRET);
    for _ in 0..2 {
        let quoted: Vec<String> =
            found.iter().map(|secret| secret.replace('\\', r"\\").replace('"', "\\\"")).collect();
        // Some writers escape the slash, too.
        let slashes = quoted.iter().map(|secret| secret.replace('/', r"\/")).collect::<Vec<_>>();
        found.extend(quoted.into_iter().chain(slashes));
        found.sort_unstable();
        found.dedup();
    }
    found
}

/// Where the beginning of a secret stands at the end of a text that was cut there.
fn cut_off(text: &str, secret: &str) -> Option<usize> {
    let end = text.trim_end_matches('…');
    let mut starts = end.match_indices(secret.get(..LEAST_SECRET)?).map(|(start, _)| start);
    starts.find(|start| end.get(*start..).is_some_and(|rest| secret.starts_with(rest)))
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
            ("no key 'sk-1234/56' here, nor sk-1234/56", "no key '<redacted>' here, nor <redacted>"),
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
            assert_eq!(secrets.hide(&format!("the key {cut}")), "the key <redacted>", "{cut}");
        }
        assert_eq!(secrets.hide("the key sk-"), "the key sk-");
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
