//! Tests that run the program as users do: the binary, real servers over loopback, real files.
//!
//! One test binary, so that the program is linked once; `law/` is another, since it compares times. Both are test targets
//! of the `aiperf` package, which makes cargo build the binary first; see `host/cli/Cargo.toml`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, also in its helpers"
)]

mod analysis;
mod bad_input;
mod connections;
mod crash_hang_lie;
mod diagnostics;
mod disk;
mod echoes;
mod endpoints;
mod failures;
mod hostile_components;
mod hostile_files;
mod hostile_servers;
mod hostile_text;
mod interruption;
mod kills;
mod layout;
mod load_modes;
mod mistakes;
mod odd_answers;
mod open_loop;
mod outputs;
mod plugin_native;
mod plugin_projects;
mod plugin_test;
mod plugin_tutorials;
mod plugins;
mod report;
mod resume;
mod scripted;
mod secrets;
mod seeds;
mod servers;
mod specification;
mod support;
mod trials;
mod verdicts;
