//! A shared library and the functions in it: all of the host that is unsafe.
//!
//! A library can do whatever this process can, so nothing here makes it safe to open one; the user vouched for it. What
//! is kept here is the calling convention: its version is checked before anything is called, instances are released
//! once, and the bytes of every answer go back to where they came from.

use std::ffi::c_void;
use std::path::Path;
use std::ptr::{self, NonNull};
use std::slice;

use aiperf_model::plugin::Kind;

use super::abi::{self, Answer, Slice, Table};
use super::listener;
use crate::error::{HostError, Source};

/// A library of the right version, open for as long as the process lives: threads and hooks of the plugin's may outlive
/// whatever closes it.
pub(crate) struct Symbols(&'static libloading::Library);

/// One kind of plugin in a library.
#[derive(Clone, Copy)]
pub(crate) struct Functions(&'static Table);

/// An instance that a library made.
pub(crate) struct Handle {
    functions: Functions,
    instance: NonNull<c_void>,
}

// SAFETY: the table demands that instances can be called from several threads at once and dropped on any; the SDK
// makes tables for types that are `Send` and `Sync` only.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

/// What became of a call.
pub(crate) enum Outcome {
    /// The result, encoded.
    Answered(Vec<u8>),
    /// It panicked, with this message.
    Panicked(String),
    /// It could not read its arguments or write its answer.
    Unreadable(String),
}

impl Symbols {
    pub(crate) fn open(path: &Path, source: &Source) -> Result<Self, HostError> {
        let unusable = |error: libloading::Error| HostError::Unusable {
            source_name: source.clone(),
            reason: error.to_string(),
        };
        // SAFETY: none; what runs when a library is opened is up to it, and the user allowed that.
        let library = unsafe { libloading::Library::new(path) }.map_err(unusable)?;
        let symbols = Self(Box::leak(Box::new(library)));
        match symbols.version() {
            Some(abi::VERSION) => Ok(symbols),
            Some(built_for) => Err(HostError::OtherNativeVersion {
                source_name: source.clone(),
                built_for,
                offered: abi::VERSION,
            }),
            None => Err(HostError::NoNativePlugin(source.clone())),
        }
    }

    fn version(&self) -> Option<u32> {
        // SAFETY: in every version of the convention this symbol is a `u32`.
        unsafe { self.0.get::<*const u32>(abi::VERSION_SYMBOL).ok().map(|version| **version) }
    }

    /// The functions of a kind, or none if the library is no such plugin.
    pub(crate) fn functions(&self, kind: Kind) -> Option<Functions> {
        let symbol = format!("aiperf_plugin_{kind}");
        // SAFETY: in libraries of this version, and only those come here, this symbol is a `Table`; it lies in the
        // library, which is never closed.
        let table = unsafe { self.0.get::<*const Table>(symbol.as_str()).ok().map(|table| &**table) }?;
        (table.listen)(receive);
        Some(Functions(table))
    }
}

impl Functions {
    pub(crate) fn describe(self) -> Outcome {
        self.take((self.0.describe)())
    }

    /// The outcome of `configure`, and the instance unless that is an error.
    pub(crate) fn configure(self, settings: &str) -> (Outcome, Option<Handle>) {
        let mut instance = ptr::null_mut();
        // SAFETY: both arguments live until the call is over.
        let answer = unsafe { (self.0.configure)(Slice::of(settings.as_bytes()), &raw mut instance) };
        let handle = NonNull::new(instance).map(|instance| Handle { functions: self, instance });
        (self.take(answer), handle)
    }

    fn take(self, answer: Answer) -> Outcome {
        // SAFETY: the library says so, and the bytes stay until `free`.
        let bytes = unsafe { slice::from_raw_parts(answer.bytes.data, answer.bytes.length) }.to_vec();
        // SAFETY: they come from a call of the same table and are given back this once.
        unsafe { (self.0.free)(answer.bytes) };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match answer.status {
            abi::ANSWERED => Outcome::Answered(bytes),
            abi::PANICKED => Outcome::Panicked(text(&bytes)),
            abi::UNREADABLE => Outcome::Unreadable(text(&bytes)),
            other => Outcome::Unreadable(format!("there is no status {other}")),
        }
    }
}

impl Handle {
    /// Calls a function of the contract, by its place among those after `configure`.
    pub(crate) fn call(&self, function: u32, arguments: &[u8]) -> Outcome {
        // SAFETY: the instance is of this table and is released in `drop` only; the arguments live until the call is
        // over.
        let answer =
            unsafe { (self.functions.0.call)(self.instance.as_ptr(), function, Slice::of(arguments)) };
        self.functions.take(answer)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the instance is of this table, and nobody has it any more.
        unsafe { (self.functions.0.release)(self.instance.as_ptr()) };
    }
}

/// The function that plugins send messages to.
unsafe extern "C" fn receive(level: u32, message: Slice) {
    // SAFETY: the library lends the bytes for the time of this call.
    let message = unsafe { slice::from_raw_parts(message.data, message.length) };
    listener::hear(level, &String::from_utf8_lossy(message));
}
