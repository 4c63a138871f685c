//! The URL of a server, and the path of an endpoint on it.

use crate::secret::{REDACTED, is_secret_name};
use serde::{Serialize, Serializer};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// What the URL of a socket on this machine begins with.
const UNIX: &str = "unix:";

/// The URL of one server: a base URL, or the full URL of an endpoint. Printed and serialised without the values of
/// query parameters that look like secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUrl {
    scheme: Scheme,
    /// Host and port as written.
    authority: String,
    host: String,
    port: Option<u16>,
    /// The path of a socket on this machine, which stands instead of host and port.
    socket: Option<PathBuf>,
    /// Without a slash at its end; empty if there is none.
    path: String,
    query: Option<String>,
}

/// How the server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}

/// Why a text is not the URL of a server; a fragment that fits after the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAServerUrl(&'static str);

impl ServerUrl {
    /// How the server is spoken to.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Host and, if the URL has one, port: the `host` header.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The host to look up, without the brackets of an IPv6 address.
    #[must_use]
    pub fn host(&self) -> &str {
        self.host.trim_matches(['[', ']'])
    }

    /// The path of the Unix socket that the server listens on, if it is not reached by host and port.
    #[must_use]
    pub fn socket(&self) -> Option<&Path> {
        self.socket.as_deref()
    }

    /// The port, which is that of the scheme unless the URL has one.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
        })
    }

    /// The values of query parameters that look like secrets.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        secret_parameters(self.query.as_deref())
    }

    /// The keys of its query, which every request has.
    pub fn query_keys(&self) -> impl Iterator<Item = &str> {
        let parameters = self.query.iter().flat_map(|query| query.split('&'));
        parameters.map(|parameter| parameter.split_once('=').map_or(parameter, |(key, _)| key))
    }

    /// The path and query of a request, for the path that an endpoint wants. What the URL already ends with of it,
    /// all of it or a beginning such as `/v1`, is not appended again. A slash at the end of the endpoint's path is kept.
    #[must_use]
    pub fn request_path(&self, endpoint_path: &str) -> String {
        let (endpoint_path, own_query) = split_query(endpoint_path);
        let (mut path, wanted) = (segments(&self.path), segments(endpoint_path));
        let is_there = |count: &usize| wanted.get(..*count).is_some_and(|start| path.ends_with(start));
        let overlap = (0..=wanted.len()).rev().find(is_there).unwrap_or(0);
        let end = if !wanted.is_empty() && endpoint_path.ends_with('/') { "/" } else { "" };
        path.extend(wanted.into_iter().skip(overlap));
        let queries: Vec<&str> = own_query.into_iter().chain(self.query.as_deref()).collect();
        let sign = if queries.is_empty() { "" } else { "?" };
        format!("/{}{end}{sign}{}", path.join("/"), queries.join("&"))
    }
}

impl ServerUrl {
    /// The URL of requests with this path, with the values of secret parameters replaced.
    #[must_use]
    pub fn request_url(&self, endpoint_path: &str) -> String {
        let path = redacted_path(&self.request_path(endpoint_path));
        match self.socket() {
            Some(socket) => format!("unix:{} at {path}", socket.display()),
            None if self.scheme == Scheme::Https => format!("https://{}{path}", self.authority),
            None => format!("http://{}{path}", self.authority),
        }
    }
}

impl FromStr for ServerUrl {
    type Err = NotAServerUrl;

    /// Reads a URL; the scheme is `http` where there is none.
    fn from_str(text: &str) -> Result<Self, NotAServerUrl> {
        let text = text.trim();
        if let Some(path) = text.strip_prefix(UNIX) {
            return Self::of_socket(path);
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (Scheme::Http, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (Scheme::Https, rest),
            Some(_) => return Err(NotAServerUrl("has a scheme other than http, https and unix")),
            None => (Scheme::Http, text),
        };
        if !rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte)) {
            return Err(NotAServerUrl("is not a URL"));
        }
        if rest.contains('#') {
            return Err(NotAServerUrl("has a part after '#', which no server sees"));
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(NotAServerUrl(
                "holds a user name or password, which belongs into --header 'Authorization: Basic …'",
            ));
        }
        let (host, port) = host_and_port(authority)?;
        let (path, query) = split_query(path);
        Ok(Self {
            scheme,
            authority: authority.to_owned(),
            host: host.to_owned(),
            port,
            socket: None,
            path: path.trim_end_matches('/').to_owned(),
            query: query.map(str::to_owned),
        })
    }
}

