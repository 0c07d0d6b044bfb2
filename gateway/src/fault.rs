//! Everything that can go wrong with one request, and whose fault it is.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use crate::downstream::ClientError;
use crate::h1::{FramingError, HeadError};
use crate::policy::Refused;
use crate::upstream::AnswerError;

/// The longest request head, in bytes: for HTTP/1.1 with its request line, for HTTP/2 decoded.
pub(crate) const HEAD_CAP: u64 = 64 * 1024;

/// Whose fault it is that a request was not answered as it was meant to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blame {
    /// The client sent something that cannot be served, or went away.
    Client,
    /// The upstream was not there, too slow, or made no sense.
    Upstream,
    /// The configuration says no, or the gateway itself cannot.
    Gateway,
}

/// One request's failure. The sentence goes into the access log; the client sees only the status.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("the request is malformed: {0}")]
    Malformed(&'static str),
    #[error("the request's transfer coding is not `chunked`")]
    UnknownCoding,
    #[error("the request's path is refused: {0}")]
    MalformedPath(gateway_config::path::PathError),
    #[error("the request's head is malformed")]
    MalformedHead(#[source] HeadError),
    #[error("the request's head is longer than {} KiB", HEAD_CAP / 1024)]
    HeadTooLarge,
    #[error("the request's head took longer than {0:?}")]
    HeadTimeout(Duration),
    #[error("no site answers to this host")]
    UnknownHost(Option<StatusCode>),
    #[error("the host is not of the site that the connection's certificate is for")]
    Misdirected,
    #[error("no route of the site takes this path")]
    NoRoute,
    #[error("no file of the folder is called so")]
    NoFile,
    #[error("the method is none of {0}")]
    MethodNotAllowed(&'static str),
    #[error("the file cannot be read")]
    Unreadable(#[source] io::Error),
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("the request's body is larger than the cap of {cap} bytes")]
    BodyTooLarge { cap: u64 },
    #[error("the request's body stopped for {0:?}")]
    BodyTimeout(Duration),
    #[error("the request's body came too slowly: less than {0} bytes a second")]
    BodyTooSlow(u64),
    #[error("the request's body broke off")]
    BodyBroken(#[source] ClientError),
    #[error("the client went away")]
    ClientGone(#[source] ClientError),

    #[error("the name {name} does not resolve: {reason}")]
    Unresolved { name: String, reason: String },
    #[error("cannot connect to {server}")]
    Connect {
        server: Arc<str>,
        #[source]
        source: io::Error,
    },
    #[error("no connection to {server} can be made, as there is no file descriptor left")]
    NoDescriptor {
        server: Arc<str>,
        #[source]
        source: io::Error,
    },
    #[error("connecting to {server} took longer than {after:?}")]
    ConnectTimeout { server: Arc<str>, after: Duration },
    #[error("the servers of {upstream} have as many requests as they may have")]
    Busy {
        upstream: Arc<str>,
        /// When it is worth asking again, in seconds.
        retry_after: u64,
    },
    #[error("{server} closed the connection before it answered")]
    NoAnswer {
        server: Arc<str>,
        #[source]
        source: AnswerError,
    },
    #[error("the answer of {server} is not HTTP")]
    Garbage {
        server: Arc<str>,
        #[source]
        source: AnswerError,
    },
    #[error("{server} did not answer within {after:?}")]
    FirstByteTimeout { server: Arc<str>, after: Duration },
    #[error("{server} stopped for {after:?} in the middle of its answer")]
    AnswerTimeout { server: Arc<str>, after: Duration },
    #[error("the answer cannot be compressed")]
    NotCompressed(#[source] io::Error),
    #[error("{server} broke off in the middle of its answer")]
    AnswerBroken {
        server: Arc<str>,
        #[source]
        source: AnswerError,
    },
}

impl Fault {
    /// What the client is told. `None`: nothing can be told, the connection or stream is broken off.
    pub(crate) fn status(&self) -> Option<StatusCode> {
        Some(match self {
            Self::Malformed(_)
            | Self::MalformedPath(_)
            | Self::MalformedHead(_)
            | Self::BodyBroken(_) => StatusCode::BAD_REQUEST,
            Self::UnknownCoding => StatusCode::NOT_IMPLEMENTED,
            Self::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::HeadTimeout(_) | Self::BodyTimeout(_) | Self::BodyTooSlow(_) => {
                StatusCode::REQUEST_TIMEOUT
            }
            Self::UnknownHost(status) => return *status,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::NoRoute | Self::NoFile => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Refused(refused) => refused.status(),
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::ClientGone(_) => return None,
            Self::Unreadable(_) | Self::NotCompressed(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unresolved { .. }
            | Self::Connect { .. }
            | Self::NoAnswer { .. }
            | Self::Garbage { .. }
            | Self::AnswerBroken { .. } => StatusCode::BAD_GATEWAY,
            Self::Busy { .. } | Self::NoDescriptor { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::ConnectTimeout { .. }
            | Self::FirstByteTimeout { .. }
            | Self::AnswerTimeout { .. } => StatusCode::GATEWAY_TIMEOUT,
        })
    }

    /// Whose fault it is.
    pub(crate) fn blame(&self) -> Blame {
        match self {
            Self::Malformed(_)
            | Self::UnknownCoding
            | Self::MalformedPath(_)
            | Self::MalformedHead(_)
            | Self::HeadTooLarge
            | Self::HeadTimeout(_)
            | Self::UnknownHost(_)
            | Self::Misdirected
            | Self::BodyTooLarge { .. }
            | Self::BodyTimeout(_)
            | Self::BodyTooSlow(_)
            | Self::BodyBroken(_)
            | Self::NoFile
            | Self::MethodNotAllowed(_)
            | Self::ClientGone(_) => Blame::Client,
            Self::Unresolved { .. }
            | Self::Connect { .. }
            | Self::ConnectTimeout { .. }
            | Self::Busy { .. }
            | Self::NoAnswer { .. }
            | Self::Garbage { .. }
            | Self::FirstByteTimeout { .. }
            | Self::AnswerTimeout { .. }
            | Self::AnswerBroken { .. } => Blame::Upstream,
            Self::NoRoute
            | Self::Refused(_)
            | Self::Unreadable(_)
            | Self::NoDescriptor { .. }
            | Self::NotCompressed(_) => Blame::Gateway,
        }
    }

    /// Whether nobody knows any more where the next request would begin, so that an HTTP/1.1
    /// connection cannot be used again.
    pub(crate) fn loses_framing(&self) -> bool {
        matches!(
            self,
            Self::Malformed(_)
                | Self::UnknownCoding
                | Self::MalformedHead(_)
                | Self::HeadTooLarge
                | Self::HeadTimeout(_)
                | Self::BodyTooLarge { .. }
                | Self::BodyTimeout(_)
                | Self::BodyTooSlow(_)
                | Self::BodyBroken(_)
        )
    }

    /// A name from a fixed set, for the metric `gateway_faults_total`.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::MalformedPath(_) | Self::MalformedHead(_) => "malformed",
            Self::UnknownCoding => "unknown_coding",
            Self::HeadTooLarge => "head_too_large",
            Self::HeadTimeout(_) => "head_timeout",
            Self::UnknownHost(_) => "unknown_host",
            Self::Misdirected => "misdirected",
            Self::NoRoute => "no_route",
            Self::NoFile => "no_file",
            Self::MethodNotAllowed(_) => "method_not_allowed",
            Self::Unreadable(_) => "unreadable",
            Self::Refused(refused) => refused.reason(),
            Self::BodyTooLarge { .. } => "body_too_large",
            Self::BodyTimeout(_) => "body_timeout",
            Self::BodyTooSlow(_) => "body_too_slow",
            Self::BodyBroken(_) => "body_broken",
            Self::ClientGone(_) => "client_gone",
            Self::Unresolved { .. } => "upstream_unresolved",
            Self::Connect { .. } => "upstream_connect",
            Self::NoDescriptor { .. } => "no_descriptor",
            Self::ConnectTimeout { .. } => "upstream_connect_timeout",
            Self::Busy { .. } => "upstream_busy",
            Self::NoAnswer { .. } => "upstream_no_answer",
            Self::Garbage { .. } => "upstream_garbage",
            Self::FirstByteTimeout { .. } => "upstream_first_byte_timeout",
            Self::AnswerTimeout { .. } => "upstream_answer_timeout",
            Self::AnswerBroken { .. } => "upstream_answer_broken",
            Self::NotCompressed(_) => "not_compressed",
        }
    }

    /// The sentence with its causes, for the access log. None of them quotes what a client or an
    /// upstream sent: that can hold cookies and tokens.
    pub(crate) fn chain(&self) -> String {
        let mut chain = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            chain.push_str(": ");
            chain.push_str(&error.to_string());
            cause = error.source();
        }
        chain
    }
}

impl From<FramingError> for Fault {
    fn from(error: FramingError) -> Self {
        match error {
            FramingError::Coding => Self::UnknownCoding,
            FramingError::Malformed(what) => Self::Malformed(what),
        }
    }
}

impl From<HeadError> for Fault {
    fn from(error: HeadError) -> Self {
        match error {
            HeadError::TooLarge => Self::HeadTooLarge,
            HeadError::Malformed(_) => Self::MalformedHead(error),
        }
    }
}

impl From<ClientError> for Fault {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Malformed(_) => Self::BodyBroken(error),
            ClientError::Gone(_) => Self::ClientGone(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::auth::Denied;
    use crate::policy::limit::Exceeded;
    use crate::policy::webhook::Rejected;
    use std::fmt::Write as _;

    fn reset() -> io::Error {
        io::Error::from(io::ErrorKind::ConnectionReset)
    }

    fn clients_and_ours() -> Vec<Fault> {
        let after = Duration::from_secs(10);
        vec![
            Fault::Malformed("it names two hosts"),
            Fault::UnknownCoding,
            Fault::MalformedPath(gateway_config::path::PathError::Encoding),
            Fault::MalformedHead(HeadError::Malformed("a field's name is not a token")),
            Fault::HeadTooLarge,
            Fault::HeadTimeout(after),
            Fault::UnknownHost(None),
            Fault::UnknownHost(Some(StatusCode::NOT_FOUND)),
            Fault::Misdirected,
            Fault::NoRoute,
            Fault::NoFile,
            Fault::MethodNotAllowed("GET, HEAD"),
            Fault::Unreadable(io::Error::from(io::ErrorKind::PermissionDenied)),
            Fault::Refused(Refused::Maintenance { retry_after: 300 }),
            Fault::Refused(Refused::Address),
            Fault::Refused(Refused::Path),
            Fault::Refused(Refused::Rate(Exceeded::example())),
            Fault::Refused(Refused::Concurrency("downloads".into())),
            Fault::Refused(Refused::Preflight("its origin is not one of `cors`")),
            Fault::Refused(Refused::Auth(Denied::Nobody("Basic".into()))),
            Fault::Refused(Refused::Auth(Denied::Wrong("it is no token", "Bearer".into()))),
            Fault::Refused(Refused::Auth(Denied::Forbidden("a claim is missing", "Bearer".into()))),
            Fault::Refused(Refused::Auth(Denied::Unknown("it answered 500".into()))),
            Fault::Refused(Refused::Auth(Denied::Busy)),
            Fault::Refused(Refused::Webhook(Rejected::Unsigned)),
            Fault::Refused(Refused::Webhook(Rejected::Forged)),
            Fault::Refused(Refused::Webhook(Rejected::Replayed)),
            Fault::Refused(Refused::Webhook(Rejected::Crowded)),
            Fault::BodyTooLarge { cap: 10_485_760 },
            Fault::BodyTimeout(after),
            Fault::BodyTooSlow(240),
            Fault::BodyBroken(ClientError::Malformed("a chunk is longer than it says")),
            Fault::ClientGone(ClientError::Gone(reset())),
            Fault::NoDescriptor {
                server: "backend:8000".into(),
                source: io::Error::from_raw_os_error(24),
            },
            Fault::NotCompressed(io::Error::from(io::ErrorKind::OutOfMemory)),
        ]
    }

    fn upstreams() -> Vec<Fault> {
        let (server, after) = (Arc::<str>::from("backend:8000"), Duration::from_secs(60));
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        vec![
            Fault::Unresolved {
                name: "backend".into(),
                reason: "the name servers know no address for it".into(),
            },
            Fault::Connect { server: server.clone(), source: refused },
            Fault::ConnectTimeout { server: server.clone(), after },
            Fault::Busy { upstream: "backend".into(), retry_after: 5 },
            Fault::NoAnswer { server: server.clone(), source: AnswerError::Closed(reset()) },
            Fault::Garbage {
                server: server.clone(),
                source: AnswerError::NotHttp("its first line is not HTTP"),
            },
            Fault::FirstByteTimeout { server: server.clone(), after },
            Fault::AnswerTimeout { server: server.clone(), after },
            Fault::AnswerBroken { server, source: AnswerError::Closed(reset()) },
        ]
    }

    /// What stands in the access log, and never anything that a client or an upstream sent.
    #[test]
    fn every_sentence_is_as_it_was_approved() {
        let mut texts = String::new();
        for fault in clients_and_ours().iter().chain(&upstreams()) {
            let status =
                fault.status().map_or_else(|| "none".into(), |status| status.as_u16().to_string());
            let (reason, blame) = (fault.reason(), fault.blame());
            writeln!(texts, "{reason} {blame:?} {status}\n    {}", fault.chain()).unwrap();
        }
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/faults.txt");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(golden, &texts).unwrap();
        }
        assert_eq!(texts, std::fs::read_to_string(golden).unwrap(), "BLESS=1 writes it anew");
    }
}
