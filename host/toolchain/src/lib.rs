//! From nothing to the sources of a plugin, and from the sources to a component.
//!
//! A [`Template`] begins a project, with the SDK of this release inside; a [`Project`] is built with the tools of its
//! language, and `component` wraps what they make. Nothing here runs a plugin; that is the plugin host's.

mod compiler;
pub mod component;
mod error;
mod interpreted;
mod language;
mod project;
mod sdk;
mod template;
mod wit;

pub use compiler::{Compilation, Compiler, Module};
pub use error::ToolchainError;
pub use language::Language;
pub use project::Project;
pub use template::Template;
