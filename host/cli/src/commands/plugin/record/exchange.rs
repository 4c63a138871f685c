//! One request and its whole response, untimed.

use aiperf_load::replay;
use aiperf_model::request::Header;
use aiperf_model::secret::Secrets;
use aiperf_model::server::{Scheme, ServerUrl};
use aiperf_plugin_host::hide_in_body;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT_ENCODING, CONTENT_TYPE, HOST};
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use std::fmt::Write as _;
use tokio::net::TcpStream;
use tokio::runtime::Builder;

/// What a server answered.
pub(super) struct Answer {
    headers: HeaderMap,
    /// The body without the framing of its transfer.
    pub body: Vec<u8>,
}

impl Answer {
    pub(super) fn is_stream(&self) -> bool {
        let kind = self.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let declared = kind.is_some_and(|kind| kind.trim_start().starts_with("text/event-stream"));
        replay::is_stream(&self.body, declared)
    }

    /// The same without what the server was sent and sent back.
    pub(super) fn without(self, secrets: &Secrets) -> Self {
        Self { body: hide_in_body(self.body, secrets), ..self }
    }

    /// The answer as a fixture keeps it. Of the headers only what says how to read the body; others may be secret.
    pub(super) fn recorded(&self) -> Vec<u8> {
        let mut head = "HTTP/1.1 200 OK\r\n".to_owned();
        if let Some(kind) = self.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) {
            // Writing to a string cannot fail.
            let _ = write!(head, "content-type: {kind}\r\n");
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }
}

/// Posts a body and reads the answer.
///
/// # Errors
///
/// What went wrong, as a sentence: no connection, or an answer that is no success.
pub(super) fn exchange(
    url: &ServerUrl,
    path: &str,
    headers: &[Header],
    body: Vec<u8>,
) -> Result<Answer, String> {
    if url.scheme() == Scheme::Https {
        return Err(format!("{url}: TLS is not available in this version; record through an http:// proxy"));
    }
    let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let lost = |error: &dyn std::fmt::Display| format!("no answer from {url}: {error}");
        let stream = TcpStream::connect((url.host(), url.port())).await.map_err(|error| lost(&error))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| lost(&error))?;
        tokio::spawn(connection);
        let request = request(url, path, headers, body)?;
        let response = sender.send_request(request).await.map_err(|error| lost(&error))?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| lost(&error))?.to_bytes().to_vec();
        if !head.status.is_success() {
            let text = String::from_utf8_lossy(&body);
            return Err(format!("the server answered {}: {}", head.status, text.trim()));
        }
        Ok(Answer { headers: head.headers, body })
    })
}

fn request(
    url: &ServerUrl,
    path: &str,
    headers: &[Header],
    body: Vec<u8>,
) -> Result<Request<Full<Bytes>>, String> {
    let mut request =
        Request::post(url.request_path(path)).header(HOST, url.authority()).body(Full::from(body));
    if let Ok(request) = &mut request {
        let known = request.headers_mut();
        known.insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json"));
        known.insert(ACCEPT_ENCODING, hyper::header::HeaderValue::from_static("identity"));
        for header in headers {
            let name = header.name.parse::<hyper::header::HeaderName>().map_err(|error| error.to_string())?;
            let value =
                header.value.parse().map_err(|_| format!("the header '{name}' has an unfit value"))?;
            known.insert(name, value);
        }
    }
    request.map_err(|error| error.to_string())
}
