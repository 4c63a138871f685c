//! The most requests per second
