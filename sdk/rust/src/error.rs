//! Errors of a plugin, made from what goes wrong inside of it.

use crate::Error;

impl Error {
    /// The sentence for the user, whatever the case.
    pub fn message(&self) -> &str {
        match self {
            Self::InvalidSettings(message)
            | Self::Unsupported(message)
            | Self::Malformed(message)
            | Self::Server(message)
            | Self::Other(message) => message,
        }
    }
}

/// Text that is not the JSON it should be is [`Error::Malformed`].
impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed(error.to_string())
    }
}
