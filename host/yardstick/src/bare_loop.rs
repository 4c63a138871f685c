//! What the bare loops share: so many connections on one thread, each busy until the time is up.

use anyhow::Result;
use std::future::Future;
use std::time::{Duration, Instant};
use tokio::runtime::Builder;

/// Requests per second of `concurrency` tasks that `send_until` makes. Each sends one request after the other until
/// the moment it is given, and says how many it sent.
pub(crate) fn requests_per_second<Sending>(
    concurrency: u32,
    duration: Duration,
    send_until: impl Fn(Instant) -> Sending,
) -> Result<f64>
where
    Sending: Future<Output = Result<u64>> + Send + 'static,
{
    let start = Instant::now();
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let tasks: Vec<_> = (0..concurrency).map(|_| runtime.spawn(send_until(start + duration))).collect();
    let sent = runtime.block_on(async {
        let mut sent = 0;
        for task in tasks {
            sent += task.await??;
        }
        Ok::<_, anyhow::Error>(sent)
    })?;
    Ok(sent as f64 / start.elapsed().as_secs_f64())
}
