//! Why a plugin could not be had. What goes wrong later, when it is called, is a
//! [`PluginError`](aiperf_model::plugin::PluginError).

use std::fmt;
use std::path::PathBuf;

use aiperf_model::fault::{Fault, Faulty};
use aiperf_model::plugin::{Kind, PluginError};

use crate::answer::Names;

/// Where a component comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// It is part of this program.
    BuiltIn,
    /// It was read from this file, which the user named.
    File(PathBuf),
    /// It was read from this file, which was found in a directory of plugins.
    Found(PathBuf),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built-in"),
            Self::File(path) | Self::Found(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Why a plugin could not be had.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// WebAssembly cannot run on this machine.
    #[error("cannot start the plugin sandbox: {0}")]
    Engine(String),
    /// The file cannot be read.
    #[error("cannot read plugin '{source_name}': {reason}", source_name = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        reason: String,
    },
    /// The directory of plugins cannot be read.
    #[error("cannot read the plugin directory '{directory}': {reason}", directory = .path.display())]
    UnreadableDirectory {
        /// The directory.
        path: PathBuf,
        /// What the operating system says.
        reason: String,
    },
    /// There are no bytes.
    #[error("plugin '{0}' is empty")]
    Empty(Source),
    /// The bytes are not WebAssembly.
    #[error("plugin '{0}' is not WebAssembly; give a component, as built by `aiperf plugin build`")]
    NotWebAssembly(Source),
    /// The bytes are a core module.
    #[error(
        "plugin '{0}' is a core WebAssembly module, not a component; make one of it with \
         `aiperf plugin build` or `wasm-tools component new`"
    )]
    CoreModule(Source),
    /// The bytes begin like a component but are none.
    #[error("plugin '{source_name}' is damaged or cut short: {reason}")]
    Damaged {
        /// The component.
        source_name: Source,
        /// What is wrong, in the words of the reader.
        reason: String,
    },
    /// The component is no plugin.
    #[error(
        "plugin '{source_name}' exports none of aiperf:plugin/endpoint, objective, pareto and trend; {found}",
        found = found(.exports)
    )]
    NoKind {
        /// The component.
        source_name: Source,
        /// What it exports instead.
        exports: Vec<String>,
    },
    /// The component was built against another version of the contract.
    #[error(
        "plugin '{source_name}' was built for aiperf:plugin{built_for}, this host offers {offered}; \
         rebuild it with aiperf-plugin {release}"
    )]
    OtherContract {
        /// The component.
        source_name: Source,
        /// The version it was built for, with a leading `@`, or nothing if it names none.
        built_for: String,
        /// The version of this host.
        offered: &'static str,
        /// The release series of the SDK that fits.
        release: String,
    },
    /// The file is a shared library, and the user did not allow those.
    #[error(
        "plugin '{0}' is a native library: it would run outside of the sandbox, with all your rights and no limits; \
         give the .wasm file that `aiperf plugin build` makes, or --allow-native if you trust the library"
    )]
    NativeNotAllowed(Source),
    /// The file is a shared library, but not of a plugin.
    #[error(
        "plugin '{0}' is a native library, but no plugin: it does not say for which version of the native interface it \
         was built; make one with `aiperf plugin build --native`"
    )]
    NoNativePlugin(Source),
    /// The shared library was built for another calling convention.
    #[error(
        "plugin '{source_name}' was built for version {built_for} of the native interface, this host offers {offered}; \
         rebuild it with the aiperf-plugin of this release, by `aiperf plugin build --native`"
    )]
    OtherNativeVersion {
        /// The library.
        source_name: Source,
        /// The version it was built for.
        built_for: u32,
        /// The version of this host.
        offered: u32,
    },
    /// The component wants more than a plugin gets.
    #[error(
        "plugin '{source_name}' imports {imports}, but plugins may import only aiperf:plugin/log{hint}",
        imports = Names::of(.imports), hint = import_hint(.imports)
    )]
    ForbiddenImports {
        /// The component.
        source_name: Source,
        /// Every import that is refused.
        imports: Vec<String>,
    },
    /// The component does not fit the contract, or cannot be compiled.
    #[error("plugin '{source_name}' cannot be used: {reason}")]
    Unusable {
        /// The component.
        source_name: Source,
        /// What is wrong.
        reason: String,
    },
    /// The plugin describes itself in a way that breaks the contract.
    #[error("the {kind} of plugin '{source_name}' {reason}")]
    BadDescription {
        /// The component.
        source_name: Source,
        /// The kind that was asked.
        kind: Kind,
        /// What is wrong, as a sentence that lacks its subject.
        reason: String,
    },
    /// Two files hold plugins of one kind and name.
    #[error(
        "'{first}' and '{second}' both hold {article} named '{name}'; leave one of them out",
        article = with_article(*.kind)
    )]
    DuplicateName {
        /// The kind.
        kind: Kind,
        /// The name.
        name: String,
        /// The file that was loaded first.
        first: Source,
        /// The other file.
        second: Source,
    },
    /// A plugin of a directory has the name of a built-in one.
    #[error(
        "plugin '{source_name}' is {article} named '{name}', as a built-in one is; move it elsewhere and choose it with \
         --plugin if it shall take the place of the built-in one",
        article = with_article(*.kind)
    )]
    ShadowsBuiltIn {
        /// The file.
        source_name: Source,
        /// The kind.
        kind: Kind,
        /// The name.
        name: String,
    },
    /// The lock file cannot be read.
    #[error("cannot use the lock file '{file}': {reason}; `aiperf plugin lock` writes it", file = .path.display())]
    BadLock {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The lock file does not list the plugin.
    #[error(
        "{plugin} is not locked: its SHA-256 is {sha256}, {instead}; \
         if it may be used, list it with `aiperf plugin lock`",
        instead = listed_instead(.listed.as_deref())
    )]
    NotLocked {
        /// Which plugin it is, such as `plugin 'mine.wasm'` or `objective 'throughput'`.
        plugin: String,
        /// The digest of what would have been used.
        sha256: String,
        /// The digest that is listed in its place, if any is.
        listed: Option<String>,
    },
    /// A choice of a plugin cannot be read.
    #[error("'{choice}' does not choose a plugin: {reason}; write NAME or NAME:{{\"setting\": value}}")]
    BadChoice {
        /// The choice as it was written.
        choice: String,
        /// What is wrong.
        reason: String,
    },
    /// No plugin of this kind has this name.
    #[error(
        "{problem}; known: {known}{unasked}",
        problem = unknown(*.kind, .name, *.other_kind), known = .known.join(", "), unasked = unasked(.unnamed)
    )]
    UnknownPlugin {
        /// The kind that was asked for.
        kind: Kind,
        /// The name.
        name: String,
        /// Another kind that has a plugin of this name.
        other_kind: Option<Kind>,
        /// The names of this kind.
        known: Vec<String>,
        /// Files of the directory of plugins that have not said their names yet.
        unnamed: Vec<String>,
    },
    /// A file was chosen by a name that its plugin does not have.
    #[error(
        "plugin '{source_name}' does not call itself '{chosen}'; `aiperf plugin inspect` shows its names"
    )]
    NamedOtherwise {
        /// The file.
        source_name: Source,
        /// The name it was chosen by, that of the file.
        chosen: String,
    },
    /// The plugin does not accept its settings, or crashed on them.
    #[error("{kind} '{name}': {error}")]
    Refused {
        /// The kind.
        kind: Kind,
        /// The name.
        name: String,
        /// In the plugin's own words.
        error: PluginError,
    },
    /// The plugin crashed before it said its name.
    #[error("plugin '{source_name}' cannot be used: {error}")]
    Crashed {
        /// The component.
        source_name: Source,
        /// How.
        error: PluginError,
    },
}

