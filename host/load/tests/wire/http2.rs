//! Servers that speak HTTP/2, well and badly.

use crate::endpoint::Chat;
use crate::server::Server;
use crate::tls::Authority;
use crate::{TOKEN, USAGE, answer, failure, run_all, run_spec, workload_spec};
use aiperf_load::{Length, LoadError, RunSpec, Transport, WorkloadSpec, answers};
use aiperf_model::connection::ConnectionReuse;
use aiperf_model::record::{FailureKind, Record};
use aiperf_model::request::Header;
use bytes::Bytes;
use h2::server::{Connection, SendResponse};
use h2::{Reason, RecvStream, SendStream};
use hyper::{Request, Response};
use std::collections::HashSet;
use std::future::poll_fn;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

/// What a server does with a request: the number of its connection, its head, its body, and where to answer.
type Script = dyn Fn(Exchange) -> Pin<Box<dyn Future<Output = ()>>> + Send + Sync;

struct Exchange {
    /// In the order of acceptance; that of the probe is 0.
    connection: usize,
    head: Request<()>,
    body: Vec<u8>,
    respond: SendResponse<Bytes>,
}

impl Exchange {
    fn begin(&mut self, status: u16, content_type: &str) -> SendStream<Bytes> {
        let response = Response::builder().status(status).header("content-type", content_type);
        self.respond.send_response(response.body(()).unwrap(), false).unwrap()
    }

    fn stream(&mut self, data: &[&str]) {
        let mut body = self.begin(200, "text/event-stream");
        for data in data {
            body.send_data(format!("data: {data}\n\n").into(), false).unwrap();
        }
        body.send_data(Bytes::new(), true).unwrap();
    }
}

struct Http2Server {
    address: SocketAddr,
}

impl Http2Server {
    /// A server; those that are `brief` say goodbye after each response.
    fn start<F: Future<Output = ()> + 'static>(
        tls: Option<Arc<ServerConfig>>,
        brief: bool,
        script: impl Fn(Exchange) -> F + Send + Sync + 'static,
    ) -> Self {
        let script: Arc<Script> = Arc::new(move |exchange| Box::pin(script(exchange)));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            LocalSet::new().block_on(&runtime, async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                for number in 0.. {
                    let (socket, _) = listener.accept().await.unwrap();
                    let (script, tls) = (Arc::clone(&script), tls.clone());
                    tokio::task::spawn_local(async move {
                        match tls {
                            None => serve(socket, number, brief, script).await,
                            Some(tls) => match TlsAcceptor::from(tls).accept(socket).await {
                                Ok(session) => serve(session, number, brief, script).await,
                                Err(_) => None,
                            },
                        }
                    });
                }
            });
        });
        Self { address }
    }

    fn answering(answer: impl Fn(&mut Exchange) + Send + Sync + 'static) -> Self {
        Self::start(None, false, move |mut exchange| {
            answer(&mut exchange);
            async {}
        })
    }

    fn spec(&self, requests: u32) -> RunSpec {
        spec(self.address, requests)
    }

    fn records(&self, requests: u32) -> Vec<Record> {
        run_all(&self.spec(requests), &workload_spec(requests), Chat::new()).unwrap().1
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin + 'static>(
    socket: S,
    number: usize,
    brief: bool,
    script: Arc<Script>,
) -> Option<()> {
    let mut connection: Connection<S, Bytes> = h2::server::handshake(socket).await.ok()?;
    while let Some(accepted) = connection.accept().await {
        let (request, respond) = accepted.ok()?;
        let (head, body) = request.into_parts();
        let script = Arc::clone(&script);
        tokio::task::spawn_local(async move {
            let body = whole(body).await;
            let head = Request::from_parts(head, ());
            script(Exchange { connection: number, head, body, respond }).await;
        });
        if brief {
            connection.graceful_shutdown();
        }
    }
    Some(())
}

async fn whole(mut body: RecvStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(Ok(data)) = body.data().await {
        body.flow_control().release_capacity(data.len()).unwrap();
        bytes.extend_from_slice(&data);
    }
    bytes
}

fn http2() -> Transport {
    Transport { http2: true, ..Transport::default() }
}

fn spec(address: SocketAddr, requests: u32) -> RunSpec {
    let url = format!("http://{address}").parse().unwrap();
    let any = Server::answering(|_| {});
    RunSpec { urls: vec![url], transport: http2(), ..run_spec(&any, requests) }
}

