//! A loop that only sends and receives: the upper bound for any client built on hyper.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::runtime::Builder;

pub(crate) fn requests_per_second(
    address: SocketAddr,
    bodies: &[Bytes],
    concurrency: u32,
    duration: Duration,
) -> f64 {
    let start = Instant::now();
    let end = start + duration;
    let runtime = Builder::new_current_thread().enable_io().build().unwrap();
    let tasks: Vec<_> =
        (0..concurrency).map(|_| runtime.spawn(send_until(end, address, bodies.to_vec()))).collect();
    let sent: u64 = runtime.block_on(async {
        let mut sent = 0;
        for task in tasks {
            sent += task.await.unwrap();
        }
        sent
    });
    sent as f64 / start.elapsed().as_secs_f64()
}

async fn send_until(end: Instant, address: SocketAddr, bodies: Vec<Bytes>) -> u64 {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut sent = 0;
    for body in bodies.iter().cycle().take_while(|_| Instant::now() < end) {
        let request = Request::post("/v1/chat/completions")
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Full::new(body.clone()))
            .unwrap();
        sender.ready().await.unwrap();
        let mut response = sender.send_request(request).await.unwrap();
        while let Some(frame) = response.frame().await {
            drop(frame.unwrap());
        }
        sent += 1;
    }
    sent
}
