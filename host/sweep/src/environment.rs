//! What of this machine may bend the figures, to be said before the first run.

use aiperf_artifacts::host::Host;
use std::fs;

/// Clocks that are read without a system call.
const QUICK_CLOCKS: [&str; 5] =
    ["tsc", "kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page", "riscv_clocksource"];

/// The variables by which programs are told of a proxy.
const PROXIES: [&str; 6] =
    ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

/// One line for each thing.
pub(crate) fn notes(host: &Host) -> Vec<String> {
    let found = [
        host.governor.as_deref().and_then(governor),
        line("/sys/devices/system/clocksource/clocksource0/current_clocksource")
            .and_then(|name| clock(&name)),
        PROXIES
            .into_iter()
            .find(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
            .map(proxy),
    ];
    found.into_iter().flatten().collect()
}

fn governor(name: &str) -> Option<String> {
    (name == "powersave").then(|| {
        "the processor's clock is governed by `powersave`, which adds delays that depend on the load; use `performance`"
            .to_owned()
    })
}

fn clock(name: &str) -> Option<String> {
    (!QUICK_CLOCKS.contains(&name)).then(|| {
        format!("the clock source is `{name}`, which takes a system call for each time that is taken; `tsc` does not")
    })
}

fn proxy(name: &str) -> String {
    format!(
        "{name} is set, but requests go straight to the server: measure through a proxy by giving it as --url"
    )
}

fn line(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_bends_figures_is_said() {
        assert_eq!(governor("performance"), None);
        assert!(governor("powersave").unwrap().contains("performance"));
        assert_eq!(clock("tsc"), None);
        assert!(clock("hpet").unwrap().contains("hpet"));
        assert!(proxy("http_proxy").contains("http_proxy"));
    }
}
