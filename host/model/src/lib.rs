//! The words that all stages of the benchmark share.
//!
//! Plain data and the traits of plugins; no I/O, no clock, no randomness, and no library but `serde` and
//! `thiserror`. Read the modules in the order of the river: [`parameter`], [`arrival`] and [`sweep`] say what is asked,
//! [`server`] of whom and [`connection`] how, [`request`] and [`response`] what goes over the wire, [`record`] what was measured, [`catalogue`] and
//! [`metrics`] what follows from it, [`point`] what the trials of a value say together, and [`conclusion`] what
//! the analysis makes of all points. [`plugin`] holds the traits behind which plugins stand,
//! and [`limits`] what nobody may exceed.

pub mod arrival;
pub mod catalogue;
pub mod client;
pub mod client_error;
pub mod conclusion;
pub mod connection;
pub mod convergence;
pub mod dataset;
pub mod fault;
pub mod figure;
pub mod limits;
pub mod metrics;
pub mod parameter;
pub mod plugin;
pub mod point;
pub mod precision;
pub mod record;
pub mod request;
pub mod request_error;
pub mod response;
pub mod secret;
pub mod server;
pub mod sweep;
pub mod verdict;
