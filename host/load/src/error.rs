//! What keeps a run from happening or from going on; a failed request is not among it but a record.

use crate::dataset::DatasetError;
use aiperf_model::arrival::ArrivalPattern;
use aiperf_model::fault::{Fault, Faulty};
use aiperf_model::plugin::{Identity, PluginError};
use std::io;
use std::path::PathBuf;

/// Why a workload could not be prepared or a run could not be finished. The text is a lower-case fragment.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A length distribution that has no samples.
    #[error(
        "the length {mean} with standard deviation {std_dev} is no distribution; write a mean of at least 0 and a deviation of at least 0"
    )]
    Length {
        /// The mean that was asked for.
        mean: f64,
        /// The standard deviation that was asked for.
        std_dev: f64,
    },
    /// A request rate that has no arrivals.
    #[error(
        "{per_second} requests per second ({pattern}) are no arrivals; write a rate and a smoothness above 0"
    )]
    Rate {
        /// The rate that was asked for.
        per_second: f64,
        /// The pattern that was asked for.
        pattern: ArrivalPattern,
    },
    /// The endpoint plugin could not put a request into its format.
    #[error("{plugin} could not build request {request}: {source}")]
    Build {
        /// The plugin.
        plugin: Box<Identity>,
        /// The position of the request in its phase, from 0.
        request: u32,
        /// What it said.
        source: PluginError,
    },
    /// The request bodies could not be written to the file that holds those without room in memory, or not read back.
    #[error(
        "the request bodies could not be kept in a temporary file: {0}; free some space, or send fewer requests"
    )]
    Bodies(#[source] io::Error),
    /// The dataset cannot be used.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The endpoint plugin chose a path that HTTP does not allow.
    #[error(
        "the endpoint plugin sends requests to '{path}', which is no path on {url}; write --endpoint to send them elsewhere"
    )]
    PluginPath {
        /// The server.
        url: String,
        /// The path.
        path: String,
    },
    /// The user wants a path that HTTP does not allow.
    #[error("'{path}' is no path on {url}; write --endpoint like /v1/chat/completions")]
    Path {
        /// The server.
        url: String,
        /// The path.
        path: String,
    },
    /// A file of certificates that cannot be used.
    #[error(
        "--ca-cert {}: {reason}; give a file with certificates in PEM form, which begin with -----BEGIN CERTIFICATE-----",
        file.display()
    )]
    Certificates {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A header that HTTP does not allow.
    #[error("the header '{name}' is not one that HTTP allows; write it like 'Name: value' on one line")]
    Header {
        /// The name of the header; the value may be a secret.
        name: String,
    },
    /// A header of the endpoint plugin that HTTP does not allow.
    #[error("the endpoint plugin sets the header '{name}', which is not one that HTTP allows")]
    PluginHeader {
        /// The name of the header.
        name: String,
    },
    /// A header of the connection, which requests of HTTP/2 have not.
    #[error("the header '{name}' is about connections of HTTP/1.1; leave it out, or leave out --http2")]
    Http1Header {
        /// The name of the header.
        name: String,
    },
    /// No server listens at the URL.
    #[error("no server can be reached at {url}: {reason}")]
    Unreachable {
        /// The URL as it was given.
        url: String,
        /// What the operating system said.
        reason: String,
    },
    /// The run asks for nothing, or has nothing to send.
    #[error("{0}")]
    Empty(&'static str),
    /// The user wanted to stop before the load began.
    #[error("stopped before the load began")]
    Stopped,
    /// The endpoint plugin crashed too often in a row.
    #[error("{plugin} crashed on {crashes} responses in a row, the last time with: {message}")]
    PluginCrashed {
        /// The plugin.
        plugin: Box<Identity>,
        /// How often.
        crashes: u32,
        /// What the host knows about the last crash.
        message: String,
    },
    /// The records could not be taken.
    #[error("a record could not be written: {0}")]
    Sink(#[source] io::Error),
    /// Responses that waited in a file cannot be read back.
    #[error("responses that waited on the disk cannot be read back: {0}; try --artifact-dir on another disk")]
    Spill(#[source] io::Error),
    /// The operating system refused a thread or an event loop.
    #[error("a worker could not be started: {0}")]
    Worker(#[source] io::Error),
}

impl Faulty for LoadError {
    fn fault(&self) -> Fault {
        match self {
            Self::Length { .. }
            | Self::Rate { .. }
            | Self::Path { .. }
            | Self::Certificates { .. }
            | Self::Header { .. }
            | Self::Http1Header { .. }
            | Self::Empty(_) => Fault::Input,
            Self::Unreachable { .. } => Fault::Server,
            Self::Dataset(error) => error.fault(),
            Self::Bodies(_) | Self::Sink(_) | Self::Spill(_) | Self::Worker(_) => Fault::Machine,
            Self::Build { .. }
            | Self::PluginHeader { .. }
            | Self::PluginPath { .. }
            | Self::PluginCrashed { .. } => Fault::Plugin,
            Self::Stopped => Fault::Stopped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_fails_is_no_bad_input() {
        let disk = || io::Error::from(io::ErrorKind::StorageFull);
        for error in [LoadError::Bodies(disk()), LoadError::Sink(disk()), LoadError::Spill(disk())] {
            assert_eq!(error.fault(), Fault::Machine, "{error}");
        }
        let changed = LoadError::Dataset(DatasetError::Changed("requests.jsonl".into()));
        assert_eq!(changed.fault(), Fault::Machine);
    }
}
