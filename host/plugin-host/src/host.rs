//! All plugins by kind and name, and how to make one ready for use.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fs, io, mem, thread};
use tracing::info;

use aiperf_model::plugin::{Endpoint, Identity, Kind, Objective, ParetoCriterion, TrendDetector};
use aiperf_model::secret::Secrets;

use crate::answer::Names;
use crate::binary::Binary;
use crate::builtin::BUILT_INS;
use crate::choice::Choice;
use crate::compiler::Compiler;
use crate::configured::{Body, Configured};
use crate::description::{Description, describe};
use crate::destination::Reserved;
use crate::endpoint::EndpointPlugin;
use crate::error::{HostError, Source};
use crate::inspection::Inspection;
use crate::instance::InstanceFactory;
use crate::interface::Interface;
use crate::limits::Limits;
use crate::lock::PluginLock;
use crate::log::LogSink;
use crate::native::Caller;
use crate::objective::ObjectivePlugin;
use crate::pareto::CriterionPlugin;
use crate::pool::Pool;
use crate::sandbox::Sandbox;
use crate::secret_settings;
use crate::trace::Traces;
use crate::trend::DetectorPlugin;

/// How plugins are run.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// Where compiled code is kept, such as [`user_cache_dir`](crate::user_cache_dir), or none to compile at every
    /// start.
    pub cache_dir: Option<PathBuf>,
    /// The program that components of files are compiled by, in a process of its own under the limits: one that begins
    /// with [`run_as_compiler`](crate::run_as_compiler). None to compile in this process, without limits.
    pub compiler: Option<PathBuf>,
    /// What plugins may use.
    pub limits: Limits,
    /// Who receives their messages, and notices about them.
    pub log: LogSink,
    /// Where failed calls are kept with their input, or none to keep none.
    pub trace_dir: Option<PathBuf>,
    /// What must not be kept with them.
    pub secrets: Secrets,
    /// The only plugins that may be used, or none if all may.
    pub lock: Option<PluginLock>,
    /// Whether files may be native libraries, which run outside of the sandbox.
    pub allow_native: bool,
    /// What endpoints may not replace.
    pub reserved: Reserved,
}

impl Default for HostConfig {
    fn default() -> Self {
        Self {
            cache_dir: None,
            compiler: None,
            limits: Limits::default(),
            log: LogSink::none(),
            trace_dir: None,
            secrets: Secrets::default(),
            lock: None,
            allow_native: false,
            reserved: Reserved::default(),
        }
    }
}

/// All plugins: the built-in ones, and those of loaded files.
///
/// Nothing is compiled before it is chosen. The plugins that it hands out live on without it.
pub struct PluginHost {
    sandbox: Arc<Sandbox>,
    lock: Option<PluginLock>,
    allow_native: bool,
    reserved: Reserved,
    plugins: BTreeMap<(Kind, String), Arc<Binary>>,
    /// Files of directories that have not said their names yet.
    unnamed: Vec<Unnamed>,
}

/// A component of a directory, and what it is likely to be called.
struct Unnamed {
    binary: Arc<Binary>,
    kinds: Vec<Kind>,
    /// By the name of its file.
    guess: String,
}

impl PluginHost {
    /// A host with the built-in plugins.
    pub fn new(config: HostConfig) -> Result<Self, HostError> {
        let HostConfig { cache_dir, compiler, limits, log, trace_dir, secrets, lock, allow_native, reserved } =
            config;
        let traces = trace_dir.map(|directory| Traces::new(directory, secrets));
        let sandbox =
            Arc::new(Sandbox::new(limits, cache_dir.as_deref(), compiler.map(Compiler::new), log, traces)?);
        let plugins = BUILT_INS
            .iter()
            .map(|plugin| ((plugin.kind, plugin.name.to_owned()), Arc::new(Binary::built_in(plugin.bytes))))
            .collect();
        Ok(Self { sandbox, lock, allow_native, reserved, plugins, unnamed: Vec::new() })
    }

    /// Adds the plugins of a file that the user names. One that has the name of a built-in plugin, or of one that was
    /// found in a directory, takes its place, with a notice.
    pub fn load_file(&mut self, path: &Path) -> Result<Vec<Description>, HostError> {
        self.load(self.read(path)?)
    }

    fn read(&self, path: &Path) -> Result<Binary, HostError> {
        Binary::read(path, Source::File(path.to_owned()), self.allow_native)
    }

