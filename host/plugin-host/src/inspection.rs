//! What a file is, whether or not it can be used.

use crate::answer::Names;
use crate::description::Description;
use crate::error::{HostError, Source};

/// What is known of a file. Everything but `plugins` is read from the outside, without running it.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// Where it comes from.
    pub source: Source,
    /// Bytes.
    pub size: u64,
    /// The SHA-256, in lower-case hexadecimal.
    pub sha256: String,
    /// Whether it is a native library, which no sandbox holds.
    pub native: bool,
    /// The version of the contract that it was built for, if it names one.
    pub contract: Option<String>,
    /// The names of what it needs, with their versions; none are known of a native library.
    pub imports: Names,
    /// The names of what it offers, with their versions; none are known of a native library.
    pub exports: Names,
    /// What it says of itself as each of its kinds, or why it cannot be asked.
    pub plugins: Result<Vec<Description>, HostError>,
}
