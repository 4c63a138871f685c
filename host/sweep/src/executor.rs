//! Who carries out the load of a run: the seam between deciding what is sent and sending it.
//!
//! [`Local`] sends from this process. A calibration is the same executor in front of a server that is known.

use aiperf_load::{Clock, Control, LoadError, RunOutcome, RunSpec, Sink, Workload, WorkloadSpec};
use aiperf_model::plugin::Endpoint;
use bytes::Bytes;
use std::sync::Arc;

/// Carries out loads.
pub trait Executor {
    /// Makes the requests of a run ready to be sent, and gives up when the handle wants to stop.
    ///
    /// # Errors
    ///
    /// The requests cannot be made, or the user wants to stop.
    fn prepare(
        &self,
        workload: &WorkloadSpec,
        endpoint: &Arc<dyn Endpoint>,
        control: &Control,
    ) -> Result<Box<dyn Prepared>, LoadError>;
}

/// The bodies of the requests of a run, in order: those of each conversation together.
pub type Bodies<'a> = Box<dyn Iterator<Item = Result<Vec<Bytes>, LoadError>> + 'a>;

/// Requests that are ready to be sent.
pub trait Prepared {
    /// What will be sent, for the files.
    fn bodies<'a>(&'a self, control: &'a Control) -> Bodies<'a>;

    /// Whether there are conversations of several turns.
    fn has_conversations(&self) -> bool;

    /// Sends them and hands each record to the sink, in any order. Blocks until the last record was taken. A request that
    /// fails is a record, not an error.
    ///
    /// # Errors
    ///
    /// The load could not be begun or finished, or the sink refused a record.
    fn run(
        &self,
        clock: Clock,
        spec: &RunSpec,
        control: &Control,
        sink: Sink<'_>,
    ) -> Result<RunOutcome, LoadError>;
}

/// Sends from this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Local;

impl Executor for Local {
    fn prepare(
        &self,
        workload: &WorkloadSpec,
        endpoint: &Arc<dyn Endpoint>,
        control: &Control,
    ) -> Result<Box<dyn Prepared>, LoadError> {
        let workload = Workload::prepare_under(workload, &**endpoint, control)?;
        Ok(Box::new(LocalRun { workload, endpoint: Arc::clone(endpoint) }))
    }
}

struct LocalRun {
    workload: Workload,
    endpoint: Arc<dyn Endpoint>,
}

impl Prepared for LocalRun {
    fn bodies<'a>(&'a self, control: &'a Control) -> Bodies<'a> {
        Box::new(self.workload.profiling_bodies(&*self.endpoint, control))
    }

    fn has_conversations(&self) -> bool {
        self.workload.has_conversations()
    }

    fn run(
        &self,
        clock: Clock,
        spec: &RunSpec,
        control: &Control,
        sink: Sink<'_>,
    ) -> Result<RunOutcome, LoadError> {
        aiperf_load::run(clock, spec, &self.workload, &self.endpoint, control, sink)
    }
}
