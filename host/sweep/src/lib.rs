//! The driver: takes a plan through load, metrics, analysis and files.
