//! `aiperf plugin build`: the sources of a plugin become a component or a native library.

use crate::args::BuildArguments;
use crate::console;
use crate::exit_code::Exit;
use crate::failure::Failure;
use crate::lines::Lines;
use aiperf_plugin_host::Description;
use aiperf_toolchain::Project;
use std::path::{Path, PathBuf};

pub(crate) fn build(arguments: &BuildArguments) -> Result<Exit, Failure> {
    let BuildArguments { directory, native } = arguments;
    for path in if *native { made_native(directory)? } else { made(directory)? } {
        // What is no plugin is told here, and not when it is used.
        let descriptions = super::bare_host(*native)?.load_file(&path)?;
        for plugin in descriptions {
            console::print(&named(&path, &plugin))?;
        }
    }
    Ok(Exit::Success)
}

/// A plugin and the file it is in, as a line.
pub(super) fn named(file: &Path, plugin: &Description) -> Lines {
    let Description { kind, name, version, .. } = plugin;
    Lines::of(format_args!("{}: {kind} '{name}' {version}", file.display()))
}

/// A component, or those that the project in a directory makes.
pub(super) fn components(plugin: &Path) -> Result<Vec<PathBuf>, Failure> {
    if plugin.is_dir() { made(plugin) } else { Ok(vec![plugin.to_path_buf()]) }
}

/// The components of the project, built.
fn made(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    Ok(shown(directory, Project::find(directory)?.build()?))
}

/// The native libraries of the project, built.
fn made_native(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    Ok(shown(directory, Project::find(directory)?.build_native()?))
}

/// The paths as a user would write them.
fn shown(directory: &Path, built: Vec<PathBuf>) -> Vec<PathBuf> {
    let shown = |path: PathBuf| path.file_name().map(|file| directory.join(file)).unwrap_or(path);
    let relative = |path: PathBuf| path.strip_prefix(".").map(Path::to_path_buf).unwrap_or(path);
    built.into_iter().map(shown).map(relative).collect()
}
