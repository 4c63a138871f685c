//! An inference server with a known latency curve.
