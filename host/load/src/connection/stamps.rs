//! The times at which bytes of an exchange pass the socket.

use super::WireTimes;
use crate::clock::Clock;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const NEVER: u64 = u64::MAX;

/// Shared by a connection and the streams beneath HTTP, which are always used by the same thread.
#[derive(Debug)]
pub(super) struct Stamps {
    clock: Clock,
    armed: AtomicBool,
    send: AtomicU64,
    first_byte: AtomicU64,
    last_read: AtomicU64,
    /// Whether the protocol has frames of its own between those of responses.
    has_frames: AtomicBool,
    /// Whether the socket was read since a read was allowed.
    has_read: AtomicBool,
    /// Whether a part of the request that was begun last has not left yet.
    is_sending: AtomicBool,
    /// Whether bytes came before the request had left that they would answer.
    came_early: AtomicBool,
    /// Whether the stream has ended or failed.
    has_ended: AtomicBool,
}

impl Stamps {
    pub(super) fn new(clock: Clock) -> Self {
        let never = || AtomicU64::new(NEVER);
        Self {
            clock,
            armed: AtomicBool::new(false),
            send: never(),
            first_byte: never(),
            last_read: never(),
            has_frames: AtomicBool::new(false),
            has_read: AtomicBool::new(false),
            is_sending: AtomicBool::new(false),
            came_early: AtomicBool::new(false),
            has_ended: AtomicBool::new(false),
        }
    }

    /// A new exchange begins: the next write is its first.
    pub(super) fn arm(&self) {
        for stamp in [&self.send, &self.first_byte, &self.last_read] {
            stamp.store(NEVER, Relaxed);
        }
        self.armed.store(true, Relaxed);
        self.is_sending.store(true, Relaxed);
        self.came_early.store(false, Relaxed);
    }

    /// All that HTTP had to write has left.
    pub(super) fn flushed(&self) {
        if self.is_sending.load(Relaxed) && !self.armed.load(Relaxed) {
            self.is_sending.store(false, Relaxed);
        }
    }

    /// Whether bytes came before the request had left that they would answer. A stream of HTTP/2 has a number, so that
    /// its bytes are those of its request whenever they come.
    pub(super) fn came_early(&self) -> bool {
        self.came_early.load(Relaxed) && !self.has_frames.load(Relaxed)
    }

    /// The stream has ended or failed.
    pub(super) fn end(&self) {
        self.has_ended.store(true, Relaxed);
    }

    /// Whether the stream has ended or failed.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.load(Relaxed)
    }

    pub(super) fn times(&self) -> WireTimes {
        let time = |stamp: &AtomicU64| Some(stamp.load(Relaxed)).filter(|&at| at != NEVER);
        WireTimes {
            send: time(&self.send),
            first_byte: time(&self.first_byte),
            last_read: time(&self.last_read),
        }
    }

    /// When the last read of the exchange returned; the time now if there was none.
    pub(super) fn last_read(&self) -> u64 {
        match self.last_read.load(Relaxed) {
            NEVER => self.clock.now(),
            at => at,
        }
    }

    /// From now on not all bytes are those of a response, and the socket is read only as often as it is allowed.
    pub(super) fn mark_frames(&self) {
        self.has_frames.store(true, Relaxed);
    }

    /// Allows one read of the socket.
    pub(super) fn allow_read(&self) {
        self.has_read.store(false, Relaxed);
    }

    /// Whether the socket was read since a read was allowed.
    pub(super) fn has_read(&self) -> bool {
        self.has_read.load(Relaxed)
    }

    /// The last read has brought the head of the response.
    pub(super) fn head_arrived(&self) {
        self.first_byte.store(self.last_read(), Relaxed);
    }

    fn before_write(&self) {
        if self.armed.load(Relaxed) {
            self.armed.store(false, Relaxed);
            self.send.store(self.clock.now(), Relaxed);
        }
    }

    /// Where every read is allowed, nobody waits for the permission.
    fn may_read(&self) -> bool {
        !(self.has_frames.load(Relaxed) && self.has_read())
    }

    fn after_read(&self) {
        self.has_read.store(true, Relaxed);
        self.last_read.store(self.clock.now(), Relaxed);
    }

    /// Bytes of the last read have come through to HTTP. Not all do: TLS has messages of its own.
    pub(super) fn delivered(&self) {
        if self.is_sending.load(Relaxed) {
            self.came_early.store(true, Relaxed);
        }
        if self.first_byte.load(Relaxed) == NEVER && !self.has_frames.load(Relaxed) {
            self.first_byte.store(self.last_read.load(Relaxed), Relaxed);
        }
    }
}

/// A socket that stamps its writes and reads.
#[derive(Debug)]
pub(super) struct Stamped<S> {
    stream: S,
    stamps: Arc<Stamps>,
}

impl<S> Stamped<S> {
    pub(super) fn new(stream: S, stamps: Arc<Stamps>) -> Self {
        Self { stream, stamps }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stamped<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.stamps.may_read() {
            // Whoever allows the next read polls again.
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.stamps.after_read();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stamped<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stamps.before_write();
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stamps.before_write();
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;
    use tokio::io::AsyncWriteExt as _;

    /// Reads at most four bytes and says how many there were, or none if nothing is to be read.
    fn read<S: AsyncRead + Unpin>(stream: &mut S) -> Option<usize> {
        let mut bytes = [0; 4];
        let mut buffer = ReadBuf::new(&mut bytes);
        match Pin::new(stream).poll_read(&mut Context::from_waker(Waker::noop()), &mut buffer) {
            Poll::Ready(read) => read.map(|()| buffer.filled().len()).ok(),
            Poll::Pending => None,
        }
    }

    #[tokio::test]
    async fn a_protocol_with_frames_reads_once_for_each_permission() {
        let (mut server, client) = tokio::io::duplex(64);
        let stamps = Arc::new(Stamps::new(Clock::start()));
        let mut stream = Stamped::new(client, Arc::clone(&stamps));
        server.write_all(b"twelve bytes").await.unwrap();
        assert_eq!(read(&mut stream), Some(4));
        stamps.mark_frames();
        assert_eq!(read(&mut stream), None);
        stamps.allow_read();
        assert!(!stamps.has_read());
        assert_eq!((read(&mut stream), read(&mut stream)), (Some(4), None));
        assert!(stamps.has_read());
        stamps.allow_read();
        assert_eq!(read(&mut stream), Some(4));
        // Nothing is there any more, so nothing was read.
        stamps.allow_read();
        assert_eq!((read(&mut stream), stamps.has_read()), (None, false));
    }

    #[tokio::test]
    async fn frames_of_the_protocol_are_no_response() {
        for has_frames in [false, true] {
            let (mut server, client) = tokio::io::duplex(64);
            let stamps = Arc::new(Stamps::new(Clock::start()));
            let mut stream = Stamped::new(client, Arc::clone(&stamps));
            if has_frames {
                stamps.mark_frames();
            }
            stamps.arm();
            server.write_all(b"ping").await.unwrap();
            read(&mut stream);
            stamps.delivered();
            assert_eq!(stamps.times().first_byte.is_some(), !has_frames);
            stamps.head_arrived();
            assert_eq!(stamps.times().first_byte, stamps.times().last_read);
        }
    }
}