    /// Adds the plugins of the `.wasm` files in a directory, in the order of their names. None of them is compiled or
    /// run before it is chosen: a file that has told its names before is known by them, another by that of the file. A
    /// file that cannot be used is left out, with a notice: a benchmark that does not choose it has no part in it.
    ///
    /// # Errors
    ///
    /// If the directory cannot be read, if a plugin has the name of a built-in one or of another file's, or if the
    /// lock does not list it.
    pub fn load_directory(&mut self, directory: &Path) -> Result<(), HostError> {
        for path in components_in(directory)? {
            let found = Binary::read(&path, Source::Found(path.clone()), false)
                .and_then(|binary| Ok((binary.kinds()?, binary)))
                .and_then(|(kinds, binary)| self.find_out(&path, kinds, Arc::new(binary)));
            self.leave_out_unusable(found)?;
        }
        Ok(())
    }

    /// Adds a component of a directory without running it.
    fn find_out(&mut self, path: &Path, kinds: Vec<Kind>, binary: Arc<Binary>) -> Result<(), HostError> {
        self.check_lock(&binary)?;
        if let Some(names) = self.sandbox.names_of(binary.sha256()) {
            return self.add_all(&names, &binary);
        }
        self.unnamed.push(Unnamed { binary, kinds, guess: guess(path) });
        Ok(())
    }

