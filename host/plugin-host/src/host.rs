//! All plugins by kind and name, and how to make one ready for use.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, thread};

use aiperf_model::plugin::{Endpoint, Identity, Kind, Objective, ParetoCriterion, TrendDetector};

use crate::builtin::BUILT_INS;
use crate::choice::Choice;
use crate::component::Component;
use crate::description::{Description, describe};
use crate::endpoint::ComponentEndpoint;
use crate::error::{HostError, Source};
use crate::instance::Mold;
use crate::interface::{self, Interface};
use crate::limits::Limits;
use crate::log::LogSink;
use crate::objective::ComponentObjective;
use crate::outline::KINDS;
use crate::pareto::ComponentCriterion;
use crate::pool::Pool;
use crate::sandbox::Sandbox;
use crate::trend::ComponentDetector;

/// How plugins are run.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// Where compiled code is kept, such as [`user_cache_dir`](crate::user_cache_dir), or none to compile at every
    /// start.
    pub cache_dir: Option<PathBuf>,
    /// What plugins may use.
    pub limits: Limits,
    /// Who receives their messages, and notices about them.
    pub log: LogSink,
}

impl Default for HostConfig {
    fn default() -> Self {
        Self { cache_dir: None, limits: Limits::default(), log: LogSink::none() }
    }
}

/// All plugins: the built-in ones, and those of loaded files.
///
/// Nothing is compiled before it is chosen. The plugins that it hands out live on without it.
pub struct PluginHost {
    sandbox: Arc<Sandbox>,
    components: BTreeMap<(Kind, String), Arc<Component>>,
}

impl PluginHost {
    /// A host with the built-in plugins.
    pub fn new(config: HostConfig) -> Result<Self, HostError> {
        let sandbox = Arc::new(Sandbox::new(config.limits, config.cache_dir.as_deref(), config.log)?);
        let components = BUILT_INS
            .iter()
            .map(|plugin| {
                let component = Component::new(Source::BuiltIn, plugin.bytes);
                ((plugin.kind, plugin.name.to_owned()), Arc::new(component))
            })
            .collect();
        Ok(Self { sandbox, components })
    }

    /// Adds the plugins of a file, and tells what they are. One that has the name of a built-in plugin takes its
    /// place, with a notice.
    pub fn load_file(&mut self, path: &Path) -> Result<Vec<Description>, HostError> {
        let bytes = fs::read(path)
            .map_err(|error| HostError::Unreadable { path: path.to_owned(), reason: error.to_string() })?;
        let component = Arc::new(Component::new(Source::File(path.to_owned()), bytes));
        let descriptions = component
            .kinds()?
            .into_iter()
            .map(|kind| describe(&self.sandbox, &component, kind))
            .collect::<Result<Vec<_>, _>>()?;
        for description in &descriptions {
            self.check_name_is_free(description)?;
        }
        for description in &descriptions {
            self.add(description, &component);
        }
        Ok(descriptions)
    }

    fn check_name_is_free(&self, new: &Description) -> Result<(), HostError> {
        match self.components.get(&(new.kind, new.name.clone())) {
            Some(present) if *present.source() != Source::BuiltIn && present.sha256() != new.sha256 => {
                Err(HostError::DuplicateName {
                    kind: new.kind,
                    name: new.name.clone(),
                    first: present.source().clone(),
                    second: new.source.clone(),
                })
            }
            _ => Ok(()),
        }
    }

    fn add(&mut self, new: &Description, component: &Arc<Component>) {
        let replaced = self.components.insert((new.kind, new.name.clone()), Arc::clone(component));
        if replaced.is_some_and(|replaced| *replaced.source() == Source::BuiltIn) {
            let Description { kind, name, source, .. } = new;
            self.sandbox.log.notice(format!("{kind} '{name}' is that of '{source}', not the built-in one"));
        }
    }

    /// The names of all plugins of a kind, in alphabetical order.
    pub fn names(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.components.keys().filter(move |(of, _)| *of == kind).map(|(_, name)| name.as_str())
    }

