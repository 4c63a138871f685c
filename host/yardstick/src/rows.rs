//! The rows of the table, each a measurement of its own.

mod accuracy;
mod arrivals;
mod memory;
mod speed;

use crate::Bench;
use crate::table::{self, Row};
use anyhow::Result;

/// Makes rows that belong together, since one measurement gives them all.
type Measurement = fn(&Bench) -> Result<Vec<Row>>;

const MEASUREMENTS: &[(&str, Measurement)] = &[
    ("speed-1", speed::one_token),
    ("speed-32", speed::many_tokens),
    ("accuracy", accuracy::rows),
    ("arrivals", arrivals::rows),
    ("memory", memory::rows),
];

/// Makes all rows that were asked for and prints each as soon as it is known.
pub(crate) fn print(bench: &Bench) -> Result<()> {
    table::head();
    let wanted = |name: &str| bench.only.as_ref().is_none_or(|only| name.contains(only));
    for (_, measure) in MEASUREMENTS.iter().filter(|(name, _)| wanted(name)) {
        measure(bench)?.iter().for_each(table::print);
    }
    Ok(())
}