#[test]
fn requests_are_answered_over_http2_and_connections_are_used_again() {
    let seen = Arc::new(Mutex::new(vec![]));
    let log = Arc::clone(&seen);
    let server = Http2Server::answering(move |exchange| {
        log.lock().unwrap().push((exchange.connection, exchange.head.clone(), exchange.body.clone()));
        exchange.stream(&[TOKEN, TOKEN, USAGE, "[DONE]"]);
    });
    let spec = RunSpec { concurrency: Some(3), ..server.spec(40) };
    let (outcome, records) = run_all(&spec, &workload_spec(40), Chat::new()).unwrap();
    assert_eq!(outcome.counts.succeeded, 40, "{records:?}");
    for record in &records {
        let (timing, content) = (record.timing, &answer(record).content);
        assert!(answer(record).streamed && content.len() == 2, "{record:?}");
        assert!(
            timing.send.unwrap() < timing.first_byte.unwrap() && timing.first_byte.unwrap() <= content[0]
        );
        assert!(content[1] <= timing.end && timing.status == Some(200));
    }
    let opened = records.iter().filter(|record| record.timing.connect.is_some()).count();
    let seen = seen.lock().unwrap();
    // Slots that got nothing to send opened nothing.
    assert!((1..=3).contains(&opened));
    assert_eq!(seen.iter().map(|(connection, ..)| *connection).collect::<HashSet<_>>().len(), opened);
    let bodies: HashSet<_> = seen.iter().map(|(.., body)| body).collect();
    assert_eq!(bodies.len(), 40);
    let head = &seen[0].1;
    assert_eq!(head.uri().to_string(), format!("http://{}/v1/chat/completions", server.address));
    assert_eq!((head.method().as_str(), head.headers()["x-format"].as_bytes()), ("POST", &b"chat"[..]));
    assert!(!head.headers().contains_key("host") && !head.headers().contains_key("connection"));
}

#[test]
fn tls_agrees_on_http2() {
    let authority = Authority::new();
    let mut config = Arc::unwrap_or_clone(authority.server("127.0.0.1", |_| {}));
    config.alpn_protocols = vec![b"http/1.1".to_vec(), b"h2".to_vec()];
    let server = Http2Server::start(Some(Arc::new(config)), false, |mut exchange| async move {
        exchange.stream(&[TOKEN, "[DONE]"]);
    });
    let url = format!("https://{}", server.address);
    let transport = Transport { http2: true, ..authority.transport() };
    let spec = RunSpec { urls: vec![url.parse().unwrap()], transport, ..server.spec(10) };
    let (outcome, _) = run_all(&spec, &workload_spec(10), Chat::new()).unwrap();
    assert_eq!(outcome.counts.succeeded, 10);
    assert!(answers(&spec.urls[0], &spec.transport, Duration::from_secs(5)));
}

#[test]
fn a_server_without_http2_is_told_before_the_load() {
    let authority = Authority::new();
    let config = authority.server("127.0.0.1", |_| {});
    let secure = Server::start_secure(move |_| Arc::clone(&config), |_| {});
    let transport = Transport { http2: true, ..authority.transport() };
    let urls = vec![secure.secure_url().parse().unwrap()];
    let error = run_all(&RunSpec { urls, transport, ..run_spec(&secure, 1) }, &workload_spec(1), Chat::new());
    let message = error.unwrap_err().to_string();
    assert!(message.contains("offers no HTTP/2 over TLS; leave out --http2"), "{message}");

    // As HTTP/1.1 servers answer what is no HTTP/1.1.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        socket.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").unwrap();
        let _ = socket.read_to_end(&mut Vec::new());
    });
    let error = run_all(&spec(address, 1), &workload_spec(1), Chat::new()).unwrap_err();
    assert!(matches!(error, LoadError::Unreachable { .. }));
    assert!(error.to_string().contains("does not speak HTTP/2"), "{error}");
}

