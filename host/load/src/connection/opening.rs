//! How a connection comes to be: a socket, TLS over it where it is wanted, then HTTP.

use super::Http;
use super::http1::Http1;
use super::http2::Http2;
use super::stamps::{Stamped, Stamps};
use super::wire::{Socket, Wire};
use crate::deadline::Interruption;
use crate::failure::{cancelled, connect, handshake, no_room, refused, tls};
use crate::route::{Address, HTTP2, Route, Tls};
use crate::sockets::ConnectionPermit;
use crate::task::SlotTask;
use aiperf_model::record::Failure;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::net::{TcpStream, UnixStream};
use tokio_util::either::Either;

/// Opens a connection and begins to speak, by the deadline of the task.
pub(super) async fn open(
    route: &Route,
    stamps: &Arc<Stamps>,
    task: &SlotTask,
) -> Result<(Http, ConnectionPermit), Failure> {
    let address = &route.address;
    let place = route.sockets.place().map_err(|most| no_room(address, most))?;
    let late = || connect(format!("no connection to {address} in time"));
    let socket = step(task, late, dial(address)).await?;
    let socket = Stamped::new(socket, Arc::clone(stamps));
    let wire = match &route.tls {
        None => Wire::plain(socket, Arc::clone(stamps)),
        Some(wanted) => {
            let late = || tls(format!("the TLS handshake with {address} did not end in time"));
            step(task, late, secure(wanted, socket, stamps, route)).await?
        }
    };
    let late = || connect(format!("{address} did not begin to speak HTTP/2 in time"));
    let http = step(task, late, speak(wire, stamps, route)).await?;
    Ok((http, place))
}

async fn dial(address: &Address) -> Result<Socket, Failure> {
    let socket = match address {
        Address::Tcp(address) => tcp(address).await.map(Either::Left),
        Address::Unix(path) => UnixStream::connect(path).await.map(Either::Right),
    };
    socket.map_err(|error| refused(address, &error))
}

async fn tcp(address: &std::net::SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn secure(
    wanted: &Tls,
    socket: Stamped<Socket>,
    stamps: &Arc<Stamps>,
    route: &Route,
) -> Result<Wire, Failure> {
    let Route { address, .. } = route;
    let session = wanted.connector.connect(wanted.name.clone(), socket).await;
    let session = session.map_err(|error| handshake(address, &error))?;
    if route.http2 && session.get_ref().1.alpn_protocol() != Some(HTTP2) {
        return Err(tls(format!("{address} offers no HTTP/2 over TLS; leave out --http2")));
    }
    Ok(Wire::secure(session, Arc::clone(stamps)))
}

async fn speak(wire: Wire, stamps: &Arc<Stamps>, route: &Route) -> Result<Http, Failure> {
    let Route { address, .. } = route;
    if route.http2 {
        let begun = Http2::begin(wire, Arc::clone(stamps)).await.map_err(|reason| {
            connect(format!("{address} does not speak HTTP/2 ({reason}); leave out --http2"))
        });
        Ok(Http::Two(Box::new(begun?)))
    } else {
        let begun = Http1::begin(wire).await;
        let begun = begun.map_err(|error| connect(format!("connection to {address} lost: {error}")))?;
        Ok(Http::One(Box::new(begun)))
    }
}

/// Does one step, unless it is `late` or the run is over.
async fn step<T>(
    task: &SlotTask,
    late: impl FnOnce() -> Failure,
    step: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let mut step = pin!(step);
    let done = poll_fn(|context| match task.interruption() {
        Some(interruption) => Poll::Ready(Err(interruption)),
        None => step.as_mut().poll(context).map(Ok),
    });
    match done.await {
        Ok(result) => result,
        Err(Interruption::Timeout) => Err(late()),
        Err(Interruption::Cancelled) => Err(cancelled(None)),
    }
}
