//! Real components behind the traits: the built-in ones, ones that misbehave, and files that are no plugins.

mod builtin;
mod loading;
mod misbehaving;
mod support;
