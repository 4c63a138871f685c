//! Compiled code used from its file as it lies there, without being read into memory first.

use std::path::Path;

use wasmtime::Engine;
use wasmtime::component::Component;

/// The code in a file of the cache; an error if it is of another version or configuration of the engine.
pub(super) fn open(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: files of the cache are the output of `Component::serialize`. They are complete on the disk before they
    // get their names and are never written to afterwards, only removed; and the directory is the user's own.
    unsafe { Component::deserialize_file(engine, path) }
}
