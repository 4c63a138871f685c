//! Where the files of a benchmark lie. Paths only; nothing is created or looked at.
//!
//! | benchmark | a run | aggregate of a value | aggregate of the sweep |
//! |---|---|---|---|
//! | one run | `.` | | |
//! | trials | `profile_runs/trial_0001` | `aggregate` | |
//! | sweep | `concurrency_10` | | `sweep_aggregate` |
//! | sweep, repeated or balanced trials | `profile_runs/trial_0001/concurrency_10` | `aggregate/concurrency_10` | `aggregate/sweep_aggregate` |
//! | sweep, independent trials | `concurrency_10/profile_runs/trial_0001` | `concurrency_10/aggregate` | `sweep_aggregate` |

use crate::names;
use aiperf_model::parameter::Parameter;
use aiperf_model::sweep::Shape;
use std::path::{Path, PathBuf};

/// The metrics of a run.
pub const RUN_JSON: &str = "profile_export_aiperf.json";
/// The metrics of a run as a table.
pub const RUN_CSV: &str = "profile_export_aiperf.csv";
/// The records of a run, one line per request.
pub const RECORDS: &str = "profile_export.jsonl";
/// The request bodies of a run.
pub const INPUTS: &str = "inputs.json";
/// What the trials of a value say together.
pub const AGGREGATE_JSON: &str = "profile_export_aiperf_aggregate.json";
/// The same as a table.
pub const AGGREGATE_CSV: &str = "profile_export_aiperf_aggregate.csv";
/// What all values say together.
pub const SWEEP_JSON: &str = "profile_export_aiperf_sweep.json";
/// The same as tables.
pub const SWEEP_CSV: &str = "profile_export_aiperf_sweep.csv";
/// What was to be run and how far it got.
pub const MANIFEST: &str = "manifest.json";
/// What happened since the manifest was written as a whole; there only while there is something.
pub const JOURNAL: &str = "journal.jsonl";
/// Who holds the directory; there only while somebody does.
pub const LOCK: &str = ".aiperf.lock";
/// The report for people.
pub const REPORT: &str = "report.html";

const RUNS: &str = "profile_runs";
const AGGREGATE: &str = "aggregate";
const SWEEP_AGGREGATE: &str = "sweep_aggregate";

/// The folders of one benchmark.
///
/// ```
/// use aiperf_artifacts::Layout;
/// use aiperf_model::parameter::{Parameter, ParameterValue};
/// use aiperf_model::sweep::{Order, Shape};
///
/// let layout = Layout::new("artifacts/demo", Shape { sweep: true, trials: 5, order: Order::Repeated });
/// let ten = [Parameter::new("concurrency", ParameterValue::Integer(10))];
/// assert_eq!(layout.relative(&layout.run(&ten, 1)), "profile_runs/trial_0001/concurrency_10");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    base: PathBuf,
    shape: Shape,
}

impl Layout {
    /// The layout of a benchmark of this shape in a base directory.
    pub fn new(base: impl Into<PathBuf>, shape: Shape) -> Self {
        Self { base: base.into(), shape }
    }

    /// The directory that everything lies in.
    #[must_use]
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// The kinds of runs.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// A path below the base directory as files name it: with `/` between the parts, and `.` for the base itself.
    #[must_use]
    pub fn relative(&self, path: &Path) -> String {
        let below = path.strip_prefix(&self.base).unwrap_or(path);
        let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
        if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
    }

    /// The folder of one run: a value of the sweep, and the trial from 1.
    #[must_use]
    pub fn run(&self, parameters: &[Parameter], trial: u32) -> PathBuf {
        let (value, trial) = (names::value_name(parameters), names::trial_name(trial));
        match (self.shape.sweep, self.has_trials()) {
            (false, false) => self.base.clone(),
            (false, true) => self.base.join(RUNS).join(trial),
            (true, false) => self.base.join(value),
            (true, true) if self.shape.order.is_by_trial() => self.base.join(RUNS).join(trial).join(value),
            (true, true) => self.base.join(value).join(RUNS).join(trial),
        }
    }

