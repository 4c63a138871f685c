//! Servers behind TLS, with certificates of an authority that only the test knows.

use crate::endpoint::Chat;
use crate::{TOKEN, answer, failure, run_all, workload_spec};
use aiperf_load::{LoadError, RunSpec};
use aiperf_model::record::FailureKind;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A server at 127.0.0.1 and the file with the certificate of its authority.
struct SecureServer {
    address: SocketAddr,
    folder: TempDir,
}

impl SecureServer {
    fn start(name: &str) -> Self {
        let mut authority = CertificateParams::new(vec![]).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let address = serve(certificate.der().clone(), private);
        Self { address, folder }
    }

    fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn run_spec(&self, requests: u32) -> RunSpec {
        RunSpec {
            urls: vec![format!("https://{}", self.address).parse().unwrap()],
            endpoint_path: None,
            ca_file: Some(self.ca_file()),
            headers: vec![],
            concurrency: Some(2),
            request_rate: None,
            seed: 42,
            requests: Some(requests),
            duration: None,
            grace_period: Duration::from_secs(30),
            request_timeout: Duration::from_mins(1),
            warm_up: true,
            workers: None,
        }
    }
}

fn serve(certificate: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> SocketAddr {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            thread::spawn(move || answer_all(BufReader::new(StreamOwned::new(connection, stream))));
        }
    });
    address
}

/// Answers each request with a stream of one token, until the client closes or the handshake fails.
fn answer_all(mut connection: BufReader<StreamOwned<ServerConnection, TcpStream>>) -> Option<()> {
    let events = format!("data: {TOKEN}\n\ndata: [DONE]\n\n");
    let length = events.len();
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {length}\r\n\r\n");
    loop {
        let mut body_length = 0;
        loop {
            let mut line = String::new();
            if connection.read_line(&mut line).ok()? == 0 {
                return None;
            }
            match line.trim_end().split_once(": ") {
                Some(("content-length", value)) => body_length = value.parse().unwrap(),
                Some(_) => {}
                None if line == "\r\n" => break,
                None => {}
            }
        }
        connection.read_exact(&mut vec![0; body_length]).ok()?;
        connection.get_mut().write_all(format!("{head}{events}").as_bytes()).ok()?;
    }
}

#[test]
fn requests_are_answered_over_tls_and_connections_are_used_again() {
    let server = SecureServer::start("127.0.0.1");
    let (outcome, records) = run_all(&server.run_spec(50), &workload_spec(50), Chat::new()).unwrap();
    assert_eq!(outcome.counts.succeeded, 50, "{records:?}");
    assert!(records.iter().filter(|record| record.timing.reused_connection).count() >= 48);
    for record in &records {
        let (timing, content) = (record.timing, &answer(record).content);
        assert_eq!(content.len(), 1);
        assert!(timing.send < content[0] && timing.first_byte.unwrap() <= content[0], "{record:?}");
    }
}

#[test]
fn an_open_loop_works_over_tls() {
    use aiperf_model::arrival::{ArrivalPattern, RequestRate};
    let server = SecureServer::start("127.0.0.1");
    let request_rate = Some(RequestRate { per_second: 500.0, pattern: ArrivalPattern::Poisson });
    let spec = RunSpec { concurrency: None, request_rate, ..server.run_spec(50) };
    let (outcome, _) = run_all(&spec, &workload_spec(50), Chat::new()).unwrap();
    assert_eq!(outcome.counts.succeeded, 50);
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_an_error_of_its_own() {
    let stranger = RunSpec { ca_file: None, ..SecureServer::start("127.0.0.1").run_spec(1000) };
    let other_name = SecureServer::start("elsewhere.example").run_spec(1000);
    for (spec, reason) in [(stranger, "UnknownIssuer"), (other_name, "not valid for name")] {
        let (outcome, records) = run_all(&spec, &workload_spec(10), Chat::new()).unwrap();
        assert_eq!(outcome.counts.succeeded, 0);
        // The run is given up after a few, as with a server that is gone.
        assert!(outcome.counts.failed < 1000, "{outcome:?}");
        assert!(outcome.unreachable.unwrap().contains(reason));
        assert_eq!(failure(&records[0]).kind, FailureKind::Tls);
        assert!(failure(&records[0]).message.contains(reason), "{}", failure(&records[0]));
    }
}

#[test]
fn a_server_that_does_not_speak_tls_fails_in_the_handshake() {
    let plain = crate::server::Server::answering(|peer| peer.stream(&[TOKEN, "[DONE]"]));
    let url = format!("https://{}", plain.address).parse().unwrap();
    let spec =
        RunSpec { urls: vec![url], request_timeout: Duration::from_secs(2), ..crate::run_spec(&plain, 1) };
    // Each side waits for the other to begin, or the server takes the handshake for a request: both end in time.
    let (outcome, records) = run_all(&spec, &workload_spec(1), Chat::new()).unwrap();
    assert_eq!(outcome.counts.failed, 1);
    assert_eq!(failure(&records[0]).kind, FailureKind::Tls, "{}", failure(&records[0]));
}

#[test]
fn a_file_without_certificates_is_refused_before_the_load() {
    let server = SecureServer::start("127.0.0.1");
    let empty = server.folder.path().join("empty.pem");
    std::fs::write(&empty, "nothing").unwrap();
    let missing = server.folder.path().join("missing.pem");
    for (file, reason) in [(empty, "it holds no certificate"), (missing, "No such file")] {
        let spec = RunSpec { ca_file: Some(file), ..server.run_spec(1) };
        let error = run_all(&spec, &workload_spec(1), Chat::new()).unwrap_err();
        assert!(matches!(error, LoadError::Authorities { .. }), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
}
