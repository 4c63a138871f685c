//! The body of a stream: turns due tokens into server-sent events, and misbehaves where the settings ask for it.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame};

use crate::chunk::{Chunks, DONE};
use crate::connection::Connection;
use crate::reply::{self, Identity};
use crate::request::Generation;
use crate::scheduler::Tokens;
use crate::words::word;

/// A stream of one answer. It never ends with anything but its last token, unless it is cut.
#[derive(Debug)]
pub(crate) struct TokenStream {
    request: Generation,
    chunks: Chunks,
    tokens: Tokens,
    connection: Rc<Connection>,
    sent: usize,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// To be cut once everything before has left.
    Draining,
    Cut,
    Ended,
}

/// Why a stream breaks off.
#[derive(Debug, thiserror::Error)]
#[error("stream cut on purpose")]
pub(crate) struct Cut;

impl TokenStream {
    pub(crate) fn new(
        request: Generation,
        identity: &Identity,
        tokens: Tokens,
        connection: Rc<Connection>,
    ) -> Self {
        let chunks = Chunks::new(request.api, identity);
        Self { request, chunks, tokens, connection, sent: 0, state: State::Open }
    }

    /// Writes the events of everything that is due.
    fn write_due(&mut self, context: &mut Context<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        while self.state == State::Open
            && let Poll::Ready(due) = self.tokens.poll_next(context)
        {
            if self.connection.server.settings.faults.cut_after_tokens == Some(self.sent) {
                self.state = State::Draining;
                return out;
            }
            if self.sent == 0 {
                self.chunks.role(&mut out);
            }
            self.chunks.token(&mut out, word(self.sent));
            self.sent += 1;
            self.connection.promise(due.at);
            if due.last {
                self.write_end(&mut out);
            }
        }
        out
    }

    fn write_end(&mut self, out: &mut Vec<u8>) {
        self.state = State::Ended;
        self.chunks.finish(out);
        if self.request.include_usage {
            self.chunks.usage(out, &reply::usage(self.request.work));
        }
        let faults = &self.connection.server.settings.faults;
        if !faults.no_done {
            out.extend_from_slice(DONE.as_bytes());
        }
        if faults.close_after_stream {
            self.connection.hang_up.notify_one();
        }
    }
}

impl Body for TokenStream {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let events = self.write_due(context);
        if !events.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(events.into()))));
        }
        match self.state {
            State::Open => Poll::Pending,
            State::Draining => {
                // While a body has nothing to give, hyper flushes what it has.
                self.state = State::Cut;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            State::Cut => Poll::Ready(Some(Err(Cut))),
            State::Ended => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.state == State::Ended
    }
}
