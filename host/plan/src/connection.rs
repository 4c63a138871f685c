//! How the servers are connected to.

use crate::error::ConfigError;
use crate::options::{Options, ReuseChoice};
use crate::server::Servers;
use aiperf_model::connection::ConnectionReuse;
use aiperf_model::server::Scheme;
use serde::Serialize;
use std::path::PathBuf;

/// How the servers are connected to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ConnectionConfig {
    /// What becomes of a connection once its response has ended.
    pub reuse_strategy: ConnectionReuse,
    /// Whether HTTP/2 is spoken.
    pub http2: bool,
    /// Files with certificates that are trusted beside those that browsers trust.
    pub ca_certs: Vec<PathBuf>,
    /// Whether certificates are not looked at.
    pub insecure: bool,
}

impl ConnectionConfig {
    /// What the options say about connections to `servers`.
    pub(crate) fn resolve(options: &Options, servers: &Servers) -> Result<Self, ConfigError> {
        let config = Self {
            reuse_strategy: reuse_strategy(options.connection_reuse_strategy),
            http2: options.http2.unwrap_or(false),
            ca_certs: options.ca_cert.clone().unwrap_or_default(),
            insecure: options.insecure.unwrap_or(false),
        };
        if config.insecure && !config.ca_certs.is_empty() {
            return Err(ConfigError::Exclusive { flag: "--insecure", other: "--ca-cert" });
        }
        if config.http2 && matches!(servers, Servers::Simulator { .. }) {
            return Err(ConfigError::value(
                "--http2",
                "the simulator speaks HTTP/1.1 only",
                "--url http://localhost:8000",
            ));
        }
        let about_tls = [("--insecure", config.insecure), ("--ca-cert", !config.ca_certs.is_empty())];
        match about_tls.into_iter().find(|(_, is_given)| *is_given && !servers.have_tls()) {
            Some((flag, _)) => Err(ConfigError::NeedsFlag { flag, example: "--url https://localhost:8443" }),
            None => Ok(config),
        }
    }
}

fn reuse_strategy(choice: Option<ReuseChoice>) -> ConnectionReuse {
    match choice {
        None | Some(ReuseChoice::Pooled) => ConnectionReuse::Pooled,
        Some(ReuseChoice::Never) => ConnectionReuse::Never,
        Some(ReuseChoice::StickyUserSessions) => ConnectionReuse::StickyUserSessions,
    }
}

impl Servers {
    fn have_tls(&self) -> bool {
        matches!(self, Self::Urls(urls) if urls.iter().any(|url| url.scheme() == Scheme::Https))
    }
}
