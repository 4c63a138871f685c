//! How requests fail, in words.

use crate::connection::EVENT_COST;
use crate::framing::Received;
use crate::response_memory::NoRoom;
use aiperf_model::record::{Failure, FailureKind};
use std::error::Error as _;
use std::fmt::Display;
use std::io;
use tokio_rustls::rustls::{self, CertificateError};

/// How much of an error body a message holds, in bytes.
const EXCERPT_LENGTH: usize = 256;

fn failure(kind: FailureKind, status: Option<u16>, message: String) -> Failure {
    Failure { kind, status, retry_after_seconds: None, message }
}

/// No connection, or it broke before the response began.
pub(crate) fn connect(message: String) -> Failure {
    failure(FailureKind::Connect, None, message)
}

/// The system gave no connection.
pub(crate) fn refused(address: &impl Display, error: &io::Error) -> Failure {
    let this_machine_s = match error.kind() {
        io::ErrorKind::AddrNotAvailable => {
            "all local ports towards it are in use: bound the load with --concurrency, or let connections be used again"
        }
        _ if is_lack_of_files(error) => {
            "raise the limit with `ulimit -n`, or bound the load with --concurrency"
        }
        io::ErrorKind::ConnectionRefused => {
            return connect(format!(
                "no connection to {address}: {error}; is the server started, and is this its port?"
            ));
        }
        _ => return connect(format!("no connection to {address}: {error}")),
    };
    client(format!("no connection to {address}: {error}; {this_machine_s}"))
}

/// What a connection takes of this machine is used up.
fn client(message: String) -> Failure {
    failure(FailureKind::Client, None, message)
}

/// There are as many connections as this process may have files.
pub(crate) fn no_room(address: &impl Display, most: u64) -> Failure {
    client(format!(
        "no connection to {address}: {most} are open, and more files this process may not have; raise the limit with `ulimit -n`, or bound the load with --concurrency"
    ))
}

#[cfg(unix)]
fn is_lack_of_files(error: &io::Error) -> bool {
    use rustix::io::Errno;
    Errno::from_io_error(error).is_some_and(|error| [Errno::MFILE, Errno::NFILE].contains(&error))
}

#[cfg(not(unix))]
fn is_lack_of_files(_error: &io::Error) -> bool {
    false
}

/// The response does not end, or is larger than what may be kept, alone or with the others in flight.
pub(crate) fn no_room_for_response(status: Option<u16>, no_room: NoRoom) -> Failure {
    let message = match no_room {
        NoRoom::Endless { longest_mib } => format!(
            "the response is larger than {longest_mib} MiB, each event counted as {EVENT_COST} bytes more; if it is not endless, allow more with --response-mib"
        ),
        NoRoom::Crowded { most_mib } => format!(
            "the responses in flight are together larger than {most_mib} MiB, four times --response-mib, and this one is among the long ones"
        ),
    };
    failure(FailureKind::Malformed, status, message)
}

/// The response is compressed, though it was asked for as it is. Nothing is unpacked here: the times of a packed stream
/// are those of its packer.
fn encoded(status: Option<u16>, encoding: &str) -> Failure {
    let end = encoding.floor_char_boundary(EXCERPT_LENGTH);
    let encoding = encoding.get(..end).unwrap_or_default();
    let message = format!(
        "the response is encoded as '{encoding}', though `accept-encoding: identity` was sent; turn compression off in the server or the proxy before it"
    );
    failure(FailureKind::Malformed, status, message)
}

/// No TLS, or none that can be trusted.
pub(crate) fn tls(message: String) -> Failure {
    failure(FailureKind::Tls, None, message)
}

/// The TLS handshake with a server failed.
pub(crate) fn handshake(address: &impl Display, error: &io::Error) -> Failure {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    let reason = match cause {
        Some(cause) => distrust(cause),
        None if error.kind() == io::ErrorKind::UnexpectedEof => "the server closed the connection".to_owned(),
        None => error.to_string(),
    };
    tls(format!("no TLS with {address}: {reason}"))
}

/// Why rustls does not go on.
fn distrust(error: &rustls::Error) -> String {
    let certificate = match error {
        rustls::Error::InvalidMessage(_) => {
            return format!("the server does not speak it ({error}); for HTTP in the clear write http://");
        }
        rustls::Error::InvalidCertificate(certificate) => certificate,
        _ => return error.to_string(),
    };
    match certificate {
        // The latter are certificates that sign themselves, and rare faults.
        CertificateError::UnknownIssuer | CertificateError::Other(_) => format!(
            "the server's certificate is not signed by a trusted CA ({certificate}); name its CA, or itself, with --ca-cert FILE, or trust any server with --insecure"
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!("the server's certificate has expired ({certificate})")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("the server's certificate is not yet valid ({certificate})")
        }
        _ => format!("the server's certificate is not accepted ({certificate})"),
    }
}

/// The response was followed by bytes that belong to no response.
pub(crate) fn followed(status: Option<u16>) -> Failure {
    let message = "the connection brought more after the end of the response, which may therefore be the answer to another request";
    failure(FailureKind::Desynchronized, status, message.into())
}

/// The response is the one before it once more.
pub(crate) fn repeated(status: Option<u16>) -> Failure {
    let message =
        "the response has the id of the one before it on the connection, so that it answers that request";
    failure(FailureKind::Desynchronized, status, message.into())
}

