//! One run of the plan becomes records.
//!
//! Read the modules in the order in which a run uses them. `dataset` reads files of requests. `workload` makes the
//! requests ahead of time, from a file or made up, and puts them into the wire format, so that nothing is built while
//! the clock runs; `turns` does so for the later turns of conversations, which need an answer first. `target` says where
//! they go, by which `route`, and whom to `trust` on it; `transport` is what all connections have in common, and the
//! `probe` asks beforehand whether anybody is there.
//! `run` drives the rest: `arrivals` says when each request is due, `worker` is a thread with its share of the
//! `slot`s, `phase_state` is what they have to do in a phase, the `pacer` brings them to the due times, a slot sends
//! one request at a time over the `connection` it owns, and `framing` splits the response into events with their times.
//! What a slot has received leaves the measuring thread as one
//! [`Exchange`](aiperf_model::record::Exchange) through `handover`; `reading` turns it into a
//! [`Record`](aiperf_model::record::Record) elsewhere, in the `background`, with the endpoint plugin; `counting` says
//! how many tokens there were, by the server or by the `tokenizer`. `control` is the handle by which the rest of the
//! program watches and stops a run; `stop_signal`, `deadline` and `reachability` are what ends one early,
//! `cancellation` what ends single requests early; `sockets` is how many connections there is room for.
//!
//! Nothing here computes a metric or writes a file.

mod arrivals;
mod background;
mod cancellation;
mod clock;
mod completion_id;
mod connection;
mod control;
mod counting;
mod dataset;
mod deadline;
mod error;
mod failure;
mod framing;
mod handover;
mod heartbeat;
mod pacer;
mod phase_state;
mod positioned;
mod probe;
mod random;
mod reachability;
mod reading;
pub mod replay;
mod response_memory;
mod route;
mod run;
mod slot;
mod sockets;
mod standstill;
mod stop_signal;
mod target;
mod task;
mod thread_time;
mod tokenizer;
mod transport;
mod trust;
mod turns;
mod worker;
mod workload;

pub use cancellation::Cancellation;
pub use clock::Clock;
pub use control::{Control, Progress};
pub use dataset::{Dataset, DatasetError, Schedule};
pub use error::LoadError;
pub use probe::answers;
pub use reachability::Absence;
pub use run::{Counts, Processing, RunOutcome, RunSpec, Sink, run};
pub use sockets::{Sockets, files_for, raise_file_limit};
pub use transport::Transport;
pub use trust::TrustedAuthorities;
pub use workload::{BodyMemory, ConversationSpec, DatasetOrder, Length, Workload, WorkloadSpec};
