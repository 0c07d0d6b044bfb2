//! Who may come in, by what they know or bring along.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;

use super::{PasswordHash, Upstream};

/// `auth`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// A user's name and password.
    Basic(BasicAuth),
    /// Another service decides.
    Forward(ForwardAuth),
    /// A signed token.
    Jwt(JwtAuth),
}

/// `basic`: HTTP Basic authentication (RFC 7617).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasicAuth {
    /// Users of the configuration.
    pub users: BTreeMap<String, PasswordHash>,
    /// A file with more of them: lines `user:hash`.
    pub file: Option<PathBuf>,
    /// What the client is told that the password is for.
    pub realm: String,
    /// The header that tells the upstream the user's name.
    pub user_header: Option<HeaderName>,
}

/// `forward`: another service is shown each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForwardAuth {
    /// The service.
    pub upstream: Arc<Upstream>,
    /// Path and query that it is asked for.
    pub path: String,
    /// Headers of its 2xx that the request takes along.
    pub copy_headers: Vec<HeaderName>,
    /// How long its answer may take.
    pub timeout: Duration,
    /// What happens while it cannot decide.
    pub on_error: OnError,
}

/// `jwt`: a signed token (RFC 7519).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtAuth {
    /// Where the issuer's keys are.
    pub keys: KeySource,
    /// What `iss` must be.
    pub issuer: String,
    /// What `aud` must name one of; anything where it is empty.
    pub audience: Vec<String>,
    /// The signatures that are taken.
    pub algorithms: Vec<JwsAlgorithm>,
    /// The cookie that holds the token where there is no `Authorization`.
    pub cookie: Option<String>,
    /// Claims that must be there, with their values.
    pub claims: BTreeMap<String, String>,
    /// Headers that tell the upstream a claim.
    pub copy_claims: Vec<(HeaderName, String)>,
    /// How far the clocks may be apart.
    pub leeway: Duration,
    /// What happens while no keys can be had.
    pub on_error: OnError,
}

/// How a token is signed (RFC 7518, RFC 8037): with a private key, never with a secret that whoever
/// verifies it would have to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the names of the registry")]
pub enum JwsAlgorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
}

impl JwsAlgorithm {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
    ];

    /// Its name in the registry.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }
}

/// Where an issuer's keys are (RFC 7517).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A file.
    File(PathBuf),
    /// A service, and what it is asked for.
    Url {
        /// The service.
        upstream: Arc<Upstream>,
        /// Its host, with the port where the URL has one.
        authority: String,
        /// Path and query.
        path: String,
    },
}

/// What happens where nobody can decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// Nobody comes in.
    Deny,
    /// Everybody comes in.
    Allow,
}
