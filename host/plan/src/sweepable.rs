//! The parameters that a sweep can vary, and the one or several values that each has.

use aiperf_model::limits::{MOST_PROMPT_TOKENS, MOST_SECONDS};
use aiperf_model::parameter::ParameterValue;
use serde::{Serialize, Serializer};

/// A parameter that takes a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sweepable {
    /// Requests in flight at the same time.
    Concurrency,
    /// Requests per second.
    RequestRate,
    /// Mean input tokens per request.
    Isl,
    /// Mean output tokens per request.
    Osl,
    /// Requests per run.
    NumPrompts,
    /// Seconds per run.
    BenchmarkDuration,
}

/// What kind of number a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Number {
    /// A whole number from 1.
    Count,
    /// A number above 0.
    Quantity,
}

/// The highest request rate, in requests per second: more than one machine can send.
const MOST_PER_SECOND: f64 = 10_000_000.0;

impl Sweepable {
    /// All of them, in the order in which they are axes of a sweep; the last one varies fastest.
    pub const ALL: [Self; 6] = [
        Self::Concurrency,
        Self::RequestRate,
        Self::Isl,
        Self::Osl,
        Self::NumPrompts,
        Self::BenchmarkDuration,
    ];

    /// The name in files and directories.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Concurrency => "concurrency",
            Self::RequestRate => "request_rate",
            Self::Isl => "isl",
            Self::Osl => "osl",
            Self::NumPrompts => "num_prompts",
            Self::BenchmarkDuration => "benchmark_duration",
        }
    }

    /// The flag with its dashes.
    #[must_use]
    pub fn flag(self) -> &'static str {
        match self {
            Self::Concurrency => "--concurrency",
            Self::RequestRate => "--request-rate",
            Self::Isl => "--isl",
            Self::Osl => "--osl",
            Self::NumPrompts => "--num-prompts",
            Self::BenchmarkDuration => "--benchmark-duration",
        }
    }

    /// A list that it accepts.
    pub(crate) fn example(self) -> &'static str {
        match self {
            Self::Concurrency => "10,20,30",
            Self::RequestRate => "2.5,5,10",
            Self::Isl | Self::Osl => "128,256,512",
            Self::NumPrompts => "100,200,400",
            Self::BenchmarkDuration => "30,60",
        }
    }

    /// A linear and a geometric range that it accepts.
    pub(crate) fn range_examples(self) -> (&'static str, &'static str) {
        match self {
            Self::Concurrency => ("10..40+10", "1..256*2"),
            Self::RequestRate => ("2.5..10+2.5", "1..64*2"),
            Self::Isl | Self::Osl => ("128..512+128", "128..2048*2"),
            Self::NumPrompts => ("100..400+100", "100..1600*2"),
            Self::BenchmarkDuration => ("30..120+30", "30..240*2"),
        }
    }

    pub(crate) fn number(self) -> Number {
        match self {
            Self::Concurrency | Self::Isl | Self::Osl | Self::NumPrompts => Number::Count,
            Self::RequestRate | Self::BenchmarkDuration => Number::Quantity,
        }
    }

    pub(crate) fn least(self) -> f64 {
        match self.number() {
            Number::Count => 1.0,
            Number::Quantity => 0.0,
        }
    }

    pub(crate) fn least_in_words(self) -> &'static str {
        match self.number() {
            Number::Count => "at least 1",
            Number::Quantity => "more than 0",
        }
    }

    pub(crate) fn most(self) -> f64 {
        match self {
            Self::Concurrency | Self::Osl | Self::NumPrompts => f64::from(u32::MAX),
            Self::Isl => f64::from(MOST_PROMPT_TOKENS),
            Self::RequestRate => MOST_PER_SECOND,
            Self::BenchmarkDuration => f64::from(MOST_SECONDS),
        }
    }
}

/// One value, or several to sweep over, in the order given. In files a number, or an array of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Values<T> {
    first: T,
    rest: Vec<T>,
}

impl<T: Copy> Values<T> {
    /// A parameter that is not swept.
    pub fn one(value: T) -> Self {
        Self { first: value, rest: Vec::new() }
    }

    /// From a list, or none if it is empty.
    pub fn from_list(values: &[T]) -> Option<Self> {
        let (first, rest) = values.split_first()?;
        Some(Self { first: *first, rest: rest.to_vec() })
    }

    /// The value, or the first of several.
    pub fn first(&self) -> T {
        self.first
    }

    /// Whether there are several.
    pub fn are_swept(&self) -> bool {
        !self.rest.is_empty()
    }

    /// All of them, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = T> {
        std::iter::once(self.first).chain(self.rest.iter().copied())
    }
}

impl Values<u32> {
    /// As values of a sweep.
    pub(crate) fn as_parameters(&self) -> Vec<ParameterValue> {
        self.iter().map(|value| ParameterValue::Integer(value.into())).collect()
    }
}

impl Values<f64> {
    /// As values of a sweep; whole numbers are integers, so that they read as they were written.
    pub(crate) fn as_parameters(&self) -> Vec<ParameterValue> {
        self.iter()
            .map(|value| match value {
                whole if whole.fract() == 0.0 => ParameterValue::Integer(whole as i64),
                broken => ParameterValue::Number(broken),
            })
            .collect()
    }
}

impl<T: Copy + Serialize> Serialize for Values<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.are_swept() { serializer.collect_seq(self.iter()) } else { self.first.serialize(serializer) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_is_a_number_and_several_are_an_array() {
        let json = |values: &[u32]| serde_json::to_string(&Values::from_list(values).unwrap()).unwrap();
        assert_eq!(json(&[10]), "10");
        assert_eq!(json(&[10, 20]), "[10,20]");
        assert_eq!(Values::<u32>::from_list(&[]), None);
    }

    #[test]
    fn quantities_read_as_they_were_written() {
        let names: Vec<String> = Values::from_list(&[2.5, 30.0])
            .unwrap()
            .as_parameters()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(names, ["2.5", "30"]);
    }
}
