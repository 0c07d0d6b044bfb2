//! A TLS client that chooses everything about its handshake and says what came of it.

use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    self, AlertDescription, ClientConfig, DigitallySignedStruct, HandshakeKind, NamedGroup,
    ProtocolVersion, RootCertStore, SignatureScheme, SupportedProtocolVersion,
};

use super::certs::{Issued, Kind, provider};
use super::within;

/// A client. All its connections share one store of session tickets.
pub(crate) struct Tls {
    roots: RootCertStore,
    alpn: Vec<Vec<u8>>,
    versions: Vec<&'static SupportedProtocolVersion>,
    groups: Option<Vec<NamedGroup>>,
    kind: Option<Kind>,
    check_certificate: bool,
    send_name: bool,
    source: Option<IpAddr>,
    shown: Option<(String, String)>,
    saw_certificate: Arc<AtomicBool>,
    config: OnceLock<Arc<ClientConfig>>,
}

/// A connection after its handshake.
pub(crate) struct Secure {
    pub(crate) stream: TlsStream<TcpStream>,
    pub(crate) facts: Facts,
}

/// What a handshake came to.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) alpn: Option<String>,
    pub(crate) version: ProtocolVersion,
    pub(crate) group: Option<NamedGroup>,
    pub(crate) resumed: bool,
    /// The server's own certificate, DER.
    pub(crate) certificate: Vec<u8>,
}

/// A handshake that failed.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) error: io::Error,
    /// Whether the server had sent its certificate.
    pub(crate) saw_certificate: bool,
}

impl Refused {
    /// The alert that the server sent, if it sent one.
    pub(crate) fn alert(&self) -> Option<AlertDescription> {
        let cause = self.error.get_ref()? as &(dyn Error + 'static);
        match cause.downcast_ref::<rustls::Error>()? {
            rustls::Error::AlertReceived(alert) => Some(*alert),
            _ => None,
        }
    }
}

impl Tls {
    /// A client that trusts these roots (PEM), offers `h2` and `http/1.1`, TLS 1.3 and 1.2.
    pub(crate) fn trusting(pem: &str) -> Self {
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            roots.add(root.unwrap()).unwrap();
        }
        Self {
            roots,
            alpn: vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            versions: vec![&TLS13, &TLS12],
            groups: None,
            kind: None,
            check_certificate: true,
            send_name: true,
            source: None,
            shown: None,
            saw_certificate: Arc::default(),
            config: OnceLock::new(),
        }
    }

    /// Offers these protocols.
    pub(crate) fn alpn(mut self, protocols: &[&str]) -> Self {
        self.alpn = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        self
    }

    /// Speaks TLS 1.2 only.
    pub(crate) fn tls12(mut self) -> Self {
        self.versions = vec![&TLS12];
        self
    }

    /// Speaks TLS 1.3 only.
    pub(crate) fn tls13(mut self) -> Self {
        self.versions = vec![&TLS13];
        self
    }

    /// Offers these key-exchange groups only, the preferred one first.
    pub(crate) fn groups(mut self, groups: &[NamedGroup]) -> Self {
        self.groups = Some(groups.to_vec());
        self
    }

