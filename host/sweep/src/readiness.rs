//! Whether the servers answer, asked before a run and outside of its measurement.
//!
//! One question per connection, with nothing but the standard library: what is asked does not matter, only that the
//! server gives an answer other than an error of its own. A server that loads its model refuses connections or
//! answers 503. No key is sent, and an answer that asks for one is an answer.

use crate::interrupt::{Interrupt, Urgency};
use aiperf_model::server::{Scheme, ServerUrl};
use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

/// How long a server may take to accept a connection and to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// The pause between two questions.
const INTERVAL: Duration = Duration::from_millis(200);

/// Waits until all servers answer, the time is over, or the user wants to stop. What the run finds then is its own
/// affair.
pub(crate) fn wait(urls: &[ServerUrl], timeout: Duration, interrupt: &Interrupt) {
    let deadline = Instant::now() + timeout;
    while !urls.iter().all(is_ready) {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || interrupt.urgency() != Urgency::None {
            return;
        }
        interrupt.wait(INTERVAL.min(left));
    }
}

/// Whether the server answers now.
pub(crate) fn is_ready(url: &ServerUrl) -> bool {
    match url.scheme() {
        Scheme::Http => status(url).is_ok_and(|status| !(500..=599).contains(&status)),
        Scheme::Https => connect(url).is_ok(),
    }
}

fn connect(url: &ServerUrl) -> io::Result<TcpStream> {
    let mut refusal = io::Error::from(io::ErrorKind::NotFound);
    for address in (url.host(), url.port()).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => return Ok(stream),
            Err(error) => refusal = error,
        }
    }
    Err(refusal)
}

/// The status of the answer to a request for the list of models.
fn status(url: &ServerUrl) -> io::Result<u16> {
    let mut stream = connect(url)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let authority = url.authority();
    write!(stream, "GET /v1/models HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n")?;
    // `HTTP/1.1 200`
    let mut line = [0; 12];
    stream.read_exact(&mut line)?;
    let text = str::from_utf8(&line).ok().and_then(|line| line.strip_prefix("HTTP/1."));
    let status = text.and_then(|text| text.get(2..)?.parse().ok());
    status.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    /// A server that gives these answers, one per connection, and its URL.
    fn server(answers: &'static [&'static str]) -> (ServerUrl, thread::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1/chat/completions", listener.local_addr().unwrap()).parse().unwrap();
        let serving = thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).unwrap();
                    request.push(byte[0]);
                }
                assert!(request.starts_with(b"GET /v1/models HTTP/1.1\r\n"));
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        (url, serving)
    }

    #[test]
    fn errors_of_the_server_and_what_is_no_http_are_waited_through() {
        let (url, serving) = server(&[
            "HTTP/1.1 503 Service Unavailable\r\n\r\n",
            "no http at all",
            "",
            "HTTP/1.1 401 Unauthorized\r\n\r\n",
        ]);
        wait(&[url], Duration::from_hours(1), &Interrupt::default());
        serving.join().unwrap();
    }

    #[test]
    fn a_server_that_is_not_there_is_not_ready() {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let url: ServerUrl = address.to_string().parse().unwrap();
        assert!(!is_ready(&url));
        wait(&[url], Duration::from_millis(1), &Interrupt::default());
    }

    #[test]
    fn the_user_need_not_wait() {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let interrupt = Interrupt::default();
        interrupt.escalate();
        wait(&[address.to_string().parse().unwrap()], Duration::from_hours(1), &interrupt);
    }
}
