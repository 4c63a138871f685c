//! The seam at which formats hang: an exporter turns a result of a stage into one file.
//!
//! To add a format, implement [`Exporter`] in a file of its own for the results it has a file of, and name it in
//! [`Exporters::built_in`]. Rows that formats have in common stand in [`rows`](crate::rows). Exporters only make bytes;
//! where these go, and that they replace the file before them as a whole, is the same for all.

use crate::durable;
use crate::error::ArtifactError;
use crate::layout;
use crate::run::{RunCsv, RunJson, RunReport};
use crate::sweep_csv::SweepCsv;
use crate::sweep_json::SweepJson;
use crate::value_aggregate::{ValueAggregate, ValueCsv, ValueJson};
use aiperf_model::sweep::SweepResult;
use std::fmt;
use std::path::Path;

/// Makes one file of a result.
pub trait Exporter<R: ?Sized>: Sync {
    /// The name of the file in the folder of the result; no other exporter has it.
    fn file_name(&self) -> &'static str;

    /// The bytes of the file. The same result gives the same bytes.
    ///
    /// # Errors
    ///
    /// The result cannot be said in this format.
    fn encode(&self, result: &R) -> Result<Vec<u8>, ArtifactError>;
}

/// An exporter of what one run says.
pub type RunExporter = dyn for<'a> Exporter<RunReport<'a>>;
/// An exporter of what the trials of one value say together.
pub type ValueExporter = dyn for<'a> Exporter<ValueAggregate<'a>>;
/// An exporter of what all values say together.
pub type SweepExporter = dyn Exporter<SweepResult>;

/// The exporters of each result, in the order in which their files are written.
#[derive(Clone)]
pub struct Exporters {
    /// Of a run.
    pub run: Vec<&'static RunExporter>,
    /// Of a value with several trials.
    pub value: Vec<&'static ValueExporter>,
    /// Of a sweep.
    pub sweep: Vec<&'static SweepExporter>,
}

impl Exporters {
    /// All that there are.
    #[must_use]
    pub fn built_in() -> Self {
        Self {
            run: vec![&RunJson, &RunCsv],
            value: vec![&ValueJson, &ValueCsv],
            sweep: vec![&SweepJson, &SweepCsv],
        }
    }

    /// Writes the files of a run into its folder.
    ///
    /// # Errors
    ///
    /// The first file that cannot be made or written.
    pub fn export_run(&self, folder: &Path, run: &RunReport<'_>) -> Result<(), ArtifactError> {
        self.run.iter().try_for_each(|exporter| write(folder, exporter.file_name(), &exporter.encode(run)?))
    }

    /// Writes the files of a value into its folder.
    ///
    /// # Errors
    ///
    /// The first file that cannot be made or written.
    pub fn export_value(&self, folder: &Path, value: &ValueAggregate<'_>) -> Result<(), ArtifactError> {
        self.value
            .iter()
            .try_for_each(|exporter| write(folder, exporter.file_name(), &exporter.encode(value)?))
    }

    /// Writes the files of a sweep into its folder.
    ///
    /// # Errors
    ///
    /// The first file that cannot be made or written.
    pub fn export_sweep(&self, folder: &Path, sweep: &SweepResult) -> Result<(), ArtifactError> {
        self.sweep
            .iter()
            .try_for_each(|exporter| write(folder, exporter.file_name(), &exporter.encode(sweep)?))
    }

    /// The names of all files of a run: those of the exporters, the records, and the request bodies.
    pub fn run_files(&self) -> impl Iterator<Item = &'static str> {
        let exported = self.run.iter().map(|exporter| exporter.file_name());
        exported.chain([layout::RECORDS, layout::INPUTS])
    }

    /// The names of all files that a benchmark writes into any of its folders.
    pub fn files(&self) -> impl Iterator<Item = &'static str> {
        let of_values = self.value.iter().map(|exporter| exporter.file_name());
        let others = [layout::REPORT, layout::JOURNAL, layout::MANIFEST];
        self.run_files().chain(of_values).chain(self.sweep_files()).chain(others)
    }

    /// The names of the files of a sweep.
    pub fn sweep_files(&self) -> impl Iterator<Item = &'static str> {
        self.sweep.iter().map(|exporter| exporter.file_name())
    }
}

impl fmt::Debug for Exporters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.files()).finish()
    }
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), ArtifactError> {
    durable::write(&folder.join(name), bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use std::collections::BTreeSet;
    use std::fs;

    #[test]
    fn no_two_exporters_write_the_same_file() {
        let exporters = Exporters::built_in();
        let names: Vec<&str> = exporters.files().collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
    }

    #[test]
    fn the_same_result_gives_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let files = |result: &SweepResult| -> Vec<Vec<u8>> {
            let exporters = Exporters::built_in();
            exporters.export_sweep(folder.path(), result).unwrap();
            exporters.sweep_files().map(|name| fs::read(folder.path().join(name)).unwrap()).collect()
        };
        let first = files(&fixture::sweep(2));
        assert_eq!(files(&fixture::sweep(2).clone()), first);
    }
}
