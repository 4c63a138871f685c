//! Where a user's own files belong, after the XDG base directory specification.

use std::env;
use std::path::PathBuf;

/// Where the user's compiled plugins belong: `$XDG_CACHE_HOME/aiperf`, or `~/.cache/aiperf`. None if neither variable
/// holds an absolute path.
#[must_use]
pub fn user_cache_dir() -> Option<PathBuf> {
    directory(variable("XDG_CACHE_HOME"), env::home_dir(), ".cache")
}

/// Where the user's own plugins belong: `$XDG_CONFIG_HOME/aiperf/plugins`, or `~/.config/aiperf/plugins`. None if
/// neither variable holds an absolute path.
#[must_use]
pub fn user_plugin_dir() -> Option<PathBuf> {
    directory(variable("XDG_CONFIG_HOME"), env::home_dir(), ".config").map(|config| config.join("plugins"))
}

fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).map(PathBuf::from)
}

fn directory(chosen: Option<PathBuf>, home: Option<PathBuf>, below_home: &str) -> Option<PathBuf> {
    chosen
        .filter(|path| path.is_absolute())
        .or_else(|| home.map(|home| home.join(below_home)))
        .filter(|path| path.is_absolute())
        .map(|path| path.join("aiperf"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_choice_wins_over_the_home_directory() {
        let path = |text: &str| Some(PathBuf::from(text));
        assert_eq!(directory(path("/c"), path("/home/a"), ".cache"), path("/c/aiperf"));
        assert_eq!(directory(path("relative"), path("/home/a"), ".cache"), path("/home/a/.cache/aiperf"));
        assert_eq!(directory(None, path("/home/a"), ".config"), path("/home/a/.config/aiperf"));
        assert_eq!(directory(None, None, ".cache"), None);
    }
}