    /// The folder for what the trials of a value say together, or none without several trials.
    #[must_use]
    pub fn value_aggregate(&self, parameters: &[Parameter]) -> Option<PathBuf> {
        if !self.has_trials() {
            return None;
        }
        let value = names::value_name(parameters);
        Some(match self.shape.sweep {
            false => self.base.join(AGGREGATE),
            true if self.shape.order.is_by_trial() => self.base.join(AGGREGATE).join(value),
            true => self.base.join(value).join(AGGREGATE),
        })
    }

    /// The folder for what all values say together, or none without a sweep.
    #[must_use]
    pub fn sweep_aggregate(&self) -> Option<PathBuf> {
        let under_aggregate = self.has_trials() && self.shape.order.is_by_trial();
        let parent = if under_aggregate { self.base.join(AGGREGATE) } else { self.base.clone() };
        self.shape.sweep.then(|| parent.join(SWEEP_AGGREGATE))
    }

    /// The manifest.
    #[must_use]
    pub fn manifest(&self) -> PathBuf {
        self.base.join(MANIFEST)
    }

    /// The journal of the manifest.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.base.join(JOURNAL)
    }

    /// The report for people.
    #[must_use]
    pub fn report(&self) -> PathBuf {
        self.base.join(REPORT)
    }

    fn has_trials(&self) -> bool {
        self.shape.trials > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aiperf_model::parameter::ParameterValue;
    use aiperf_model::sweep::Order;

    /// The folder of trial 2 at concurrency 10, of the value's aggregate and of the sweep's.
    fn folders(sweep: bool, trials: u32, order: Order) -> [Option<String>; 3] {
        let layout = Layout::new("b", Shape { sweep, trials, order });
        let ten = [Parameter::new("concurrency", ParameterValue::Integer(10))];
        [Some(layout.run(&ten, trials)), layout.value_aggregate(&ten), layout.sweep_aggregate()]
            .map(|path| path.map(|path| path.to_str().unwrap().replace('\\', "/")))
    }

    #[test]
    fn folders_are_those_of_the_specification() {
        use Order::{Independent, Repeated};
        for (sweep, trials, order, expected) in [
            (false, 1, Repeated, [Some("b"), None, None]),
            (false, 2, Repeated, [Some("b/profile_runs/trial_0002"), Some("b/aggregate"), None]),
            (true, 1, Repeated, [Some("b/concurrency_10"), None, Some("b/sweep_aggregate")]),
            (true, 1, Independent, [Some("b/concurrency_10"), None, Some("b/sweep_aggregate")]),
            (
                true,
                2,
                Repeated,
                [
                    Some("b/profile_runs/trial_0002/concurrency_10"),
                    Some("b/aggregate/concurrency_10"),
                    Some("b/aggregate/sweep_aggregate"),
                ],
            ),
            (
                true,
                2,
                Independent,
                [
                    Some("b/concurrency_10/profile_runs/trial_0002"),
                    Some("b/concurrency_10/aggregate"),
                    Some("b/sweep_aggregate"),
                ],
            ),
        ] {
            let expected = expected.map(|path| path.map(str::to_owned));
            assert_eq!(folders(sweep, trials, order), expected, "{sweep} {trials} {order}");
        }
        assert_eq!(folders(true, 2, Order::Balanced), folders(true, 2, Repeated));
    }

    #[test]
    fn the_manifest_lies_at_the_top() {
        let layout = Layout::new("b", Shape { sweep: true, trials: 3, order: Order::Repeated });
        assert_eq!(layout.manifest(), Path::new("b/manifest.json"));
        assert_eq!(layout.report(), Path::new("b/report.html"));
    }

    #[test]
    fn relative_paths_read_alike_on_every_system() {
        let layout = Layout::new("b", Shape { sweep: false, trials: 2, order: Order::Repeated });
        assert_eq!(layout.relative(&layout.run(&[], 1)), "profile_runs/trial_0001");
        assert_eq!(layout.relative(layout.base()), ".");
    }
}
