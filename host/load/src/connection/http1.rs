//! HTTP/1.1 on one connection: one exchange after the other.
//!
//! hyper reads no further before a frame is taken from it, so that the last read is always the one that brought it.

use super::reception::Reception;
use super::stamps::Stamps;
use super::wire::Wire;
use super::{Broken, DriverState, Standing, drive, unwoken};
use crate::framing::Received;
use crate::response_memory::Share;
use crate::task::SlotTask;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

/// The two halves of a hyper connection. Both are polled by the slot's own task.
pub(super) struct Http1 {
    sender: http1::SendRequest<Full<Bytes>>,
    driver: http1::Connection<TokioIo<Wire>, Full<Bytes>>,
    state: DriverState,
}

impl Http1 {
    /// Begins to speak; nothing is sent yet.
    pub(super) async fn begin(wire: Wire) -> hyper::Result<Self> {
        let (sender, driver) = http1::handshake(TokioIo::new(wire)).await?;
        Ok(Self { sender, driver, state: DriverState::On })
    }

    /// How it stands between two exchanges. hyper reads then, too, and fails where there is anything to read.
    pub(super) fn poll_standing(&mut self, task: &SlotTask, stamps: &Stamps) -> Poll<Standing> {
        self.drive(task);
        match self.state {
            DriverState::Failed if !stamps.has_ended() => Poll::Ready(Standing::Desynchronized),
            DriverState::Failed | DriverState::Ended => Poll::Ready(Standing::Closed),
            DriverState::On => self
                .sender
                .poll_ready(&mut task.context())
                .map(|ready| if ready.is_ok() { Standing::Ready } else { Standing::Closed }),
        }
    }

    /// Sends a request and receives the response to its end.
    pub(super) async fn exchange(
        &mut self,
        request: Request<Bytes>,
        task: &SlotTask,
        stamps: &Stamps,
        share: &mut Share,
        received: &mut Received,
    ) -> Result<(), Broken> {
        let response = self.response(request.map(Full::new), task).await?;
        let mut reception = Reception::begin(&response, stamps, share, received);
        let read = self.read(response.into_body(), task, &mut reception).await;
        reception.end();
        read
    }

    async fn response(
        &mut self,
        request: Request<Full<Bytes>>,
        task: &SlotTask,
    ) -> Result<Response<Incoming>, Broken> {
        let mut response = pin!(task.suppressed(|| self.sender.send_request(request)));
        let driver = &mut self.driver;
        let state = &mut self.state;
        poll_fn(|_| {
            if let Some(interruption) = task.interruption() {
                return Poll::Ready(Err(Broken::Interrupted(interruption)));
            }
            drive(driver, state, task);
            match response.as_mut().poll(&mut unwoken()) {
                Poll::Ready(response) => Poll::Ready(response.map_err(Broken::Http1)),
                Poll::Pending if state.has_ended() => Poll::Ready(Err(Broken::Closed)),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    async fn read(
        &mut self,
        mut body: Incoming,
        task: &SlotTask,
        reception: &mut Reception<'_>,
    ) -> Result<(), Broken> {
        // Whoever got the head of the response has just state the connection.
        let mut state = true;
        poll_fn(|_| {
            if let Some(interruption) = task.interruption() {
                return Poll::Ready(Err(Broken::Interrupted(interruption)));
            }
            if !state {
                self.drive(task);
            }
            state = false;
            loop {
                match task.suppressed(|| Pin::new(&mut body).poll_frame(&mut unwoken())) {
                    Poll::Ready(Some(Ok(frame))) => {
                        if let Ok(bytes) = frame.into_data()
                            && let Err(broken) = reception.push(&bytes)
                        {
                            return Poll::Ready(Err(broken));
                        }
                        self.drive(task);
                    }
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(Broken::Http1(error))),
                    Poll::Ready(None) => return Poll::Ready(Ok(())),
                    Poll::Pending if self.state.has_ended() => return Poll::Ready(Err(Broken::Closed)),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await
    }

    fn drive(&mut self, task: &SlotTask) {
        drive(&mut self.driver, &mut self.state, task);
    }
}
