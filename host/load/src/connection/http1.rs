//! HTTP/1.1 on one connection: one exchange after the other.
//!
//! hyper reads no further before a frame is taken from it, so that the last read is always the one that brought it.

use super::reception::Reception;
use super::stamps::Stamps;
use super::wire::Wire;
use super::{Broken, drive, unwoken};
use crate::framing::Received;
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
    driver_ended: bool,
}

impl Http1 {
    /// Begins to speak; nothing is sent yet.
    pub(super) async fn begin(wire: Wire) -> hyper::Result<Self> {
        let (sender, driver) = http1::handshake(TokioIo::new(wire)).await?;
        Ok(Self { sender, driver, driver_ended: false })
    }

    /// Whether a request can be sent; false once the server has closed.
    pub(super) fn poll_ready(&mut self, task: &SlotTask) -> Poll<bool> {
        self.drive(task);
        match self.sender.poll_ready(&mut task.context()) {
            Poll::Ready(ready) => Poll::Ready(ready.is_ok() && !self.driver_ended),
            Poll::Pending if self.driver_ended => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Sends a request and receives the response to its end.
    pub(super) async fn exchange(
        &mut self,
        request: Request<Bytes>,
        task: &SlotTask,
        stamps: &Stamps,
        received: &mut Received,
    ) -> Result<(), Broken> {
        let response = self.response(request.map(Full::new), task).await?;
        let mut reception = Reception::begin(&response, stamps, received);
        let read = self.read(response.into_body(), task, &mut reception).await;
        reception.end();
        read
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
                Poll::Ready(response) => Poll::Ready(response.map_err(Broken::Http1)),
                Poll::Pending if *driver_ended => Poll::Ready(Err(Broken::Closed)),
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
                        if let Ok(bytes) = frame.into_data()
                            && let Err(broken) = reception.push(&bytes)
                        {
                            return Poll::Ready(Err(broken));
                        }
                        self.drive(task);
                    }
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(Broken::Http1(error))),
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
