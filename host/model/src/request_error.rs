//! Errors of requests, counted.

use crate::parameter::Parameter;
use serde::Deserialize;

/// Equal errors of requests, and how often they came.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Entry")]
pub struct RequestErrors {
    /// The HTTP status, or none where no response began.
    pub code: Option<u16>,
    /// The kind of failure, such as `timeout`.
    pub kind: String,
    /// One line, or the start of the body.
    pub message: String,
    /// How often; at least 1.
    pub count: u64,
}

/// The errors of the runs of one value.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueErrors {
    /// The swept parameters.
    pub parameters: Vec<Parameter>,
    /// Most frequent first; at least one.
    pub errors: Vec<RequestErrors>,
}

/// As the files of runs have it.
#[derive(Deserialize)]
struct Entry {
    error_details: Details,
    count: u64,
}

#[derive(Deserialize)]
struct Details {
    code: Option<u16>,
    #[serde(rename = "type")]
    kind: String,
    message: String,
}

impl From<Entry> for RequestErrors {
    fn from(Entry { error_details: Details { code, kind, message }, count }: Entry) -> Self {
        Self { code, kind, message, count }
    }
}

/// The errors of several runs as those of one, most frequent first.
pub fn merge(runs: impl IntoIterator<Item = RequestErrors>) -> Vec<RequestErrors> {
    let mut merged: Vec<RequestErrors> = Vec::new();
    for errors in runs {
        let same = |other: &&mut RequestErrors| {
            (other.code, &other.kind, &other.message) == (errors.code, &errors.kind, &errors.message)
        };
        match merged.iter_mut().find(same) {
            Some(known) => known.count += errors.count,
            None => merged.push(errors),
        }
    }
    merged.sort_by_key(|errors| std::cmp::Reverse(errors.count));
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_errors_of_several_runs_are_one() {
        let errors = |code, count| RequestErrors {
            code: Some(code),
            kind: "status".into(),
            message: "no".into(),
            count,
        };
        assert_eq!(merge([errors(500, 2), errors(503, 3), errors(500, 4)]), [errors(500, 6), errors(503, 3)]);
        assert_eq!(merge([]), []);
    }
}
