//! Where requests go: the way to a server, and everything of a request but its body.

use crate::error::LoadError;
use crate::probe;
use crate::response_memory::ResponseMemory;
use crate::route::Route;
use crate::transport::Transport;
use crate::workload::{PreparedRequest, Workload, parse_header};
use aiperf_model::connection::ConnectionReuse;
use aiperf_model::request::Header;
use aiperf_model::server::{Scheme, ServerUrl, redacted_path};
use bytes::Bytes;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING,
    UPGRADE, USER_AGENT,
};
use hyper::{HeaderMap, Method, Request, Uri};
use std::time::Duration;

/// How long the connection before the load may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// A server to send requests to.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) route: Route,
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
    /// How servers are connected to.
    pub(crate) transport: &'a Transport,
}

impl Target {
    /// Looks the server up and connects to it once, to know that it is there before the load begins.
    pub(crate) fn reach(
        url: &ServerUrl,
        spec: TargetSpec<'_>,
        workload: &Workload,
    ) -> Result<Self, LoadError> {
        let mut headers = common_headers(url, spec, workload.streaming())?;
        let host = if spec.transport.http2 { host_of_http2(&mut headers)? } else { None };
        let uris = workload
            .paths()
            .iter()
            .map(|path| {
                let of_workload = path.as_deref().unwrap_or(spec.default_path);
                let path = spec.endpoint_path.unwrap_or(of_workload);
                request_uri(url, host.as_ref(), &url.request_path(path))
            })
            .map(|uri| if spec.endpoint_path.is_none() { uri.map_err(of_plugin) } else { uri })
            .collect::<Result<_, _>>()?;
        Ok(Self { route: probe::reach(url, spec.transport, PROBE_TIMEOUT)?, uris, headers })
    }

    /// The same target, whose responses share this memory with those of others.
    pub(crate) fn with_memory(mut self, memory: &ResponseMemory) -> Self {
        self.route.memory = memory.clone();
        self
    }

    /// The same target in memory of its own: requests share the bytes of their target, and threads that did so
    /// would contend for its reference counts.
    pub(crate) fn separate(&self) -> Self {
        let uris = self.uris.iter().map(|uri| uri.to_string().parse().unwrap_or_else(|_| uri.clone()));
        let headers = self.headers.iter().map(|(name, value)| {
            (name.clone(), HeaderValue::from_bytes(value.as_bytes()).unwrap_or_else(|_| value.clone()))
        });
        Self { route: self.route.clone(), uris: uris.collect(), headers: headers.collect() }
    }

    /// A request as it is sent. The clones share their bytes with the target and the workload.
    pub(crate) fn request(&self, prepared: &PreparedRequest) -> Request<Bytes> {
        let mut request = Request::new(prepared.body.clone());
        *request.method_mut() = Method::POST;
        if let Some(uri) = self.uris.get(prepared.path) {
            *request.uri_mut() = uri.clone();
        }
        let headers = request.headers_mut();
        *headers = self.headers.clone();
        // A header of the endpoint takes the place of ours, with all its values in their order.
        for name in prepared.headers.keys() {
            headers.remove(name);
        }
        for (name, value) in &prepared.headers {
            headers.append(name, value.clone());
        }
        request
    }
}

/// The URI of a request. HTTP/2 wants the `host` in it, which is a header of its own before.
pub(crate) fn request_uri(url: &ServerUrl, host: Option<&HeaderValue>, path: &str) -> Result<Uri, LoadError> {
    let uri = match host.and_then(|host| host.to_str().ok()) {
        None => path.parse().ok(),
        Some(host) => {
            let scheme = if url.scheme() == Scheme::Https { "https" } else { "http" };
            Uri::builder().scheme(scheme).authority(host).path_and_query(path).build().ok()
        }
    };
    uri.ok_or_else(|| LoadError::Path { url: url.to_string(), path: redacted_path(path) })
}

/// A path that nobody but the plugin chose is its fault.
fn of_plugin(error: LoadError) -> LoadError {
    match error {
        LoadError::Path { url, path } => LoadError::PluginPath { url, path },
        other => other,
    }
}

/// Takes the host out of headers that HTTP/2 can then send, and refuses those that it cannot.
fn host_of_http2(headers: &mut HeaderMap) -> Result<Option<HeaderValue>, LoadError> {
    const OF_CONNECTIONS: [HeaderName; 5] = [
        CONNECTION,
        TRANSFER_ENCODING,
        UPGRADE,
        HeaderName::from_static("keep-alive"),
        HeaderName::from_static("proxy-connection"),
    ];
    match OF_CONNECTIONS.into_iter().find(|name| headers.contains_key(name)) {
        Some(name) => Err(LoadError::Http1Header { name: name.to_string() }),
        None => Ok(headers.remove(HOST)),
    }
}

fn common_headers(url: &ServerUrl, spec: TargetSpec<'_>, streaming: bool) -> Result<HeaderMap, LoadError> {
    let accept = if streaming { "text/event-stream" } else { "application/json" };
    let mut headers = HeaderMap::new();
    let host = url.authority().parse().map_err(|_| LoadError::Header { name: "host".into() })?;
    headers.insert(HOST, host);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static(accept));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("aiperf/", env!("CARGO_PKG_VERSION"))));
    if spec.transport.reuse == ConnectionReuse::Never && !spec.transport.http2 {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    for header in spec.headers {
        let (name, value) = parse_header(&header.name, &header.value)?;
        headers.insert(name, value);
    }
    Ok(headers)
}
