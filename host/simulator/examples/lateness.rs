//! Prints how late the simulator is on this machine at several loads, for information:
//! `cargo run --release --example lateness`.
//!
//! The client reads and forgets, on one thread. Streams start as fast as it can send, so their tokens come in bursts.

use std::time::{Duration, Instant};

use aiperf_simulator::{Law, Settings, Simulator};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, LocalOptions};
use tokio::task::JoinSet;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    println!("streams  itl ms  tokens/s asked  tokens/s seen  p50 us  p99 us  max us");
    for (streams, itl_ms) in [
        (1, 10.0),
        (32, 10.0),
        (200, 10.0),
        (200, 5.0),
        (200, 2.5),
        (200, 2.0),
        (200, 1.5),
        (200, 1.0),
        (1000, 10.0),
    ] {
        measure(streams, itl_ms)?;
    }
    Ok(())
}

fn measure(streams: usize, itl_ms: f64) -> Result<(), Failure> {
    let law = Law { ttft_ms: 200.0, prefill_rate: 1e9, itl_ms, itl_slope_ms: 0.0, max_batch: streams };
    let simulator = Simulator::start(Settings { law, ..Settings::default() }, ([127, 0, 0, 1], 0).into())?;
    let tokens = (3000.0 / itl_ms) as usize;
    let started = Instant::now();
    let runtime = Builder::new_current_thread().enable_io().build_local(LocalOptions::default())?;
    runtime.block_on(async {
        let mut clients = JoinSet::new();
        for _ in 0..streams {
            clients.spawn_local(read_stream(simulator.local_addr(), tokens));
        }
        while let Some(client) = clients.join_next().await {
            client??;
        }
        Ok::<(), Failure>(())
    })?;
    let decoding = started.elapsed().saturating_sub(Duration::from_millis(200)).as_secs_f64();
    let lateness = simulator.lateness();
    println!(
        "{streams:>7}  {itl_ms:>6}  {:>14.0}  {:>13.0}  {:>6.1}  {:>6.1}  {:>6.0}",
        streams as f64 * 1e3 / itl_ms,
        lateness.count as f64 / decoding,
        lateness.p50_us,
        lateness.p99_us,
        lateness.max_us,
    );
    Ok(())
}

async fn read_stream(address: std::net::SocketAddr, tokens: usize) -> std::io::Result<()> {
    let body = format!(r#"{{"model":"m","prompt":"a","stream":true,"max_tokens":{tokens}}}"#);
    let head = format!(
        "POST /v1/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("{head}{body}").as_bytes()).await?;
    let mut bytes = vec![0; 64 * 1024];
    while stream.read(&mut bytes).await? > 0 {}
    Ok(())
}
