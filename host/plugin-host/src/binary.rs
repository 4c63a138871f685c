//! What a plugin is made of: a component, or a native library that the user allowed.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;

use aiperf_model::plugin::Kind;
use sha2::{Digest as _, Sha256};

use crate::bindings::CONTRACT_VERSION;
use crate::component::Component;
use crate::error::{HostError, Source};
use crate::native::{self, Library};

/// The most bytes of a file; one with an interpreter inside has 20 MB.
const LARGEST: u64 = 256 << 20;

/// A file with plugins, or a built-in one. Nothing of it has run yet.
pub(crate) enum Binary {
    /// WebAssembly.
    Component(Component),
    /// Code for this machine.
    Library(Library),
}

impl Binary {
    /// A component that is part of this program.
    pub(crate) fn built_in(bytes: &'static [u8]) -> Self {
        Self::Component(Component::new(Source::BuiltIn, Cow::Borrowed(bytes)))
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or if it is a native library and those are not allowed.
    pub(crate) fn read(path: &Path, source: Source, allow_native: bool) -> Result<Self, HostError> {
        let bytes = aiperf_files::read(path, LARGEST)
            .map_err(|error| HostError::Unreadable { path: path.to_owned(), reason: error.to_string() })?;
        if !native::is_library(path, &bytes) {
            return Ok(Self::Component(Component::new(source, bytes)));
        }
        if !allow_native {
            return Err(HostError::NativeNotAllowed(source));
        }
        Ok(Self::Library(Library::new(path, source, &bytes)))
    }

    pub(crate) fn source(&self) -> &Source {
        match self {
            Self::Component(component) => component.source(),
            Self::Library(library) => library.source(),
        }
    }

    /// The SHA-256 of the bytes, in lower-case hexadecimal.
    pub(crate) fn sha256(&self) -> &str {
        match self {
            Self::Component(component) => component.sha256(),
            Self::Library(library) => library.sha256(),
        }
    }

    /// The bytes.
    pub(crate) fn size(&self) -> u64 {
        match self {
            Self::Component(component) => component.size(),
            Self::Library(library) => library.size(),
        }
    }

    pub(crate) fn is_native(&self) -> bool {
        matches!(self, Self::Library(_))
    }

    /// The version of the contract it was built for, or none if it names no interface of it.
    pub(crate) fn contract(&self) -> Result<Option<String>, HostError> {
        match self {
            Self::Component(component) => Ok(component.outline()?.contract().map(str::to_owned)),
            // The version of the native interface decides that of the contract.
            Self::Library(_) => Ok(Some(CONTRACT_VERSION.to_owned())),
        }
    }

    /// The kinds of plugins that it is.
    ///
    /// # Errors
    ///
    /// If it is no plugin, or none that this host can use.
    pub(crate) fn kinds(&self) -> Result<Vec<Kind>, HostError> {
        match self {
            Self::Component(component) => component.outline()?.kinds(component.source()),
            Self::Library(library) => library.kinds(),
        }
    }
}

/// The SHA-256 of some bytes, in lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
