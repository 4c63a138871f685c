//! Starting, stopping and asking a running simulator. It lives on two threads of its own: one serves, one is the alarm of its timer.

use std::cell::Cell;
use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener};
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use aiperf_timer::Timer;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use socket2::{Domain, Protocol, Socket as RawSocket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use tokio::sync::Notify;

use crate::connection::{Connection, Server};
use crate::routes;
use crate::scheduler::Scheduler;
use crate::socket::Socket;
use crate::{Lateness, Settings, SimulatorError};
use aiperf_timer::LatenessRecorder;

/// Connections that may wait to be accepted: a benchmark opens thousands at once. The system may allow fewer.
const BACKLOG: i32 = 4096;

/// Time before the next attempt when the system refuses a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// A running simulator. Dropping it stops it.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    lateness: Arc<LatenessRecorder>,
    stopper: Stopper,
    thread: Option<JoinHandle<()>>,
}

/// Stops its simulator from anywhere, for example from a signal handler's thread.
#[derive(Debug, Clone)]
pub struct Stopper(Arc<Notify>);

impl Stopper {
    /// Asks the simulator to stop, and returns at once.
    pub fn stop(&self) {
        self.0.notify_one();
    }
}

impl Simulator {
    /// Starts a simulator that listens on `address` (port 0 for any free one). It accepts connections when this returns.
    pub fn start(settings: Settings, address: SocketAddr) -> Result<Self, SimulatorError> {
        settings.check()?;
        let listener = listen(address).map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => SimulatorError::PortInUse { address },
            _ => SimulatorError::Listen { address, source },
        })?;
        let address = listener.local_addr()?;
        let lateness = Arc::new(LatenessRecorder::new());
        let stopper = Stopper(Arc::new(Notify::new()));
        let (report, started) = mpsc::channel();
        let thread = thread::Builder::new().name("simulator".to_owned()).spawn({
            let (lateness, stop) = (Arc::clone(&lateness), Arc::clone(&stopper.0));
            move || match Service::new(settings, listener, lateness) {
                Ok(service) => {
                    // The receiver waits for exactly this.
                    let _ = report.send(Ok(()));
                    service.run_until(&stop);
                }
                Err(error) => {
                    let _ = report.send(Err(error));
                }
            }
        })?;
        started.recv().unwrap_or_else(|_| Err(io::Error::other("the thread ended at once")))?;
        Ok(Self { address, lateness, stopper, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The base URL for clients on this machine, such as `http://127.0.0.1:8000`.
    pub fn base_url(&self) -> String {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(match address {
                SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        format!("http://{address}")
    }

    /// Its own error: how late it has been, from a token's deadline to the moment just before the `write` that carried
    /// it, once per token of a stream and per answer that is not a stream. What a client measures beyond the law and
    /// this is the client's (and the network stack's). Since it started or since [`reset_lateness`](Self::reset_lateness).
    pub fn lateness(&self) -> Lateness {
        self.lateness.summary()
    }

    /// Forgets the lateness so far, for example that of a warm-up.
    pub fn reset_lateness(&self) {
        self.lateness.reset();
    }

    /// A handle that can stop it while another thread is in [`wait`](Self::wait).
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Blocks until it has been stopped by a [`Stopper`].
    pub fn wait(mut self) {
        self.join();
    }

    /// Closes the port and all connections, and returns when its threads have ended.
    pub fn stop(self) {
        drop(self);
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed by the panic hook; the server is gone either way.
            let _ = thread.join();
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stopper.stop();
        self.join();
    }
}

/// A listening socket. The standard library's has a backlog that a benchmark's first second can overflow.
fn listen(address: SocketAddr) -> io::Result<StdTcpListener> {
    let socket = RawSocket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Elsewhere than on Unix this would let two servers share a port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// What runs on the serving thread.
struct Service {
    runtime: LocalRuntime,
    listener: TcpListener,
    server: Rc<Server>,
    timer: Timer,
}

impl Service {
    fn new(
        settings: Settings,
        listener: StdTcpListener,
        lateness: Arc<LatenessRecorder>,
    ) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
        let entered = runtime.enter();
        let listener = TcpListener::from_std(listener)?;
        drop(entered);
        let start = Instant::now();
        let scheduler = Rc::new(Scheduler::new(start, settings.law, settings.unsteadiness));
        let timer = Timer::start(start, scheduler.wake())?;
        let server = Rc::new(Server { settings, scheduler, lateness, requests: Cell::new(0) });
        Ok(Self { runtime, listener, server, timer })
    }

    /// Serves until told to stop. Connections end with the runtime, which is dropped on return.
    fn run_until(self, stop: &Notify) {
        let Self { runtime, listener, server, timer } = self;
        runtime.block_on(async {
            tokio::task::spawn_local(Rc::clone(&server.scheduler).run(timer));
            tokio::select! {
                () = stop.notified() => {}
                () = accept(&listener, &server) => {}
            }
        });
    }
}

async fn accept(listener: &TcpListener, server: &Rc<Server>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::task::spawn_local(serve(stream, Rc::new(Connection::new(Rc::clone(server)))));
            }
            // Mostly a lack of file descriptors: other connections have to end first.
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Serves one connection to its end.
async fn serve(stream: TcpStream, connection: Rc<Connection>) {
    // Every token is a packet of its own, now. Where that is refused, tokens come late and the client will see it.
    let _ = stream.set_nodelay(true);
    let socket = Socket::new(stream, Rc::clone(&connection));
    let respond = service_fn(|request| routes::respond(request, Rc::clone(&connection)));
    let mut http = pin!(http1::Builder::new().writev(false).serve_connection(socket, respond));
    tokio::select! {
        // What goes wrong here is the client's doing, or a cut on purpose.
        _ = http.as_mut() => return,
        () = connection.hang_up.notified() => http.as_mut().graceful_shutdown(),
    }
    let _ = http.await;
}
