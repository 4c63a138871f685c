//! Where a user's own files belong, after the XDG base directory specification.

use etcetera::base_strategy::{BaseStrategy as _, Xdg};
use std::path::{Path, PathBuf};

/// Where the user's compiled plugins belong: `$XDG_CACHE_HOME/aiperf`, or `~/.cache/aiperf`. None if neither variable
/// holds an absolute path.
#[must_use]
pub fn user_cache_dir() -> Option<PathBuf> {
    ours(&Xdg::new().ok()?.cache_dir())
}

/// Where the user's own plugins belong: `$XDG_CONFIG_HOME/aiperf/plugins`, or `~/.config/aiperf/plugins`. None if
/// neither variable holds an absolute path.
#[must_use]
pub fn user_plugin_dir() -> Option<PathBuf> {
    ours(&Xdg::new().ok()?.config_dir()).map(|ours| ours.join("plugins"))
}

/// A home that is relative would be another one in each directory.
fn ours(directory: &Path) -> Option<PathBuf> {
    directory.is_absolute().then(|| directory.join("aiperf"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_depends_on_the_current_one_is_none() {
        assert_eq!(ours(Path::new("/c")), Some("/c/aiperf".into()));
        assert_eq!(ours(Path::new(".cache")), None);
    }
}
