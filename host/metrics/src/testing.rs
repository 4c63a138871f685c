//! Records for tests.

use aiperf_model::record::{Answer, Failure, FailureKind, Phase, Record, Timing, TokenCount, TokenSource};

/// Nanoseconds in a millisecond.
pub(crate) const MS: u64 = 1_000_000;

fn timing(due: u64, send: u64, first_byte: u64, end: u64) -> Timing {
    Timing {
        request: 0,
        conversation: 0,
        turn: 0,
        phase: Phase::Profiling,
        worker: 0,
        due,
        scheduled: false,
        ready: due,
        send: Some(send),
        first_byte: Some(first_byte),
        end,
        status: Some(200),
        connect: None,
        connect_wait: 0,
        reused_connection: false,
        retries: 0,
    }
}

fn tokens(count: u32) -> TokenCount {
    TokenCount { count, source: TokenSource::Server }
}

/// A streamed answer with content at these milliseconds, 120 input tokens and this many output tokens. Its first
/// byte comes 20 ms after it is sent and its last one 5 ms after its last content.
pub(crate) fn streamed(due: u64, send: u64, content_ms: &[u64], output_tokens: u32) -> Record {
    let content: Vec<u64> = content_ms.iter().map(|at| at * MS).collect();
    let end = content.last().copied().unwrap_or(send) + 5 * MS;
    let answer = Answer {
        first_output: content.first().copied(),
        content,
        streamed: true,
        input_tokens: Some(tokens(120)),
        output_tokens: Some(tokens(output_tokens)),
        ..Answer::default()
    };
    Record {
        timing: timing(due, send, send + 20 * MS, end),
        requested_output_tokens: None,
        outcome: Ok(answer),
    }
}

/// An answer in one piece that is sent and ends at these milliseconds, with 120 input tokens.
pub(crate) fn unary(send_ms: u64, end_ms: u64, output_tokens: u32) -> Record {
    let (send, end) = (send_ms * MS, end_ms * MS);
    let content = end - MS;
    let answer = Answer {
        content: vec![content],
        first_output: Some(content),
        input_tokens: Some(tokens(120)),
        output_tokens: Some(tokens(output_tokens)),
        ..Answer::default()
    };
    Record { timing: timing(send, send, send + MS, end), requested_output_tokens: None, outcome: Ok(answer) }
}

/// The same request, asked for by a schedule.
pub(crate) fn scheduled(mut record: Record) -> Record {
    record.timing.scheduled = true;
    record
}

/// A request that failed, sent at 0 and ended at 10 s, so that it would show in every duration.
pub(crate) fn failed(kind: FailureKind) -> Record {
    let failure = Failure { kind, status: None, retry_after_seconds: None, message: "no answer".into() };
    Record { timing: timing(0, 0, MS, 10_000 * MS), requested_output_tokens: None, outcome: Err(failure) }
}
