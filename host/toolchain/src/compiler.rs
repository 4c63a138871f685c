//! A compiler for `wasm32-unknown-unknown`: the default one where it has the target, else Debian's
//! `rustc-web`, which builds the standard library from source.
//!
//! The bytes must not depend on where the sources lie: every path that could enter them is replaced.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use serde_json::Value;

use crate::error::ToolchainError;

const TARGET: &str = "wasm32-unknown-unknown";

/// Where Debian's `rustc-web` lies; rustup's comes first in `PATH`.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

const INSTALL: &str = "  rustup target add wasm32-unknown-unknown
  apt-get install --no-install-recommends rustc-web rust-web-src    (Debian, instead)";

/// A compiler of WebAssembly.
pub struct Compiler {
    rustc: PathBuf,
    version: String,
    sysroot: PathBuf,
    library: Library,
}

/// Where the standard library for the target comes from.
enum Library {
    /// It came with the compiler.
    Installed,
    /// It is compiled along, and linked with the linker of the default toolchain.
    Source { linker: PathBuf },
}

/// What to compile.
pub struct Compilation<'a> {
    /// The directory of the workspace or package.
    pub directory: &'a Path,
    /// What stands in the modules for that directory, such as `/aiperf`.
    pub known_as: &'a str,
    /// Where cargo keeps its work, or none for its own choice.
    pub target: Option<&'a Path>,
    /// The profile.
    pub profile: &'a str,
    /// The packages; all of the directory's if there are none.
    pub packages: &'a [&'a str],
    /// Whether Cargo.lock must be as it is.
    pub locked: bool,
}

/// A library that was compiled: a core module, or code for this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// The name of the library, such as `my_objective`.
    pub library: String,
    /// Where it lies.
    pub path: PathBuf,
}

impl Compiler {
    /// Finds the compiler of this machine.
    ///
    /// # Errors
    ///
    /// If there is none, with the commands that install one.
    pub fn find() -> Result<Self, ToolchainError> {
        let default = PathBuf::from("rustc");
        if has_installed_target(&default) {
            return Self::new(default, Library::Installed);
        }
        let debian = PathBuf::from(DEBIAN_RUSTC);
        if has_library_source(&debian) {
            return Self::new(debian, Library::Source { linker: linker(&default)? });
        }
        Err(ToolchainError::Missing {
            what: "no compiler for wasm32-unknown-unknown was found".to_owned(),
            commands: INSTALL.to_owned(),
        })
    }

    fn new(rustc: PathBuf, library: Library) -> Result<Self, ToolchainError> {
        let version = ask(&rustc, &["--version"])?;
        let sysroot = ask(&rustc, &["--print", "sysroot"])?.into();
        Ok(Self { rustc, version, sysroot, library })
    }

    /// The compiler as it names itself.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whether the standard library is the `installed` one or from `source`.
    #[must_use]
    pub fn standard_library(&self) -> &'static str {
        match self.library {
            Library::Installed => "installed",
            Library::Source { .. } => "source",
        }
    }

    /// Compiles, and tells the modules of the libraries of type `cdylib`. Cargo's own messages go to standard error.
    ///
    /// # Errors
    ///
    /// If cargo is missing or fails.
    pub fn compile(&self, compilation: &Compilation) -> Result<Vec<Module>, ToolchainError> {
        libraries(&mut self.command(compilation)?, "wasm")
    }

    fn command(&self, compilation: &Compilation) -> Result<Command, ToolchainError> {
        let mut cargo = cargo_build(compilation.directory, compilation.profile);
        cargo
            .args(["--target", TARGET])
            .args(compilation.packages.iter().flat_map(|package| ["--package", package]))
            .env("RUSTC", &self.rustc)
            .env("CARGO_ENCODED_RUSTFLAGS", self.flags(compilation)?)
            .env_remove("RUSTFLAGS");
        if let Some(target) = compilation.target {
            cargo.arg("--target-dir").arg(target);
        }
        if compilation.locked {
            cargo.arg("--locked");
        }
        if let Library::Source { linker } = &self.library {
            // A stable compiler builds its own library only with this; it is set for this one command.
            cargo.env("RUSTC_BOOTSTRAP", "1").arg("-Zbuild-std=std,panic_abort");
            cargo.arg("--config").arg(format!("target.{TARGET}.linker={:?}", linker.display().to_string()));
        }
        Ok(cargo)
    }

    /// The compiler's flags, in the form cargo takes: separated by the unit separator. They replace paths, and strip
    /// names: a profile's `strip` does not reach packages with an `opt-level` of their own.
    fn flags(&self, compilation: &Compilation) -> Result<OsString, ToolchainError> {
        let source = self.sysroot.join("lib/rustlib/src/rust");
        let mut paths =
            vec![(compilation.directory.to_owned(), compilation.known_as), (source.clone(), "/rust")];
        if let Ok(real) = fs::canonicalize(&source) {
            paths.push((real, "/rust"));
        }
        for registry in registries()? {
            paths.push((registry, "/crates"));
        }
        let mut flags = OsString::from("-Cstrip=symbols");
        for (path, name) in paths {
            flags.push("\u{1f}--remap-path-prefix=");
            flags.push(path);
            flags.push("=");
            flags.push(name);
        }
        Ok(flags)
    }
}

