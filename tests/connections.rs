//! Servers behind TLS, and connections that are used once.

use crate::support::{Server, Workplace};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// The simulator behind a proxy that ends TLS.
struct SecureServer {
    _simulator: Server,
    url: String,
}

impl SecureServer {
    /// Starts it, and leaves the certificate of its authority in the workplace as `ca.pem`.
    fn start(place: &Workplace) -> Self {
        let simulator = Server::start("--prefill-rate 1000000 --itl-ms 0.1");
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(place.path().join("ca.pem"), authority.pem()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            );
        let address = forward(config.unwrap(), simulator.url.trim_start_matches("http://").parse().unwrap());
        Self { _simulator: simulator, url: format!("https://{address}") }
    }
}

/// Ends TLS and passes on what is in it, for the rest of the process.
fn forward(config: ServerConfig, backend: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let acceptor = TlsAcceptor::from(Arc::new(config));
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((socket, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // A client that does not trust us hangs up.
                    let mut session = acceptor.accept(socket).await.ok()?;
                    let mut backend = TcpStream::connect(backend).await.ok()?;
                    tokio::io::copy_bidirectional(&mut session, &mut backend).await.ok()
                });
            }
        });
    });
    address
}

#[test]
fn a_sweep_runs_over_tls_with_a_certificate_of_the_user() {
    let place = Workplace::new();
    let server = SecureServer::start(&place);
    let arguments = format!(
        "profile -m m --url {} --ca-cert ca.pem --concurrency 1,2 --osl 2 --num-prompts 10 --wait-for-model-timeout 60",
        server.url
    );
    place.run(&arguments).expect(0);
    let manifest = place.json("artifacts/m-openai-chat-concurrency_sweep/manifest.json");
    let connection = &manifest["configuration"]["server"]["connection"];
    assert_eq!(connection["ca_certs"][0], "ca.pem");
    assert_eq!(connection["insecure"], false);
}

#[test]
fn an_unknown_certificate_fails_the_run_unless_the_user_does_not_care() {
    let place = Workplace::new();
    let server = SecureServer::start(&place);
    let arguments = format!("profile -m m --url {} --concurrency 1 --osl 2 --num-prompts 4", server.url);
    let refused = place.run(&arguments).expect(4);
    assert!(refused.stderr.contains("--ca-cert"), "{}", refused.stderr);
    let accepted = place.run(&format!("{arguments} --insecure --overwrite")).expect(0);
    assert!(accepted.stderr.contains("warning: --insecure"), "{}", accepted.stderr);
    let manifest = place.json("artifacts/m-openai-chat-concurrency1/manifest.json");
    assert_eq!(manifest["configuration"]["server"]["connection"]["insecure"], true);
}

#[test]
fn each_request_can_open_its_connection_and_is_told_how_long_that_took() {
    let place = Workplace::new();
    let server = SecureServer::start(&place);
    for (strategy, opened) in [("never", 12..=12), ("pooled", 1..=2)] {
        let arguments = format!(
            "profile -m m --url {} --ca-cert ca.pem --concurrency 2 --osl 2 --num-prompts 12 --overwrite \
             --connection-reuse-strategy {strategy}",
            server.url
        );
        place.run(&arguments).expect(0);
        let records =
            String::from_utf8(place.bytes("artifacts/m-openai-chat-concurrency2/profile_export.jsonl"))
                .unwrap();
        let count = records.lines().filter(|line| line.contains("http_req_connecting")).count();
        assert!(opened.contains(&count), "{strategy}: {count}");
        let run = place.json("artifacts/m-openai-chat-concurrency2/profile_export_aiperf.json");
        assert!(run["http_req_connecting"]["p50"].as_f64().unwrap() > 0.0);
    }
}