    /// Two files that claim one name are for the user to decide, and so is one that the lock does not list.
    fn leave_out_unusable(&self, found: Result<(), HostError>) -> Result<(), HostError> {
        match found {
            Err(
                error @ (HostError::ShadowsBuiltIn { .. }
                | HostError::DuplicateName { .. }
                | HostError::NotLocked { .. }),
            ) => Err(error),
            Err(error) => {
                self.sandbox.log.notice(format!("left out: {error}"));
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn check_lock(&self, binary: &Binary) -> Result<(), HostError> {
        self.lock.as_ref().map_or(Ok(()), |lock| lock.check_file(binary.source(), binary.sha256()))
    }

    fn load(&mut self, binary: Binary) -> Result<Vec<Description>, HostError> {
        let binary = Arc::new(binary);
        self.check_lock(&binary)?;
        if binary.is_native() {
            let source = binary.source();
            self.sandbox.log.notice(format!(
                "'{source}' is a native library: no sandbox holds it, and nothing limits it"
            ));
        }
        let descriptions = self.describe_all(&binary)?;
        self.add_all(&names(&descriptions), &binary)?;
        Ok(descriptions)
    }

    /// What a file says of itself, which names it from now on.
    fn describe_all(&self, binary: &Binary) -> Result<Vec<Description>, HostError> {
        let descriptions: Vec<_> = binary
            .kinds()?
            .into_iter()
            .map(|kind| describe(&self.sandbox, binary, kind))
            .collect::<Result<_, _>>()?;
        if matches!(binary.source(), Source::File(_) | Source::Found(_)) && !binary.is_native() {
            self.sandbox.keep_names(binary.sha256(), &names(&descriptions));
        }
        Ok(descriptions)
    }

    fn add_all(&mut self, names: &[(Kind, String)], binary: &Arc<Binary>) -> Result<(), HostError> {
        names.iter().try_for_each(|(kind, name)| self.check_name_is_free(*kind, name, binary))?;
        for (kind, name) in names {
            self.add(*kind, name, binary);
        }
        Ok(())
    }

    fn check_name_is_free(&self, kind: Kind, name: &str, binary: &Binary) -> Result<(), HostError> {
        let name = name.to_owned();
        match self.plugins.get(&(kind, name.clone())) {
            Some(present) if present.sha256() != binary.sha256() => match (present.source(), binary.source())
            {
                (Source::BuiltIn, Source::Found(_)) => {
                    Err(HostError::ShadowsBuiltIn { source_name: binary.source().clone(), kind, name })
                }
                // A file is named after the directory was looked at, and again before its files are asked.
                (Source::BuiltIn | Source::Found(_), Source::File(_))
                | (Source::File(_), Source::Found(_)) => Ok(()),
                (first, second) => {
                    Err(HostError::DuplicateName { kind, name, first: first.clone(), second: second.clone() })
                }
            },
            _ => Ok(()),
        }
    }

    /// A file that the user named comes before one of a directory, and that before a built-in plugin.
    fn add(&mut self, kind: Kind, name: &str, binary: &Arc<Binary>) {
        let key = (kind, name.to_owned());
        let present = self.plugins.get(&key).map(Arc::clone);
        let (used, other) = match present {
            Some(present) if is_file(&present) && is_found(binary) => (present, Some(Arc::clone(binary))),
            present => (Arc::clone(binary), present),
        };
        if let Some(other) = other.filter(|other| other.sha256() != used.sha256()) {
            let instead = match other.source() {
                Source::BuiltIn => "the built-in one".to_owned(),
                Source::File(path) | Source::Found(path) => format!("that of '{}'", path.display()),
            };
            let source = used.source();
            self.sandbox.log.notice(format!("{kind} '{name}' is that of '{source}', not {instead}"));
        }
        self.plugins.insert(key, used);
    }

    /// What a file is. Nothing of it is run if it cannot be used.
    ///
    /// # Errors
    ///
    /// If it is neither a component nor a native library that is allowed.
    pub fn inspect_file(&self, path: &Path) -> Result<Inspection, HostError> {
        self.inspect(&self.read(path)?)
    }

    /// What the files are that hold plugins of this name.
    pub fn inspect_named(&self, name: &str) -> Result<Vec<Inspection>, HostError> {
        let mut seen = BTreeSet::new();
        let named = self.plugins.iter().filter(|((_, of), _)| of == name).map(|(_, binary)| binary);
        let guessed =
            self.unnamed.iter().filter(|unnamed| unnamed.guess == name).map(|unnamed| &unnamed.binary);
        named
            .chain(guessed)
            .filter(|binary| seen.insert(binary.sha256().to_owned()))
            .map(|binary| self.inspect(binary))
            .collect()
    }

    fn inspect(&self, binary: &Binary) -> Result<Inspection, HostError> {
        let (imports, exports) = match binary {
            Binary::Component(component) => component
                .outline()
                .map(|outline| (Names::of(&outline.imports), Names::of(&outline.exports)))?,
            Binary::Library(_) => (Names::default(), Names::default()),
        };
        Ok(Inspection {
            source: binary.source().clone(),
            size: binary.size(),
            sha256: binary.sha256().to_owned(),
            native: binary.is_native(),
            contract: binary.contract()?,
            plugins: self.describe_all(binary),
            imports,
            exports,
        })
    }

    /// The names of all plugins of a kind, in alphabetical order.
    pub fn names(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.plugins.keys().filter(move |(of, _)| *of == kind).map(|(_, name)| name.as_str())
    }

    /// What every plugin says of itself, by kind and name. All are run for that.
    ///
    /// # Errors
    ///
    /// If two files turn out to claim one name, or if a plugin cannot be used that is not of a directory.
    pub fn descriptions(&mut self) -> Result<Vec<Description>, HostError> {
        for Unnamed { binary, .. } in mem::take(&mut self.unnamed) {
            let named = self
                .describe_all(&binary)
                .and_then(|descriptions| self.add_all(&names(&descriptions), &binary));
            self.leave_out_unusable(named)?;
        }
        self.compile(self.plugins.values());
        self.plugins.iter().map(|((kind, _), binary)| describe(&self.sandbox, binary, *kind)).collect()
    }

    /// Compiles all chosen plugins at the same time, so that choosing them afterwards is quick. A choice that is
    /// wrong is told by the function that makes it.
    pub fn preload<'a>(&self, choices: impl IntoIterator<Item = (Kind, &'a str)>) {
        let chosen: Vec<&Arc<Binary>> = choices
            .into_iter()
            .filter_map(|(kind, choice)| {
                let choice = Choice::parse(choice).ok()?;
                self.find(kind, choice.name).ok()
            })
            .collect();
        self.compile(chosen);
    }

    fn compile<'a>(&self, binaries: impl IntoIterator<Item = &'a Arc<Binary>>) {
        let components = binaries.into_iter().filter_map(|binary| match &**binary {
            Binary::Component(component) => Some(component),
            Binary::Library(_) => None,
        });
        thread::scope(|scope| {
            for component in components {
                // What goes wrong is kept with the component and told when it is used.
                scope.spawn(|| component.linked(&self.sandbox).is_ok());
            }
        });
    }

    /// The endpoint of this choice, `NAME` or `NAME:{"setting": value}`.
    pub fn endpoint(&self, choice: &str) -> Result<Arc<dyn Endpoint>, HostError> {
        let (plugin, info) = self.configure(choice)?;
        let (kind, name) = (plugin.identity.kind, plugin.identity.name.clone());
        let endpoint = EndpointPlugin::new(plugin, info, self.reserved.clone())
            .map_err(|error| HostError::Refused { kind, name, error })?;
        Ok(Arc::new(endpoint))
    }

    /// The objective of this choice, `NAME` or `NAME:{"setting": value}`.
    pub fn objective(&self, choice: &str) -> Result<Arc<dyn Objective>, HostError> {
        let (plugin, info) = self.configure(choice)?;
        let (kind, name) = (plugin.identity.kind, plugin.identity.name.clone());
        let objective =
            ObjectivePlugin::new(plugin, info).map_err(|error| HostError::Refused { kind, name, error })?;
        Ok(Arc::new(objective))
    }

