//! From a request to its response.

use std::convert::Infallible;
use std::rc::Rc;

use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::Value;

use crate::connection::Connection;
use crate::metrics;
use crate::reply::{self, Identity};
use crate::request::{Api, Embedding, Generation};
use crate::stream::TokenStream;

/// A response with a whole body or a stream.
pub(crate) type Reply = Response<Either<Full<Bytes>, TokenStream>>;

/// Larger request bodies are refused: a prompt of a million words fits.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// Answers one request. Failures are answers too.
pub(crate) async fn respond(
    request: Request<Incoming>,
    connection: Rc<Connection>,
) -> Result<Reply, Infallible> {
    let reply = route(request, &connection).await;
    Ok(reply.unwrap_or_else(Refusal::into_reply))
}

async fn route(request: Request<Incoming>, connection: &Rc<Connection>) -> Result<Reply, Refusal> {
    let method = request.method();
    match request.uri().path() {
        "/v1/chat/completions" if method == Method::POST => generate(Api::Chat, request, connection).await,
        "/v1/completions" if method == Method::POST => generate(Api::Completions, request, connection).await,
        "/v1/embeddings" if method == Method::POST => embed(request, connection).await,
        "/v1/models" if method == Method::GET => Ok(json(StatusCode::OK, &reply::models())),
        "/health" if method == Method::GET => Ok(whole(StatusCode::OK, "text/plain", "")),
        "/metrics" if method == Method::GET => {
            let page =
                metrics::page(connection.server.scheduler.load(), connection.server.lateness.summary());
            Ok(whole(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", page))
        }
        "/v1/chat/completions" | "/v1/completions" | "/v1/embeddings" => {
            Err(Refusal::MethodNotAllowed { allowed: "POST" })
        }
        "/v1/models" | "/health" | "/metrics" => Err(Refusal::MethodNotAllowed { allowed: "GET" }),
        path => Err(Refusal::NotFound { path: path.to_owned() }),
    }
}

async fn generate(
    api: Api,
    request: Request<Incoming>,
    connection: &Rc<Connection>,
) -> Result<Reply, Refusal> {
    let server = &connection.server;
    let body = read(request).await?;
    let arrived = server.scheduler.now();
    let number = count_request(connection)?;
    let request =
        Generation::parse(api, &body, server.settings.default_output_tokens).map_err(Refusal::BadRequest)?;
    let tokens = server.scheduler.submit(arrived, request.work);
    if request.stream {
        let identity = Identity::new(&request, number);
        let stream = TokenStream::new(request, &identity, tokens, Rc::clone(connection));
        let mut reply = Response::new(Either::Right(stream));
        set(&mut reply, CONTENT_TYPE, "text/event-stream; charset=utf-8");
        if server.settings.faults.close_after_stream {
            set(&mut reply, HeaderName::from_static("keep-alive"), "timeout=5, max=100");
        }
        return Ok(reply);
    }
    let reply = json(StatusCode::OK, &reply::generation(&request, number));
    connection.promise(tokens.last().await.at);
    Ok(reply)
}

async fn embed(request: Request<Incoming>, connection: &Rc<Connection>) -> Result<Reply, Refusal> {
    let server = &connection.server;
    let body = read(request).await?;
    let arrived = server.scheduler.now();
    let number = count_request(connection)?;
    let request = Embedding::parse(&body).map_err(Refusal::BadRequest)?;
    let prefill = server.scheduler.submit(arrived, request.work);
    let reply = json(StatusCode::OK, &reply::embedding(&request, number));
    connection.promise(prefill.last().await.at);
    Ok(reply)
}

async fn read(request: Request<Incoming>) -> Result<Bytes, Refusal> {
    let body = Limited::new(request.into_body(), MAX_BODY_BYTES).collect().await;
    body.map(http_body_util::Collected::to_bytes)
        .map_err(|error| Refusal::BadRequest(format!("cannot read the request body: {error}")))
}

/// Numbers an inference request, or refuses it if its number is one that has to fail.
fn count_request(connection: &Connection) -> Result<u64, Refusal> {
    let server = &connection.server;
    let number = server.requests.get();
    server.requests.set(number + 1);
    if has_to_fail(number, server.settings.faults.error_rate) { Err(Refusal::OnPurpose) } else { Ok(number) }
}

/// Whether the share of failures, counted up to and with this request, reaches a new whole number.
fn has_to_fail(number: u64, share: f64) -> bool {
    ((number + 1) as f64 * share).floor() > (number as f64 * share).floor()
}

/// Why a request gets an error for an answer.
enum Refusal {
    BadRequest(String),
    NotFound { path: String },
    MethodNotAllowed { allowed: &'static str },
    OnPurpose,
}

impl Refusal {
    fn into_reply(self) -> Reply {
        let (status, kind, message) = match &self {
            Self::BadRequest(message) => (StatusCode::BAD_REQUEST, "BadRequestError", message.clone()),
            Self::NotFound { path } => {
                (StatusCode::NOT_FOUND, "NotFoundError", format!("there is no {path} here"))
            }
            Self::MethodNotAllowed { allowed } => (
                StatusCode::METHOD_NOT_ALLOWED,
                "MethodNotAllowedError",
                format!("this path takes {allowed} only"),
            ),
            Self::OnPurpose => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalServerError",
                "failed on purpose: error-rate is set".to_owned(),
            ),
        };
        let mut reply = json(status, &reply::error(status.as_u16(), kind, &message));
        if let Self::MethodNotAllowed { allowed } = self {
            set(&mut reply, ALLOW, allowed);
        }
        reply
    }
}

fn json(status: StatusCode, value: &Value) -> Reply {
    whole(status, "application/json", value.to_string())
}

fn whole(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Either::Left(Full::new(body.into())));
    *reply.status_mut() = status;
    set(&mut reply, CONTENT_TYPE, content_type);
    reply
}

fn set(reply: &mut Reply, name: HeaderName, value: &'static str) {
    reply.headers_mut().insert(name, HeaderValue::from_static(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_spread_evenly() {
        let failing = |share: f64| (0..10).filter(|number| has_to_fail(*number, share)).collect::<Vec<u64>>();
        assert_eq!(failing(0.0), [] as [u64; 0]);
        assert_eq!(failing(0.25), [3, 7]);
        assert_eq!(failing(0.5), [1, 3, 5, 7, 9]);
        assert_eq!(failing(1.0).len(), 10);
    }
}
