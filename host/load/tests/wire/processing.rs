//! What happens to responses between the last byte and the record.

use crate::endpoint::Chat;
use crate::server::Server;
use crate::{TOKEN, USAGE, answer, run_all, run_spec, workload_spec};
use aiperf_load::{Clock, Control, Processing, RunSpec, Workload, run};
use aiperf_model::plugin::{Endpoint, EndpointInfo, Identity, Plugin, PluginError};
use aiperf_model::record::Record;
use aiperf_model::request::{Payload, Request};
use aiperf_model::response::{Event, Response};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn streaming_server() -> Server {
    Server::answering(|peer| peer.stream(&[TOKEN, TOKEN, USAGE, "[DONE]"]))
}

/// What a record says that does not depend on the clock.
fn told(record: &Record) -> (u32, usize, Option<u32>, u32) {
    let answer = answer(record);
    let count = answer.output_tokens.map(|tokens| tokens.count);
    (record.timing.request, answer.content.len(), count, record.requested_output_tokens.unwrap())
}

#[test]
fn responses_that_wait_on_the_disk_become_the_same_records() {
    let server = streaming_server();
    let in_memory = run_spec(&server, 200);
    let (_, expected) = run_all(&in_memory, &workload_spec(200), Chat::new()).unwrap();
    for (deferred, memory_limit) in [(false, 0), (true, 0), (true, 20_000), (true, usize::MAX)] {
        let processing = Processing { deferred, memory_limit, ..Processing::default() };
        let spec = RunSpec { concurrency: Some(8), workers: Some(2), processing, ..run_spec(&server, 200) };
        let (outcome, records) = run_all(&spec, &workload_spec(200), Chat::new()).unwrap();
        assert_eq!(outcome.counts.succeeded, 200, "{deferred} {memory_limit}");
        assert!(records.iter().map(told).eq(expected.iter().map(told)), "{deferred} {memory_limit}");
    }
}

#[test]
fn without_a_disk_responses_wait_in_memory() {
    let server = streaming_server();
    let processing = Processing {
        deferred: true,
        memory_limit: 0,
        spill_folder: PathBuf::from("/no/such/folder"),
        ..Processing::default()
    };
    let spec = RunSpec { processing, ..run_spec(&server, 100) };
    let (outcome, records) = run_all(&spec, &workload_spec(100), Chat::new()).unwrap();
    assert_eq!((outcome.counts.succeeded, records.len()), (100, 100));
}

/// Notes how many requests the server had answered when the first response was read.
struct Observing {
    inner: Chat,
    server: Server,
    at_first_parse: AtomicUsize,
}

impl Plugin for Observing {
    fn identity(&self) -> &Identity {
        self.inner.identity()
    }
}

impl Endpoint for Observing {
    fn info(&self) -> &EndpointInfo {
        self.inner.info()
    }

    fn build(&self, request: &Request) -> Result<Payload, PluginError> {
        self.inner.build(request)
    }

    fn parse(&self, events: &[Event<'_>], streamed: bool) -> Result<Response, PluginError> {
        self.at_first_parse.fetch_min(self.server.requests().len(), Ordering::Relaxed);
        self.inner.parse(events, streamed)
    }
}

#[test]
fn nothing_is_read_before_the_end_of_the_load_if_reading_is_deferred() {
    let observing = Arc::new(Observing {
        inner: Chat::new(),
        server: streaming_server(),
        at_first_parse: AtomicUsize::new(usize::MAX),
    });
    let processing = Processing { deferred: true, ..Processing::default() };
    let spec = RunSpec { processing, ..run_spec(&observing.server, 50) };
    let endpoint: Arc<dyn Endpoint> = Arc::clone(&observing) as _;
    let workload = Workload::prepare(&workload_spec(50), &*endpoint).unwrap();
    let mut records = 0;
    let mut count = |_| {
        records += 1;
        Ok(())
    };
    run(Clock::start(), &spec, &workload, &endpoint, &Control::new(), &mut count).unwrap();
    assert_eq!((records, observing.at_first_parse.load(Ordering::Relaxed)), (50, 50));
}
