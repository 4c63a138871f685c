//! A server over HTTP/1.1 that does to each request what a test says.

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
        Self::Http("200 OK", "text/event-stream", format!("{word}{end}data: [DONE]\n\n"))
    }

    /// A chat completion that is not streamed.
    pub(crate) fn whole_chat() -> Self {
        let body = r#"{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"yes"},"finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":2}}"#;
        Self::Http("200 OK", "application/json", body.to_owned())
    }

    /// A refusal with this body.
    pub(crate) fn error(body: impl Into<String>) -> Self {
        Self::Http("500 Internal Server Error", "application/json", body.into())
    }
}

/// Starts the server for the rest of the test process, and tells its URL.
pub(crate) fn serve(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (script, served) = (Arc::new(script), Arc::new(AtomicUsize::new(0)));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (script, served) = (Arc::clone(&script), Arc::clone(&served));
            thread::spawn(move || serve_connection(&stream.unwrap(), &*script, &served));
        }
    });
    url
}

/// Ends with the connection.
fn serve_connection(mut stream: &TcpStream, script: &dyn Fn(&Request) -> Reply, served: &AtomicUsize) {
    let mut reader = BufReader::new(stream);
    while let Some(head) = read_request(&mut reader) {
        let number = served.fetch_add(1, Ordering::Relaxed);
        let written = match script(&Request { number, head }) {
            Reply::Http(status, kind, body) => {
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n");
                stream.write_all((head + &body).as_bytes())
            }
            Reply::Raw(bytes) => {
                let _ = stream.write_all(&bytes);
                return;
            }
            Reply::Stall => {
                // Until the client hangs up.
                let _ = reader.read_to_end(&mut Vec::new());
                return;
            }
            Reply::Reset => {
                SockRef::from(stream).set_linger(Some(Duration::ZERO)).unwrap();
                return;
            }
        };
        if written.is_err() {
            return;
        }
    }
}

/// The head of the next request, when its body has arrived too; none if the connection has ended.
fn read_request(reader: &mut BufReader<&TcpStream>) -> Option<String> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let start = head.len();
        reader.read_line(&mut head).ok().filter(|read| *read > 0)?;
        let line = head[start..].to_ascii_lowercase();
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    reader.read_exact(&mut vec![0; length]).ok()?;
    Some(head)
}