    /// Offers signature schemes of one kind of key only.
    pub(crate) fn schemes_of(mut self, kind: Kind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Takes any certificate, for any name.
    pub(crate) fn without_check(mut self) -> Self {
        self.check_certificate = false;
        self
    }

    /// Sends no SNI; the name is still compared with the certificate.
    pub(crate) fn without_name(mut self) -> Self {
        self.send_name = false;
        self
    }

    /// Shows a certificate of its own.
    pub(crate) fn showing(mut self, issued: &Issued) -> Self {
        self.shown = Some((issued.cert.clone(), issued.key.clone()));
        self
    }

    /// Connects from this address: on Linux, all of 127.0.0.0/8 is loopback.
    pub(crate) fn from(mut self, source: &str) -> Self {
        self.source = Some(source.parse().unwrap());
        self
    }

    /// Connects a TCP stream as this client would.
    pub(crate) async fn tcp(&self, addr: SocketAddr) -> io::Result<TcpStream> {
        let Some(source) = self.source else { return TcpStream::connect(addr).await };
        let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.bind(SocketAddr::new(source, 0))?;
        socket.connect(addr).await
    }

    /// Connects and shakes hands; `name` is the SNI and what the certificate must be for.
    pub(crate) async fn try_connect(
        &self,
        addr: SocketAddr,
        name: &str,
    ) -> Result<Secure, Refused> {
        self.saw_certificate.store(false, Ordering::SeqCst);
        let refused =
            |error| Refused { error, saw_certificate: self.saw_certificate.load(Ordering::SeqCst) };
        let stream = self.tcp(addr).await.map_err(refused)?;
        stream.set_nodelay(true).map_err(refused)?;
        let config = Arc::clone(self.config.get_or_init(|| Arc::new(self.build())));
        let server = ServerName::try_from(name.to_owned()).unwrap();
        let handshake = TlsConnector::from(config).connect(server, stream);
        let what = format!("the TLS handshake with {name}");
        let stream = within(&what, handshake).await.map_err(refused)?;
        let facts = facts(&stream);
        Ok(Secure { stream, facts })
    }

    /// [`Tls::try_connect`], where it must succeed.
    pub(crate) async fn connect(&self, addr: SocketAddr, name: &str) -> Secure {
        match self.try_connect(addr, name).await {
            Ok(secure) => secure,
            Err(refused) => panic!("the TLS handshake with {name} failed: {}", refused.error),
        }
    }

    /// [`Tls::try_connect`], where it must fail.
    pub(crate) async fn refused(&self, addr: SocketAddr, name: &str) -> Refused {
        match self.try_connect(addr, name).await {
            Ok(secure) => panic!("the handshake with {name} succeeded: {:?}", secure.facts),
            Err(refused) => refused,
        }
    }

    fn build(&self) -> ClientConfig {
        let mut provider = CryptoProvider::clone(&provider());
        if let Some(groups) = &self.groups {
            let known = std::mem::take(&mut provider.kx_groups);
            let find = |name| known.iter().copied().find(|group| group.name() == name);
            provider.kx_groups = groups.iter().map(|&name| find(name).unwrap()).collect();
        }
        let provider = Arc::new(provider);
        let check = self.check_certificate.then(|| {
            let roots = Arc::new(self.roots.clone());
            WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider))
                .build()
                .unwrap()
        });
        let verifier = Verifier {
            check,
            kind: self.kind,
            provider: Arc::clone(&provider),
            saw_certificate: Arc::clone(&self.saw_certificate),
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&self.versions)
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match &self.shown {
            None => config.with_no_client_auth(),
            Some((cert, key)) => {
                let chain = CertificateDer::pem_slice_iter(cert.as_bytes()).map(Result::unwrap);
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                config.with_client_auth_cert(chain.collect(), key).unwrap()
            }
        };
        config.alpn_protocols.clone_from(&self.alpn);
        config.enable_sni = self.send_name;
        config
    }
}

fn facts(stream: &TlsStream<TcpStream>) -> Facts {
    let tls = stream.get_ref().1;
    Facts {
        alpn: tls.alpn_protocol().map(|protocol| String::from_utf8_lossy(protocol).into_owned()),
        version: tls.protocol_version().unwrap(),
        group: tls.negotiated_key_exchange_group().map(|group| group.name()),
        resumed: tls.handshake_kind() == Some(HandshakeKind::Resumed),
        certificate: tls
            .peer_certificates()
            .and_then(|chain| chain.first())
            .map(|certificate| certificate.to_vec())
            .unwrap_or_default(),
    }
}

/// Notes that a certificate came, and narrows the schemes that are offered.
#[derive(Debug)]
struct Verifier {
    check: Option<Arc<WebPkiServerVerifier>>,
    kind: Option<Kind>,
    provider: Arc<CryptoProvider>,
    saw_certificate: Arc<AtomicBool>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.saw_certificate.store(true, Ordering::SeqCst);
        match &self.check {
            None => Ok(ServerCertVerified::assertion()),
            Some(check) => {
                check.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = self.provider.signature_verification_algorithms.supported_schemes();
        if let Some(kind) = self.kind {
            schemes.retain(|&scheme| is_of(kind, scheme));
        }
        schemes
    }
}

fn is_of(kind: Kind, scheme: SignatureScheme) -> bool {
    let name = format!("{scheme:?}");
    match kind {
        Kind::Ecdsa => name.starts_with("ECDSA"),
        Kind::Rsa => name.starts_with("RSA"),
    }
}
