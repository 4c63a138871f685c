//! What a shared library with a plugin offers, and how it is called: the same file on both sides.
//!
//! A library exports [`VERSION_SYMBOL`], which is read before anything else, and one [`Table`] for each kind of plugin
//! that it is, as `aiperf_plugin_` and the kind. Arguments and answers are the records of `wit/` in the encoding of
//! postcard, their members in the order of the contract, so a change of the contract is a change of this version too.

use core::ffi::c_void;

/// The version of all that this file says. A host calls libraries of its own version only.
pub const VERSION: u32 = 1;

/// The name of the [`VERSION`] that a library was built with, a `u32`.
pub const VERSION_SYMBOL: &str = "aiperf_plugin_native_version";

/// The functions of one kind of plugin.
#[repr(C)]
pub struct Table {
    /// Sets who receives messages.
    pub listen: extern "C" fn(emit: Emit),
    /// Answers with what the plugin says of itself.
    pub describe: extern "C" fn() -> Answer,
    /// Takes settings and answers with the result of `configure`. If that is no error, `instance` is set.
    pub configure: unsafe extern "C" fn(settings: Slice, instance: *mut *mut c_void) -> Answer,
    /// Calls a function of the contract, by its place among those after `configure`, and answers with its result.
    /// Several threads may call one instance at once.
    pub call: unsafe extern "C" fn(instance: *const c_void, function: u32, arguments: Slice) -> Answer,
    /// Drops an instance.
    pub release: unsafe extern "C" fn(instance: *mut c_void),
    /// Takes back the bytes of an answer.
    pub free: unsafe extern "C" fn(bytes: Bytes),
}

/// Receives a message, UTF-8, of a level from 0 (trace) to 4 (error).
pub type Emit = unsafe extern "C" fn(level: u32, message: Slice);

/// Bytes that are lent for the time of a call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Slice {
    /// The first one; never null.
    pub data: *const u8,
    /// How many.
    pub length: usize,
}

impl Slice {
    /// Lends bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self { data: bytes.as_ptr(), length: bytes.len() }
    }
}

/// Bytes that belong to the library until they are given back to its [`Table::free`]: the parts of a `Vec<u8>`.
#[repr(C)]
pub struct Bytes {
    /// The first one; never null.
    pub data: *mut u8,
    /// How many.
    pub length: usize,
    /// For how many there is room.
    pub capacity: usize,
}

/// What became of a call.
#[repr(C)]
pub struct Answer {
    /// One of [`ANSWERED`], [`PANICKED`] and [`UNREADABLE`].
    pub status: u32,
    /// The result, or why there is none as UTF-8.
    pub bytes: Bytes,
}

/// The plugin answered.
pub const ANSWERED: u32 = 0;
/// The plugin panicked; the panic ended in the library.
pub const PANICKED: u32 = 1;
/// The arguments or the answer have no form in the encoding.
pub const UNREADABLE: u32 = 2;