/// The kind as a reader knows it.
pub(crate) fn with_article(kind: Kind) -> &'static str {
    match kind {
        Kind::Endpoint => "an endpoint",
        Kind::Objective => "an objective",
        Kind::Pareto => "a pareto criterion",
        Kind::Trend => "a trend detector",
    }
}

fn unknown(kind: Kind, name: &str, other_kind: Option<Kind>) -> String {
    match other_kind {
        Some(other) => format!("'{name}' is {}, not {}", with_article(other), with_article(kind)),
        None => format!("there is no {kind} '{name}'"),
    }
}

fn unasked(files: &[String]) -> String {
    if files.is_empty() {
        String::new()
    } else {
        format!("; not asked for their names yet: {}; `aiperf plugin list` asks them", files.join(", "))
    }
}

fn listed_instead(sha256: Option<&str>) -> String {
    match sha256 {
        Some(sha256) => format!("but the lock file lists {sha256}"),
        None => "which the lock file does not list".to_owned(),
    }
}

fn found(exports: &[String]) -> String {
    if exports.is_empty() {
        "it exports nothing".to_owned()
    } else {
        format!("it exports {}", Names::of(exports))
    }
}

fn import_hint(imports: &[String]) -> &'static str {
    if imports.iter().any(|import| import.starts_with("wasi:")) {
        "; build Rust for wasm32-unknown-unknown instead of wasm32-wasip2, Python with --stub-wasi, \
         and JavaScript with all features disabled"
    } else {
        ""
    }
}

impl Faulty for HostError {
    fn fault(&self) -> Fault {
        match self {
            Self::Engine(_) => Fault::Machine,
            // A plugin that cannot be had is a choice of the user that cannot be used, whatever is wrong with it.
            Self::Unreadable { .. }
            | Self::UnreadableDirectory { .. }
            | Self::Empty(_)
            | Self::NotWebAssembly(_)
            | Self::CoreModule(_)
            | Self::Damaged { .. }
            | Self::NoKind { .. }
            | Self::OtherContract { .. }
            | Self::NativeNotAllowed(_)
            | Self::NoNativePlugin(_)
            | Self::OtherNativeVersion { .. }
            | Self::ForbiddenImports { .. }
            | Self::Unusable { .. }
            | Self::BadDescription { .. }
            | Self::DuplicateName { .. }
            | Self::ShadowsBuiltIn { .. }
            | Self::BadLock { .. }
            | Self::NotLocked { .. }
            | Self::BadChoice { .. }
            | Self::UnknownPlugin { .. }
            | Self::NamedOtherwise { .. }
            | Self::Refused { .. }
            | Self::Crashed { .. } => Fault::Input,
        }
    }
}
