//! Whether the servers answer, asked before a run and outside of its measurement, over connections like those of the
//! run.

use crate::interrupt::{Interrupt, Urgency};
use aiperf_load::{Transport, answers};
use aiperf_model::server::ServerUrl;
use std::time::{Duration, Instant};

/// How long a server may take to accept a connection and to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// The pause between two questions.
const INTERVAL: Duration = Duration::from_millis(200);

/// Waits until all servers answer, the time is over, or the user wants to stop. What the run finds then is its own
/// affair.
pub(crate) fn wait(urls: &[ServerUrl], transport: &Transport, timeout: Duration, interrupt: &Interrupt) {
    let deadline = Instant::now() + timeout;
    while !are_ready(urls, transport) {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || interrupt.urgency() != Urgency::None {
            return;
        }
        interrupt.wait(INTERVAL.min(left));
    }
}

/// Whether all servers answer now.
pub(crate) fn are_ready(urls: &[ServerUrl], transport: &Transport) -> bool {
    urls.iter().all(|url| answers(url, transport, PATIENCE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
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
        wait(&[url], &Transport::default(), Duration::from_hours(1), &Interrupt::default());
        serving.join().unwrap();
    }

    #[test]
    fn a_server_that_is_not_there_is_not_ready() {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let url: ServerUrl = address.to_string().parse().unwrap();
        assert!(!answers(&url, &Transport::default(), PATIENCE));
        wait(&[url], &Transport::default(), Duration::from_millis(1), &Interrupt::default());
    }

    #[test]
    fn the_user_need_not_wait() {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let interrupt = Interrupt::default();
        interrupt.escalate();
        wait(
            &[address.to_string().parse().unwrap()],
            &Transport::default(),
            Duration::from_hours(1),
            &interrupt,
        );
    }
}
