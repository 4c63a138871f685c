//! Which servers are believed to be who they say they are.

use crate::error::LoadError;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::{Resumption, WebPkiServerVerifier, verify_server_name};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

/// Whose certificates are accepted: those that browsers accept, and those that the user adds. Or anybody's.
#[derive(Clone, Debug)]
pub struct TrustedAuthorities {
    authorities: Arc<RootCertStore>,
    added: Arc<[CertificateDer<'static>]>,
    anybody: bool,
}

impl Default for TrustedAuthorities {
    /// The authorities that browsers trust.
    fn default() -> Self {
        let roots = webpki_roots::TLS_SERVER_ROOTS.to_vec();
        Self { authorities: Arc::new(RootCertStore { roots }), added: Arc::new([]), anybody: false }
    }
}

impl TrustedAuthorities {
    /// Trusts what browsers trust, and the certificates in these PEM files: authorities, or servers themselves.
    pub fn with_certificates(files: &[PathBuf]) -> Result<Self, LoadError> {
        let Self { authorities, .. } = Self::default();
        let mut authorities = Arc::unwrap_or_clone(authorities);
        let mut added = Vec::new();
        for file in files {
            for certificate in read(file)? {
                authorities.add(certificate.clone()).map_err(|error| refused(file, error))?;
                added.push(certificate);
            }
        }
        Ok(Self { authorities: Arc::new(authorities), added: added.into(), anybody: false })
    }

    /// Trusts any server, also one that only claims to be the one that is asked.
    #[must_use]
    pub fn anybody() -> Self {
        Self { anybody: true, ..Self::default() }
    }

    /// What a client needs to open connections, each with a handshake of its own.
    pub(crate) fn client(&self) -> Result<ClientConfig, Error> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?
            .dangerous();
        let builder = if self.anybody {
            builder.with_custom_certificate_verifier(Arc::new(Anybody { provider }))
        } else {
            builder.with_custom_certificate_verifier(Arc::new(self.verifier(provider)?))
        };
        let mut config = builder.with_no_client_auth();
        // A resumed session would cost the server less than a new client does.
        config.resumption = Resumption::disabled();
        Ok(config)
    }

    fn verifier(&self, provider: Arc<CryptoProvider>) -> Result<Known, Error> {
        let by_authority =
            WebPkiServerVerifier::builder_with_provider(Arc::clone(&self.authorities), provider)
                .build()
                .map_err(|error| Error::General(error.to_string()))?;
        Ok(Known { by_authority, added: Arc::clone(&self.added) })
    }
}

/// The most bytes of a file with certificates.
const LARGEST: u64 = 16 << 20;

fn read(file: &Path) -> Result<Vec<CertificateDer<'static>>, LoadError> {
    let text = aiperf_files::read(file, LARGEST).map_err(|error| refused(file, error))?;
    let certificates = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| refused(file, error))?;
    if certificates.is_empty() {
        return Err(refused(file, "it holds no certificate"));
    }
    Ok(certificates)
}

fn refused(file: &Path, reason: impl std::fmt::Display) -> LoadError {
    LoadError::Certificates { file: file.to_path_buf(), reason: reason.to_string() }
}

/// Accepts a server that a known authority vouches for, or whose certificate is itself one that the user added.
#[derive(Debug)]
struct Known {
    by_authority: Arc<WebPkiServerVerifier>,
    added: Arc<[CertificateDer<'static>]>,
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        server: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.by_authority.verify_server_cert(server, intermediates, name, ocsp_response, now) {
            // What `openssl req -x509` makes is an authority by default, which no server should be; that is found
            // after the dates have been found good. The user has named this very certificate.
            Err(Error::InvalidCertificate(CertificateError::Other(_))) if self.added.contains(server) => {
                verify_server_name(&ParsedCertificate::try_from(server)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        server: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_authority.verify_tls12_signature(message, server, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        server: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_authority.verify_tls13_signature(message, server, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.by_authority.supported_verify_schemes()
    }
}

/// Accepts every certificate; the handshake itself is still checked.
#[derive(Debug)]
struct Anybody {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _server: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        server: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, server, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        server: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, server, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
