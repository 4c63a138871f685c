//! The byte stream that HTTP is spoken over: a socket, or TLS over one.

use super::stamps::{Stamped, Stamps};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

/// A connection to another machine, or to a process on this one.
pub(super) type Socket = Either<TcpStream, UnixStream>;

/// A stream whose socket is stamped, and that knows when bytes came through to whoever reads it.
pub(super) struct Wire {
    stream: Either<Stamped<Socket>, Box<TlsStream<Stamped<Socket>>>>,
    stamps: Arc<Stamps>,
}

impl Wire {
    pub(super) fn plain(socket: Stamped<Socket>, stamps: Arc<Stamps>) -> Self {
        Self { stream: Either::Left(socket), stamps }
    }

    pub(super) fn secure(session: TlsStream<Stamped<Socket>>, stamps: Arc<Stamps>) -> Self {
        Self { stream: Either::Right(Box::new(session)), stamps }
    }

    fn written(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(written, Poll::Ready(Err(_))) {
            self.stamps.end();
        }
        written
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.stamps.delivered();
        } else if read.is_ready() {
            self.stamps.end();
        }
        read
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.written(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            self.stamps.flushed();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
