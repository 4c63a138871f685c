//! Small servers that do exactly what a test tells them, on real sockets.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What a connection runs over.
pub(crate) trait Stream: Read + Write + Send {
    /// Ends it at once, without a word.
    fn cut(&mut self);
}

impl Stream for TcpStream {
    fn cut(&mut self) {
        let _ = self.shutdown(Shutdown::Both);
    }
}

#[cfg(unix)]
impl Stream for UnixStream {
    fn cut(&mut self) {
        let _ = self.shutdown(Shutdown::Both);
    }
}

impl Stream for StreamOwned<ServerConnection, TcpStream> {
    fn cut(&mut self) {
        self.sock.cut();
    }
}

/// A request as a server sees it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The number of the connection that carried it, in the order of acceptance.
    pub(crate) connection: usize,
    /// The request line and the headers.
    pub(crate) head: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.iter().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// One connection on the server's side.
pub(crate) struct Peer {
    pub(crate) connection: usize,
    reader: BufReader<Box<dyn Stream>>,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Peer {
    /// The first connection of a server that has no listener of ours.
    pub(crate) fn over(stream: impl Stream + 'static) -> Self {
        Self { connection: 0, reader: BufReader::new(Box::new(stream)), requests: Arc::default() }
    }

    /// The next request, or none if the client has closed.
    pub(crate) fn request(&mut self) -> Option<Request> {
        let mut head = vec![];
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim_end().to_owned();
            if line.is_empty() {
                break;
            }
            head.push(line);
        }
        let mut request = Request { connection: self.connection, head, body: vec![] };
        let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
        request.body = vec![0; length];
        self.reader.read_exact(&mut request.body).ok()?;
        self.requests.lock().unwrap().push(request.clone());
        Some(request)
    }

    /// Writes bytes as they are; an error means that the client has left.
    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.writes(bytes);
    }

    /// The same; false once the client has left.
    pub(crate) fn writes(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.reader.get_mut().write_all(bytes.as_ref()).is_ok()
    }

    /// Begins a chunked stream of events.
    pub(crate) fn begin_stream(&mut self) {
        self.write(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n",
        );
    }

    pub(crate) fn chunk(&mut self, bytes: impl AsRef<[u8]>) {
        self.write([format!("{:x}\r\n", bytes.as_ref().len()).as_bytes(), bytes.as_ref(), b"\r\n"].concat());
    }

    pub(crate) fn end_stream(&mut self) {
        self.write("0\r\n\r\n");
    }

    /// A whole stream of events with these data.
    pub(crate) fn stream(&mut self, data: &[&str]) {
        self.begin_stream();
        for data in data {
            self.chunk(format!("data: {data}\n\n"));
        }
        self.end_stream();
    }

    /// A whole response with a length.
    pub(crate) fn respond(&mut self, status: &str, body: &str) {
        let length = body.len();
        self.write(format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        ));
    }

    /// Refuses, and says when to come again.
    pub(crate) fn refuse(&mut self, retry_after: &str) {
        self.write(format!(
            "HTTP/1.1 429 Too Many Requests\r\nretry-after: {retry_after}\r\ncontent-length: 9\r\n\r\nslow down"
        ));
    }

    /// Blocks until the client closes.
    pub(crate) fn wait_for_close(&mut self) {
        let mut bytes = [0; 1024];
        while self.reader.read(&mut bytes).is_ok_and(|read| read > 0) {}
    }

    pub(crate) fn close(mut self) {
        self.reader.get_mut().cut();
    }
}

/// A server whose every connection runs the same script on a thread of its own.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub(crate) fn start(script: impl Fn(Peer) + Send + Sync + 'static) -> Self {
        Self::start_over(|socket, _| Box::new(socket), script)
    }

    /// A server behind TLS, which may be another one for each connection; the first one is that of the probe.
    pub(crate) fn start_secure(
        tls: impl Fn(usize) -> Arc<ServerConfig> + Send + 'static,
        script: impl Fn(Peer) + Send + Sync + 'static,
    ) -> Self {
        let secure = move |mut socket, connection| -> Box<dyn Stream> {
            let mut session = ServerConnection::new(tls(connection)).unwrap();
            // A handshake that fails is told by the first read.
            let _ = session.complete_io(&mut socket);
            Box::new(StreamOwned::new(session, socket))
        };
        Self::start_over(secure, script)
    }

    fn start_over(
        stream: impl Fn(TcpStream, usize) -> Box<dyn Stream> + Send + 'static,
        script: impl Fn(Peer) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(vec![]));
        let log = Arc::clone(&requests);
        let script = Arc::new(script);
        thread::spawn(move || {
            for (accepted, socket) in listener.incoming().enumerate() {
                let Ok(socket) = socket else { return };
                socket.set_nodelay(true).unwrap();
                let stream = stream(socket, accepted);
                // The first connection is the one by which a run looks whether the server is there.
                let Some(connection) = accepted.checked_sub(1) else { continue };
                let peer = Peer { connection, reader: BufReader::new(stream), requests: Arc::clone(&log) };
                let script = Arc::clone(&script);
                thread::spawn(move || script(peer));
            }
        });
        Self { address, requests }
    }

    /// A server that answers every request the same way.
    pub(crate) fn answering(answer: impl Fn(&mut Peer) + Send + Sync + 'static) -> Self {
        Self::start(move |mut peer| {
            while peer.request().is_some() {
                answer(&mut peer);
            }
        })
    }

    /// A server that is gone after its first connection.
    pub(crate) fn serving_one_connection(script: impl Fn(&mut Peer) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(vec![]));
        let log = Arc::clone(&requests);
        thread::spawn(move || {
            let _probe = listener.accept().unwrap();
            let (stream, _) = listener.accept().unwrap();
            drop(listener);
            let reader = BufReader::new(Box::new(stream) as Box<dyn Stream>);
            script(&mut Peer { connection: 0, reader, requests: log });
        });
        Self { address, requests }
    }

    /// A server that answers so many requests on its first connection, is gone for a while, and then answers all.
    pub(crate) fn restarting_after(
        requests: usize,
        away: Duration,
        answer: impl Fn(&mut Peer) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(vec![]));
        let server = Self { address, requests: Arc::clone(&log) };
        thread::spawn(move || {
            let peer = |stream: TcpStream| Peer {
                connection: 0,
                reader: BufReader::new(Box::new(stream) as Box<dyn Stream>),
                requests: Arc::clone(&log),
            };
            let _probe = listener.accept().unwrap();
            let mut first = peer(listener.accept().unwrap().0);
            drop(listener);
            for _ in 0..requests {
                first.request();
                answer(&mut first);
            }
            first.close();
            thread::sleep(away);
            for stream in TcpListener::bind(address).unwrap().incoming() {
                let mut peer = peer(stream.unwrap());
                while peer.request().is_some() {
                    answer(&mut peer);
                }
            }
        });
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn secure_url(&self) -> String {
        format!("https://{}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}
