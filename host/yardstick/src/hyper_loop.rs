//! A loop that only sends and receives: the upper bound for any client built on hyper.

use crate::{bare_loop, exchange};
use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// Over so many connections, one thread, for so long.
pub(crate) fn requests_per_second(address: SocketAddr, concurrency: u32, duration: Duration) -> Result<f64> {
    let body = Bytes::from(exchange::body());
    bare_loop::requests_per_second(concurrency, duration, |end| send_until(end, address, body.clone()))
}

async fn send_until(end: Instant, address: SocketAddr, body: Bytes) -> Result<u64> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut sent = 0;
    while Instant::now() < end {
        let request = Request::post(exchange::PATH)
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Full::new(body.clone()))?;
        sender.ready().await?;
        let mut response = sender.send_request(request).await?;
        while let Some(frame) = response.frame().await {
            drop(frame?);
        }
        sent += 1;
    }
    Ok(sent)
}
