//! Everything that can go wrong before the server runs. What a client does wrong is answered on the wire instead.

use aiperf_model::fault::{Fault, Faulty};
use std::io;
use std::net::SocketAddr;

/// Why a simulator could not be configured or started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulatorError {
    /// A key that is in no row of [`SETTINGS`](crate::SETTINGS).
    #[error("unknown simulator setting {key:?}; known settings: {known}")]
    UnknownSetting {
        /// The key as written.
        key: String,
        /// All known keys, separated by commas.
        known: String,
    },
    /// A value that the setting does not take.
    #[error(
        "simulator setting {key}={value:?} must be {expected}, for example {key}={example}; known settings: {known}"
    )]
    InvalidSetting {
        /// The key of the setting.
        key: &'static str,
        /// The value as written.
        value: String,
        /// What the value must be.
        expected: &'static str,
        /// A value that is accepted.
        example: &'static str,
        /// All known keys, separated by commas.
        known: String,
    },
    /// A key that stands twice in one query.
    #[error("simulator setting {key:?} is given twice; write it once")]
    RepeatedSetting {
        /// The key as written.
        key: String,
    },
    /// The port is taken by another process.
    #[error("port {} of {} is already in use; choose another one, or port 0 for any free port", .address.port(), .address.ip())]
    PortInUse {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The operating system refused a thread or its event queue.
    #[error("cannot start the simulator's threads: {source}")]
    Thread {
        /// What the operating system said.
        #[from]
        source: io::Error,
    },
}

impl Faulty for SimulatorError {
    fn fault(&self) -> Fault {
        match self {
            Self::UnknownSetting { .. }
            | Self::InvalidSetting { .. }
            | Self::RepeatedSetting { .. }
            | Self::PortInUse { .. }
            | Self::Listen { .. } => Fault::Input,
            Self::Thread { .. } => Fault::Machine,
        }
    }
}
