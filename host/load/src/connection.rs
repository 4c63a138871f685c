//! One connection, owned by one slot: it carries one exchange at a time and tells when its bytes moved.
//!
//! Libraries speak TLS and HTTP; they are driven from within the slot's own task, so that a response wakes one task
//! only. Times are taken beneath them, where the socket is read and written.

mod http1;
mod reception;
mod stamps;
mod wire;

use crate::clock::Clock;
use crate::deadline::Interruption;
use crate::failure::{cancelled, connect, handshake, tls};
use crate::framing::Received;
use crate::route::{Route, Tls};
use crate::task::SlotTask;
use aiperf_model::record::Failure;
use bytes::Bytes;
use http_body_util::Full;
use http1::Http1;
use hyper::Request;
use stamps::{Stamped, Stamps};
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::net::TcpStream;
use wire::Wire;

/// The times of one exchange, as far as it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WireTimes {
    /// When the first byte was handed to the socket.
    pub(crate) send: Option<u64>,
    /// When the first byte of the response was read.
    pub(crate) first_byte: Option<u64>,
    /// When the last read returned.
    pub(crate) last_read: Option<u64>,
}

/// What broke an exchange.
#[derive(Debug)]
pub(crate) enum Broken {
    /// It was given up by us.
    Interrupted(Interruption),
    /// The connection failed.
    Http1(hyper::Error),
    /// The connection ended without an error of its own.
    Closed,
}

/// An open connection.
pub(crate) struct Connection {
    http: Http1,
    /// How long it took to open, in nanoseconds.
    opening: u64,
    has_served: bool,
    stamps: Arc<Stamps>,
}

impl Connection {
    /// Connects to a server, by the deadline of the task.
    pub(crate) async fn open(route: &Route, clock: Clock, task: &SlotTask) -> Result<Self, Failure> {
        let (address, begun) = (&route.address, clock.now());
        let late = || connect(format!("no connection to {address} in time"));
        let socket = step(task, late, dial(address)).await?;
        let stamps = Arc::new(Stamps::new(clock));
        let socket = Stamped::new(socket, Arc::clone(&stamps));
        let wire = match &route.tls {
            None => Wire::plain(socket, Arc::clone(&stamps)),
            Some(tls) => secure(tls, socket, &stamps, address, task).await?,
        };
        let http = Http1::begin(wire).await.map_err(|error| lost(address, &error))?;
        let opening = clock.now().saturating_sub(begun);
        Ok(Self { http, opening, has_served: false, stamps })
    }

    /// Whether a request can be sent; false once the server has closed.
    pub(crate) async fn is_ready(&mut self, task: &SlotTask) -> bool {
        poll_fn(|_| match task.interruption() {
            Some(_) => Poll::Ready(false),
            None => self.http.poll_ready(task),
        })
        .await
    }

    /// Whether it has carried a request before.
    pub(crate) fn has_served(&self) -> bool {
        self.has_served
    }

    /// How long it took to open, in nanoseconds, unless it has carried a request before.
    pub(crate) fn opening(&self) -> Option<u64> {
        (!self.has_served).then_some(self.opening)
    }

    /// Sends a request and reads the response into `received`, to its end.
    pub(crate) async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
        task: &SlotTask,
        received: &mut Received,
    ) -> Result<(), Broken> {
        self.has_served = true;
        self.stamps.arm();
        self.http.exchange(request, task, &self.stamps, received).await
    }

    /// The times of the exchange that was begun last.
    pub(crate) fn times(&self) -> WireTimes {
        self.stamps.times()
    }
}

async fn dial(address: &SocketAddr) -> Result<TcpStream, Failure> {
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| connect(format!("no connection to {address}: {error}")))?;
    stream.set_nodelay(true).map_err(|error| lost(address, &error))?;
    Ok(stream)
}

async fn secure(
    tls: &Tls,
    socket: Stamped<TcpStream>,
    stamps: &Arc<Stamps>,
    address: &SocketAddr,
    task: &SlotTask,
) -> Result<Wire, Failure> {
    let late = || self::tls(format!("the TLS handshake with {address} did not end in time"));
    let shaking = async {
        let shaken = tls.connector.connect(tls.name.clone(), socket).await;
        shaken.map_err(|error| handshake(address, &error))
    };
    let session = step(task, late, shaking).await?;
    Ok(Wire::secure(session, Arc::clone(stamps)))
}

fn lost(address: &SocketAddr, error: &dyn std::fmt::Display) -> Failure {
    connect(format!("connection to {address} lost: {error}"))
}

/// Does one step of opening a connection, unless it is `late` or the run is over.
async fn step<T>(
    task: &SlotTask,
    late: impl FnOnce() -> Failure,
    step: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let mut step = pin!(step);
    let done = poll_fn(|context| match task.interruption() {
        Some(interruption) => Poll::Ready(Err(interruption)),
        None => step.as_mut().poll(context).map(Ok),
    });
    match done.await {
        Ok(result) => result,
        Err(Interruption::Timeout) => Err(late()),
        Err(Interruption::Cancelled) => Err(cancelled(None)),
    }
}

/// Moves the bytes of a connection as far as they go.
fn drive<D: Future + Unpin>(driver: &mut D, ended: &mut bool, task: &SlotTask) {
    if !*ended {
        // Its error, if any, reaches whoever waits for the response.
        *ended = Pin::new(driver).poll(&mut task.context()).is_ready();
    }
}

/// The context for what only the driver can make ready: it is driven right where it is polled.
fn unwoken() -> Context<'static> {
    Context::from_waker(Waker::noop())
}
