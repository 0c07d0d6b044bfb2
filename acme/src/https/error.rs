//! Why there is no answer.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use http_body_util::LengthLimitError;

/// Why a request got no answer, or a client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum HttpsError {
    /// The file of roots cannot be read, or holds none.
    #[error(
        "the root certificates in `{}` cannot be read ({source}). Put PEM certificates there, readable for the gateway's user.",
        path.display()
    )]
    Roots {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: rustls_pki_types::pem::Error,
    },
    /// A certificate of the file cannot be a root.
    #[error(
        "a certificate in `{}` cannot be used as a root ({source}). Take it out of the file.",
        path.display()
    )]
    Root {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: rustls::Error,
    },
    /// rustls refused to be set up: a mistake of the gateway's.
    #[error("TLS cannot be set up ({0}). This is a mistake in the gateway; please report it.")]
    Setup(rustls::Error),
    /// The request's URI names no server.
    #[error("the address `{uri}` names no server. Write it with https:// and a host.")]
    NoHost {
        /// What there is of it.
        uri: String,
    },
    /// The name has no address.
    #[error(
        "`{server}` does not resolve ({reason}). Check the name, and the name servers in /etc/resolv.conf or the configuration."
    )]
    Unresolved {
        /// The name.
        server: String,
        /// What the name servers said.
        reason: String,
    },
    /// Nothing listens there.
    #[error(
        "`{server}` refused the connection. Check that it runs, that the port is right, and that no firewall is between."
    )]
    Refused {
        /// The server's name.
        server: String,
        /// What the system said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// No connection, or no whole answer, in time.
    #[error(
        "`{server}` did not answer in time. It will be asked again; if this lasts, check that the gateway may connect to it."
    )]
    TimedOut {
        /// The server's name.
        server: String,
    },
    /// The server's certificate is not one to believe.
    #[error(
        "the certificate of `{server}` is not trusted ({reason}). Check the system's clock and its package ca-certificates; the root of a private CA belongs into the file named by `roots`."
    )]
    NotTrusted {
        /// The server's name.
        server: String,
        /// What is wrong with the certificate.
        reason: String,
        /// The same, as rustls said it.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The system has no roots, so nothing can be trusted.
    #[error(
        "the certificate of `{server}` cannot be verified: this system has no root certificates. Install the package ca-certificates."
    )]
    NoRoots {
        /// The server's name.
        server: String,
    },
    /// The answer is longer than any that is expected.
    #[error(
        "the answer of `{server}` is larger than 1 MiB and was not read. Check that the address is that of the API."
    )]
    BodyTooLarge {
        /// The server's name.
        server: String,
    },
    /// Anything else: a connection that broke, an answer that is not HTTP.
    #[error(
        "the connection to `{server}` failed ({reason}). It will be tried again; if this lasts, check that the address is that of the API."
    )]
    Failed {
        /// The server's name.
        server: String,
        /// The innermost cause.
        reason: String,
        /// The whole of it.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// What the resolver said about a name.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unresolved(pub(super) String);

/// What is known about a request besides its error.
pub(super) struct Circumstances {
    /// The name or address of the server.
    pub(super) server: String,
    /// Whether there is no root at all.
    pub(super) no_roots: bool,
}

impl HttpsError {
    /// What hyper's error comes down to.
    pub(super) fn of(
        error: Box<dyn Error + Send + Sync>,
        Circumstances { server, no_roots }: &Circumstances,
    ) -> Self {
        let server = server.clone();
        let causes = causes(&*error);
        if let Some(Unresolved(reason)) = find(&causes) {
            return Self::Unresolved { server, reason: reason.clone() };
        }
        if find::<LengthLimitError>(&causes).is_some() {
            return Self::BodyTooLarge { server };
        }
        if let Some(rustls::Error::InvalidCertificate(problem)) = find(&causes) {
            let reason = problem.to_string();
            return match no_roots {
                true => Self::NoRoots { server },
                false => Self::NotTrusted { server, reason, source: error },
            };
        }
        let kinds = causes.iter().filter_map(|cause| cause.downcast_ref()).map(io::Error::kind);
        for kind in kinds {
            match kind {
                io::ErrorKind::ConnectionRefused => return Self::Refused { server, source: error },
                io::ErrorKind::TimedOut => return Self::TimedOut { server },
                _ => {}
            }
        }
        let reason = causes.last().map_or_else(|| error.to_string(), ToString::to_string);
        Self::Failed { server, reason, source: error }
    }
}

fn find<'a, T: Error + 'static>(causes: &[&'a (dyn Error + 'static)]) -> Option<&'a T> {
    causes.iter().find_map(|cause| cause.downcast_ref())
}

/// The error and all that caused it, the innermost last. What an `io::Error` carries counts, which
/// its `source` passes over.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    let mut all = vec![error];
    let mut next = inner(error);
    while let Some(cause) = next {
        all.push(cause);
        next = inner(cause);
    }
    all
}

fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}
