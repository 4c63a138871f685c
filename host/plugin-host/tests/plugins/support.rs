//! What the tests share: a host that keeps what it is told, and files to load.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use aiperf_model::parameter::{Parameter, ParameterValue};
use aiperf_model::point::{Extremes, Measurement, Point};
use aiperf_plugin_host::{HostConfig, Limits, LogLine, LogSink, PluginHost};

/// The messages of a host.
#[derive(Clone, Default)]
pub(crate) struct Messages(Arc<Mutex<Vec<LogLine>>>);

impl Messages {
    pub(crate) fn sink(&self) -> LogSink {
        let lines = Arc::clone(&self.0);
        LogSink::new(move |line| lines.lock().unwrap().push(line))
    }

    /// What arrived since the last call.
    pub(crate) fn take(&self) -> Vec<LogLine> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A host with the built-in plugins and these limits, and its messages. All tests share one cache of compiled code.
pub(crate) fn host(limits: Limits) -> (PluginHost, Messages) {
    let messages = Messages::default();
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled-plugins");
    let config = HostConfig { cache_dir: Some(cache), limits, log: messages.sink(), ..HostConfig::default() };
    (PluginHost::new(config).unwrap(), messages)
}

/// A committed component.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// A folder of files that are loaded as plugins.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn component(&self, name: &str, text: &str) -> PathBuf {
        self.file(name, wat::parse_str(text).unwrap())
    }

    /// The error of loading a file, with the folder's path left out.
    pub(crate) fn refusal(&self, path: &Path) -> String {
        let (mut host, _) = host(Limits::default());
        let error = host.load_file(path).unwrap_err().to_string();
        error.replace(&format!("{}/", self.0.path().display()), "")
    }
}

/// A point of one trial with these means.
pub(crate) fn point(index: u32, concurrency: i64, means: &[(&str, &str, f64)]) -> Point {
    let measurement = |&(key, unit, mean): &(&str, &str, f64)| Measurement {
        key: key.to_owned(),
        metric: key.to_owned(),
        statistic: "avg".to_owned(),
        unit: unit.to_owned(),
        better: None,
        mean,
        trials: vec![mean],
        std_dev: None,
        confidence: None,
        within_run: None,
        extremes: Extremes::default(),
    };
    Point {
        index,
        parameters: vec![Parameter::new("concurrency", ParameterValue::Integer(concurrency))],
        trials: 1,
        measurements: means.iter().map(measurement).collect(),
    }
}
