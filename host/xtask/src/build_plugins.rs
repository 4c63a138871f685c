//! `build-plugins`: the crates in `plugins/` become the components in `plugins/prebuilt`.
//!
//! The components are committed, so that building the program needs no WebAssembly toolchain. `--check` builds
//! them anew and compares.

mod guest;
mod lock;

use std::fs;
use std::path::{Path, PathBuf};

use aiperf_toolchain::{Compilation, Compiler, Module, component};
use anyhow::{Context as _, bail};
use cargo_metadata::Package;

use self::guest::Guest;
use self::lock::{Entry, Lock};
use crate::workspace::Workspace;

/// The profile of the built-in plugins, in the root `Cargo.toml`.
const PROFILE: &str = "plugin";

/// Where the components lie, from the workspace root.
const PREBUILT: &str = "plugins/prebuilt";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Build in a directory of its own and compare with the committed components.
    #[arg(long)]
    check: bool,

    /// Write the components here instead of to `plugins/prebuilt`; with `--check`, keep what it built here.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// A component under its file name.
struct Built {
    entry: Entry,
    bytes: Vec<u8>,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> anyhow::Result<()> {
    let guests = guests(workspace)?;
    let compiler = Compiler::find()?;
    println!("building {} plugins with {compiler}", guests.len());
    let target =
        workspace.root().join(if arguments.check { "target/plugins-check" } else { "target/plugins" });
    let packages: Vec<&str> = guests.iter().map(|guest| guest.package.as_str()).collect();
    let modules = compiler.compile(&Compilation {
        directory: workspace.root(),
        known_as: "/aiperf",
        target: Some(&target),
        profile: PROFILE,
        packages: &packages,
        locked: arguments.check,
    })?;
    let built = guests.iter().map(|guest| encode(guest, &modules)).collect::<anyhow::Result<Vec<_>>>()?;
    let encoder = workspace.pinned_version("aiperf-toolchain", "wit-component")?;
    let lock = Lock::new(&compiler, encoder, built.iter().map(|built| built.entry.clone()).collect());

    let prebuilt = workspace.root().join(PREBUILT);
    if arguments.check {
        if let Some(directory) = &arguments.out {
            write(directory, &built, &lock)?;
        }
        compare(&Lock::read(&prebuilt)?, &lock, &prebuilt)
    } else {
        write(arguments.out.as_deref().unwrap_or(&prebuilt), &built, &lock)
    }
}

/// The built-in plugins, by kind and name.
fn guests(workspace: &Workspace) -> anyhow::Result<Vec<Guest>> {
    let is_plugin = |package: &&Package| workspace.directory(package).starts_with("plugins");
    let mut guests =
        workspace.packages().iter().filter(is_plugin).map(Guest::new).collect::<anyhow::Result<Vec<_>>>()?;
    guests.sort_by_key(Guest::file);
    if guests.is_empty() {
        bail!("no member of the workspace lies in plugins/");
    }
    Ok(guests)
}

fn encode(guest: &Guest, modules: &[Module]) -> anyhow::Result<Built> {
    let module = modules
        .iter()
        .find(|module| module.library == guest.library())
        .with_context(|| format!("cargo has built no module of {}", guest.package))?;
    let module = fs::read(&module.path).with_context(|| format!("cannot read {}", module.path.display()))?;
    let bytes =
        component::encode(&module).with_context(|| format!("cannot make {} a component", guest.file()))?;
    component::check(&bytes, &guest.kind).with_context(|| format!("{} breaks the contract", guest.file()))?;
    Ok(Built { entry: Entry::new(guest, &bytes), bytes })
}

fn write(directory: &Path, built: &[Built], lock: &Lock) -> anyhow::Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    for built in built {
        let path = directory.join(&built.entry.file);
        fs::write(&path, &built.bytes).with_context(|| format!("cannot write {}", path.display()))?;
        println!("{:>8} bytes  {}", built.bytes.len(), built.entry.file);
    }
    lock.write(directory)
}

/// Compares what was built with what is committed. Another compiler makes other bytes, so then there is
/// nothing to compare, and that is said.
fn compare(committed: &Lock, built: &Lock, prebuilt: &Path) -> anyhow::Result<()> {
    committed.check_files(prebuilt)?;
    if committed.tools() != built.tools() {
        println!("built with {}", built.tools());
        println!("committed: {}", committed.tools());
        println!("the tools differ, so bytes were not compared; the freshly built components are valid");
        return Ok(());
    }
    let stale = committed.differences(built);
    if stale.is_empty() {
        println!("all {} components are identical to {PREBUILT}", built.plugins.len());
        return Ok(());
    }
    bail!("{PREBUILT} differs from its sources in {}; run `cargo xtask build-plugins`", stale.join(", "))
}
