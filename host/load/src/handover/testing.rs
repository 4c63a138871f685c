//! Exchanges for the tests of this folder.

use aiperf_model::record::{EventMark, Exchange, Failure, FailureKind, Phase, Timing};

/// One with so many bytes, which differs from those of other requests in more than its number.
pub(super) fn exchange(request: u32, bytes: usize) -> Exchange {
    let timing = Timing {
        conversation: 0,
        turn: 0,
        request,
        phase: Phase::Profiling,
        worker: 1,
        due: 10,
        ready: 10,
        scheduled: request.is_multiple_of(2),
        send: Some(11),
        connect: None,
        connect_wait: 0,
        first_byte: Some(12),
        end: u64::MAX - u64::from(request),
        status: Some(200),
        reused_connection: true,
        retries: 1,
    };
    let mark = EventMark { name: (0, 0), data: (0, bytes as u32), at: 13 };
    let failure = Failure {
        kind: FailureKind::Timeout,
        status: None,
        message: "too slow".into(),
        retry_after_seconds: None,
    };
    Exchange {
        timing,
        buffer: vec![request as u8; bytes],
        events: vec![mark; 3],
        streamed: true,
        failure: request.is_multiple_of(3).then_some(failure),
    }
}
