//! The local CA: an authority of this machine's own, for sites that say `"self-signed"`.
//!
//! Made once, kept in `<storage>/local-ca`, so that people trust it once and keep trusting it.

mod error;
mod keep;
mod root;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use gateway_config::model::{Host, HostPattern};
use rcgen::{
    CertificateParams, ExtendedKeyUsagePurpose, Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use rustls::crypto::aws_lc_rs::sign::any_ecdsa_type;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use time::OffsetDateTime;

use crate::certificate::Certificate;
use crate::subject_name::SubjectName;

pub use error::{IssueError, Note, Remade, StorageError};

/// How long a leaf is valid. The same as the public authorities' customary 90 days, so that renewal
/// is something that happens and not something that might.
const LEAF_LIFE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// How far a certificate's beginning is set back, for clients whose clock is behind.
const BACKDATING: Duration = Duration::from_secs(60 * 60);

/// The local CA, open: its root and its key are in memory, its folder is no longer touched.
pub struct LocalCa {
    root_path: PathBuf,
    root_pem: String,
    root_not_after: SystemTime,
    issuer: Issuer<'static, KeyPair>,
    notes: Vec<Note>,
}

impl LocalCa {
    /// Opens the CA in `storage`, and makes it where there is none, where its root has expired, or
    /// where its files are damaged (those are moved aside; see [`LocalCa::notes`]). Processes that
    /// open the same storage at the same time end with the same CA.
    ///
    /// # Errors
    /// [`StorageError`] where the folder cannot be made, locked, read or written, or where the
    /// system gives no key.
    pub fn open(storage: &Path, now: SystemTime) -> Result<Self, StorageError> {
        keep::open(storage, now)
    }

    /// A certificate with an ECDSA P-256 key of its own for these hosts, valid for 90 days but never
    /// longer than the root. `*` is passed over, since no certificate can name it.
    ///
    /// # Errors
    /// [`IssueError::NoNames`] where nothing but `*` is left; the others where the cryptography
    /// library refuses.
    pub fn issue(&self, hosts: &[HostPattern], now: SystemTime) -> Result<Certificate, IssueError> {
        self.issue_names(hosts.iter().filter_map(SubjectName::of_pattern), now)
    }

    /// The same for one host: how a `*` site is served.
    ///
    /// # Errors
    /// As [`LocalCa::issue`].
    pub fn issue_for(&self, host: &Host, now: SystemTime) -> Result<Certificate, IssueError> {
        self.issue_names([SubjectName::of_host(host)], now)
    }

    pub(crate) fn issue_names(
        &self,
        names: impl IntoIterator<Item = SubjectName>,
        now: SystemTime,
    ) -> Result<Certificate, IssueError> {
        let sans = names.into_iter().map(san).collect::<Result<Vec<_>, _>>()?;
        if sans.is_empty() {
            return Err(IssueError::NoNames);
        }
        let key = KeyPair::generate().map_err(IssueError::Make)?;
        let leaf = leaf_params(sans, now, self.root_not_after)?
            .signed_by(&key, &self.issuer)
            .map_err(IssueError::Make)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key));
        let key = any_ecdsa_type(&key).map_err(IssueError::Key)?;
        Certificate::new(vec![leaf.into()], key).map_err(IssueError::ReadBack)
    }

    /// The root certificate as PEM: what clients have to trust.
    #[must_use]
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// The absolute path of the root certificate.
    #[must_use]
    pub fn root_path(&self) -> &Path {
        &self.root_path
    }

    /// The root's last valid second.
    #[must_use]
    pub fn root_not_after(&self) -> SystemTime {
        self.root_not_after
    }

    /// What opening it came upon and did about it; empty on an ordinary day.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The one line that makes Debian and Ubuntu (and what runs on them and reads the system's
    /// store, such as curl) trust the root.
    #[must_use]
    pub fn trust_command(&self) -> String {
        format!(
            "sudo cp {} /usr/local/share/ca-certificates/gateway-local-ca.crt && sudo update-ca-certificates",
            shell_word(&self.root_path.to_string_lossy())
        )
    }

    /// How to trust the root, for any system: the line for Debian and Ubuntu, and the file for the
    /// others.
    #[must_use]
    pub fn trust_advice(&self) -> String {
        format!(
            "To trust the local CA on Debian or Ubuntu, run `{}`; on another system, add `{}` to the trusted authorities of the system or the browser.",
            self.trust_command(),
            self.root_path.display()
        )
    }
}

/// Without the key.
impl fmt::Debug for LocalCa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalCa")
            .field("root_path", &self.root_path)
            .field("root_not_after", &self.root_not_after)
            .field("notes", &self.notes)
            .finish_non_exhaustive()
    }
}

fn san(name: SubjectName) -> Result<SanType, IssueError> {
    match name {
        SubjectName::Ip(ip) => Ok(SanType::IpAddress(ip)),
        SubjectName::Dns(_) | SubjectName::Wildcard(_) => {
            let name = name.to_string();
            match name.as_str().try_into() {
                Ok(ia5) => Ok(SanType::DnsName(ia5)),
                Err(source) => Err(IssueError::Name { name, source }),
            }
        }
    }
}

fn leaf_params(
    sans: Vec<SanType>,
    now: SystemTime,
    root_not_after: SystemTime,
) -> Result<CertificateParams, IssueError> {
    let mut params = CertificateParams::default();
    // No subject at all: clients read the names from subjectAltName only, and a common name has
    // room for no more than 64 characters.
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.subject_alt_names = sans;
    params.not_before = OffsetDateTime::from(now - BACKDATING);
    params.not_after = OffsetDateTime::from((now - BACKDATING + LEAF_LIFE).min(root_not_after));
    params.serial_number = Some(root::random_serial().map_err(IssueError::Random)?);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// A path as one word of a POSIX shell.
fn shell_word(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    match path.chars().all(plain) {
        true => path.to_owned(),
        false => format!("'{}'", path.replace('\'', r"'\''")),
    }
}