#[test]
fn responses_and_requests_may_be_larger_than_all_windows() {
    const SIZE: usize = 40 * 1024 * 1024;
    let lengths = Arc::new(Mutex::new(vec![]));
    let log = Arc::clone(&lengths);
    let server = Http2Server::answering(move |exchange| {
        log.lock().unwrap().push(exchange.body.len());
        let mut body = exchange.begin(200, "application/json");
        let text = "x".repeat(SIZE);
        let message = format!(r#"{{"choices":[{{"message":{{"content":"{text}"}}}}]}}"#);
        body.send_data(message.into(), true).unwrap();
    });
    // The server's own window is 64 KiB.
    let workload =
        WorkloadSpec { input_length: Length { mean: 100_000.0, std_dev: 0.0 }, ..workload_spec(2) };
    let embeddings = Chat::with_info(aiperf_model::plugin::EndpointInfo {
        default_path: "/v1/embeddings".into(),
        supports_streaming: false,
        produces_tokens: false,
    });
    let (outcome, _) = run_all(&server.spec(2), &workload, embeddings).unwrap();
    assert_eq!(outcome.counts.succeeded, 2);
    assert!(lengths.lock().unwrap().iter().all(|length| *length > 300_000));
}

#[test]
fn a_server_that_says_goodbye_after_each_response_costs_no_request() {
    let server = Http2Server::start(None, true, |mut exchange| async move {
        exchange.stream(&[TOKEN, "[DONE]"]);
    });
    let spec = RunSpec { concurrency: Some(2), ..server.spec(50) };
    let (outcome, records) = run_all(&spec, &workload_spec(50), Chat::new()).unwrap();
    assert_eq!(outcome.counts.succeeded, 50, "{records:?}");
    assert!(records.iter().all(|record| !record.timing.reused_connection));
}

#[test]
fn each_request_can_have_a_connection_of_its_own() {
    let server = Http2Server::answering(|exchange| exchange.stream(&[TOKEN, "[DONE]"]));
    let transport = Transport { reuse: ConnectionReuse::Never, ..http2() };
    let spec = RunSpec { transport, ..server.spec(5) };
    let (_, records) = run_all(&spec, &workload_spec(5), Chat::new()).unwrap();
    assert!(records.iter().all(|record| record.outcome.is_ok() && record.timing.connect.is_some()));
}

#[test]
fn a_stream_that_is_broken_off_is_incomplete() {
    let server = Http2Server::answering(|exchange| {
        let mut body = exchange.begin(200, "text/event-stream");
        body.send_data(format!("data: {TOKEN}\n\n").into(), false).unwrap();
        body.send_reset(Reason::INTERNAL_ERROR);
    });
    let record = &server.records(1)[0];
    assert_eq!(failure(record).kind, FailureKind::Incomplete);
    assert!(failure(record).message.contains("broke the response off"), "{}", failure(record).message);

    let server = Http2Server::answering(|exchange| exchange.respond.send_reset(Reason::INTERNAL_ERROR));
    let record = &server.records(1)[0];
    assert_eq!((failure(record).kind, failure(record).status), (FailureKind::Incomplete, None));
    assert_eq!((record.timing.first_byte, record.timing.retries), (None, 0));
}

#[test]
fn a_stream_without_its_end_marker_is_incomplete() {
    let server = Http2Server::answering(|exchange| exchange.stream(&[TOKEN]));
    assert_eq!(failure(&server.records(1)[0]).kind, FailureKind::Incomplete);
}

#[test]
fn a_stream_that_a_used_connection_refuses_is_sent_again_on_a_fresh_one() {
    let count = AtomicUsize::new(0);
    let server = Http2Server::answering(move |exchange| {
        if count.fetch_add(1, Ordering::SeqCst) == 1 {
            exchange.respond.send_reset(Reason::REFUSED_STREAM);
        } else {
            exchange.stream(&[TOKEN, "[DONE]"]);
        }
    });
    let records = server.records(3);
    assert!(records.iter().all(|record| record.outcome.is_ok()), "{records:?}");
    assert_eq!(records.iter().map(|record| record.timing.retries).collect::<Vec<_>>(), [0, 1, 0]);
}

#[test]
fn frames_of_the_connection_are_no_response() {
    let server = Http2Server::start(None, false, |mut exchange| async move {
        // The server has acknowledged settings by now, and gives room for more of the request.
        poll_fn(|context| exchange.respond.poll_reset(context)).await.unwrap();
    });
    let spec = RunSpec { request_timeout: Duration::from_millis(50), ..server.spec(1) };
    let (_, records) = run_all(&spec, &workload_spec(1), Chat::new()).unwrap();
    assert_eq!(failure(&records[0]).kind, FailureKind::Timeout);
    assert_eq!(records[0].timing.first_byte, None);
}

#[test]
fn a_status_other_than_success_keeps_the_start_of_the_body() {
    let server = Http2Server::answering(|exchange| {
        let mut body = exchange.begin(503, "text/plain");
        body.send_data("too busy".into(), true).unwrap();
    });
    let records = server.records(2);
    assert_eq!(failure(&records[0]).to_string(), "HTTP 503: too busy");
    assert!(records[1].timing.reused_connection);
}

#[test]
fn what_is_no_http2_is_malformed() {
    const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for (number, socket) in listener.incoming().enumerate() {
            let mut socket = socket.unwrap();
            socket.write_all(SETTINGS).unwrap();
            // Preface, settings and window, and their acknowledgement by the client; then the request.
            let mut preface = [0; 24];
            socket.read_exact(&mut preface).unwrap();
            if number > 0 {
                while next_frame(&mut socket) != HEADERS {}
                socket.write_all(&[0xff; 64]).unwrap();
            }
            let _ = socket.read_to_end(&mut Vec::new());
        }
    });
    let (_, records) = run_all(&spec(address, 1), &workload_spec(1), Chat::new()).unwrap();
    assert_eq!(failure(&records[0]).kind, FailureKind::Malformed);
}

const HEADERS: u8 = 1;

/// Reads a frame and gives its type.
fn next_frame(socket: &mut std::net::TcpStream) -> u8 {
    let mut head = [0; 9];
    socket.read_exact(&mut head).unwrap();
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
    socket.read_exact(&mut vec![0; length]).unwrap();
    head[3]
}

#[test]
fn headers_of_http1_are_refused() {
    let server = Http2Server::answering(|exchange| exchange.stream(&[TOKEN, "[DONE]"]));
    let header = Header { name: "Connection".into(), value: "close".into() };
    let spec = RunSpec { headers: vec![header], ..server.spec(1) };
    let error = run_all(&spec, &workload_spec(1), Chat::new()).unwrap_err();
    assert!(matches!(error, LoadError::Http1Header { .. }), "{error}");
    // The host is that of the user, as with HTTP/1.1.
    let header = Header { name: "Host".into(), value: "other.example".into() };
    let spec = RunSpec { headers: vec![header], ..server.spec(1) };
    assert!(run_all(&spec, &workload_spec(1), Chat::new()).unwrap().1[0].outcome.is_ok());
}