impl fmt::Display for Compiler {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, standard library {}", self.version, self.standard_library())
    }
}

/// `cargo build` in a directory, telling what it makes.
pub(crate) fn cargo_build(directory: &Path, profile: &str) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(directory).args([
        "build",
        "--profile",
        profile,
        "--message-format=json-render-diagnostics",
    ]);
    cargo
}

/// Runs cargo, and tells the libraries of type `cdylib` that it made, by files with this extension.
pub(crate) fn libraries(cargo: &mut Command, extension: &str) -> Result<Vec<Module>, ToolchainError> {
    let output = cargo
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| ToolchainError::Tool { tool: "cargo".to_owned(), reason: error.to_string() })?;
    if !output.status.success() {
        return Err(ToolchainError::Failed { what: "cargo build".to_owned() });
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    Ok(messages.lines().filter_map(|line| module(line, extension)).collect())
}

/// The library that a line of cargo's messages tells of, by its file with this extension.
fn module(line: &str, extension: &str) -> Option<Module> {
    let message: Value = serde_json::from_str(line).ok()?;
    let is_library = message.pointer("/target/crate_types")?.as_array()?.iter().any(|kind| kind == "cdylib");
    let files = message.get("filenames")?.as_array()?;
    let is_module = |path: &&Path| path.extension().is_some_and(|found| found == extension);
    let path = files.iter().filter_map(Value::as_str).map(Path::new).find(is_module)?;
    let library = message.pointer("/target/name")?.as_str()?.to_owned();
    is_library.then(|| Module { library, path: path.into() })
}

/// The directories that cargo unpacks crates into, one for each registry.
fn registries() -> Result<Vec<PathBuf>, ToolchainError> {
    let home = match (env::var_os("CARGO_HOME"), env::home_dir()) {
        (Some(home), _) => PathBuf::from(home),
        (None, Some(home)) => home.join(".cargo"),
        (None, None) => {
            let reason = "set CARGO_HOME: neither it nor a home directory is known".to_owned();
            return Err(ToolchainError::Tool { tool: "cargo".to_owned(), reason });
        }
    };
    let sources = home.join("registry/src");
    let Ok(entries) = fs::read_dir(&sources) else { return Ok(Vec::new()) };
    entries
        .map(|entry| entry.map(|entry| entry.path()).map_err(ToolchainError::file("read", &sources)))
        .collect()
}

fn has_installed_target(rustc: &Path) -> bool {
    let directory = ask(rustc, &["--print", "target-libdir", "--target", TARGET]);
    directory.is_ok_and(|directory| Path::new(&directory).is_dir())
}

fn has_library_source(rustc: &Path) -> bool {
    let sysroot = ask(rustc, &["--print", "sysroot"]);
    sysroot.is_ok_and(|sysroot| Path::new(&sysroot).join("lib/rustlib/src/rust/library/std").is_dir())
}

/// The linker that rustup ships; Debian's compiler expects one that it does not depend on.
fn linker(rustc: &Path) -> Result<PathBuf, ToolchainError> {
    let libraries = ask(rustc, &["--print", "target-libdir"]).ok().map(PathBuf::from);
    let shipped = libraries.and_then(|libraries| Some(libraries.parent()?.join("bin/rust-lld")));
    let candidates = [shipped, Some("/usr/bin/wasm-ld-22".into()), Some("/usr/bin/wasm-ld".into())];
    candidates.into_iter().flatten().find(|path| path.is_file()).ok_or_else(|| ToolchainError::Missing {
        what: "no linker for WebAssembly was found".to_owned(),
        commands: "  apt-get install lld    (Debian; rustup's toolchain has one too)".to_owned(),
    })
}

fn ask(rustc: &Path, arguments: &[&str]) -> Result<String, ToolchainError> {
    let failed = |reason: String| ToolchainError::Tool {
        tool: format!("{} {}", rustc.display(), arguments.join(" ")),
        reason,
    };
    let output = Command::new(rustc).args(arguments).output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_those_of_libraries_of_the_right_type() {
        let message = |kind: &str, file: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","target":{{"name":"mine","crate_types":["{kind}"]}},"filenames":["/t/{file}"]}}"#
            )
        };
        let mine = Module { library: "mine".to_owned(), path: "/t/mine.wasm".into() };
        let module = |line: &str| module(line, "wasm");
        assert_eq!(module(&message("cdylib", "mine.wasm")), Some(mine));
        assert_eq!(module(&message("cdylib", "libmine.so")), None);
        assert_eq!(module(&message("bin", "mine.wasm")), None);
        assert_eq!(module(r#"{"reason":"build-finished","success":true}"#), None);
        assert_eq!(module("warning: text"), None);
    }
}
