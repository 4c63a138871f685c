//! `aiperf plugin lock`: which plugins may be used with `--locked`.

use crate::console;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::failure::Failure;
use crate::lines::Lines;
use crate::ui::format;
use aiperf_plan::SourceOptions;
use aiperf_plugin_host::PluginLock;
use std::path::Path;

pub(crate) fn lock(sources: &SourceOptions) -> Result<Exit, Failure> {
    let lock = PluginLock::new(&super::host(sources)?.descriptions()?);
    aiperf_files::replace(Path::new(PluginLock::FILE), lock.text().as_bytes())
        .map_err(CommandError::Write)?;
    console::print(&Lines::of(format_args!(
        "{} lists {}",
        PluginLock::FILE,
        format::count(lock.len(), "plugin")
    )))?;
    Ok(Exit::Success)
}
