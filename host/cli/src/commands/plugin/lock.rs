//! `aiperf plugin lock`: which plugins may be used with `--locked`.

use crate::args::PluginSources;
use crate::console;
use crate::exit_code::Exit;
use crate::failure::Failure;
use crate::lines::Lines;
use crate::ui::format;
use aiperf_plugin_host::Lock;
use std::fs;

pub(crate) fn lock(sources: &PluginSources) -> Result<Exit, Failure> {
    let lock = Lock::new(&super::host(sources)?.descriptions()?);
    fs::write(Lock::FILE, lock.text())
        .map_err(|error| Failure::new(Exit::Unexpected, format!("cannot write {}: {error}", Lock::FILE)))?;
    console::print(&Lines::of(format_args!("{} lists {}", Lock::FILE, format::count(lock.len(), "plugin"))))?;
    Ok(Exit::Success)
}
