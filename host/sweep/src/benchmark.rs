//! What the driver is given.

use crate::calibration::CalibrationBackend;
use crate::executor::Executor;
use crate::sinks::RecordSinks;
use aiperf_artifacts::Exporters;
use aiperf_load::{Dataset, Transport};
use aiperf_model::plugin::{AnalysisPlugins, Endpoint};
use aiperf_model::server::ServerUrl;
use aiperf_plan::{Config, Plan};
use std::sync::Arc;

/// A benchmark that is ready to begin.
pub struct Benchmark<'a> {
    /// What is asked.
    pub config: &'a Config,
    /// In which order.
    pub plan: &'a Plan,
    /// The servers, base URL or full endpoint URL; at least one.
    pub urls: Vec<ServerUrl>,
    /// How they are connected to.
    pub transport: Transport,
    /// The file of requests, if the configuration names one.
    pub dataset: Option<Arc<Dataset>>,
    /// The wire format.
    pub endpoint: Arc<dyn Endpoint>,
    /// The plugins that analyse the points.
    pub analysis: &'a AnalysisPlugins,
    /// Who carries out the load.
    pub executor: &'a dyn Executor,
    /// Who wants the records of each run, beside its files and metrics.
    pub sinks: &'a dyn RecordSinks,
    /// In which formats results are written.
    pub exporters: Exporters,
    /// Where the client's own error can be measured; none if it never is.
    pub calibration_backend: Option<&'a dyn CalibrationBackend>,
    /// The command line, without secrets.
    pub command_line: Vec<String>,
    /// The version of the program.
    pub version: &'a str,
}

impl Benchmark<'_> {
    /// Whether requests ask for server-sent events: as the user said, else wherever the wire format can.
    pub(crate) fn streaming(&self) -> bool {
        self.config.server.streaming.unwrap_or(true) && self.endpoint.info().supports_streaming
    }
}
