//! What can be wrong with a configuration.

use aiperf_model::fault::{Fault, Faulty};
use std::path::PathBuf;

/// What was wrong, at which flag, and what to write instead. Each message is one line unless the variant says
/// otherwise, and never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A flag that must be given is not.
    #[error("{flag} is missing; write for example {example}")]
    Missing {
        /// The flag.
        flag: &'static str,
        /// The flag with a value that would be accepted.
        example: &'static str,
    },
    /// A flag has a value that it does not accept.
    #[error("{flag}: {problem}; write for example {example}")]
    Value {
        /// The flag.
        flag: &'static str,
        /// What is wrong with the value, and where in it.
        problem: String,
        /// The flag with a value that would be accepted.
        example: String,
    },
    /// A flag that concerns a sweep was given for a single value.
    #[error(
        "{flag} only applies to a sweep; give several values, for example --concurrency 10,20,30, or remove {flag}"
    )]
    NeedsSweep {
        /// The flag.
        flag: &'static str,
    },
    /// A flag that concerns repeated trials was given for a single one.
    #[error("{flag} only applies to several trials; add for example --num-profile-runs 5, or remove {flag}")]
    NeedsTrials {
        /// The flag.
        flag: &'static str,
    },
    /// A flag has no meaning without another one.
    #[error("{flag} has no effect by itself; add for example {example}, or remove {flag}")]
    NeedsFlag {
        /// The flag.
        flag: &'static str,
        /// The other flag with a value.
        example: &'static str,
    },
    /// Two flags that contradict each other.
    #[error("{flag} and {other} exclude each other; remove one of them")]
    Exclusive {
        /// The flag.
        flag: &'static str,
        /// The other flag.
        other: &'static str,
    },
    /// The lists of an element-wise sweep differ in length.
    #[error(
        "--sweep-type zip takes one item of each list at a time, but {lengths}; write lists of equal length, \
         for example --concurrency 10,20 --isl 128,512"
    )]
    UnequalLengths {
        /// Each flag with the length of its list.
        lengths: String,
    },
    /// Two values of the sweep are the same.
    #[error(
        "--sweep-type zip: values {first} and {second} are both {value} and would share a directory; \
         write for example --concurrency 10,20 --isl 128,512"
    )]
    RepeatedValue {
        /// The position of the first one, from 1.
        first: usize,
        /// The position of the second one, from 1.
        second: usize,
        /// The parameters.
        value: String,
    },
    /// The plan would be longer than anybody means.
    #[error("the plan would have {runs} runs, at most {most} are possible; give fewer values or trials")]
    TooManyRuns {
        /// How many runs it would have.
        runs: u128,
        /// The limit.
        most: u128,
    },
    /// The dashboard was asked for where it cannot be shown. Two lines, in the words of the documentation.
    #[error(
        "ValueError: Dashboard UI is not supported with parameter sweeps\n\
         due to terminal control limitations. Please use '--ui simple' or '--ui none' instead."
    )]
    DashboardInSweep,
    /// A flag or a value of a flag that this version does not have yet.
    #[error("{flag} is not available in this version; {instead}")]
    Later {
        /// The flag, with its value where only the value is missing.
        flag: &'static str,
        /// What to do now.
        instead: &'static str,
    },
    /// The configuration file cannot be read.
    #[error("--config: cannot read '{}': {problem}", path.display())]
    UnreadableFile {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        problem: String,
    },
    /// The configuration file says something that is not understood.
    #[error("--config: '{}'{place}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Where in the file, such as ` line 3`, or nothing if unknown.
        place: String,
        /// What is wrong there.
        problem: String,
    },
}

impl ConfigError {
    /// A value that its flag does not accept.
    pub(crate) fn value(flag: &'static str, problem: impl Into<String>, example: impl Into<String>) -> Self {
        Self::Value { flag, problem: problem.into(), example: example.into() }
    }
}

impl Faulty for ConfigError {
    fn fault(&self) -> Fault {
        Fault::Input
    }

    fn is_laid_out(&self) -> bool {
        matches!(self, Self::DashboardInSweep)
    }
}
