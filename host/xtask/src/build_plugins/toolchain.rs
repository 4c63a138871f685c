//! A compiler for `wasm32-unknown-unknown`: the default one where it has the target, else Debian's
//! `rustc-web`, which builds the standard library from source.
//!
//! The bytes must not depend on where the sources lie: every path that could enter them is replaced.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, bail};

use super::guest::Guest;

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "plugin";

/// Where Debian's `rustc-web` lies; rustup's comes first in `PATH`.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

const MISSING: &str = "\
no compiler for wasm32-unknown-unknown was found; install one of
  rustup target add wasm32-unknown-unknown
  apt-get install --no-install-recommends rustc-web rust-web-src    (Debian)";

pub(super) struct Toolchain {
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

impl Toolchain {
    pub(super) fn find() -> anyhow::Result<Self> {
        let default = PathBuf::from("rustc");
        if has_installed_target(&default) {
            return Self::new(default, Library::Installed);
        }
        let debian = PathBuf::from(DEBIAN_RUSTC);
        if has_library_source(&debian) {
            return Self::new(debian, Library::Source { linker: linker(&default)? });
        }
        bail!(MISSING)
    }

    fn new(rustc: PathBuf, library: Library) -> anyhow::Result<Self> {
        let version = ask(&rustc, &["--version"])?;
        let sysroot = ask(&rustc, &["--print", "sysroot"])?.into();
        Ok(Self { rustc, version, sysroot, library })
    }

    /// The compiler as it names itself.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// Whether the standard library is the `installed` one or from `source`.
    pub(super) fn standard_library(&self) -> &'static str {
        match self.library {
            Library::Installed => "installed",
            Library::Source { .. } => "source",
        }
    }

    /// Compiles all guests into `target`.
    pub(super) fn build(
        &self,
        root: &Path,
        target: &Path,
        guests: &[Guest],
        locked: bool,
    ) -> anyhow::Result<()> {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .current_dir(root)
            .args(["build", "--target", TARGET, "--profile", PROFILE, "--target-dir"])
            .arg(target);
        cargo.args(guests.iter().flat_map(|guest| ["--package", &guest.package]));
        cargo
            .env("RUSTC", &self.rustc)
            .env("CARGO_ENCODED_RUSTFLAGS", self.flags(root)?)
            .env_remove("RUSTFLAGS");
        if locked {
            cargo.arg("--locked");
        }
        if let Library::Source { linker } = &self.library {
            // A stable compiler builds its own library only with this; it is set for this one command.
            cargo.env("RUSTC_BOOTSTRAP", "1").arg("-Zbuild-std=std,panic_abort");
            cargo.arg("--config").arg(format!("target.{TARGET}.linker={:?}", linker.display().to_string()));
        }
        let status = cargo.status().context("cannot start cargo")?;
        if !status.success() {
            bail!("the plugins do not compile");
        }
        Ok(())
    }

    /// The compiler's flags, in the form cargo takes: separated by the unit separator. They replace paths, and strip
    /// names: a profile's `strip` does not reach packages with an `opt-level` of their own.
    fn flags(&self, root: &Path) -> anyhow::Result<OsString> {
        let source = self.sysroot.join("lib/rustlib/src/rust");
        let mut paths = vec![(root.to_owned(), "/aiperf"), (source.clone(), "/rust")];
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

/// Where [`Toolchain::build`] puts the core module of `guest` below `target`.
pub(super) fn module(target: &Path, guest: &Guest) -> PathBuf {
    target.join(TARGET).join(PROFILE).join(guest.module())
}

impl fmt::Display for Toolchain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, standard library {}", self.version, self.standard_library())
    }
}

/// The directories that cargo unpacks crates into, one for each registry.
fn registries() -> anyhow::Result<Vec<PathBuf>> {
    let home = match (env::var_os("CARGO_HOME"), env::home_dir()) {
        (Some(home), _) => PathBuf::from(home),
        (None, Some(home)) => home.join(".cargo"),
        (None, None) => bail!("set CARGO_HOME: neither it nor a home directory is known"),
    };
    let sources = home.join("registry/src");
    let Ok(entries) = fs::read_dir(&sources) else { return Ok(Vec::new()) };
    entries.map(|entry| Ok(entry?.path())).collect()
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
fn linker(rustc: &Path) -> anyhow::Result<PathBuf> {
    let libraries = PathBuf::from(ask(rustc, &["--print", "target-libdir"])?);
    let shipped = libraries.parent().map(|directory| directory.join("bin/rust-lld"));
    let candidates = [shipped, Some("/usr/bin/wasm-ld-22".into()), Some("/usr/bin/wasm-ld".into())];
    candidates
        .into_iter()
        .flatten()
        .find(|path| path.is_file())
        .context("no linker for WebAssembly was found; install rustup's toolchain or Debian's package lld")
}

fn ask(rustc: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(rustc)
        .args(arguments)
        .output()
        .with_context(|| format!("cannot start {}", rustc.display()))?;
    if !output.status.success() {
        bail!("{} {} failed", rustc.display(), arguments.join(" "));
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
