//! SIGINT and SIGTERM: the first one stops the benchmark, the second one leaves at once.

use aiperf_sweep::{Interrupt, Urgency};
use std::thread;
use tokio::runtime::Builder;

/// Watches for signals on a thread of its own for as long as the process lives.
pub(crate) fn watch(interrupt: Interrupt) {
    thread::spawn(move || {
        // Without a runtime signals keep their default: the process ends, and the files are valid up to there.
        let Ok(runtime) = Builder::new_current_thread().enable_io().build() else { return };
        runtime.block_on(async {
            while next().await.is_ok() {
                interrupt.escalate();
                eprintln!("{}", message(interrupt.urgency()));
            }
        });
    });
}

fn message(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::None | Urgency::Stop => {
            "interrupted: sending nothing more, waiting for the requests in flight; again to leave now"
        }
        Urgency::Abort => "interrupted again: leaving now, files stay valid",
    }
}

#[cfg(unix)]
async fn next() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn next() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
