//! Certificates that come by ACME (RFC 8555).

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::Secret;

/// `[acme]`: whom to ask for certificates, and how to prove that a name is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acme {
    /// Where the CA may write to, as `mailto:` URLs. May be empty; not every CA allows that.
    pub contact: Vec<String>,
    /// The CAs, the most wanted first; never empty. The next is asked where one fails for long.
    pub directories: Vec<AcmeDirectory>,
    /// The challenges that may be used, in this order. `None`: those that the rest of the
    /// configuration makes possible.
    pub challenges: Option<Vec<ChallengeKind>>,
    /// Who changes DNS records for `dns-01`.
    pub dns: Option<DnsProvider>,
}

/// What a site's certificates are to be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcmeCertificate {
    /// The profile to ask for; `None` leaves it to the CA.
    pub profile: Option<String>,
    /// The kinds of keys.
    pub keys: AcmeKeys,
    /// Whether the site's hosts share one certificate.
    pub per: CertificatePer,
}

/// One CA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcmeDirectory {
    /// Which.
    pub ca: AcmeCa,
    /// The account at the CA that ours is to be bound to (RFC 8555 section 7.3.4).
    pub eab: Option<ExternalAccount>,
    /// PEM file of roots that the CA's own https is checked against, besides the system's.
    pub roots: Option<PathBuf>,
}

/// A CA by the name that everybody calls it, or by the URL of its directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AcmeCa {
    /// Let's Encrypt.
    LetsEncrypt,
    /// Let's Encrypt's staging environment: limits are wide, and no browser trusts it.
    LetsEncryptStaging,
    /// ZeroSSL; wants an [`ExternalAccount`].
    ZeroSsl,
    /// Google Trust Services; wants an [`ExternalAccount`].
    Google,
    /// Any other, by the https URL of its directory.
    Url(String),
}

impl AcmeCa {
    /// The CAs that have a name.
    pub const NAMED: [Self; 4] =
        [Self::LetsEncrypt, Self::LetsEncryptStaging, Self::ZeroSsl, Self::Google];

    /// The name that a configuration calls it by; `None` for one that is known by its URL alone.
    #[must_use]
    pub const fn name(&self) -> Option<&'static str> {
        match self {
            Self::LetsEncrypt => Some("letsencrypt"),
            Self::LetsEncryptStaging => Some("letsencrypt-staging"),
            Self::ZeroSsl => Some("zerossl"),
            Self::Google => Some("google"),
            Self::Url(_) => None,
        }
    }

    /// The URL of its directory (RFC 8555 section 7.1.1).
    #[must_use]
    pub fn url(&self) -> &str {
        match self {
            Self::LetsEncrypt => "https://acme-v02.api.letsencrypt.org/directory",
            Self::LetsEncryptStaging => "https://acme-staging-v02.api.letsencrypt.org/directory",
            Self::ZeroSsl => "https://acme.zerossl.com/v2/DV90",
            Self::Google => "https://dv.acme-v02.api.pki.goog/directory",
            Self::Url(url) => url,
        }
    }

    /// Whether it takes orders only from accounts that an [`ExternalAccount`] stands behind.
    #[must_use]
    pub const fn wants_external_account(&self) -> bool {
        matches!(self, Self::ZeroSsl | Self::Google)
    }
}

/// As the configuration writes it.
impl fmt::Display for AcmeCa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name().unwrap_or(self.url()))
    }
}

/// External account binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalAccount {
    /// The key's id, as the CA gave it.
    pub key_id: String,
    /// The HMAC key, base64url as the CA gave it.
    pub key: Secret,
}

/// How the control of a name is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChallengeKind {
    /// A file that the CA fetches from port 80 (RFC 8555 section 8.3).
    Http01,
    /// A certificate that the CA is shown at port 443 (RFC 8737).
    TlsAlpn01,
    /// A TXT record (RFC 8555 section 8.4); the only one for wildcards.
    Dns01,
}

impl ChallengeKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::TlsAlpn01, Self::Http01, Self::Dns01];

    /// Its registered name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http01 => "http-01",
            Self::TlsAlpn01 => "tls-alpn-01",
            Self::Dns01 => "dns-01",
        }
    }
}

impl fmt::Display for ChallengeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who changes DNS records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DnsProvider {
    /// A name server that takes updates (RFC 2136), signed (RFC 8945).
    Rfc2136 {
        /// The primary server of the zone.
        server: SocketAddr,
        /// The name of the TSIG key.
        key: String,
        /// The algorithm of the TSIG key.
        algorithm: TsigAlgorithm,
        /// The TSIG key, base64 as in BIND's configuration.
        secret: Secret,
    },
    /// The API of Cloudflare.
    Cloudflare {
        /// An API token that may edit the zone's DNS.
        token: Secret,
        /// Where the API is.
        api: String,
    },
    /// A program of the user's: `COMMAND… set|remove NAME VALUE`.
    Exec {
        /// The program and its first arguments; never empty. No shell is involved.
        command: Vec<String>,
    },
}

/// The MAC of a TSIG key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TsigAlgorithm {
    /// `hmac-sha256`
    HmacSha256,
    /// `hmac-sha384`
    HmacSha384,
    /// `hmac-sha512`
    HmacSha512,
}

/// The kinds of keys that certificates are asked for with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcmeKeys {
    /// ECDSA over P-256.
    Ecdsa,
    /// RSA with 2048 bits, for very old clients.
    Rsa,
    /// One certificate of each; the client decides which it gets.
    Both,
}

/// What shares a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificatePer {
    /// All hosts of a site.
    Site,
    /// Each host has its own.
    Host,
}

/// What counts where neither `[acme]` nor the site says anything.
impl Default for AcmeCertificate {
    fn default() -> Self {
        Self { profile: None, keys: AcmeKeys::Ecdsa, per: CertificatePer::Site }
    }
}

/// What a file without `[acme]` means.
impl Default for Acme {
    fn default() -> Self {
        Self {
            contact: Vec::new(),
            directories: vec![AcmeDirectory { ca: AcmeCa::LetsEncrypt, eab: None, roots: None }],
            challenges: None,
            dns: None,
        }
    }
}
