//! The way to one server: its address, and the TLS that it wants.

use crate::error::LoadError;
use crate::transport::Transport;
use aiperf_model::server::{Scheme, ServerUrl};
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

/// Everything that opening a connection takes.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Option<Tls>,
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
        let addresses = (url.host(), url.port())
            .to_socket_addrs()
            .map_err(|error| unreachable(format!("the host '{}' is not known ({error})", url.host())))?;
        Ok(addresses.map(|address| Self { address, tls: tls.clone() }).collect())
    }
}

impl Tls {
    fn new(url: &ServerUrl, transport: &Transport) -> Result<Self, String> {
        let name = ServerName::try_from(url.host().to_owned())
            .map_err(|_| format!("no certificate can be for the host '{}'", url.host()))?;
        let mut config = transport.trust.client().map_err(|error| error.to_string())?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Route({}{})", self.address, if self.tls.is_some() { " with TLS" } else { "" })
    }
}
