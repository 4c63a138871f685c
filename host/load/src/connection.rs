//! One connection, owned by one slot: it carries one exchange at a time and tells when its bytes moved.
//!
//! Libraries speak TLS and HTTP; they are driven from within the slot's own task, so that a response wakes one task
//! only. Times are taken beneath them, where the socket is read and written.

mod http1;
mod http2;
mod opening;
mod reception;
mod stamps;
mod wire;

pub(crate) use reception::LONGEST_MIB;

use crate::clock::Clock;
use crate::deadline::Interruption;
use crate::framing::Received;
use crate::route::Route;
use crate::sockets::Place;
use crate::task::SlotTask;
use aiperf_model::record::Failure;
use bytes::Bytes;
use http1::Http1;
use http2::Http2;
use hyper::Request;
use stamps::Stamps;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

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
    /// The connection or the stream failed.
    Http2(h2::Error),
    /// The connection ended without an error of its own.
    Closed,
    /// The response has more bytes than any answer has.
    Endless,
}

/// The version of HTTP that a connection speaks.
enum Http {
    One(Box<Http1>),
    Two(Box<Http2>),
}

/// An open connection.
pub(crate) struct Connection {
    http: Http,
    /// How long it took to open, in nanoseconds.
    opening: u64,
    has_served: bool,
    stamps: Arc<Stamps>,
    /// After the connection, so that it is free when that is closed.
    _place: Place,
}

impl Connection {
    /// Connects to a server, by the deadline of the task.
    pub(crate) async fn open(route: &Route, clock: Clock, task: &SlotTask) -> Result<Self, Failure> {
        let begun = clock.now();
        let stamps = Arc::new(Stamps::new(clock));
        let (http, place) = opening::open(route, &stamps, task).await?;
        let opening = clock.now().saturating_sub(begun);
        Ok(Self { http, opening, has_served: false, stamps, _place: place })
    }

    /// Whether a request can be sent; false once the server has closed.
    pub(crate) async fn is_ready(&mut self, task: &SlotTask) -> bool {
        poll_fn(|_| match task.interruption() {
            Some(_) => Poll::Ready(false),
            None => match &mut self.http {
                Http::One(http) => http.poll_ready(task),
                Http::Two(http) => http.poll_ready(task),
            },
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
        request: Request<Bytes>,
        task: &SlotTask,
        received: &mut Received,
    ) -> Result<(), Broken> {
        self.has_served = true;
        self.stamps.arm();
        match &mut self.http {
            Http::One(http) => http.exchange(request, task, &self.stamps, received).await,
            Http::Two(http) => http.exchange(request, task, received).await,
        }
    }

    /// The times of the exchange that was begun last.
    pub(crate) fn times(&self) -> WireTimes {
        self.stamps.times()
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
