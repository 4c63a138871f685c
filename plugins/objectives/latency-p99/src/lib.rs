//! The shortest time to the first token, at the 99th percentile
