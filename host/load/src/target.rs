//! Where requests go: the address of a server, and everything of a request but its body.

use crate::error::LoadError;
use crate::workload::{PreparedRequest, Workload, parse_header};
use aiperf_model::request::Header;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::{HeaderMap, Method, Request, Uri};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

/// How long the connection before the load may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// The URL of a server, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ServerUrl {
    /// As the user wrote it, without what may be secret.
    shown: String,
    /// Host and, if the URL has one, port: the `host` header.
    authority: String,
    /// The host to look up, without the brackets of an IPv6 address.
    host: String,
    /// 80 unless the URL has one.
    port: u16,
    /// Without a slash at its end; the path of the endpoint may be part of it.
    path: String,
    query: Option<String>,
}

impl ServerUrl {
    /// Takes a URL apart; the scheme may be missing.
    fn parse(text: &str) -> Result<Self, LoadError> {
        let shown = without_secrets(text);
        let invalid = |reason: &str| LoadError::Url { url: shown.to_owned(), reason: reason.to_owned() };
        let rest = match text.split_once("://") {
            None => text,
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some((scheme, _)) => {
                let scheme = scheme.to_ascii_lowercase();
                return Err(LoadError::Scheme { url: shown.to_owned(), scheme });
            }
        };
        let uri: Uri = format!("http://{rest}").parse().map_err(|_| invalid("it cannot be read"))?;
        let authority = uri.authority().ok_or_else(|| invalid("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(invalid("it holds a user name; send credentials in a header instead"));
        }
        if authority.host().is_empty() {
            return Err(invalid("it names no host"));
        }
        let has_port = authority.as_str().len() > authority.host().len();
        if has_port && !matches!(authority.port_u16(), Some(1..)) {
            return Err(invalid("its port is not a number from 1 to 65535"));
        }
        Ok(Self {
            shown: shown.to_owned(),
            authority: authority.as_str().to_owned(),
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(80),
            path: uri.path().trim_end_matches('/').to_owned(),
            query: uri.query().map(str::to_owned),
        })
    }

    /// The path and query of a request, for the path that the endpoint wants. What the URL already ends with of it,
    /// all of it or a beginning such as `/v1`, is not appended again.
    fn request_path(&self, endpoint_path: &str) -> String {
        let (endpoint_path, endpoint_query) = match endpoint_path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (endpoint_path, None),
        };
        let segments = |path: &'_ str| -> Vec<String> {
            path.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect()
        };
        let (mut path, wanted) = (segments(&self.path), segments(endpoint_path));
        let is_there = |count: &usize| wanted.get(..*count).is_some_and(|start| path.ends_with(start));
        let overlap = (0..=wanted.len()).rev().find(is_there).unwrap_or(0);
        path.extend(wanted.into_iter().skip(overlap));
        let queries: Vec<_> = endpoint_query.into_iter().chain(self.query.as_deref()).collect();
        let sign = if queries.is_empty() { "" } else { "?" };
        format!("/{}{sign}{}", path.join("/"), queries.join("&"))
    }
}

/// A URL without user name, password and query.
fn without_secrets(text: &str) -> &str {
    let before_query = text.split('?').next().unwrap_or_default();
    before_query.rsplit('@').next().unwrap_or_default()
}

/// A server to send requests to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// For the paths of the workload, in their order.
    uris: Vec<Uri>,
    headers: HeaderMap,
}

/// What all targets of a run have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TargetSpec<'a> {
    /// The path that the user set for all requests, if any.
    pub(crate) endpoint_path: Option<&'a str>,
    /// The path of requests that have none of their own.
    pub(crate) default_path: &'a str,
    /// The headers of the user; they win over ours.
    pub(crate) headers: &'a [Header],
}

impl Target {
    /// Looks the server up and connects to it once, to know that it is there before the load begins.
    pub(crate) fn reach(url: &str, spec: TargetSpec<'_>, workload: &Workload) -> Result<Self, LoadError> {
        let url = ServerUrl::parse(url)?;
        let uris = workload
            .paths()
            .iter()
            .map(|path| spec.endpoint_path.or(path.as_deref()).unwrap_or(spec.default_path))
            .map(|path| url.request_path(path))
            .map(|path| {
                path.parse().map_err(|_| LoadError::Url {
                    url: url.shown.clone(),
                    reason: format!("'{path}' is no path"),
                })
            })
            .collect::<Result<_, _>>()?;
        let headers = common_headers(&url, spec.headers, workload.streaming())?;
        Ok(Self { address: probe(&url)?, uris, headers })
    }

