//! The certificate that is shown through the public name, by each address: is it this gateway's?

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::SystemTime;

use gateway_certs::{Certificate, LeafFacts};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::{AlertDescription, ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::anybody::Anybody;
use super::finding::{Check, Finding, TLS_ALPN_01, quoted};
use super::reach::{ANSWER, OWN, Unreached, connect, is_own};
use super::subject::Subject;
use crate::keeper::Keeper;
use crate::storage::Disk;

/// What was found at one address.
pub(super) struct Look {
    pub(super) at: SocketAddr,
    pub(super) seen: Seen,
}

pub(super) enum Seen {
    Right { local: bool, own: bool },
    Unreached(Unreached),
    Silent,
    UnknownName,
    NotTls { reason: String },
    Other { issuer: String, names: String },
}

impl From<Look> for Finding {
    fn from(Look { at, seen }: Look) -> Self {
        let check = Check::TlsAlpn01;
        let problem =
            |what: String, advice: &str| Self::problem(check, what, advice).of(TLS_ALPN_01);
        match seen {
            Seen::Right { local, own } => {
                let which = if local {
                    "the local CA's, until a real one comes"
                } else {
                    "the one that is kept"
                };
                let what = format!("This gateway shows its certificate at {at} ({which}).");
                Self::ok(check, if own { format!("{what} {OWN}") } else { what })
            }
            Seen::Unreached(unreached) => {
                let (what, advice) = unreached.sentences(at);
                problem(what, &advice)
            }
            Seen::Silent => problem(
                format!("{at} takes the connection and does not answer."),
                "Something in front of the gateway takes connections and passes nothing on: a load balancer without a healthy target, for instance.",
            ),
            Seen::UnknownName => problem(
                format!("What answers at {at} does not know the name."),
                "Another gateway, or one with another configuration: check where the record and port 443 lead to, and restart this gateway if its configuration was changed.",
            ),
            Seen::NotTls { reason } => problem(
                format!("What answers at {at} ends the handshake ({reason})."),
                "Let port 443 lead to a listener in `https` of [server], without anything between that ends or filters TLS.",
            ),
            Seen::Other { issuer, names } => problem(
                format!(
                    "Somebody else answers at {at}: a certificate for {names}, issued by {issuer}."
                ),
                "tls-alpn-01 takes the CA's connection as it is: let no proxy or CDN end TLS in front of this gateway, or leave tls-alpn-01 out of `challenges` in [acme].",
            ),
        }
    }
}

/// What this gateway would show.
pub(super) struct Ours {
    kept: Vec<Arc<Certificate>>,
    /// Proves that a certificate is one of the local CA's.
    local: Option<Arc<WebPkiServerVerifier>>,
}

impl Ours {
    pub(super) fn of(subject: &Subject<'_>) -> Self {
        let disk = Arc::new(Disk::existing(subject.storage()));
        let kept = Keeper::kept(subject.wanted.clone(), disk);
        let root = subject.storage().join("local-ca").join("root.crt");
        let local = CertificateDer::from_pem_file(root).ok().and_then(|root| {
            let mut roots = RootCertStore::empty();
            roots.add(root).ok()?;
            let provider = gateway_certs::provider();
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().ok()
        });
        Self { kept, local }
    }

    fn judge(&self, chain: &[CertificateDer<'_>], name: &ServerName<'_>) -> Option<bool> {
        let (leaf, between) = chain.split_first()?;
        let is_kept = |kept: &Arc<Certificate>| kept.certified_key().cert.first() == Some(leaf);
        if self.kept.iter().any(is_kept) {
            return Some(false);
        }
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
        let now = UnixTime::since_unix_epoch(since);
        let local = self.local.as_ref()?;
        local.verify_server_cert(leaf, between, name, &[], now).ok().map(|_| true)
    }
}

/// Looks at every address, at the same time; what was found, in the order of the addresses.
pub(super) async fn look(name: &str, addresses: &[IpAddr], port: u16, ours: Ours) -> Vec<Look> {
    let Ok(name) = ServerName::try_from(name.to_owned()) else { return Vec::new() };
    let provider = gateway_certs::provider();
    let Ok(builder) =
        ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()
    else {
        return Vec::new();
    };
    let config = builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider)));
    let tls = TlsConnector::from(Arc::new(config.with_no_client_auth()));
    let ours = Arc::new(ours);
    let mut looking = JoinSet::new();
    for (index, ip) in addresses.iter().enumerate() {
        let at = SocketAddr::new(*ip, port);
        let (tls, name, ours) = (tls.clone(), name.clone(), ours.clone());
        looking
            .spawn(async move { (index, Look { at, seen: look_at(at, &tls, name, &ours).await }) });
    }
    let mut looks = looking.join_all().await;
    looks.sort_by_key(|(index, _)| *index);
    looks.into_iter().map(|(_, look)| look).collect()
}

async fn look_at(
    at: SocketAddr,
    tls: &TlsConnector,
    name: ServerName<'static>,
    ours: &Ours,
) -> Seen {
    let stream = match connect(at).await {
        Ok(stream) => stream,
        Err(unreached) => return Seen::Unreached(unreached),
    };
    let stream = match timeout(ANSWER, tls.connect(name.clone(), stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return refused(&error),
        Err(_) => return Seen::Silent,
    };
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    match ours.judge(chain, &name) {
        Some(local) => Seen::Right { local, own: is_own(at.ip()) },
        None => other(chain),
    }
}

fn refused(error: &io::Error) -> Seen {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::AlertReceived(AlertDescription::UnrecognisedName)) => Seen::UnknownName,
        _ => Seen::NotTls { reason: quoted(&error.to_string()) },
    }
}

fn other(chain: &[CertificateDer<'_>]) -> Seen {
    let facts = chain.first().and_then(LeafFacts::read);
    let (issuer, names) = facts.map_or_else(Default::default, |facts| {
        let names: Vec<_> = facts.names.iter().take(5).map(ToString::to_string).collect();
        (quoted(&facts.issuer), quoted(&names.join(", ")))
    });
    let or = |text: String, other: &str| if text.is_empty() { other.to_owned() } else { text };
    Seen::Other { issuer: or(issuer, "nobody in particular"), names: or(names, "no name") }
}
