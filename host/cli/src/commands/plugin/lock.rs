//! `aiperf plugin lock`: which plugins may be used with `--locked`.

use crate::console;
use crate::exit_code::Exit;
use crate::failure::Failure;
use crate::lines::Lines;
use crate::ui::format;
use aiperf_plan::SourceOptions;
use aiperf_plugin_host::PluginLock;
use std::fs;

pub(crate) fn lock(sources: &SourceOptions) -> Result<Exit, Failure> {
    let lock = PluginLock::new(&super::host(sources)?.descriptions()?);
    fs::write(PluginLock::FILE, lock.text()).map_err(|error| {
        Failure::new(Exit::Unexpected, format!("cannot write {}: {error}", PluginLock::FILE))
    })?;
    console::print(&Lines::of(format_args!(
        "{} lists {}",
        PluginLock::FILE,
        format::count(lock.len(), "plugin")
    )))?;
    Ok(Exit::Success)
}
