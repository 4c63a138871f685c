//! From the names that the user chose to plugins that are ready.

use crate::failure::Failure;
use crate::say;
use aiperf_model::plugin::{AnalysisPlugins, Endpoint, Kind};
use aiperf_model::secret::Secrets;
use aiperf_model::server::ServerUrl;
use aiperf_plan::{PluginChoice, PluginConfig, PluginLimits, ServerConfig, Servers};
use aiperf_plugin_host::{
    HostConfig, Level, Limits, LogSink, PluginHost, PluginLock, Reserved, user_cache_dir,
};
use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The plugins of a benchmark.
pub(crate) struct Plugins {
    pub endpoint: Arc<dyn Endpoint>,
    pub analysis: AnalysisPlugins,
}

impl Plugins {
    /// All plugins of a benchmark, compiled at the same time.
    pub(crate) fn load(server: &ServerConfig, config: &PluginConfig) -> Result<Self, Failure> {
        let (host, choices) =
            (chosen_host(config, server.secrets(), reserved(server))?, Choices::new(config));
        let endpoint = server.endpoint_type.to_string();
        host.preload(choices.of_all_kinds().chain([(Kind::Endpoint, endpoint.as_str())]));
        Ok(Self { endpoint: host.endpoint(&endpoint)?, analysis: choices.analysis(&host)? })
    }
}

/// The plugins of an analysis without a benchmark.
pub(crate) fn load_analysis(config: &PluginConfig) -> Result<AnalysisPlugins, Failure> {
    let (host, choices) = (chosen_host(config, config.secrets(), Reserved::default())?, Choices::new(config));
    host.preload(choices.of_all_kinds());
    choices.analysis(&host)
}

/// What the user sets of every request, and no endpoint may replace.
pub(crate) fn reserved(server: &ServerConfig) -> Reserved {
    let headers = server.request_headers().into_iter().map(|header| header.name).collect();
    let urls = match &server.servers {
        Servers::Urls(urls) => urls.as_slice(),
        Servers::Simulator { .. } => &[],
    };
    Reserved { headers, query_keys: urls.iter().flat_map(ServerUrl::query_keys).map(str::to_owned).collect() }
}

fn chosen_host(config: &PluginConfig, secrets: Secrets, reserved: Reserved) -> Result<PluginHost, Failure> {
    let lock = config.locked.then(|| PluginLock::read(Path::new(PluginLock::FILE))).transpose()?;
    let limits = limits(config.limits);
    let trace_dir = config.trace.clone();
    let allow_native = config.allow_native;
    let settings =
        HostConfig { lock, limits, trace_dir, secrets, allow_native, reserved, ..HostConfig::default() };
    host(settings, config.directory.as_deref(), &config.files)
}

fn limits(chosen: PluginLimits) -> Limits {
    let default = Limits::default();
    let bytes = |mib: Option<u32>, default: usize| mib.map_or(default, |mib| (mib as usize) << 20);
    Limits {
        memory: bytes(chosen.memory_mib, default.memory),
        output: bytes(chosen.output_mib, default.output),
        endpoint_time: chosen.time.unwrap_or(default.endpoint_time),
        analysis_time: chosen.time.unwrap_or(default.analysis_time),
        log_lines: chosen.log_lines.map_or(default.log_lines, |lines| lines as usize),
        findings: chosen.findings.map_or(default.findings, |findings| findings as usize),
        instances: chosen.instances.map_or(default.instances, |instances| instances as usize),
        compile_time: chosen.compile_time.unwrap_or(default.compile_time),
        compile_memory: bytes(chosen.compile_mib, default.compile_memory),
        ..default
    }
}

/// A host with the built-in plugins, those of a directory and those of files. What plugins log goes to standard error.
pub(crate) fn host(
    settings: HostConfig,
    directory: Option<&Path>,
    files: &[PathBuf],
) -> Result<PluginHost, Failure> {
    let secrets = settings.secrets.clone();
    let log = LogSink::new(move |line| {
        if line.level >= Level::Info {
            say!("note: {}", secrets.hide(&line.to_string()));
        }
    });
    // Where this program does not find itself, it compiles as it runs.
    let compiler = env::current_exe().ok();
    let mut host = PluginHost::new(HostConfig { cache_dir: user_cache_dir(), compiler, log, ..settings })?;
    if let Some(directory) = directory {
        host.load_directory(directory)?;
    }
    for file in files {
        host.load_file(file)?;
    }
    Ok(host)
}

/// The choices as the host reads them.
struct Choices {
    objectives: Vec<String>,
    criteria: Vec<String>,
    detectors: Vec<String>,
    chosen_criterion: String,
    trade_off: usize,
    material: f64,
}

impl Choices {
    fn new(config: &PluginConfig) -> Self {
        let texts = |choices: &[PluginChoice]| choices.iter().map(PluginChoice::to_string).collect();
        Self {
            objectives: texts(&config.objectives),
            criteria: texts(&config.criteria),
            detectors: texts(&config.detectors),
            chosen_criterion: config.criteria.first().map(|choice| choice.name.clone()).unwrap_or_default(),
            trade_off: config.trade_off,
            material: config.material,
        }
    }

    fn of_all_kinds(&self) -> impl Iterator<Item = (Kind, &str)> {
        let kinds = [
            (Kind::Objective, &self.objectives),
            (Kind::Pareto, &self.criteria),
            (Kind::Trend, &self.detectors),
        ];
        kinds
            .into_iter()
            .flat_map(|(kind, choices)| choices.iter().map(move |choice| (kind, choice.as_str())))
    }

    fn analysis(&self, host: &PluginHost) -> Result<AnalysisPlugins, Failure> {
        Ok(AnalysisPlugins {
            objectives: self
                .objectives
                .iter()
                .map(|choice| host.objective(choice))
                .collect::<Result<_, _>>()?,
            trade_off: self.trade_off,
            criteria: self.criteria.iter().map(|choice| host.pareto(choice)).collect::<Result<_, _>>()?,
            detectors: self.detectors.iter().map(|choice| host.trend(choice)).collect::<Result<_, _>>()?,
            chosen_criterion: self.chosen_criterion.clone(),
            material: self.material,
        })
    }
}
