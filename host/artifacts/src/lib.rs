//! The files of a benchmark: where they lie, how they are written and read.
