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
pub struct ServerUrl {
    /// As the user wrote it.
    pub text: String,
    /// Host and, unless it is 80, port: the `host` header.
    pub authority: String,
    /// The host to look up, without the brackets of an IPv6 address.
    pub host: String,
    /// The port; 80 unless the URL has one.
    pub port: u16,
    /// The path without a slash at its end, and the query; the path of the endpoint may be part of it.
    pub path: String,
}

impl ServerUrl {
    /// Takes a URL apart; the scheme may be missing.
    ///
    /// ```
    /// let url = aiperf_load::target::ServerUrl::parse("localhost:8000/v1")?;
    /// assert_eq!((url.host.as_str(), url.port, url.path.as_str()), ("localhost", 8000, "/v1"));
    /// # Ok::<(), aiperf_load::LoadError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, LoadError> {
        let invalid = |reason: &str| LoadError::Url { url: text.to_owned(), reason: reason.to_owned() };
        let rest = match text.split_once("://") {
            None => text,
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some((scheme, _)) => {
                return Err(LoadError::Scheme { url: text.to_owned(), scheme: scheme.to_ascii_lowercase() });
            }
        };
        let split = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(split);
        if authority.contains('@') {
            return Err(invalid("it holds a user name; send credentials in a header instead"));
        }
        if authority.is_empty() {
            return Err(invalid("it names no host"));
        }
        if path.contains('#') {
            return Err(invalid("it holds a '#'"));
        }
        let uri: Uri =
            format!("http://{authority}/").parse().map_err(|_| invalid("its host is not valid"))?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| invalid("it names no host"))?;
        let named_port = authority.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.contains(']'));
        if named_port.is_some_and(|port| port.parse::<u16>().is_err() || port == "0") {
            return Err(invalid("its port is not a number from 1 to 65535"));
        }
        Ok(Self {
            text: text.to_owned(),
            authority: authority.to_owned(),
            host: host.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(80),
            path: path.trim_end_matches('/').to_owned(),
        })
    }

    /// The path of a request, for the path that the endpoint wants. What the URL already holds of it is not
    /// appended again: neither all of it, nor a version such as `/v1` at which both meet.
    #[must_use]
    pub fn request_path(&self, endpoint_path: &str) -> String {
        let endpoint_path = endpoint_path.trim_matches('/');
        let (base, query) = match self.path.split_once('?') {
            Some((base, query)) => (base.trim_end_matches('/'), Some(query)),
            None => (self.path.as_str(), None),
        };
        let is_whole = base.strip_suffix(endpoint_path).is_some_and(|before| before.ends_with('/'));
        let mut path = if endpoint_path.is_empty() || is_whole {
            base.to_owned()
        } else {
            let (first, rest) = endpoint_path.split_once('/').unwrap_or((endpoint_path, ""));
            let meets = !rest.is_empty() && base.rsplit('/').next() == Some(first);
            format!("{base}/{}", if meets { rest } else { endpoint_path })
        };
        if path.is_empty() {
            path.push('/');
        }
        if let Some(query) = query {
            path.push(if path.contains('?') { '&' } else { '?' });
            path.push_str(query);
        }
        path
    }
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
                    url: url.text.clone(),
                    reason: format!("'{path}' is no path"),
                })
            })
            .collect::<Result<_, _>>()?;
        let headers = common_headers(&url, spec.headers, workload.streaming())?;
        Ok(Self { address: probe(&url)?, uris, headers })
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
    let unreachable = |reason: String| LoadError::Unreachable { url: url.text.clone(), reason };
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
            ("http://[::1]:9/x?key=1", "::1", 9, "/x?key=1"),
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
            ("", "names no host"),
            ("http://", "names no host"),
            ("http:///v1", "names no host"),
            ("http://a b", "host is not valid"),
            ("http://host:99999", "port is not a number"),
            ("http://host:", "port is not a number"),
            ("http://user:secret@host", "user name"),
            ("http://host/#x", "holds a '#'"),
            ("https://host", "asks for https"),
            ("unix:///socket", "asks for unix"),
        ] {
            let error = ServerUrl::parse(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
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
