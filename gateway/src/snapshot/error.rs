//! Why a snapshot cannot be built.

use crate::guard::GuardProblem;
use crate::reply::PageError;
use crate::upstream::{StickyError, TlsError};

/// Why a configuration that reads well cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Certificates are missing, broken, or do not cover their sites: all of them at once.
    #[error("{}", lines(.0))]
    Certificates(Vec<gateway_certs::CertProblem>),
    /// Error pages cannot be read: all of them at once.
    #[error("{}", lines(.0))]
    Pages(Vec<PageError>),
    /// An upstream could never be verified.
    #[error("upstream `{upstream}`: {source}")]
    UpstreamTls {
        /// Its name.
        upstream: String,
        /// Why.
        source: TlsError,
    },
    /// Who may come in cannot be decided at some routes: all of them at once.
    #[error("{}", lines(.0))]
    Guards(Vec<GuardProblem>),
    /// Clients cannot be kept with their servers.
    #[error(transparent)]
    Sticky(#[from] StickyError),
    /// Certificates cannot come by ACME, for reasons that lie in this machine.
    #[error("certificates cannot come by ACME: {0}")]
    Acme(#[from] gateway_acme::KeeperError),
    /// Certificates of clients cannot be verified: a sentence for each site.
    #[error("{}", .0.join("\n"))]
    ClientCerts(Vec<String>),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random,
    /// TLS cannot be set up at all.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    /// The metrics contradict each other: a mistake in the gateway.
    #[error("the metrics cannot be set up")]
    Metrics(#[from] prometheus::Error),
}

fn lines(problems: &[impl ToString]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
