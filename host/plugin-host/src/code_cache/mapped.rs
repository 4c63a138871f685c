//! Compiled code used from its file as it lies there, without being read into memory first.

use std::path::Path;

use wasmtime::Engine;
use wasmtime::component::Component;

/// The code that a compiler has just made; an error if its engine was configured otherwise.
pub(super) fn from_bytes(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the bytes are the output of `Engine::precompile_component`, in this process or in one that runs this
    // same program and whose end they came before.
    unsafe { Component::deserialize(engine, code) }
}

/// The code in a file of the cache; an error if it is of another version or configuration of the engine.
pub(super) fn open(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: files of the cache are the output of `Component::serialize`. They are complete on the disk before they
    // get their names and are never written to afterwards, only removed; and the directory is the user's own.
    unsafe { Component::deserialize_file(engine, path) }
}
