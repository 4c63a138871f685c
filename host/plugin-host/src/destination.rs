//! Where an endpoint may send a request, and with which headers: below the URL that the user gave, and beside what the
//! user and the host set themselves.

use aiperf_model::request::Header;

use crate::answer::quoted;

/// Headers that no endpoint sets: they say how the body travels or who asks, and the host or the user sets them.
const HOST_HEADERS: [&str; 14] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The most bytes of a path with its query: what servers accept at least.
const LONGEST_PATH: usize = 8000;

/// The most headers of one request, and the most bytes of all their names and values.
const MOST_HEADERS: usize = 64;
const MOST_HEADER_BYTES: usize = 16 << 10;

/// What the user sets of every request, which no endpoint may replace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reserved {
    /// The names of headers, in lower case.
    pub headers: Vec<String>,
    /// The keys of the query of the servers' URLs.
    pub query_keys: Vec<String>,
}

/// Whether requests may be sent to a path with its query.
///
/// # Errors
///
/// What is wrong with it, as the object of "returned".
pub(crate) fn check_path(path: &str, reserved: &Reserved) -> Result<(), String> {
    if !path.starts_with('/')
        || path.len() > LONGEST_PATH
        || !path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#')
    {
        return Err(format!(
            "the path {}, which must begin with '/', be of ASCII characters without spaces, '\\' and '#', and at most \
             {LONGEST_PATH} of them",
            quoted(path)
        ));
    }
    let (place, query) = path.split_once('?').unwrap_or((path, ""));
    if leaves(place) {
        return Err(format!(
            "the path {}, which leads out of the URL that the user gave; it may hold no '..' or '.' between slashes and \
             not begin with '//', however they are written",
            quoted(path)
        ));
    }
    let keys =
        query.split(['&', ';']).map(|parameter| decoded(parameter.split('=').next().unwrap_or_default()));
    match keys.into_iter().find(|key| has(&reserved.query_keys, key)) {
        Some(key) => Err(format!("the query parameter {}, which the URL of the user sets", quoted(&key))),
        None => Ok(()),
    }
}

/// Whether a server could take the path for one that is not below the first slash of it.
fn leaves(path: &str) -> bool {
    let path = decoded(path).replace('\\', "/");
    // What follows a semicolon in a segment is a parameter to some servers.
    let is_step = |segment: &str| matches!(segment.split(';').next(), Some("." | ".."));
    path.starts_with("//")
        || path.contains(|c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER)
        || path.split('/').any(is_step)
}

/// A text without percent signs that stand for characters, as a server sees it that decodes as often as there are any.
/// Bytes that are no text stand as the character for that.
fn decoded(text: &str) -> String {
    let mut text = text.to_owned();
    while let Some(next) = decoded_once(&text) {
        text = next;
    }
    text
}

/// None if nothing is encoded.
fn decoded_once(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%');
        let byte = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    (bytes.len() < text.len()).then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether an endpoint may set these headers.
///
/// # Errors
///
/// What is wrong with one of them, as the object of "returned".
pub(crate) fn check_headers(headers: &[Header], reserved: &Reserved) -> Result<(), String> {
    let bytes: usize = headers.iter().map(|header| header.name.len() + header.value.len()).sum();
    if headers.len() > MOST_HEADERS || bytes > MOST_HEADER_BYTES {
        return Err(format!(
            "{} headers of {bytes} bytes; a request may have {MOST_HEADERS} of {MOST_HEADER_BYTES} bytes from its \
             endpoint",
            headers.len()
        ));
    }
    headers.iter().try_for_each(|header| check_header(header, reserved))
}

fn check_header(header: &Header, reserved: &Reserved) -> Result<(), String> {
    let Header { name, value } = header;
    if name.is_empty() || !name.bytes().all(is_header_name_byte) {
        return Err(format!("{} as the name of a header, which must be lower-case", quoted(name)));
    }
    if HOST_HEADERS.contains(&name.as_str()) {
        return Err(format!("the header '{name}', which no endpoint may set"));
    }
    if has(&reserved.headers, name) {
        return Err(format!("the header {}, which the user sets with --header", quoted(name)));
    }
    if value.bytes().any(|byte| byte != b'\t' && byte.is_ascii_control()) {
        return Err(format!("a line break or another control character in the header {}", quoted(name)));
    }
    Ok(())
}

/// The characters of a token in HTTP, without upper-case letters.
fn is_header_name_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reserved() -> Reserved {
        Reserved { headers: vec!["x-tenant".to_owned()], query_keys: vec!["tenant".to_owned()] }
    }

    #[test]
    fn paths_stay_below_the_url() {
        for path in [
            "/",
            "/v1/chat/completions",
            "/v1/chat/",
            "/a?b=c%20d&tenants=x",
            "/models/org%2Fname/infer",
            "/a..b/...",
            "/100%25/%zz%",
        ] {
            assert_eq!(check_path(path, &reserved()), Ok(()), "{path}");
        }
        for path in [
            "",
            "v1",
            "http://elsewhere/",
            "//elsewhere/",
            "/%2Felsewhere",
            "/%5celsewhere",
            "/../tenant2/admin",
            "/v1/..",
            "/./v1",
            "/%2e%2E/admin",
            "/.%2e/admin",
            "/%252e%252e/admin",
            "/%2e%2e%2fadmin",
            "/a%5c..%5cadmin",
            "/..;x=y/admin",
            "/a\\b",
            "/a#b",
            "/a b",
            "/a\r\nhost: b",
            "/a%0d%0ahost:%20b",
            "/é",
            "/a?tenant=b",
            "/a?b=c&TENANT=d",
            "/a?%74enant",
            "/a?b;tenant=c",
        ] {
            assert!(check_path(path, &reserved()).is_err(), "{path}");
        }
        assert!(check_path(&format!("/{}", "a".repeat(1 << 20)), &reserved()).unwrap_err().len() < 500);
    }

    #[test]
    fn headers_of_the_user_and_the_host_are_theirs() {
        let check = |name: &str, value: &str| {
            check_headers(&[Header { name: name.to_owned(), value: value.to_owned() }], &reserved())
        };
        for (name, value) in [("x-request-id", "a b\tc"), ("accept", "a"), ("content-type", "multipart/x")] {
            assert_eq!(check(name, value), Ok(()), "{name}");
        }
        for (name, value) in [
            ("", "a"),
            ("X-Upper", "a"),
            ("a b", "a"),
            ("content-length", "5"),
            ("transfer-encoding", "chunked"),
            ("authorization", "Bearer mine"),
            ("accept-encoding", "gzip"),
            ("keep-alive", "timeout=5"),
            ("x-tenant", "other"),
            ("x", "a\r\nhost: b"),
        ] {
            assert!(check(name, value).is_err(), "{name}: {value}");
        }
    }

    #[test]
    fn headers_are_few_and_short() {
        let header = |value: &str| Header { name: "x".to_owned(), value: value.to_owned() };
        assert_eq!(check_headers(&vec![header("a"); MOST_HEADERS], &Reserved::default()), Ok(()));
        assert!(check_headers(&vec![header("a"); MOST_HEADERS + 1], &Reserved::default()).is_err());
        assert!(check_headers(&[header(&"a".repeat(MOST_HEADER_BYTES))], &Reserved::default()).is_err());
    }
}
