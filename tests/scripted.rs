//! Servers over HTTP/1.1 that do to each request, or on each connection, what a test says.

use socket2::SockRef;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// What has arrived.
pub(crate) struct Request {
    /// How many requests have come before, over all connections.
    pub(crate) number: usize,
    /// Request line and headers.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The value of a header, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }
}

/// What becomes of a request.
pub(crate) enum Reply {
    /// A whole response: status, type and body.
    Http(&'static str, &'static str, String),
    /// These bytes, and the end of the connection.
    Raw(Vec<u8>),
    /// Nothing, for ever.
    Stall,
    /// The connection is reset.
    Reset,
}

impl Reply {
    /// A stream of chat completions that ends well.
    pub(crate) fn chat(finish_reason: &str) -> Self {
        let chunk = |delta: &str, reason: &str| {
            format!(
                "data: {{\"object\":\"chat.completion.chunk\",\"choices\":[{{\"index\":0,\"delta\":{{{delta}}},\"finish_reason\":{reason}}}]}}\n\n"
            )
        };
        let word = chunk("\"content\":\"yes\"", "null");
        let end = chunk("", &serde_json::json!(finish_reason).to_string());
        Self::stream(&format!("{word}{end}data: [DONE]\n\n"))
    }

    /// A chat completion that is not streamed.
    pub(crate) fn whole_chat() -> Self {
        let body = r#"{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"yes"},"finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":2}}"#;
        Self::Http("200 OK", "application/json", body.to_owned())
    }

    /// A whole chat completion that says this, as it goes over the wire.
    pub(crate) fn chat_of_text(text: &str) -> Vec<u8> {
        let Self::Http(status, kind, body) = Self::whole_chat() else { unreachable!() };
        http(status, kind, &body.replacen("\"yes\"", &serde_json::json!(text).to_string(), 1))
    }

    /// A whole chat completion with this id, as it goes over the wire.
    pub(crate) fn named_chat(id: usize) -> Vec<u8> {
        let Self::Http(status, kind, body) = Self::whole_chat() else { unreachable!() };
        http(status, kind, &body.replacen('{', &format!("{{\"id\":\"chatcmpl-{id}\","), 1))
    }

    /// A stream of these events.
    pub(crate) fn stream(events: &str) -> Self {
        Self::Http("200 OK", "text/event-stream", events.to_owned())
    }

    /// A refusal with this body.
    pub(crate) fn error(body: impl Into<String>) -> Self {
        Self::Http("500 Internal Server Error", "application/json", body.into())
    }
}

/// A response as it goes over the wire.
fn http(status: &str, kind: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n");
    (head + body).into_bytes()
}

/// One connection on the server's side.
pub(crate) struct Peer {
    reader: BufReader<TcpStream>,
    served: Arc<AtomicUsize>,
}

impl Peer {
    /// The next request, once all of it has arrived; none if the connection has ended.
    pub(crate) fn request(&mut self) -> Option<Request> {
        let (head, length) = self.head()?;
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body).ok()?;
        Some(Request { number: self.served.fetch_add(1, Ordering::Relaxed), head, body })
    }

    /// The head of the next request, and the length of the body that follows.
    fn head(&mut self) -> Option<(String, usize)> {
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let start = head.len();
            self.reader.read_line(&mut head).ok().filter(|read| *read > 0)?;
            let line = head[start..].to_ascii_lowercase();
            if line == "\r\n" {
                return Some((head, length));
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
    }

    /// Waits until a request begins to arrive; false if the connection ends before.
    pub(crate) fn sees_request(&mut self) -> bool {
        self.reader.fill_buf().is_ok_and(|bytes| !bytes.is_empty())
    }

    /// Sends bytes; false once the client has left.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.reader.get_mut().write_all(bytes.as_ref()).is_ok()
    }

    /// Does nothing until the client hangs up.
    pub(crate) fn stall(&mut self) {
        let _ = self.reader.read_to_end(&mut Vec::new());
    }

    /// Makes the end of the connection a reset.
    pub(crate) fn reset(&self) {
        SockRef::from(self.reader.get_ref()).set_linger(Some(Duration::ZERO)).unwrap();
    }
}

/// Starts a server for the rest of the test process, and tells its URL.
pub(crate) fn serve(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> String {
    serve_connections(move |peer| {
        while let Some(request) = peer.request() {
            let goes_on = match script(&request) {
                Reply::Http(status, kind, body) => peer.send(http(status, kind, &body)),
                Reply::Raw(bytes) => {
                    peer.send(bytes);
                    false
                }
                Reply::Stall => {
                    peer.stall();
                    false
                }
                Reply::Reset => {
                    peer.reset();
                    false
                }
            };
            if !goes_on {
                return;
            }
        }
    })
}

/// The same with a script for each connection, which ends with it. The one that only looks whether the server is there
/// is a connection too.
pub(crate) fn serve_connections(script: impl Fn(&mut Peer) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (script, served) = (Arc::new(script), Arc::new(AtomicUsize::new(0)));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut peer = Peer { reader: BufReader::new(stream.unwrap()), served: Arc::clone(&served) };
            peer.reader.get_ref().set_nodelay(true).unwrap();
            let script = Arc::clone(&script);
            thread::spawn(move || script(&mut peer));
        }
    });
    url
}
