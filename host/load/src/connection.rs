//! One connection, owned by one slot: it carries one exchange at a time and tells when its bytes moved.
//!
//! Libraries speak TLS and HTTP; they are state from within the slot's own task, so that a response wakes one task
//! only. Times are taken beneath them, where the socket is read and written.

mod http1;
mod http2;
mod opening;
mod reception;
mod stamps;
mod wire;

pub(crate) use reception::EVENT_COST;

use crate::clock::Clock;
use crate::completion_id::LastAnswer;
use crate::deadline::Interruption;
use crate::framing::Received;
use crate::response_memory::{NoRoom, Share};
use crate::route::Route;
use crate::sockets::ConnectionPermit;
use crate::task::SlotTask;
use aiperf_model::record::Failure;
use bytes::Bytes;
use http1::Http1;
use http2::Http2;
use hyper::Request;
use stamps::Stamps;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;
use tracing::debug;

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
    /// Bytes came before the request had left that they would answer.
    Early,
    /// The response, or all in flight together, have more bytes than may be kept.
    NoRoom(NoRoom),
}

/// How much longer than a round trip the news of a closed connection may take in nanoseconds: both sides may be busy.
const BUSY_TIME: u64 = 50_000_000;

/// How a connection stands between two exchanges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// A request can be sent.
    Ready,
    /// The server has closed it, or nobody has time for it any more.
    Closed,
    /// The server has sent bytes that answer nothing, so that nobody knows whose answer would come next.
    Desynchronized,
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
    is_trusted: bool,
    /// The answer that came last on it.
    pub(crate) last_answer: Option<LastAnswer>,
    /// What its response holds of the memory of all.
    share: Share,
    stamps: Arc<Stamps>,
    /// After the connection, so that it is free when that is closed.
    _place: ConnectionPermit,
}

impl Connection {
    /// Connects to a server, by the deadline of the task.
    pub(crate) async fn open(route: &Route, clock: Clock, task: &SlotTask) -> Result<Self, Failure> {
        let begun = clock.now();
        let stamps = Arc::new(Stamps::new(clock));
        let (http, place) = opening::open(route, &stamps, task).await.inspect_err(|failure| {
            debug!(address = %route.address, reason = %failure.message, "no connection");
        })?;
        let opening = clock.now().saturating_sub(begun);
        debug!(address = %route.address, nanoseconds = opening, http2 = route.http2, "connection opened");
        Ok(Self {
            http,
            opening,
            has_served: false,
            is_trusted: false,
            last_answer: None,
            share: route.memory.share(),
            stamps,
            _place: place,
        })
    }

    /// Looks whether a request can be sent, and waits until one can.
    pub(crate) async fn standing(&mut self, task: &SlotTask) -> Standing {
        poll_fn(|_| match task.interruption() {
            Some(_) => Poll::Ready(Standing::Closed),
            None => self.poll_standing(task),
        })
        .await
    }

    /// Looks for as long as the server sends nothing and does not close, until a time.
    pub(crate) async fn watch(&mut self, task: &SlotTask, until: Instant) -> Standing {
        let mut time_is_up = pin!(tokio::time::sleep_until(until.into()));
        poll_fn(|context| match self.poll_standing(task) {
            Poll::Ready(Standing::Ready) | Poll::Pending => {
                time_is_up.as_mut().poll(context).map(|()| Standing::Ready)
            }
            ended @ Poll::Ready(_) => ended,
        })
        .await
    }

    fn poll_standing(&mut self, task: &SlotTask) -> Poll<Standing> {
        match &mut self.http {
            Http::One(http) => http.poll_standing(task, &self.stamps),
            Http::Two(http) => http.poll_standing(task),
        }
    }

    /// Whether it has carried a request before.
    pub(crate) fn has_served(&self) -> bool {
        self.has_served
    }

    /// Whether a response on it was seen to be followed by nothing.
    pub(crate) fn is_trusted(&self) -> bool {
        self.is_trusted
    }

    /// A response on it was followed by nothing for long enough.
    pub(crate) fn trust(&mut self) {
        self.is_trusted = true;
    }

    /// Within how many nanoseconds after a send it is told that the server had closed before it had the request: the news
    /// comes within a round trip, and opening the connection took one at least.
    pub(crate) fn closing_time(&self) -> u64 {
        self.opening.saturating_add(BUSY_TIME)
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
        let exchanged = match &mut self.http {
            Http::One(http) => http.exchange(request, task, &self.stamps, &mut self.share, received).await,
            Http::Two(http) => http.exchange(request, task, &mut self.share, received).await,
        };
        self.share.release();
        match exchanged {
            Ok(()) | Err(Broken::Http1(_) | Broken::Closed) if self.stamps.came_early() => Err(Broken::Early),
            exchanged => exchanged,
        }
    }

    /// The times of the exchange that was begun last.
    pub(crate) fn times(&self) -> WireTimes {
        self.stamps.times()
    }
}

/// How far the driver of a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DriverState {
    /// It goes on.
    On,
    /// It has ended as it should.
    Ended,
    /// It has ended with an error, which reaches whoever waits for the response, if anybody does.
    Failed,
}

impl DriverState {
    fn has_ended(self) -> bool {
        self != Self::On
    }
}

/// Moves the bytes of a connection as far as they go.
fn drive<D, E>(driver: &mut D, state: &mut DriverState, task: &SlotTask)
where
    D: Future<Output = Result<(), E>> + Unpin,
{
    if *state == DriverState::On {
        *state = match Pin::new(driver).poll(&mut task.context()) {
            Poll::Pending => DriverState::On,
            Poll::Ready(Ok(())) => DriverState::Ended,
            Poll::Ready(Err(_)) => DriverState::Failed,
        };
    }
}

/// The context for what only the driver can make ready: it is state right where it is polled.
fn unwoken() -> Context<'static> {
    Context::from_waker(Waker::noop())
}