    /// What every plugin says of itself, by kind and name.
    pub fn descriptions(&self) -> Result<Vec<Description>, HostError> {
        self.compile(self.components.values());
        self.components
            .iter()
            .map(|((kind, _), component)| describe(&self.sandbox, component, *kind))
            .collect()
    }

    /// Compiles all chosen plugins at the same time, so that choosing them afterwards is quick. A choice that is
    /// wrong is told by the function that makes it.
    pub fn preload<'a>(&self, choices: impl IntoIterator<Item = (Kind, &'a str)>) {
        let chosen: Vec<&Arc<Component>> = choices
            .into_iter()
            .filter_map(|(kind, choice)| {
                let choice = Choice::parse(choice).ok()?;
                self.components.get(&(kind, choice.name.to_owned()))
            })
            .collect();
        self.compile(chosen);
    }

    fn compile<'a>(&self, components: impl IntoIterator<Item = &'a Arc<Component>>) {
        thread::scope(|scope| {
            for component in components {
                // What goes wrong is kept with the component and told when it is used.
                scope.spawn(|| component.linked(&self.sandbox).is_ok());
            }
        });
    }

    /// The endpoint of this choice, `NAME` or `NAME:{"setting": value}`.
    pub fn endpoint(&self, choice: &str) -> Result<Arc<dyn Endpoint>, HostError> {
        let (identity, info, pool) = self.configure::<interface::Endpoint>(choice)?;
        let (kind, name) = (identity.kind, identity.name.clone());
        let endpoint = ComponentEndpoint::new(identity, info, pool).map_err(|error| HostError::Refused {
            kind,
            name,
            error,
        })?;
        Ok(Arc::new(endpoint))
    }

    /// The objective of this choice, `NAME` or `NAME:{"setting": value}`.
    pub fn objective(&self, choice: &str) -> Result<Arc<dyn Objective>, HostError> {
        let (identity, info, pool) = self.configure::<interface::Objective>(choice)?;
        Ok(Arc::new(ComponentObjective::new(identity, info, pool)))
    }

    /// The criterion of this choice, `NAME` or `NAME:{"setting": value}`.
    pub fn pareto(&self, choice: &str) -> Result<Arc<dyn ParetoCriterion>, HostError> {
        let (identity, (), pool) = self.configure::<interface::Pareto>(choice)?;
        Ok(Arc::new(ComponentCriterion::new(identity, pool)))
    }

    /// The detector of this choice, `NAME` or `NAME:{"setting": value}`.
    pub fn trend(&self, choice: &str) -> Result<Arc<dyn TrendDetector>, HostError> {
        let (identity, (), pool) = self.configure::<interface::Trend>(choice)?;
        Ok(Arc::new(ComponentDetector::new(identity, pool)))
    }

    fn configure<I: Interface>(&self, choice: &str) -> Result<(Identity, I::Info, Pool<I>), HostError> {
        let Choice { name, settings } = Choice::parse(choice)?;
        let component = self.find(I::KIND, name)?;
        let description = describe(&self.sandbox, component, I::KIND)?;
        let mold = Mold::new(Arc::clone(&self.sandbox), component, format!("{} '{name}'", I::KIND))?;
        let (pool, info) = Pool::new(mold, settings.clone()).map_err(|error| HostError::Refused {
            kind: I::KIND,
            name: name.to_owned(),
            error,
        })?;
        let identity = Identity {
            kind: I::KIND,
            name: description.name,
            version: description.version,
            sha256: description.sha256,
            source: description.source.to_string(),
            settings,
        };
        Ok((identity, info, pool))
    }

    fn find(&self, kind: Kind, name: &str) -> Result<&Arc<Component>, HostError> {
        let key = (kind, name.to_owned());
        self.components.get(&key).ok_or_else(|| HostError::UnknownPlugin {
            kind,
            other_kind: KINDS.into_iter().find(|other| self.names(*other).any(|known| known == name)),
            known: self.names(kind).map(str::to_owned).collect(),
            name: key.1,
        })
    }
}
