//! What the rest of the gateway sees of a configuration: checked, complete, and impossible to hold
//! half-right. Nothing here knows about TOML; everything here came through [`crate::load()`].

mod acme;
mod address;
mod answers;
mod auth;
mod balance;
mod compress;
mod cors;
mod errors;
mod files;
mod headers;
mod host;
mod limit;
mod password;
mod policy;
mod route;
mod secret;
mod server;
mod upstream;
mod webhook;

pub use acme::{
    Acme, AcmeCa, AcmeCertificate, AcmeDirectory, AcmeKeys, CertificatePer, ChallengeKind,
    DnsProvider, ExternalAccount, TsigAlgorithm,
};
pub use address::{ListenAddr, ProxySource, TrustedProxies};
pub use answers::CacheControl;
pub use auth::{Auth, BasicAuth, ForwardAuth, JwsAlgorithm, JwtAuth, KeySource, OnError};
pub use balance::{Balance, Fail, HashKey, Health, HealthCheck, Queue};
pub use compress::{Compress, CompressLevels, ContentCoding, MediaRange};
pub(crate) use cors::default_port;
pub use cors::{Cors, CorsOrigins, OriginPattern};
pub use errors::{ErrorFormat, ErrorPage, Errors, Maintenance, PageKind, StatusPattern};
pub use files::Files;
pub use headers::{HeaderPreset, ResponseHeaders};
pub use host::{Host, HostPattern};
pub use limit::{Bandwidth, Counting, Limit, LimitKey, Measure, Rate};
pub use password::{PasswordHash, PasswordHashError};
pub use policy::{Access, DenyPaths, Policy};
pub use route::{Action, PathPattern, Redirect, Respond, Rewrite, Route, Target};
pub use secret::{Secret, SecretError};
pub use server::{AccessLog, Connections, Server, Timeouts, UnknownHost};
pub use upstream::{Endpoint, Protocol, ProxyProtocol, Server as UpstreamServer, Upstream};
pub(crate) use webhook::LARGEST_DELIVERY;
pub use webhook::{Webhook, WebhookEvent, WebhookProvider};

use std::path::PathBuf;
use std::sync::Arc;

/// A whole configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Listeners, limits on connections, storage: what belongs to the process and not to a site.
    pub server: Server,
    /// How certificates come by ACME, for the sites that want it.
    pub acme: Acme,
    /// Every site, in the order of the file. No two claim the same host.
    pub sites: Vec<Site>,
    /// Every upstream that a route uses, named or bare; the routes share these by `Arc`.
    pub upstreams: Vec<Arc<Upstream>>,
    /// Every limit that the file names, used or not.
    pub limits: Vec<Arc<Limit>>,
}

/// One site: the hosts it answers to, its certificate, and its routes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The name in `[site."…"]`; also the site's label in the access log and the metrics.
    pub name: HostPattern,
    /// Further hosts that are served as this site.
    pub aliases: Vec<HostPattern>,
    /// Where its certificate comes from.
    pub tls: Tls,
    /// What certificates its clients are asked for.
    pub client_certs: Option<ClientCerts>,
    /// Its routes, in the order of the file. No two have the same path.
    pub routes: Vec<Route>,
    /// What server and site say, for requests that no route takes.
    pub policy: Policy,
}

impl Site {
    /// Every host pattern of the site, the name first.
    pub fn hosts(&self) -> impl Iterator<Item = &HostPattern> {
        std::iter::once(&self.name).chain(&self.aliases)
    }

    /// What its certificates are to be like, where they come by ACME.
    #[must_use]
    pub fn acme(&self) -> Option<&AcmeCertificate> {
        match &self.tls {
            Tls::Acme(certificate) => Some(certificate),
            Tls::SelfSigned | Tls::Files(_) => None,
        }
    }

    /// The hosts that share a certificate which comes by ACME, group by group; empty where the
    /// site's certificates come from elsewhere.
    #[must_use]
    pub fn acme_groups(&self) -> Vec<Vec<HostPattern>> {
        let Some(certificate) = self.acme() else { return Vec::new() };
        match certificate.per {
            CertificatePer::Site => vec![self.hosts().cloned().collect()],
            CertificatePer::Host => self.hosts().map(|host| vec![host.clone()]).collect(),
        }
    }
}

/// Where a site's certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// A certificate of the local CA, made at start.
    SelfSigned,
    /// Certificates that the gateway has issued by ACME and renews itself.
    Acme(AcmeCertificate),
    /// Certificate chains and keys from PEM files; several where RSA and ECDSA stand side by side.
    Files(Vec<CertificateFiles>),
}

/// Certificates of clients. Relative paths have been resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCerts {
    /// The CAs that issue them (PEM).
    pub ca: PathBuf,
    /// Lists of revoked ones (PEM).
    pub crls: Vec<PathBuf>,
    /// Whether clients without one are refused.
    pub required: bool,
    /// The header that tells upstreams whose it is.
    pub header: Option<http::HeaderName>,
}

/// One certificate chain and its key, both PEM files. Relative paths have been resolved against the
/// folder of the configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CertificateFiles {
    /// The chain, leaf first.
    pub cert: PathBuf,
    /// The private key (PKCS#8, PKCS#1 or SEC1).
    pub key: PathBuf,
}