    /// The criterion of this choice, `NAME` or `NAME:{"setting": value}`.
    pub fn pareto(&self, choice: &str) -> Result<Arc<dyn ParetoCriterion>, HostError> {
        let (plugin, ()) = self.configure(choice)?;
        Ok(Arc::new(CriterionPlugin(plugin)))
    }

    /// The detector of this choice, `NAME` or `NAME:{"setting": value}`.
    pub fn trend(&self, choice: &str) -> Result<Arc<dyn TrendDetector>, HostError> {
        let (plugin, ()) = self.configure(choice)?;
        Ok(Arc::new(DetectorPlugin(plugin)))
    }

    fn configure<I: Interface>(&self, choice: &str) -> Result<(Configured<I>, I::Info), HostError> {
        let Choice { name, settings } = Choice::parse(choice)?;
        let binary = self.find(I::KIND, name)?;
        if let Some(lock) = &self.lock {
            lock.check_plugin(I::KIND, name, binary.sha256())?;
        }
        let description = self.describe_as(binary, I::KIND, name)?;
        info!(source = %binary.source(), "{} '{name}' is loaded", I::KIND);
        let speaker = format!("{} '{name}'", I::KIND);
        let refused = |error| HostError::Refused { kind: I::KIND, name: name.to_owned(), error };
        let variable = |name: &str| env::var(name).ok();
        let schema = description.settings_schema.as_deref();
        let given = secret_settings::filled_in(&settings, schema, &variable).map_err(refused)?;
        let (body, info) = match &**binary {
            Binary::Component(component) => {
                let factory = InstanceFactory::new(Arc::clone(&self.sandbox), component, speaker)?;
                let (pool, info) = Pool::new(factory, given).map_err(refused)?;
                (Body::Component(pool), info)
            }
            Binary::Library(library) => {
                let caller = Caller::new(speaker, &self.sandbox);
                let (instance, info) = library.configure(I::KIND, &given, caller).map_err(refused)?;
                (Body::Library(instance), info)
            }
        };
        let identity = Identity {
            kind: I::KIND,
            name: description.name,
            version: description.version,
            sha256: description.sha256,
            source: description.source.to_string(),
            sandboxed: !description.native,
            settings,
        };
        Ok((Configured::new(identity, Arc::clone(&self.sandbox), body), info))
    }

    /// What a file says of itself, which must have the name that it was chosen by.
    fn describe_as(&self, binary: &Binary, kind: Kind, name: &str) -> Result<Description, HostError> {
        let descriptions = self.describe_all(binary)?;
        let of_kind = descriptions.into_iter().find(|description| description.kind == kind);
        of_kind.filter(|description| description.name == name).ok_or_else(|| HostError::NamedOtherwise {
            source_name: binary.source().clone(),
            chosen: name.to_owned(),
        })
    }

    fn find(&self, kind: Kind, name: &str) -> Result<&Arc<Binary>, HostError> {
        let key = (kind, name.to_owned());
        let guessed = || {
            let mut unnamed = self.unnamed.iter();
            unnamed.find(|unnamed| unnamed.guess == name && unnamed.kinds.contains(&kind))
        };
        let found = self.plugins.get(&key).or_else(|| guessed().map(|unnamed| &unnamed.binary));
        found.ok_or_else(|| HostError::UnknownPlugin {
            kind,
            unnamed: self.unnamed.iter().map(|unnamed| unnamed.binary.source().to_string()).collect(),
            other_kind: Kind::ALL.into_iter().find(|other| self.names(*other).any(|known| known == name)),
            known: self.names(kind).map(str::to_owned).collect(),
            name: key.1,
        })
    }
}

fn names(descriptions: &[Description]) -> Vec<(Kind, String)> {
    descriptions.iter().map(|description| (description.kind, description.name.clone())).collect()
}

fn is_file(binary: &Binary) -> bool {
    matches!(binary.source(), Source::File(_))
}

fn is_found(binary: &Binary) -> bool {
    matches!(binary.source(), Source::Found(_))
}

/// What a plugin in a file of this name is likely to be called.
fn guess(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase().replace('_', "-")
}

/// The `.wasm` files of a directory, by name.
fn components_in(directory: &Path) -> Result<Vec<PathBuf>, HostError> {
    let unreadable = |error: io::Error| HostError::UnreadableDirectory {
        path: directory.to_owned(),
        reason: error.to_string(),
    };
    let entries = fs::read_dir(directory).map_err(unreadable)?;
    let mut files = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()
        .map_err(unreadable)?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "wasm"));
    files.sort();
    Ok(files)
}
