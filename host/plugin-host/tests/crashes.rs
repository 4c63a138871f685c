//! A plugin that crashes on every call leaves nothing behind. A test of its own, since it looks at the whole process.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a failure here fails the test")]

use std::path::Path;

use aiperf_model::plugin::PluginError;
use aiperf_model::response::Event;
use aiperf_plugin_host::{HostConfig, PluginHost};

#[test]
fn a_thousand_crashes_leave_nothing_behind() {
    let mut host = PluginHost::new(HostConfig::default()).unwrap();
    host.load_file(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/misbehaving.wasm")).unwrap();
    let endpoint = host.endpoint(r#"misbehaving:{"do":"panic"}"#).unwrap();
    let crash = || {
        let error = endpoint.parse(&[Event { name: None, data: b"x" }], true).unwrap_err();
        assert!(matches!(error, PluginError::Crashed(_)), "{error}");
    };
    (0..100).for_each(|_| crash());
    let before = Process::now();
    (0..1000).for_each(|_| crash());
    let after = Process::now();
    // An instance that stayed would keep gigabytes of addresses, and a page or more of memory, each.
    assert!(after.addresses_kib < before.addresses_kib + (1 << 20), "{before:?} became {after:?}");
    assert!(after.memory_kib < before.memory_kib + 1000, "{before:?} became {after:?}");
}

/// What the process holds.
#[derive(Debug)]
struct Process {
    addresses_kib: u64,
    memory_kib: u64,
}

impl Process {
    fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let kib = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
            line.trim().trim_end_matches(" kB").parse().unwrap()
        };
        Self { addresses_kib: kib("VmSize:"), memory_kib: kib("VmRSS:") }
    }
}
