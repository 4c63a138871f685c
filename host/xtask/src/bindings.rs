//! `generate-bindings`: the Rust side of the contract, written from `wit/` into the SDK.
//!
//! The files are committed, so that an author's first build needs no WIT parser and no code generator,
//! and so that the SDK can be published without the folder beside it.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use wit_bindgen_core::wit_parser::{Resolve, WorldId};
use wit_bindgen_core::{Files, WorldGenerator as _};
use wit_bindgen_rust::{Opts, WithOption};

use crate::workspace::Workspace;

/// Where the SDK keeps the files, from the workspace root.
const DIRECTORY: &str = "sdk/rust/src/generated";

/// The world with what all plugins import, and the module it becomes.
const BASE: (&str, &str) = ("imports", "base");

/// The world of each kind of plugin, and the module it becomes.
const KINDS: [(&str, &str); 4] = [
    ("endpoint-plugin", "endpoint"),
    ("objective-plugin", "objective"),
    ("pareto-plugin", "pareto"),
    ("trend-plugin", "trend"),
];

/// What all types can do: be compared in tests, and be handed to a shared library.
const DERIVED: [&str; 3] = ["PartialEq", "serde::Serialize", "serde::Deserialize"];

/// Records that are empty unless something is set.
const WITH_DEFAULT: [&str; 2] = ["payload", "usage"];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Compare with the committed files instead of writing them.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> anyhow::Result<()> {
    let directory = workspace.root().join(DIRECTORY);
    let mut stale = Vec::new();
    for (file, text) in generate(&workspace.root().join("wit"))? {
        let path = directory.join(&file);
        if arguments.check {
            if fs::read_to_string(&path).ok().as_deref() != Some(&text) {
                stale.push(file);
            }
        } else {
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    if !stale.is_empty() {
        bail!("{DIRECTORY}: {} differ from wit/; run `cargo xtask generate-bindings`", stale.join(", "));
    }
    Ok(())
}

/// The files of the bindings: name and text.
fn generate(wit: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit).with_context(|| format!("{} is not valid", wit.display()))?;
    let version = resolve
        .packages
        .get(package)
        .and_then(|package| package.name.version.as_ref())
        .context("the package in wit/world.wit has no version")?
        .to_string();
    let mut files = Vec::new();
    for (world, module) in [BASE].into_iter().chain(KINDS) {
        let id = resolve.select_world(&[package], Some(world))?;
        let options = if (world, module) == BASE { base_options() } else { kind_options(module, &version) };
        files.push((format!("{module}.rs"), generate_world(&mut resolve.clone(), id, options)?));
    }
    Ok(files)
}

fn generate_world(resolve: &mut Resolve, world: WorldId, options: Opts) -> anyhow::Result<String> {
    let mut files = Files::default();
    options.build().generate(resolve, world, &mut files)?;
    let (_, text) = files.iter().next().context("the generator wrote no file")?;
    Ok(String::from_utf8(text.to_vec())?)
}

fn base_options() -> Opts {
    Opts {
        format: true,
        generate_unused_types: true,
        runtime_path: Some("::aiperf_plugin::__private::wit".to_owned()),
        additional_derive_attributes: DERIVED.map(str::to_owned).to_vec(),
        ..Opts::default()
    }
}

/// The options of one kind: as the base, but with the base's types instead of copies of them.
fn kind_options(module: &str, version: &str) -> Opts {
    let shared = |interface: &str| {
        let path = format!("::aiperf_plugin::__private::bindings::base::aiperf::plugin::{interface}");
        (format!("aiperf:plugin/{interface}@{version}"), WithOption::Path(path))
    };
    let with_default =
        |name: &&str| (format!("aiperf:plugin/endpoint@{version}/{name}"), "#[derive(Default)]".to_owned());
    let mut options = base_options();
    options.with = vec![shared("types"), shared("log")];
    options.pub_export_macro = true;
    options.default_bindings_module = Some(format!("::aiperf_plugin::__private::bindings::{module}"));
    if module == "endpoint" {
        options.additional_type_attributes = WITH_DEFAULT.iter().map(with_default).collect();
    }
    options
}
