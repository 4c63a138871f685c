//! Where requests go: the way to a server, and everything of a request but its body.

use crate::error::LoadError;
use crate::probe;
use crate::route::Route;
use crate::transport::Transport;
use crate::workload::{PreparedRequest, Workload, parse_header};
use aiperf_model::connection::ConnectionReuse;
use aiperf_model::request::Header;
use aiperf_model::server::ServerUrl;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ACCEPT, CONNECTION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
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
        let uris = workload
            .paths()
            .iter()
            .map(|path| spec.endpoint_path.or(path.as_deref()).unwrap_or(spec.default_path))
            .map(|path| url.request_path(path))
            .map(|path| {
                path.parse().map_err(|_| LoadError::Path { url: url.to_string(), path: path.clone() })
            })
            .collect::<Result<_, _>>()?;
        let headers = common_headers(url, spec, workload.streaming())?;
        Ok(Self { route: probe::reach(url, spec.transport, PROBE_TIMEOUT)?, uris, headers })
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

fn common_headers(url: &ServerUrl, spec: TargetSpec<'_>, streaming: bool) -> Result<HeaderMap, LoadError> {
    let accept = if streaming { "text/event-stream" } else { "application/json" };
    let mut headers = HeaderMap::new();
    let host = url.authority().parse().map_err(|_| LoadError::Header { name: "host".into() })?;
    headers.insert(HOST, host);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static(accept));
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("aiperf/", env!("CARGO_PKG_VERSION"))));
    if spec.transport.reuse == ConnectionReuse::Never {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    for header in spec.headers {
        let (name, value) = parse_header(&header.name, &header.value)?;
        headers.insert(name, value);
    }
    Ok(headers)
}
