//! Real components behind the traits: the built-in ones, ones that misbehave, and files that are no plugins.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failure here fails a test"
)]

mod builtin;
mod loading;
mod misbehaving;
mod support;