/// Bytes came before the request had left.
pub(crate) fn preceded(status: Option<u16>) -> Failure {
    let message =
        "the connection brought bytes before the request had been sent, so that they answer another one";
    failure(FailureKind::Desynchronized, status, message.into())
}

/// The benchmark ended before the response did.
pub(crate) fn cancelled(status: Option<u16>) -> Failure {
    failure(FailureKind::Cancelled, status, "the benchmark stopped before the response ended".into())
}

/// Cancelled on purpose so long after its send.
pub(crate) fn given_up(status: Option<u16>, seconds: f64) -> Failure {
    let message = format!("cancelled {seconds} s after it was sent, as asked for a share of the requests");
    failure(FailureKind::Cancelled, status, message)
}

/// The response did not end in time.
pub(crate) fn timeout(status: Option<u16>, seconds: f64) -> Failure {
    let message = format!("the response did not end within {seconds} s");
    failure(FailureKind::Timeout, status, message)
}

/// What the head of a response that came in full says against it, if anything: its status, or how it is encoded.
pub(crate) fn in_head(received: &Received) -> Option<Failure> {
    let status = received.status?;
    match (&received.encoding, (200..300).contains(&status)) {
        (None, true) => None,
        (Some(encoding), true) => Some(encoded(Some(status), encoding)),
        (_, false) => Some(unsuccessful(status, received)),
    }
}

/// A status other than success, with which the server may have said when it wants to be asked again, or where.
pub(crate) fn unsuccessful(status: u16, received: &Received) -> Failure {
    let message = match (&received.location, &received.encoding) {
        (Some(location), _) => format!(
            "redirected to {}, which is not followed; write --url or --endpoint so that requests go there",
            excerpt(location.as_bytes())
        ),
        (None, Some(encoding)) => excerpt(format!("a body encoded as {encoding}").as_bytes()),
        (None, None) => excerpt(&received.buffer),
    };
    Failure {
        retry_after_seconds: received.retry_after,
        ..failure(FailureKind::Status, Some(status), message)
    }
}

/// The connection ended in the middle of an exchange; `began` tells whether a byte of the response was read.
pub(crate) fn closed(status: Option<u16>, began: bool) -> Failure {
    if began {
        let message = "the connection closed before the response ended".into();
        failure(FailureKind::Incomplete, status, message)
    } else {
        connect("the connection closed before the response began".into())
    }
}

/// The connection failed in the middle of an exchange.
pub(crate) fn broken(error: &hyper::Error, status: Option<u16>, began: bool) -> Failure {
    let reason = error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
    if error.is_parse() {
        let message = format!("the response is not HTTP: {reason}");
        failure(FailureKind::Malformed, status, message)
    } else if error.is_incomplete_message() || error.is_closed() || is_end_of_file(error) {
        closed(status, began)
    } else {
        lost(&reason, status, began)
    }
}

/// A stream of HTTP/2, or its connection, failed in the middle of an exchange.
pub(crate) fn broken_off(error: &h2::Error, status: Option<u16>, began: bool) -> Failure {
    if let Some(source) = error.get_io() {
        return if source.kind() == io::ErrorKind::UnexpectedEof {
            closed(status, began)
        } else {
            lost(&source.to_string(), status, began)
        };
    }
    let ended_by_server = error.is_reset() && error.reason() != Some(h2::Reason::REFUSED_STREAM);
    if error.is_library() {
        let message = format!("the response is not HTTP/2: {error}");
        failure(FailureKind::Malformed, status, message)
    } else if ended_by_server {
        // Unlike a connection that is gone, this was the server's answer to this request.
        let message = format!("the server broke the response off: {error}");
        failure(FailureKind::Incomplete, status, message)
    } else {
        lost(&error.to_string(), status, began)
    }
}

/// The connection is gone for this reason.
fn lost(reason: &str, status: Option<u16>, began: bool) -> Failure {
    if began {
        let message = format!("the connection broke before the response ended: {reason}");
        failure(FailureKind::Incomplete, status, message)
    } else {
        connect(format!("the connection broke before the response began: {reason}"))
    }
}

/// Whether hyper found the end of the connection within a body.
fn is_end_of_file(error: &hyper::Error) -> bool {
    error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>())
        .is_some_and(|source| source.kind() == io::ErrorKind::UnexpectedEof)
}

/// The start of a body as one line of text.
fn excerpt(body: &[u8]) -> String {
    let start = body.get(..EXCERPT_LENGTH).unwrap_or(body);
    let mut text = String::new();
    let mut chunks = start.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        text.push_str(chunk.valid());
        // What is not UTF-8 at the very end is a character that the cut went through.
        if !chunk.invalid().is_empty() && chunks.peek().is_some() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    text.split(|character: char| character.is_whitespace() || character.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_one_line_of_whole_characters() {
        assert_eq!(excerpt(b"{\r\n  \"error\": 1\n}\n"), "{ \"error\": 1 }");
        assert_eq!(excerpt(b""), "");
        assert_eq!(excerpt(b"a\xFFb\x00c"), "a\u{FFFD}b c");
        assert_eq!(excerpt(format!("{}ä", "x".repeat(255)).as_bytes()), "x".repeat(255));
        assert_eq!(excerpt(&[b'x'; 1000]).len(), EXCERPT_LENGTH);
    }
}
