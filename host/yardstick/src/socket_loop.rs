//! A loop without an HTTP library: it writes the same bytes again and again and reads until it sees the end of the
//! response. No client can be faster on an event loop.

use crate::{bare_loop, exchange};
use anyhow::{Result, ensure};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Over so many connections, one thread, for so long.
pub(crate) fn requests_per_second(address: SocketAddr, concurrency: u32, duration: Duration) -> Result<f64> {
    let request: Arc<[u8]> = request().into();
    bare_loop::requests_per_second(concurrency, duration, |end| {
        send_until(end, address, Arc::clone(&request))
    })
}

fn request() -> Vec<u8> {
    let (path, body) = (exchange::PATH, exchange::body());
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

async fn send_until(end: Instant, address: SocketAddr, request: Arc<[u8]>) -> Result<u64> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(64 * 1024);
    let mut sent = 0;
    while Instant::now() < end {
        stream.write_all(&request).await?;
        buffer.clear();
        while !buffer.ends_with(exchange::END) {
            ensure!(stream.read_buf(&mut buffer).await? > 0, "the server closed the connection");
        }
        sent += 1;
    }
    Ok(sent)
}
