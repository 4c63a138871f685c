//! The way to one server: its address, the TLS that it wants, and the version of HTTP.

use crate::error::LoadError;
use crate::response_memory::ResponseMemory;
use crate::sockets::Sockets;
use crate::transport::Transport;
use aiperf_model::server::{Scheme, ServerUrl};
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::sync::Arc;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

/// The name of HTTP/2 in a TLS handshake.
pub(crate) const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

/// Everything that opening a connection takes.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) address: Address,
    pub(crate) tls: Option<Tls>,
    pub(crate) http2: bool,
    pub(crate) sockets: Sockets,
    /// What its responses hold.
    pub(crate) memory: ResponseMemory,
}

/// Where a server listens.
#[derive(Clone, Debug)]
pub(crate) enum Address {
    Tcp(SocketAddr),
    /// The path of a socket on this machine.
    Unix(PathBuf),
}

/// How to shake hands with a server.
#[derive(Clone)]
pub(crate) struct Tls {
    pub(crate) connector: TlsConnector,
    /// What its certificate must be for.
    pub(crate) name: ServerName<'static>,
}

impl Route {
    /// All ways to a server, one for each of its addresses.
    pub(crate) fn find(url: &ServerUrl, transport: &Transport) -> Result<Vec<Self>, LoadError> {
        let unreachable = |reason| LoadError::Unreachable { url: url.to_string(), reason };
        let tls = match url.scheme() {
            Scheme::Http => None,
            Scheme::Https => Some(Tls::new(url, transport).map_err(unreachable)?),
        };
        let addresses = Address::find(url).map_err(unreachable)?;
        let Transport { http2, sockets, .. } = transport;
        let route = |address| Self {
            address,
            tls: tls.clone(),
            http2: *http2,
            sockets: sockets.clone(),
            memory: ResponseMemory::default(),
        };
        Ok(addresses.into_iter().map(route).collect())
    }
}

impl Address {
    fn find(url: &ServerUrl) -> Result<Vec<Self>, String> {
        if let Some(path) = url.socket() {
            return Ok(vec![Self::Unix(path.to_owned())]);
        }
        let addresses = (url.host(), url.port()).to_socket_addrs().map_err(|error| {
            format!("the host '{}' is not known ({error}); is it written right in --url?", url.host())
        })?;
        Ok(addresses.map(Self::Tcp).collect())
    }
}

impl Tls {
    fn new(url: &ServerUrl, transport: &Transport) -> Result<Self, String> {
        let name = ServerName::try_from(url.host().to_owned())
            .map_err(|_| format!("no certificate can be for the host '{}'", url.host()))?;
        let mut config = transport.trust.client().map_err(|error| error.to_string())?;
        config.alpn_protocols = vec![if transport.http2 { HTTP2 } else { HTTP1 }.to_vec()];
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}
