//! Servers behind TLS, with certificates that only the test knows.

use crate::endpoint::Chat;
use crate::server::{Peer, Server};
use crate::{TOKEN, answer, failure, run_all, run_spec, workload_spec};
use aiperf_load::{LoadError, RunSpec, Transport, TrustedAuthorities, answers};
use aiperf_model::arrival::{ArrivalPattern, RequestRate};
use aiperf_model::connection::ConnectionReuse;
use aiperf_model::record::FailureKind;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd,
};
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, ServerConnection};

/// An authority, and a folder with its certificate.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    /// A server with a certificate for `name`, changed as the test wants.
    pub(crate) fn server(
        &self,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Arc<ServerConfig> {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        server_config(&certificate, &key)
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    pub(crate) fn transport(&self) -> Transport {
        trusting(&[self.file()])
    }
}

fn trusting(files: &[PathBuf]) -> Transport {
    Transport { trust: TrustedAuthorities::with_certificates(files).unwrap(), ..Transport::default() }
}

fn server_config(certificate: &Certificate, key: &KeyPair) -> Arc<ServerConfig> {
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    Arc::new(config)
}

fn answer_all(mut peer: Peer) {
    while peer.request().is_some() {
        peer.stream(&[TOKEN, "[DONE]"]);
    }
}

fn secure(config: Arc<ServerConfig>) -> Server {
    Server::start_secure(move |_| Arc::clone(&config), answer_all)
}

fn secure_spec(server: &Server, transport: Transport, requests: u32) -> RunSpec {
    let urls = vec![server.secure_url().parse().unwrap()];
    RunSpec { urls, transport, concurrency: Some(2), ..run_spec(server, requests) }
}

#[test]
fn requests_are_answered_over_tls_and_connections_are_used_again() {
    let authority = Authority::new();
    let server = secure(authority.server("127.0.0.1", |_| {}));
    let spec = secure_spec(&server, authority.transport(), 50);
    let (outcome, records) = run_all(&spec, &workload_spec(50), Chat::new()).unwrap();
    assert_eq!(outcome.counts.succeeded, 50, "{records:?}");
    // Slots that got nothing to send opened nothing.
    assert!((1..=2).contains(&records.iter().filter(|record| !record.timing.reused_connection).count()));
    for record in &records {
        let (timing, content) = (record.timing, &answer(record).content);
        assert_eq!(content.len(), 1);
        assert!(timing.send.unwrap() < content[0] && timing.first_byte.unwrap() <= content[0], "{record:?}");
    }
}

#[test]
fn the_time_that_a_connection_takes_is_not_that_of_the_client() {
    const HANDSHAKE: Duration = Duration::from_millis(30);
    let authority = Authority::new();
    let config = authority.server("127.0.0.1", |_| {});
    let server = Server::start_secure(
        move |_| {
            // It is slow to shake hands.
            thread::sleep(HANDSHAKE);
            Arc::clone(&config)
        },
        answer_all,
    );
    let rate = RequestRate { per_second: 1e6, pattern: ArrivalPattern::Constant };
    for request_rate in [None, Some(rate)] {
        let transport = Transport { reuse: ConnectionReuse::Never, ..authority.transport() };
        let spec = RunSpec { request_rate, ..secure_spec(&server, transport, 8) };
        let (outcome, records) = run_all(&spec, &workload_spec(8), Chat::new()).unwrap();
        assert_eq!(outcome.counts.succeeded, 8, "{records:?}");
        for timing in records.iter().map(|record| record.timing) {
            let waited = timing.send.unwrap() - timing.ready;
            assert!(timing.connect.unwrap() >= HANDSHAKE.as_nanos() as u64, "{timing:?}");
            assert!(timing.connect_wait <= waited, "{timing:?}");
        }
        // The first two of an open loop connect ahead; there the phase begins 20 ms before they are due.
        let waits = records.iter().filter(|record| record.timing.connect_wait >= HANDSHAKE.as_nanos() as u64);
        assert!(waits.count() >= 6, "{records:?}");
    }
}

#[test]
fn messages_of_tls_itself_are_no_response() {
    let authority = Authority::new();
    let config = authority.server("127.0.0.1", |_| {});
    // Session tickets come right after the handshake; the server then breaks off without a byte of an answer.
    let server = Server::start_secure(
        move |_| Arc::clone(&config),
        |mut peer| {
            peer.request();
            peer.close();
        },
    );
    let spec = RunSpec { concurrency: Some(1), ..secure_spec(&server, authority.transport(), 2) };
    let (_, records) = run_all(&spec, &workload_spec(2), Chat::new()).unwrap();
    for record in &records {
        assert_eq!(record.timing.first_byte, None);
        assert_eq!(failure(record).kind, FailureKind::Connect);
        assert_eq!(failure(record).message, "the connection closed before the response began");
    }
}

#[test]
fn an_open_loop_works_over_tls() {
    let authority = Authority::new();
    let server = secure(authority.server("127.0.0.1", |_| {}));
    let request_rate = Some(RequestRate { per_second: 500.0, pattern: ArrivalPattern::Poisson });
    let spec = RunSpec { concurrency: None, request_rate, ..secure_spec(&server, authority.transport(), 50) };
    let (outcome, _) = run_all(&spec, &workload_spec(50), Chat::new()).unwrap();
    assert_eq!(outcome.counts.succeeded, 50);
}

#[test]
fn a_stream_cut_in_the_middle_is_incomplete_over_tls_too() {
    let authority = Authority::new();
    let config = authority.server("127.0.0.1", |_| {});
    let server = Server::start_secure(
        move |_| Arc::clone(&config),
        |mut peer| {
            peer.request();
            peer.begin_stream();
            peer.chunk(format!("data: {TOKEN}\n\n"));
            peer.close();
        },
    );
    let spec = secure_spec(&server, authority.transport(), 1);
    let (_, records) = run_all(&spec, &workload_spec(1), Chat::new()).unwrap();
    assert_eq!(failure(&records[0]).kind, FailureKind::Incomplete);
    assert_eq!(failure(&records[0]).message, "the connection closed before the response ended");
}

#[test]
fn a_certificate_that_is_not_good_is_told_before_the_load() {
    let authority = Authority::new();
    let stranger = Transport::default();
    for (config, transport, reason) in [
        (authority.server("127.0.0.1", |_| {}), stranger, "--ca-cert"),
        (authority.server("elsewhere.example", |_| {}), authority.transport(), "not valid for name"),
        (
            authority.server("127.0.0.1", |params| params.not_after = date_time_ymd(2001, 1, 1)),
            authority.transport(),
            "has expired",
        ),
        (
            authority.server("127.0.0.1", |params| params.not_before = date_time_ymd(2999, 1, 1)),
            authority.transport(),
            "is not yet valid",
        ),
    ] {
        let server = secure(config);
        let spec = secure_spec(&server, transport, 10);
        let error = run_all(&spec, &workload_spec(10), Chat::new()).unwrap_err();
        assert!(matches!(error, LoadError::Unreachable { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(reason) && text.contains(&server.secure_url()), "{text}");
        assert!(!answers(&server.secure_url().parse().unwrap(), &spec.transport, Duration::from_secs(5)));
    }
}

#[test]
fn a_certificate_that_turns_bad_is_a_failure_of_its_own_kind() {
    let authority = Authority::new();
    let (good, bad) = (authority.server("127.0.0.1", |_| {}), authority.server("other.example", |_| {}));
    let server = Server::start_secure(
        move |connection| Arc::clone(if connection == 0 { &good } else { &bad }),
        answer_all,
    );
    let spec = secure_spec(&server, authority.transport(), 1000);
    let (outcome, records) = run_all(&spec, &workload_spec(10), Chat::new()).unwrap();
    assert_eq!(outcome.counts.succeeded, 0);
    // The run is given up after a few, as with a server that is gone.
    assert!(outcome.counts.failed < 1000, "{outcome:?}");
    assert!(outcome.absence.unwrap().message.contains("not valid for name"));
    assert_eq!(failure(&records[0]).kind, FailureKind::Tls);
    let message = &failure(&records[0]).message;
    assert!(message.contains("not valid for name") && message.contains("other.example"), "{message}");
    assert_eq!(records[0].timing.send, None);
}

#[test]
fn anybody_can_be_trusted() {
    let server = secure(Authority::new().server("elsewhere.example", |params| {
        params.not_after = date_time_ymd(2001, 1, 1);
    }));
    let spec =
        secure_spec(&server, Transport { trust: TrustedAuthorities::anybody(), ..Transport::default() }, 4);
    let (outcome, _) = run_all(&spec, &workload_spec(4), Chat::new()).unwrap();
    assert_eq!(outcome.counts.succeeded, 4);
}

#[test]
fn a_server_may_be_its_own_authority() {
    // As `openssl req -x509` makes them.
    for (name, works) in [("127.0.0.1", true), ("elsewhere.example", false)] {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("server.pem");
        fs::write(&file, certificate.pem()).unwrap();
        let server = secure(server_config(&certificate, &key));
        let result = run_all(&secure_spec(&server, trusting(&[file]), 2), &workload_spec(2), Chat::new());
        assert_eq!(result.is_ok(), works, "{name}: {result:?}");
        let stranger = secure_spec(&server, Authority::new().transport(), 2);
        let error = run_all(&stranger, &workload_spec(2), Chat::new()).unwrap_err().to_string();
        assert!(error.contains("--ca-cert"), "{error}");
    }
}

#[test]
fn a_server_that_does_not_speak_tls_is_told_from_one_that_does() {
    let plain = Server::start(|mut peer| {
        peer.respond("400 Bad Request", "");
        peer.wait_for_close();
    });
    // The probe finds nobody who answers; the question after it finds HTTP in the clear.
    let url = plain.secure_url().parse().unwrap();
    assert!(!answers(&url, &Transport::default(), Duration::from_secs(5)));
    let spec = secure_spec(&plain, Transport::default(), 1);
    let error = run_all(&spec, &workload_spec(1), Chat::new()).unwrap_err().to_string();
    assert!(error.contains("does not speak it") && error.contains("write http://"), "{error}");
}

#[test]
fn a_server_that_wants_tls_sends_no_http() {
    let server = secure(Authority::new().server("127.0.0.1", |_| {}));
    let (_, records) = run_all(&run_spec(&server, 1), &workload_spec(1), Chat::new()).unwrap();
    assert_eq!(failure(&records[0]).kind, FailureKind::Malformed);
}

#[test]
fn a_file_without_certificates_is_refused() {
    let folder = TempDir::new().unwrap();
    let (empty, missing) = (folder.path().join("empty.pem"), folder.path().join("missing.pem"));
    fs::write(&empty, "nothing").unwrap();
    for (file, reason) in [(empty, "it holds no certificate"), (missing, "No such file")] {
        let error = TrustedAuthorities::with_certificates(std::slice::from_ref(&file)).unwrap_err();
        assert!(matches!(error, LoadError::Certificates { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(reason) && text.contains(&file.display().to_string()), "{text}");
    }
}

#[test]
fn a_server_behind_tls_is_asked_whether_it_answers() {
    let authority = Authority::new();
    let config = authority.server("127.0.0.1", |_| {});
    let server = Server::start_secure(
        move |_| Arc::clone(&config),
        |mut peer| {
            let request = peer.request().unwrap();
            assert_eq!(request.head[0], "GET /v1/models HTTP/1.1");
            peer.respond("401 Unauthorized", "");
        },
    );
    let url = server.secure_url().parse().unwrap();
    // The first connection is closed after the handshake.
    assert!(!answers(&url, &authority.transport(), Duration::from_secs(5)));
    assert!(answers(&url, &authority.transport(), Duration::from_secs(5)));
}

#[test]
fn each_request_can_shake_hands_anew() {
    let authority = Authority::new();
    let server = secure(authority.server("127.0.0.1", |_| {}));
    let transport = Transport { reuse: ConnectionReuse::Never, ..authority.transport() };
    let (_, records) = run_all(&secure_spec(&server, transport, 8), &workload_spec(8), Chat::new()).unwrap();
    assert!(records.iter().all(|record| record.outcome.is_ok()), "{records:?}");
    assert!(records.iter().all(|record| record.timing.connect.is_some() && !record.timing.reused_connection));
}

#[test]
fn a_handshake_that_hangs_ends_in_time() {
    let authority = Authority::new();
    let config = authority.server("127.0.0.1", |_| {});
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        // The probe is served; whoever comes later is accepted and hears nothing.
        let (mut socket, _) = listener.accept().unwrap();
        let mut session = ServerConnection::new(config).unwrap();
        session.complete_io(&mut socket).unwrap();
        let _silent: Vec<_> = listener.incoming().collect();
    });
    let server = Server::answering(|_| {});
    let spec = RunSpec {
        urls: vec![format!("https://{address}").parse().unwrap()],
        request_timeout: Duration::from_millis(50),
        ..secure_spec(&server, authority.transport(), 2)
    };
    let (_, records) = run_all(&spec, &workload_spec(2), Chat::new()).unwrap();
    assert_eq!(failure(&records[0]).kind, FailureKind::Tls);
    let expected = format!("the TLS handshake with {address} did not end in time");
    assert_eq!(failure(&records[0]).message, expected);
}
