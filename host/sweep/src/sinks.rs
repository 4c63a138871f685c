//! Who takes the records of a run while it goes on: the seam at which files, metrics and live figures hang.
//!
//! A record reaches the disk before anything is computed from it. Then come the metrics, the timeline and the errors, the
//! live figures, and whoever else wants to know. All of them work on the thread that writes the records, never on a
//! load thread.

use crate::figures::Figures;
use aiperf_artifacts::error_summary::ErrorSummary;
use aiperf_artifacts::{ArtifactError, RecordsWriter};
use aiperf_columns::Store;
use aiperf_load::{Control, LoadError};
use aiperf_metrics::{
    Accumulator, ConcurrencyTimeline, LoadShape, RunLength, TimelineRecorder, record_metrics,
};
use aiperf_model::catalogue::OpenMetric;
use aiperf_model::metrics::{RecordMetrics, RunMetrics, ServiceLevel, Summary as MetricSummary};
use aiperf_model::record::{Phase, Record};
use aiperf_model::secret::Secrets;
use aiperf_model::sweep::Step;
use std::io;
use std::path::Path;

/// Takes the records of one run.
pub trait RecordSink: Send {
    /// Takes one record, without secrets. Records come in no order.
    ///
    /// # Errors
    ///
    /// The record cannot be kept; the run is given up.
    fn take(&mut self, record: &Record, metrics: &RecordMetrics) -> io::Result<()>;

    /// The last record was taken, also where the load could not be finished.
    ///
    /// # Errors
    ///
    /// What was taken cannot be kept.
    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// What the sink knows of the whole run beside the built-in metrics, asked once after the end. It stands in all files
    /// and tables, and is analysed, like any other metric.
    fn metrics(&mut self) -> Vec<(OpenMetric, MetricSummary)> {
        Vec::new()
    }
}

/// Who wants the records of each run, beside the files and metrics that every run has.
pub trait RecordSinks {
    /// The sinks of one run, whose folder exists.
    ///
    /// # Errors
    ///
    /// A sink cannot begin; the benchmark ends.
    fn of_run(&self, step: &Step, folder: &Path) -> Result<Vec<Box<dyn RecordSink>>, ArtifactError>;
}

/// Nobody else wants the records.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoOthers;

impl RecordSinks for NoOthers {
    fn of_run(&self, _step: &Step, _folder: &Path) -> Result<Vec<Box<dyn RecordSink>>, ArtifactError> {
        Ok(Vec::new())
    }
}

/// All sinks of one run.
pub(crate) struct RunSinks<'a> {
    file: RecordsWriter,
    summary: Summary,
    figures: &'a Figures,
    others: Vec<Box<dyn RecordSink>>,
    secrets: Secrets,
    end: Option<EndWhenKnown>,
}

/// Ends a run that knows its figures well enough.
pub(crate) struct EndWhenKnown {
    pub(crate) length: RunLength,
    pub(crate) control: Control,
}

/// What the records of a run add up to, in the making.
pub(crate) struct Summary {
    store: Store,
    accumulator: Accumulator,
    timeline: TimelineRecorder,
    errors: ErrorSummary,
}

/// What the records of a run add up to.
pub(crate) struct Summed {
    pub(crate) metrics: RunMetrics,
    pub(crate) timeline: ConcurrencyTimeline,
    pub(crate) errors: ErrorSummary,
}

impl<'a> RunSinks<'a> {
    pub(crate) fn new(
        file: RecordsWriter,
        summary: Summary,
        secrets: Secrets,
        figures: &'a Figures,
        others: Vec<Box<dyn RecordSink>>,
        end: Option<EndWhenKnown>,
    ) -> Self {
        Self { file, summary, figures, others, secrets, end }
    }

    pub(crate) fn take(&mut self, mut record: Record) -> io::Result<()> {
        record.hide(&self.secrets);
        let metrics = record_metrics(&record);
        self.file.write(&record, &metrics)?;
        self.summary.add(&record, &metrics);
        self.figures.add(&record, &metrics);
        if let Some(EndWhenKnown { length, control }) = &mut self.end
            && length.is_enough_with(&record)
        {
            control.suffice();
            self.end = None;
        }
        self.others.iter_mut().try_for_each(|sink| sink.take(&record, &metrics))
    }

    /// What the records add up to, unless that could not be kept. The records are on the disk when this returns.
    pub(crate) fn finish(mut self) -> Result<Result<Summed, LoadError>, ArtifactError> {
        self.file.finish()?;
        for sink in &mut self.others {
            sink.finish().map_err(|source| ArtifactError::Encode { what: "records", source })?;
        }
        let mut summed = match self.summary.finish() {
            Ok(summed) => summed,
            Err(error) => return Ok(Err(error)),
        };
        for (metric, summary) in self.others.iter_mut().flat_map(|sink| sink.metrics()) {
            summed.metrics.add(metric, summary).map_err(|error| ArtifactError::Encode {
                what: "metrics of the run",
                source: io::Error::other(error),
            })?;
        }
        Ok(Ok(summed))
    }
}

impl Summary {
    /// Nothing yet; what does not fit into memory goes into the store.
    pub(crate) fn new(shape: LoadShape, levels: &[ServiceLevel], store: Store) -> Self {
        Self {
            accumulator: Accumulator::new(shape, levels, &store),
            timeline: TimelineRecorder::new(&store),
            errors: ErrorSummary::default(),
            store,
        }
    }

    pub(crate) fn add(&mut self, record: &Record, metrics: &RecordMetrics) {
        if let (Phase::Profiling, Err(failure)) = (record.timing.phase, &record.outcome) {
            self.errors.add(failure);
        }
        self.accumulator.add(record, metrics);
        self.timeline.add(record);
    }

    /// What was added up, unless the store has failed.
    pub(crate) fn finish(self) -> Result<Summed, LoadError> {
        let Self { store, accumulator, timeline, errors } = self;
        let summed = Summed { metrics: accumulator.finish(), timeline: timeline.finish(), errors };
        match store.fault() {
            Some(fault) => Err(LoadError::Spill(io::Error::new(fault.kind(), fault.to_string()))),
            None => Ok(summed),
        }
    }
}
