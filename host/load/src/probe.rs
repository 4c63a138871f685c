//! Questions to a server outside of any measurement: whether it is there, and whether it answers.

use crate::clock::Clock;
use crate::connection::Connection;
use crate::deadline::Deadline;
use crate::error::LoadError;
use crate::framing::Received;
use crate::route::Route;
use crate::target::request_uri;
use crate::task::SlotTask;
use crate::transport::Transport;
use aiperf_model::server::ServerUrl;
use bytes::Bytes;
use hyper::Request;
use hyper::header::{HOST, HeaderValue};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::time::timeout;

/// The first way to the server on which a connection can be opened, each of them given so much time.
pub(crate) fn reach(url: &ServerUrl, transport: &Transport, limit: Duration) -> Result<Route, LoadError> {
    let mut reason = format!("the host '{}' has no address", url.host());
    for route in Route::find(url, transport)? {
        match alone(limit, open(&route))? {
            Ok(_) => return Ok(route),
            Err(error) => reason = error,
        }
    }
    Err(LoadError::Unreachable { url: url.to_string(), reason })
}

/// Whether a server answers a request for the list of models, on a connection of its own and within `limit`, with
/// anything but an error of its own. A server that loads its model refuses connections or answers 503. No key is
/// sent, and an answer that asks for one is an answer.
#[must_use]
pub fn answers(url: &ServerUrl, transport: &Transport, limit: Duration) -> bool {
    let Ok(routes) = Route::find(url, transport) else { return false };
    routes.iter().any(|route| {
        let status = alone(limit, status(route, url));
        matches!(status, Ok(Ok(status)) if !(500..=599).contains(&status))
    })
}

/// Does it on an event loop that nothing else uses.
fn alone<T>(
    limit: Duration,
    question: impl Future<Output = Result<T, String>>,
) -> Result<Result<T, String>, LoadError> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(LoadError::Worker)?;
    Ok(runtime.block_on(async {
        let late = |_| Err(format!("no answer within {} s", limit.as_secs_f64()));
        timeout(limit, question).await.unwrap_or_else(late)
    }))
}

async fn open(route: &Route) -> Result<(Connection, SlotTask), String> {
    let task = SlotTask::current(Arc::new(Deadline::new())).await;
    let connection = Connection::open(route, Clock::start(), &task).await;
    connection.map(|connection| (connection, task)).map_err(|failure| failure.message)
}

async fn status(route: &Route, url: &ServerUrl) -> Result<u16, String> {
    let (mut connection, task) = open(route).await?;
    let request = models(route, url).map_err(|error| error.to_string())?;
    let mut received = Received::default();
    // A server that breaks off after its status has answered.
    let broken = connection.exchange(request, &task, &mut received).await;
    received.status.ok_or_else(|| format!("no answer: {broken:?}"))
}

/// The request for the list of models.
fn models(route: &Route, url: &ServerUrl) -> Result<Request<Bytes>, LoadError> {
    let host: HeaderValue =
        url.authority().parse().map_err(|_| LoadError::Header { name: HOST.to_string() })?;
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = request_uri(url, route.http2.then_some(&host), "/v1/models")?;
    if !route.http2 {
        request.headers_mut().insert(HOST, host);
    }
    Ok(request)
}
