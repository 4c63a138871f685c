//! `aiperf plugin build`: the sources of a plugin become a component.

use crate::console;
use crate::exit_code::Exit;
use crate::failure::Failure;
use aiperf_plugin_host::Description;
use aiperf_toolchain::Project;
use std::path::{Path, PathBuf};

pub(crate) fn build(directory: &Path) -> Result<Exit, Failure> {
    for path in made(directory)? {
        // What is no plugin is told here, and not when it is used.
        let descriptions = super::bare_host()?.load_file(&path)?;
        for plugin in descriptions {
            console::print(named(&path, &plugin))?;
        }
    }
    Ok(Exit::Success)
}

/// A component and a plugin in it, as a line.
pub(super) fn named(component: &Path, plugin: &Description) -> String {
    format!("{}: {} '{}' {}\n", component.display(), plugin.kind, plugin.name, plugin.version)
}

/// The components of the project, built, by their paths as a user would write them.
pub(super) fn made(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let built = Project::find(directory)?.build()?;
    let shown = |path: PathBuf| path.file_name().map(|file| directory.join(file)).unwrap_or(path);
    let relative = |path: PathBuf| path.strip_prefix(".").map(Path::to_path_buf).unwrap_or(path);
    Ok(built.into_iter().map(shown).map(relative).collect())
}
