//! HTTP/2 on one connection: one stream after the other.
//!
//! A connection of HTTP/2 can carry many streams at once. Here it carries one, like that of HTTP/1.1, so that the times
//! of a response are those of its own reads and no request waits behind another one's bytes.
//!
//! h2 reads as long as there is something to read. It is let read once between two looks at what has arrived, so that
//! the last read is always the one that brought it.

use super::reception::Reception;
use super::stamps::Stamps;
use super::wire::Wire;
use super::{Broken, DriverState, Standing, drive, unwoken};
use crate::framing::Received;
use crate::response_memory::Share;
use crate::task::SlotTask;
use bytes::Bytes;
use h2::client::{Builder, ResponseFuture, SendRequest};
use h2::{Reason, RecvStream};
use hyper::{Request, Response};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

/// How many bytes a server may send ahead of what has been taken, per stream and in all. More than any line holds
/// in flight, so that this client never slows a server down; memory is used for what arrives only.
const WINDOW: u32 = 16 * 1024 * 1024;

/// The two halves of an h2 connection. Both are polled by the slot's own task.
pub(super) struct Http2 {
    sender: SendRequest<Bytes>,
    driver: h2::client::Connection<Wire, Bytes>,
    state: DriverState,
    stamps: Arc<Stamps>,
}

/// Why a connection does not speak HTTP/2, as a clause.
pub(super) type NoHttp2 = String;

impl Http2 {
    /// Begins to speak, and waits for the server to do so: whatever else comes is no HTTP/2.
    pub(super) async fn begin(wire: Wire, stamps: Arc<Stamps>) -> Result<Self, NoHttp2> {
        let (sender, mut driver) = Builder::new()
            .initial_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            // The settings of the server raise it.
            .initial_max_send_streams(0)
            .enable_push(false)
            .handshake(wire)
            .await
            .map_err(|error| error.to_string())?;
        stamps.mark_frames();
        poll_fn(|context| {
            loop {
                stamps.allow_read();
                match Pin::new(&mut driver).poll(context) {
                    Poll::Ready(Ok(())) => return Poll::Ready(Err("it closed the connection".to_owned())),
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error.to_string())),
                    Poll::Pending if sender.current_max_send_streams() > 0 => return Poll::Ready(Ok(())),
                    Poll::Pending if stamps.has_read() => {}
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await?;
        Ok(Self { sender, driver, state: DriverState::On, stamps })
    }

    /// How it stands between two exchanges.
    pub(super) fn poll_standing(&mut self, task: &SlotTask) -> Poll<Standing> {
        while self.drive(task) {}
        if self.state.has_ended() {
            return Poll::Ready(Standing::Closed);
        }
        self.sender
            .poll_ready(&mut task.context())
            .map(|ready| if ready.is_ok() { Standing::Ready } else { Standing::Closed })
    }

    /// Sends a request and receives the response to its end.
    pub(super) async fn exchange(
        &mut self,
        request: Request<Bytes>,
        task: &SlotTask,
        share: &mut Share,
        received: &mut Received,
    ) -> Result<(), Broken> {
        let response = self.send(request, task).map_err(Broken::Http2)?;
        let response = self.response(response, task).await?;
        self.stamps.head_arrived();
        let stamps = Arc::clone(&self.stamps);
        let mut reception = Reception::begin(&response, &stamps, share, received);
        let read = self.read(response.into_body(), task, &mut reception).await;
        reception.end();
        read
    }

    fn send(&mut self, request: Request<Bytes>, task: &SlotTask) -> Result<ResponseFuture, h2::Error> {
        let (head, body) = request.into_parts();
        task.suppressed(|| {
            let is_all = body.is_empty();
            let (response, mut stream) = self.sender.send_request(Request::from_parts(head, ()), is_all)?;
            if !is_all {
                stream.send_data(body, true)?;
            }
            Ok(response)
        })
    }

    async fn response(
        &mut self,
        mut response: ResponseFuture,
        task: &SlotTask,
    ) -> Result<Response<RecvStream>, Broken> {
        poll_fn(|_| {
            if let Some(interruption) = task.interruption() {
                return Poll::Ready(Err(Broken::Interrupted(interruption)));
            }
            loop {
                let has_read = self.drive(task);
                match task.suppressed(|| Pin::new(&mut response).poll(&mut unwoken())) {
                    Poll::Ready(response) => return Poll::Ready(response.map_err(Broken::Http2)),
                    Poll::Pending if self.state.has_ended() => return Poll::Ready(Err(Broken::Closed)),
                    Poll::Pending if has_read => {}
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await
    }

    async fn read(
        &mut self,
        mut body: RecvStream,
        task: &SlotTask,
        reception: &mut Reception<'_>,
    ) -> Result<(), Broken> {
        poll_fn(|_| {
            if let Some(interruption) = task.interruption() {
                return Poll::Ready(Err(Broken::Interrupted(interruption)));
            }
            loop {
                match task.suppressed(|| body.poll_data(&mut unwoken())) {
                    Poll::Ready(Some(Ok(bytes))) => {
                        if let Err(broken) = reception.push(&bytes) {
                            return Poll::Ready(Err(broken));
                        }
                        // It was received, so there is room for as much again.
                        let _ = task.suppressed(|| body.flow_control().release_capacity(bytes.len()));
                    }
                    // The server has said all and wants to hear no more.
                    Poll::Ready(Some(Err(error))) if error.reason() == Some(Reason::NO_ERROR) => {
                        return Poll::Ready(Ok(()));
                    }
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(Broken::Http2(error))),
                    Poll::Ready(None) => return Poll::Ready(Ok(())),
                    Poll::Pending if self.state.has_ended() => return Poll::Ready(Err(Broken::Closed)),
                    Poll::Pending => {
                        let has_read = self.drive(task);
                        if !has_read && !self.state.has_ended() {
                            return Poll::Pending;
                        }
                    }
                }
            }
        })
        .await
    }

    /// Moves bytes, with one read at most; tells whether there was one, after which there may be another.
    fn drive(&mut self, task: &SlotTask) -> bool {
        self.stamps.allow_read();
        drive(&mut self.driver, &mut self.state, task);
        self.stamps.has_read() && !self.state.has_ended()
    }
}
