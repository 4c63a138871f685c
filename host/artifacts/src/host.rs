//! What a result has to say of the machine that the benchmark ran on; nothing that names the machine or its owner.

use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// The machine. What cannot be read is null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// The operating system, such as `linux`.
    pub os: String,
    /// The instruction set, such as `x86_64`.
    pub architecture: String,
    /// The release of the kernel.
    pub kernel: Option<String>,
    /// The model of the processor.
    pub cpu_model: Option<String>,
    /// The cores that this process may use.
    pub cores: Option<usize>,
    /// The memory, in bytes.
    pub memory_bytes: Option<u64>,
    /// What sets the clock rate of the first core, such as `performance` or `powersave`.
    pub governor: Option<String>,
}

impl Host {
    /// Reads what this machine says of itself.
    #[must_use]
    pub fn read() -> Self {
        Self {
            os: std::env::consts::OS.to_owned(),
            architecture: std::env::consts::ARCH.to_owned(),
            kernel: line("/proc/sys/kernel/osrelease"),
            cpu_model: text("/proc/cpuinfo").and_then(|text| field(&text, "model name")),
            cores: std::thread::available_parallelism().ok().map(usize::from),
            memory_bytes: text("/proc/meminfo").and_then(|text| memory_bytes(&text)),
            governor: line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        }
    }
}

fn text(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path).ok()
}

fn line(path: &str) -> Option<String> {
    text(path).map(|text| text.trim().to_owned()).filter(|line| !line.is_empty())
}

/// The value after the colon in the first line that begins with this name.
fn field(text: &str, name: &str) -> Option<String> {
    let fields = text.lines().filter_map(|line| line.split_once(':'));
    fields
        .map(|(key, value)| (key.trim(), value.trim()))
        .find_map(|(key, value)| (key == name && !value.is_empty()).then(|| value.to_owned()))
}

fn memory_bytes(text: &str) -> Option<u64> {
    let kibibytes: u64 = field(text, "MemTotal")?.strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_from_the_kernel_s_tables() {
        let cpu = "processor\t: 0\nmodel name\t: A CPU @ 2.0GHz\nmodel name\t: B\n";
        assert_eq!(field(cpu, "model name").as_deref(), Some("A CPU @ 2.0GHz"));
        assert_eq!(field(cpu, "model"), None);
        assert_eq!(memory_bytes("MemTotal:       16 kB\nMemFree: 1 kB\n"), Some(16 * 1024));
        assert_eq!(memory_bytes("MemTotal: many\n"), None);
    }

    #[test]
    fn every_machine_says_something() {
        let host = Host::read();
        assert!(!host.os.is_empty());
        assert!(host.cores > Some(0));
    }
}
