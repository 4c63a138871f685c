//! SIGINT, SIGTERM, and SIGHUP of a terminal that goes away: the first one stops the benchmark, the second one leaves at once.

use crate::console::say_lines;
use crate::exit_code::Exit;
use crate::lines::Lines;
use aiperf_sweep::{Interrupt, Urgency};
use std::io::{self, IsTerminal as _};
use std::thread;
use std::time::Duration;
use tokio::runtime::Builder;

/// How long the benchmark has to write its files after the second signal.
const LEAVE_WITHIN: Duration = Duration::from_millis(700);

/// Watches for signals on a thread of its own for as long as the process lives. When this returns, none is missed.
pub(crate) fn watch(interrupt: Interrupt) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let mut signals = {
        let _inside = runtime.enter();
        Signals::listen()?
    };
    thread::spawn(move || {
        runtime.block_on(async {
            while interrupt.urgency() != Urgency::Abort {
                signals.next().await;
                interrupt.escalate();
                let message = message(interrupt.urgency());
                // A progress bar clears its own line and the one above.
                let around = if io::stderr().is_terminal() { "\n" } else { "" };
                say_lines(&Lines::laid_out(&format!("{around}{message}\n{around}")));
            }
        });
        // Whatever keeps the benchmark, such as a slow disk: files are replaced as a whole, so they are valid now too.
        thread::sleep(LEAVE_WITHIN);
        std::process::exit(Exit::Interrupted as i32);
    });
    Ok(())
}

fn message(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::None | Urgency::Stop => {
            "interrupted: sending nothing more, waiting for the requests in flight; press Ctrl-C again to abort"
        }
        Urgency::Abort => "interrupted again: leaving now, files stay valid",
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// None where whoever started this process, such as nohup, wants it to outlive the terminal.
    hang_up: Option<tokio::signal::unix::Signal>,
    _file_too_large: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: (!ignores_hang_up()).then(|| signal(SignalKind::hangup())).transpose()?,
            // SIGXFSZ. Left alone it ends the process; caught, the write fails with an error that names the file.
            _file_too_large: signal(SignalKind::from_raw(25))?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            () = received(self.hang_up.as_mut()) => {}
        }
    }
}

/// Waits for a signal; for ever for one that is not listened to.
#[cfg(unix)]
async fn received(signal: Option<&mut tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Whether SIGHUP was ignored when this process began. Systems without `/proc` do not say.
#[cfg(unix)]
fn ignores_hang_up() -> bool {
    const HANG_UP: u64 = 1;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & HANG_UP != 0)
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn listen() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}
