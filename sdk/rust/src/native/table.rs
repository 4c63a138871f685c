//! The functions of a [`Table`] for a plugin, and the other side of its messages.
//!
//! Every function of the plugin's runs behind `catch_unwind`: a panic must not leave the library, whose frames another
//! compiler may have made.

use std::any::Any;
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;
use std::sync::OnceLock;

use super::Native;
use super::abi::{ANSWERED, Answer, Bytes, Emit, PANICKED, Slice, Table, UNREADABLE, VERSION};
use crate::log::{self, Level};

/// Read by the host before anything else; [`VERSION_SYMBOL`](super::abi::VERSION_SYMBOL) is its name.
// SAFETY: no other library of this process defines the name: plugins are opened with their symbols kept to themselves.
#[unsafe(export_name = "aiperf_plugin_native_version")]
pub static EXPORTED_VERSION: u32 = VERSION;

/// Who receives messages, once there is a host.
static EMIT: OnceLock<Emit> = OnceLock::new();

impl Table {
    /// The functions of a registered plugin.
    pub const fn of<Kind: 'static, T: Native<Kind>>() -> Self {
        Self {
            listen,
            describe: describe::<Kind, T>,
            configure: configure::<Kind, T>,
            call: call::<Kind, T>,
            release: release::<T>,
            free,
        }
    }
}

/// Whether the host received the message; without one it is nobody's.
pub(crate) fn emit(level: Level, message: &str) -> bool {
    let Some(emit) = EMIT.get() else { return false };
    // SAFETY: the host's function takes any text, for the time of the call.
    unsafe { emit(u32::from(level as u8), Slice::of(message.as_bytes())) };
    true
}

extern "C" fn listen(emit: Emit) {
    if EMIT.set(emit).is_ok() {
        // The library has a standard library of its own, so this is the hook of the plugin's panics alone.
        std::panic::set_hook(Box::new(|panic| log::error(&panic.to_string())));
    }
}

extern "C" fn describe<Kind, T: Native<Kind>>() -> Answer {
    guarded(|| postcard::to_allocvec(&T::described()))
}

unsafe extern "C" fn configure<Kind, T: Native<Kind>>(settings: Slice, instance: *mut *mut c_void) -> Answer {
    // SAFETY: the host lends the bytes for the time of this call.
    let settings = String::from_utf8_lossy(unsafe { lent(&settings) });
    guarded(|| {
        let configured = T::configured(&settings);
        let answer = postcard::to_allocvec(&configured.as_ref().map(|(_, info)| info))?;
        if let Ok((plugin, _)) = configured {
            // SAFETY: the host gives the address of a pointer of its own.
            unsafe { instance.write(Box::into_raw(Box::new(plugin)).cast()) };
        }
        Ok(answer)
    })
}

unsafe extern "C" fn call<Kind, T: Native<Kind>>(
    instance: *const c_void,
    function: u32,
    arguments: Slice,
) -> Answer {
    // SAFETY: `configure` of the same table made the instance, and the host has not released it. It is only shared:
    // a registered plugin is `Sync`.
    let plugin = unsafe { &*instance.cast::<T>() };
    // SAFETY: the host lends the bytes for the time of this call.
    let arguments = unsafe { lent(&arguments) };
    guarded(|| plugin.call(function, arguments))
}

unsafe extern "C" fn release<T>(instance: *mut c_void) {
    // SAFETY: `configure` of the same table made the instance, and the host gives it back once.
    let plugin = unsafe { Box::from_raw(instance.cast::<T>()) };
    // There is nobody to tell of a panic but the hook.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(plugin)));
}

unsafe extern "C" fn free(bytes: Bytes) {
    // SAFETY: `Bytes::from` took them from a vector of this library, and the host gives them back once.
    drop(unsafe { Vec::from_raw_parts(bytes.data, bytes.length, bytes.capacity) });
}

/// # Safety
///
/// The bytes must be there for as long as the result.
unsafe fn lent(slice: &Slice) -> &[u8] {
    // SAFETY: as the caller promises.
    unsafe { slice::from_raw_parts(slice.data, slice.length) }
}

/// Runs something of the plugin's. Its state may be half changed after a panic, as a mutex it holds will say.
fn guarded(run: impl FnOnce() -> postcard::Result<Vec<u8>>) -> Answer {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(result)) => answer(ANSWERED, result),
        Ok(Err(error)) => answer(UNREADABLE, error.to_string().into_bytes()),
        Err(panic) => answer(PANICKED, message(&*panic).into()),
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or_default()
}

fn answer(status: u32, bytes: Vec<u8>) -> Answer {
    let mut bytes = ManuallyDrop::new(bytes);
    Answer {
        status,
        bytes: Bytes { data: bytes.as_mut_ptr(), length: bytes.len(), capacity: bytes.capacity() },
    }
}
