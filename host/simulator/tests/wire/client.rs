//! A client that shows what a library would hide: how the body was chunked, and whether it was complete.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use aiperf_simulator::Simulator;
use serde_json::Value;

/// A test that waits this long has failed; none comes near it.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

/// Asks over connections of their own until the metric has the value.
pub(crate) fn wait_for_metric(simulator: &Simulator, name: &str, value: usize) {
    wait_until(name, || Client::connect(simulator).metric(name) == value);
}

/// Asks until it is so.
pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "waited too long for {what}");
        std::thread::yield_now();
    }
}

pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// The pieces of a chunked body.
    pub(crate) chunks: Vec<String>,
    /// The data of the server-sent events in the body.
    pub(crate) events: Vec<String>,
    /// Whether the body came to its proper end.
    pub(crate) complete: bool,
}

impl Client {
    pub(crate) fn connect(simulator: &Simulator) -> Self {
        let stream = TcpStream::connect(simulator.local_addr()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    pub(crate) fn post(&mut self, path: &str, body: &Value) -> Response {
        self.send("POST", path, &body.to_string())
    }

    pub(crate) fn get(&mut self, path: &str) -> Response {
        self.send("GET", path, "")
    }

    pub(crate) fn send(&mut self, method: &str, path: &str, body: &str) -> Response {
        self.write(method, path, body);
        self.read_response()
    }

    pub(crate) fn write_post(&mut self, path: &str, body: &Value) {
        self.write("POST", path, &body.to_string());
    }

    fn write(&mut self, method: &str, path: &str, body: &str) {
        let length = body.len();
        let request =
            format!("{method} {path} HTTP/1.1\r\nhost: simulator\r\ncontent-length: {length}\r\n\r\n{body}");
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
    }

    /// Reads one response as far as it goes.
    pub(crate) fn read_response(&mut self) -> Response {
        let status_line = self.line().expect("a status line");
        let status = status_line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = Vec::new();
        while let Some(line) = self.line().filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(": ").unwrap();
            headers.push((name.to_owned(), value.to_owned()));
        }
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let (chunks, complete) = match length {
            Some((_, length)) => (self.exactly(length.parse().unwrap()).into_iter().collect(), true),
            None => self.chunks(),
        };
        let body = chunks.concat();
        let events = body.split("\n\n").filter_map(|event| event.strip_prefix("data: ")).map(str::to_owned);
        Response { status, headers, events: events.collect(), body, chunks, complete }
    }

    /// All chunks, and whether the closing one came.
    fn chunks(&mut self) -> (Vec<String>, bool) {
        let mut chunks = Vec::new();
        while let Some(size) = self.line() {
            let size = usize::from_str_radix(&size, 16).unwrap();
            let Some(chunk) = self.exactly(size) else { break };
            if self.line().is_none() {
                break;
            }
            if size == 0 {
                return (chunks, true);
            }
            chunks.push(chunk);
        }
        (chunks, false)
    }

    /// Whether the server has closed the connection; waits until it says something or does.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.line().is_none()
    }

    pub(crate) fn metric(&mut self, name: &str) -> usize {
        let page = self.get("/metrics").body;
        let line = page.lines().find(|line| line.starts_with(name)).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = match self.stream.read_line(&mut line) {
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => 0,
            Err(error) => panic!("no line came: {error}"),
        };
        (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }

    fn exactly(&mut self, size: usize) -> Option<String> {
        let mut bytes = vec![0; size];
        self.stream.read_exact(&mut bytes).ok()?;
        Some(String::from_utf8(bytes).unwrap())
    }
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(seen, _)| seen == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}