impl ServerUrl {
    /// `unix:/path` or `unix:///path`. The paths of endpoints are appended to nothing.
    fn of_socket(path: &str) -> Result<Self, NotAServerUrl> {
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path.contains('\0') {
            return Err(NotAServerUrl("names no socket"));
        }
        Ok(Self {
            scheme: Scheme::Http,
            // What curl and others send where there is no host.
            authority: "localhost".to_owned(),
            host: "localhost".to_owned(),
            port: None,
            socket: Some(path.into()),
            path: String::new(),
            query: None,
        })
    }
}

fn host_and_port(authority: &str) -> Result<(&str, Option<u16>), NotAServerUrl> {
    let host_end = match authority.find(']') {
        Some(bracket) if authority.starts_with('[') => bracket + 1,
        Some(_) => return Err(NotAServerUrl("is not a URL")),
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(host_end);
    if host.is_empty() || host == "[]" {
        return Err(NotAServerUrl("has no host"));
    }
    if port.is_empty() {
        return Ok((host, None));
    }
    match port.strip_prefix(':').and_then(|port| port.parse().ok()) {
        Some(port @ 1..) => Ok((host, Some(port))),
        _ => Err(NotAServerUrl("has a port that is not a number from 1 to 65535")),
    }
}

fn split_query(text: &str) -> (&str, Option<&str>) {
    text.split_once('?').map_or((text, None), |(path, query)| (path, Some(query)))
}

fn segments(path: &str) -> Vec<&str> {
    path.split('/').filter(|segment| !segment.is_empty()).collect()
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        if let Some(socket) = &self.socket {
            return write!(f, "{UNIX}{}", socket.display());
        }
        write!(f, "{scheme}://{}{}", self.authority, self.path)?;
        self.query.iter().try_for_each(|query| write!(f, "?{}", redacted_query(query)))
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for ServerUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A path and query as they may be shown.
#[must_use]
pub fn redacted_path(path: &str) -> String {
    match split_query(path) {
        (path, None) => path.to_owned(),
        (path, Some(query)) => format!("{path}?{}", redacted_query(query)),
    }
}

/// The values in the query of a path that look like secrets.
pub fn path_secrets(path: &str) -> impl Iterator<Item = &str> {
    secret_parameters(split_query(path).1)
}

fn redacted_query(query: &str) -> String {
    let shown = |parameter: &str| match parameter.split_once('=') {
        Some((name, _)) if is_secret_name(name) => format!("{name}={REDACTED}"),
        _ => parameter.to_owned(),
    };
    query.split('&').map(shown).collect::<Vec<_>>().join("&")
}

fn secret_parameters(query: Option<&str>) -> impl Iterator<Item = &str> {
    let parameters = query.into_iter().flat_map(|query| query.split('&'));
    parameters
        .filter_map(|parameter| parameter.split_once('='))
        .filter_map(|(name, value)| is_secret_name(name).then_some(value))
}

/// A text that may be no URL, without what may be secret in it.
#[must_use]
pub fn without_secrets(text: &str) -> &str {
    let (before_query, _) = split_query(text);
    before_query.rsplit_once('@').map_or(before_query, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAT: &str = "/v1/chat/completions";

    fn url(text: &str) -> ServerUrl {
        text.parse().unwrap()
    }

    #[test]
    fn urls_are_taken_apart() {
        for (text, host, port, authority) in [
            ("http://localhost:8000", "localhost", 8000, "localhost:8000"),
            ("localhost:8000/", "localhost", 8000, "localhost:8000"),
            ("HTTP://10.0.0.1/v1/", "10.0.0.1", 80, "10.0.0.1"),
            ("https://server", "server", 443, "server"),
            ("http://[::1]:9/x?key=1", "::1", 9, "[::1]:9"),
            ("[::1]", "::1", 80, "[::1]"),
        ] {
            let url = url(text);
            assert_eq!((url.host(), url.port(), url.authority()), (host, port, authority), "{text}");
        }
    }

    #[test]
    fn a_socket_of_this_machine_has_a_path() {
        for (text, shown) in [
            ("unix:/run/vllm.sock", "unix:/run/vllm.sock"),
            ("unix:///run/vllm.sock", "unix:/run/vllm.sock"),
            (" unix:here.sock ", "unix:here.sock"),
        ] {
            let url = url(text);
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("unix:{}", url.socket().unwrap().display()), shown);
            assert_eq!((url.authority(), url.request_path(CHAT).as_str()), ("localhost", CHAT));
        }
        assert_eq!(url("http://unix:1").socket(), None);
    }

    #[test]
    fn the_path_is_never_appended_twice() {
        for (text, endpoint_path, path) in [
            ("host", CHAT, CHAT),
            ("host/", CHAT, CHAT),
            ("host/v1", CHAT, CHAT),
            ("host/v1/", CHAT, CHAT),
            ("host/v1/chat", CHAT, CHAT),
            ("host/v1/chat/completions", CHAT, CHAT),
            ("host/v1/chat/completions/", CHAT, CHAT),
            ("host/proxy/v1", CHAT, "/proxy/v1/chat/completions"),
            ("host/proxy", CHAT, "/proxy/v1/chat/completions"),
            ("host/xv1", "/v1", "/xv1/v1"),
            ("host/v1?key=1", CHAT, "/v1/chat/completions?key=1"),
            ("host/v1?key=1", "/v1/x?y=2", "/v1/x?y=2&key=1"),
            ("host?key=1", "", "/?key=1"),
            ("host", "v1/chat/completions", CHAT),
            ("host/generate", "", "/generate"),
            ("host/x", "/", "/x"),
            ("host/x", "/y/", "/x/y/"),
            ("host/v1", "/v1/y/?z=1", "/v1/y/?z=1"),
            ("host/v1/y", "/v1/y/", "/v1/y/"),
            ("host", "", "/"),
        ] {
            assert_eq!(url(text).request_path(endpoint_path), path, "{text}");
        }
    }

    #[test]
    fn the_keys_of_the_query_are_known() {
        let url = url("host/v1?tenant=a&plain&key=b=c");
        assert_eq!(url.query_keys().collect::<Vec<_>>(), ["tenant", "plain", "key"]);
    }

    #[test]
    fn what_is_no_url_is_told_why() {
        for (text, reason) in [
            ("", "no host"),
            ("http://", "no host"),
            ("http:///v1", "no host"),
            ("http://:8000", "no host"),
            ("ftp://host", "scheme"),
            ("unix:", "no socket"),
            ("unix://", "no socket"),
            ("http://a b", "not a URL"),
            ("http://h/ä", "not a URL"),
            ("http://a]:1", "not a URL"),
            ("http://host:99999", "port"),
            ("http://host:0", "port"),
            ("http://host:", "port"),
            ("http://[::1]x", "port"),
            ("http://host/#x", "'#'"),
            ("http://me:hunter2@host", "user name"),
        ] {
            let error = text.parse::<ServerUrl>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn secrets_in_a_query_are_sent_and_not_shown() {
        let url = url("h:1/v1?api-key=hunter2&api-version=2");
        assert_eq!(url.to_string(), "http://h:1/v1?api-key=<redacted>&api-version=2");
        assert_eq!(format!("{url:?}"), url.to_string());
        assert!(url.request_path("").contains("hunter2"));
        assert_eq!(without_secrets("me:hunter2@h/x?key=hunter2"), "h/x");
    }
}