    /// The same target in memory of its own: requests share the bytes of their target, and threads that did so
    /// would contend for its reference counts.
    pub(crate) fn separate(&self) -> Self {
        let uris = self.uris.iter().map(|uri| uri.to_string().parse().unwrap_or_else(|_| uri.clone()));
        let headers = self.headers.iter().map(|(name, value)| {
            (name.clone(), HeaderValue::from_bytes(value.as_bytes()).unwrap_or_else(|_| value.clone()))
        });
        Self { address: self.address, uris: uris.collect(), headers: headers.collect() }
    }

    /// A request as hyper sends it. The clones share their bytes with the target and the workload.
    pub(crate) fn request(&self, prepared: &PreparedRequest) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(prepared.body.clone()));
        *request.method_mut() = Method::POST;
        if let Some(uri) = self.uris.get(prepared.path) {
            *request.uri_mut() = uri.clone();
        }
        *request.headers_mut() = self.headers.clone();
        for (name, value) in &prepared.headers {
            request.headers_mut().insert(name, value.clone());
        }
        request
    }
}

fn common_headers(url: &ServerUrl, user: &[Header], streaming: bool) -> Result<HeaderMap, LoadError> {
    let accept = if streaming { "text/event-stream" } else { "application/json" };
    let mut headers = HeaderMap::new();
    let host = url.authority.parse().map_err(|_| LoadError::Header { name: "host".into() })?;
    headers.insert(HOST, host);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static(accept));
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("aiperf/", env!("CARGO_PKG_VERSION"))));
    for header in user {
        let (name, value) = parse_header(&header.name, &header.value)?;
        headers.insert(name, value);
    }
    Ok(headers)
}

/// The first address of the server that accepts a connection.
fn probe(url: &ServerUrl) -> Result<SocketAddr, LoadError> {
    let unreachable = |reason: String| LoadError::Unreachable { url: url.shown.clone(), reason };
    let addresses = (url.host.as_str(), url.port)
        .to_socket_addrs()
        .map_err(|error| unreachable(format!("the host '{}' is not known ({error})", url.host)))?;
    let mut reason = format!("the host '{}' has no address", url.host);
    for address in addresses {
        match TcpStream::connect_timeout(&address, PROBE_TIMEOUT) {
            Ok(_) => return Ok(address),
            Err(error) => reason = format!("{address} does not accept a connection ({error})"),
        }
    }
    Err(unreachable(reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        for (text, host, port, path) in [
            ("http://localhost:8000", "localhost", 8000, ""),
            ("localhost:8000/", "localhost", 8000, ""),
            ("HTTP://10.0.0.1/v1/", "10.0.0.1", 80, "/v1"),
            ("http://[::1]:9/x?key=1", "::1", 9, "/x"),
            ("[::1]", "::1", 80, ""),
            ("server", "server", 80, ""),
        ] {
            let url = ServerUrl::parse(text).unwrap();
            assert_eq!((url.host.as_str(), url.port, url.path.as_str()), (host, port, path), "{text}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "cannot be read"),
            ("http://", "cannot be read"),
            ("http:///v1", "cannot be read"),
            ("http://:8000", "names no host"),
            ("http://a b", "cannot be read"),
            ("http://host:99999", "port is not a number"),
            ("http://host:", "port is not a number"),
            ("http://user:secret@host", "user name"),
            ("https://host?key=secret", "asks for https"),
            ("unix:///socket", "asks for unix"),
        ] {
            let error = ServerUrl::parse(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn the_path_of_the_endpoint_is_never_appended_twice() {
        let chat = "/v1/chat/completions";
        for (url, endpoint_path, path) in [
            ("host", chat, "/v1/chat/completions"),
            ("host/", chat, "/v1/chat/completions"),
            ("host/v1", chat, "/v1/chat/completions"),
            ("host/v1/", chat, "/v1/chat/completions"),
            ("host/v1/chat/completions", chat, "/v1/chat/completions"),
            ("host/v1/chat/completions/", chat, "/v1/chat/completions"),
            ("host/proxy/v1", chat, "/proxy/v1/chat/completions"),
            ("host/proxy", chat, "/proxy/v1/chat/completions"),
            ("host/v1?key=1", chat, "/v1/chat/completions?key=1"),
            ("host/v1/chat", chat, "/v1/chat/completions"),
            ("host/v1?key=1", "/v1/x?y=2", "/v1/x?y=2&key=1"),
            ("host", "v1/chat/completions", "/v1/chat/completions"),
            ("host/v1", "/v1", "/v1"),
            ("host/xv1", "/v1", "/xv1/v1"),
            ("host", "/generate", "/generate"),
            ("host/x", "/", "/x"),
            ("host", "", "/"),
        ] {
            assert_eq!(ServerUrl::parse(url).unwrap().request_path(endpoint_path), path, "{url}");
        }
    }
}
