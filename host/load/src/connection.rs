//! One connection, owned by one slot: it carries one exchange at a time and tells when its bytes moved.
//!
//! hyper speaks HTTP; it is driven from within the slot's own task, so that a response wakes one task only. Times
//! are taken below hyper, where the socket is read and written.

mod stamps;

use crate::clock::Clock;
use crate::deadline::Interruption;
use crate::failure::{cancelled, connect};
use crate::framing::{EventStream, Framing, Received};
use crate::task::SlotTask;
use aiperf_model::record::Failure;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper::header::CONTENT_TYPE;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use stamps::{Stamped, Stamps};
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::net::TcpStream;

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
    Connection(hyper::Error),
    /// The connection ended without an error of its own.
    Closed,
}

/// An open connection.
pub(crate) struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    driver: http1::Connection<TokioIo<Stamped<TcpStream>>, Full<Bytes>>,
    driver_ended: bool,
    has_served: bool,
    stamps: Arc<Stamps>,
}

impl Connection {
    /// Connects to a server.
    pub(crate) async fn open(address: SocketAddr, clock: Clock, task: &SlotTask) -> Result<Self, Failure> {
        let connecting = unless_interrupted(task, TcpStream::connect(address));
        let stream = match connecting.await {
            Err(Interruption::Timeout) => {
                return Err(connect(format!("no connection to {address} in time")));
            }
            Err(Interruption::Cancelled) => {
                return Err(cancelled(None));
            }
            Ok(Err(error)) => {
                return Err(connect(format!("no connection to {address}: {error}")));
            }
            Ok(Ok(stream)) => stream,
        };
        let lost = |error: &dyn std::fmt::Display| connect(format!("connection to {address} lost: {error}"));
        stream.set_nodelay(true).map_err(|error| lost(&error))?;
        let stamps = Arc::new(Stamps::new(clock));
        let io = TokioIo::new(Stamped::new(stream, Arc::clone(&stamps)));
        let (sender, driver) = http1::handshake(io).await.map_err(|error| lost(&error))?;
        Ok(Self { sender, driver, driver_ended: false, has_served: false, stamps })
    }

    /// Whether a request can be sent; false once the server has closed.
    pub(crate) async fn is_ready(&mut self, task: &SlotTask) -> bool {
        poll_fn(|_| {
            if task.interruption().is_some() {
                return Poll::Ready(false);
            }
            self.drive(task);
            match self.sender.poll_ready(&mut task.context()) {
                Poll::Ready(ready) => Poll::Ready(ready.is_ok() && !self.driver_ended),
                Poll::Pending if self.driver_ended => Poll::Ready(false),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    /// Whether it has carried a request before.
    pub(crate) fn has_served(&self) -> bool {
        self.has_served
    }

    /// Sends a request and reads the response into `received`, to its end. Returns its status.
    pub(crate) async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
        task: &SlotTask,
        received: &mut Received,
        status: &mut Option<u16>,
    ) -> Result<(), Broken> {
        self.has_served = true;
        self.stamps.arm();
        let response = self.response(request, task).await?;
        *status = Some(response.status().as_u16());
        received.streamed = response.status().is_success() && is_event_stream(&response);
        let mut framing =
            if received.streamed { Framing::Events(EventStream::default()) } else { Framing::Whole };
        let read = self.read_body(response.into_body(), task, &mut framing, received).await;
        framing.finish(self.stamps.last_read(), received);
        read
    }

    /// The times of the exchange that was begun last.
    pub(crate) fn times(&self) -> WireTimes {
        self.stamps.times()
    }

    async fn response(
        &mut self,
        request: Request<Full<Bytes>>,
        task: &SlotTask,
    ) -> Result<Response<Incoming>, Broken> {
        let mut response = pin!(task.muted(|| self.sender.send_request(request)));
        let driver = &mut self.driver;
        let driver_ended = &mut self.driver_ended;
        poll_fn(|_| {
            if let Some(interruption) = task.interruption() {
                return Poll::Ready(Err(Broken::Interrupted(interruption)));
            }
            drive(driver, driver_ended, task);
            match response.as_mut().poll(&mut unwoken()) {
                Poll::Ready(response) => Poll::Ready(response.map_err(Broken::Connection)),
                Poll::Pending if *driver_ended => Poll::Ready(Err(Broken::Closed)),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    async fn read_body(
        &mut self,
        mut body: Incoming,
        task: &SlotTask,
        framing: &mut Framing,
        received: &mut Received,
    ) -> Result<(), Broken> {
        // Whoever got the head of the response has just driven the connection.
        let mut driven = true;
        poll_fn(|_| {
            if let Some(interruption) = task.interruption() {
                return Poll::Ready(Err(Broken::Interrupted(interruption)));
            }
            if !driven {
                self.drive(task);
            }
            driven = false;
            loop {
                match task.muted(|| Pin::new(&mut body).poll_frame(&mut unwoken())) {
                    Poll::Ready(Some(Ok(frame))) => {
                        if let Ok(bytes) = frame.into_data() {
                            // hyper reads no further before this frame is taken, so the last read brought it.
                            framing.push(&bytes, self.stamps.last_read(), received);
                        }
                        self.drive(task);
                    }
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(Broken::Connection(error))),
                    Poll::Ready(None) => return Poll::Ready(Ok(())),
                    Poll::Pending if self.driver_ended => return Poll::Ready(Err(Broken::Closed)),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await
    }

    fn drive(&mut self, task: &SlotTask) {
        drive(&mut self.driver, &mut self.driver_ended, task);
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

async fn unless_interrupted<F: Future>(task: &SlotTask, future: F) -> Result<F::Output, Interruption> {
    let mut future = pin!(future);
    poll_fn(|context| match task.interruption() {
        Some(interruption) => Poll::Ready(Err(interruption)),
        None => future.as_mut().poll(context).map(Ok),
    })
    .await
}

fn is_event_stream(response: &Response<Incoming>) -> bool {
    const EVENT_STREAM: &[u8] = b"text/event-stream";
    response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.as_bytes().get(..EVENT_STREAM.len()))
        .is_some_and(|start| start.eq_ignore_ascii_case(EVENT_STREAM))
}
